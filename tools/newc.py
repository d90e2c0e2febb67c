# SPDX-License-Identifier: BSD-2-Clause
"""
A cpio archive in the form that Linux unpacks as its first file system.

The same content gives the same bytes: no dates, no owners, numbers in order.
"""

import stat


class Archive:
    """An archive ("newc") written to an open binary file."""

    def __init__(self, file):
        self.file = file
        self.serial = 0
        self.names = set()

    def _entry(self, name, mode, data, device=(0, 0)):
        # magic, inode, mode, uid, gid, links, time, size, device (2),
        # special device (2), size of the name with its NUL, checksum
        self.serial += 1
        numbers = [self.serial, mode, 0, 0, 1, 0, len(data), 0, 0, *device,
                   len(name) + 1, 0]
        head = b"070701" + b"".join(b"%08x" % n for n in numbers)
        head += name.encode() + b"\0"
        self.file.write(head + b"\0" * (-len(head) % 4))
        self.file.write(data + b"\0" * (-len(data) % 4))

    def folder(self, name):
        """The folder and those that it is in, once."""
        if name and name not in self.names:
            self.folder(name.rpartition("/")[0])
            self.names.add(name)
            self._entry(name, stat.S_IFDIR | 0o755, b"")

    def link(self, name, target):
        self.names.add(name)
        self._entry(name, stat.S_IFLNK | 0o777, target.encode())

    def node(self, name, major, minor):
        """A character device."""
        self._entry(name, stat.S_IFCHR | 0o600, b"", (major, minor))

    def text(self, name, text, mode=0o644):
        self._entry(name, stat.S_IFREG | mode, text.encode())

    def copy(self, name, path, mode=0o755):
        """The content of the file at PATH, unless NAME is there already."""
        if name in self.names:
            return
        self.names.add(name)
        with open(path, "rb") as source:
            self._entry(name, stat.S_IFREG | mode, source.read())

    def end(self):
        self._entry("TRAILER!!!", 0, b"")

    def close(self):
        self.end()
        self.file.close()
