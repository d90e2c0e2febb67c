#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""
The first file system of a Linux guest, from Debian's packages and root/.

  mkinitrd.py OUT UNPACKED [--programs PATH ...] [--nginx]

UNPACKED is where `make deps` has unpacked packages.  The archive has busybox,
the files of root/, our programs, and for each kernel there its drivers of Xen
devices; --nginx adds nginx with its libraries.  The same input gives the same bytes.
"""

import argparse
import glob
import gzip
import io
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(1, os.path.join(HERE, "..", "..", "tools"))

# pylint: disable=wrong-import-position
from newc import Archive  # noqa: E402

FOLDERS = ["bin", "dev", "etc", "lib", "lib64", "proc", "root", "run", "sbin",
           "sys", "tmp", "var/log/nginx", "var/lib/nginx"]
KERNELS = ["linux-image-amd64", "linux-image-cloud-amd64"]
DRIVERS = ["xen-netfront", "xen-blkfront"]
LIBRARIES = "lib/x86_64-linux-gnu"
# package: its libraries, by the names that the dynamic linker looks for
NGINX_LIBRARIES = {
    "libc6": ["libc.so.6"],
    "libcrypt1": ["libcrypt.so.1"],
    "libpcre2-8-0": ["libpcre2-8.so.0"],
    "libssl3": ["libssl.so.3", "libcrypto.so.3"],
    "zlib1g": ["libz.so.1"],
}


class Builder:
    """An archive, and where its files come from."""

    def __init__(self, unpacked):
        self.unpacked = unpacked
        self.memory = io.BytesIO()
        self.archive = Archive(self.memory)

    def find(self, package, pattern):
        """The newest file of a package that matches."""
        found = sorted(glob.glob(os.path.join(self.unpacked, package, pattern),
                                 recursive=True))
        if not found:
            sys.exit(f"mkinitrd: no {pattern} of {package}; run make deps")
        return os.path.realpath(found[-1])

    def add(self, name, path, mode=0o755):
        self.archive.folder(os.path.dirname(name))
        self.archive.copy(name, path, mode)

    def add_base(self):
        for folder in FOLDERS:
            self.archive.folder(folder)
        # What exists before devtmpfs does: the console of init.
        self.archive.node("dev/console", 5, 1)
        self.add("bin/busybox", self.find("busybox-static", "bin/busybox"))
        self.archive.link("bin/sh", "busybox")
        self.archive.link("sbin/reboot", "poweroff")

    def add_root(self, nginx):
        root = os.path.join(HERE, "root")
        for folder, _, files in sorted(os.walk(root)):
            inside = os.path.relpath(folder, root)
            if inside == "services" and not nginx:
                continue
            for file in sorted(files):
                path = os.path.join(folder, file)
                mode = 0o755 if os.access(path, os.X_OK) else 0o644
                self.add(os.path.normpath(os.path.join(inside, file)), path,
                         mode)

    def add_drivers(self):
        for kernel in KERNELS:
            for driver in DRIVERS:
                path = self.find(kernel, f"lib/modules/**/{driver}.ko")
                release = path.split("/lib/modules/")[1].split("/")[0]
                self.add(f"lib/modules/{release}/{driver}.ko", path, 0o644)

    def add_nginx(self):
        self.add("sbin/nginx", self.find("nginx", "usr/sbin/nginx"))
        self.add("etc/nginx/nginx.conf", os.path.join(HERE, "nginx.conf"),
                 0o644)
        self.add("etc/nginx/mime.types",
                 self.find("nginx-common", "etc/nginx/mime.types"), 0o644)
        self.add("lib64/ld-linux-x86-64.so.2",
                 self.find("libc6", "lib/*/ld-linux-x86-64.so.2"))
        for package, names in NGINX_LIBRARIES.items():
            for name in names:
                self.add(f"{LIBRARIES}/{name}",
                         self.find(package, f"**/{name}"))

    def write(self, path):
        self.archive.end()
        with open(path, "wb") as file:
            file.write(gzip.compress(self.memory.getvalue(), mtime=0))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("out")
    parser.add_argument("unpacked")
    parser.add_argument("--programs", nargs="*", default=[])
    parser.add_argument("--nginx", action="store_true")
    options = parser.parse_args()
    builder = Builder(options.unpacked)
    builder.add_base()
    builder.add_root(options.nginx)
    builder.add_drivers()
    for program in options.programs:
        builder.add("bin/" + os.path.basename(program), program)
    if options.nginx:
        builder.add_nginx()
    builder.write(options.out)


if __name__ == "__main__":
    main()
