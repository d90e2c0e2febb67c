# SPDX-License-Identifier: BSD-2-Clause
"""What guests that are not ours are given: archives, kernels, GRUB."""

import gzip
import io
import os
import stat
import sys

import pytest

ROOT = os.path.join(os.path.dirname(__file__), "..", "..")
sys.path.insert(0, os.path.join(ROOT, "tools"))

# pylint: disable=wrong-import-position
from machine import OUT  # noqa: E402
from newc import Archive  # noqa: E402

IMAGES = os.path.join(OUT, "guests", "linux")


def entries(data):
    """{name: (mode, content)} of an archive, read by its own definition."""
    found, at = {}, 0
    while True:
        assert data[at:at + 6] == b"070701"
        numbers = [int(data[at + 6 + 8 * i:at + 14 + 8 * i], 16)
                   for i in range(13)]
        mode, size, name_size = numbers[1], numbers[6], numbers[11]
        name = data[at + 110:at + 110 + name_size]
        assert name.endswith(b"\0")
        start = (at + 110 + name_size + 3) & ~3
        name = name[:-1].decode()
        if name == "TRAILER!!!":
            return found
        assert name not in found
        found[name] = (mode, data[start:start + size])
        at = (start + size + 3) & ~3


def test_an_archive_is_read_back():
    memory = io.BytesIO()
    archive = Archive(memory)
    archive.folder("a/b")
    archive.folder("a")
    archive.text("a/b/odd", "x" * 5, 0o755)
    archive.link("link", "a/b/odd")
    archive.node("console", 5, 1)
    archive.copy("a/copy", __file__)
    archive.copy("a/copy", os.devnull)
    archive.end()
    found = entries(memory.getvalue())
    assert list(found) == ["a", "a/b", "a/b/odd", "link", "console", "a/copy"]
    assert stat.S_ISDIR(found["a"][0]) and stat.S_ISCHR(found["console"][0])
    assert found["a/b/odd"] == (stat.S_IFREG | 0o755, b"xxxxx")
    assert found["link"] == (stat.S_IFLNK | 0o777, b"a/b/odd")
    with open(__file__, "rb") as source:
        assert found["a/copy"][1] == source.read()


@pytest.mark.parametrize("name, more", [
    ("initrd.cpio.gz", []),
    ("nginx.cpio.gz", ["sbin/nginx", "services/nginx", "etc/nginx/nginx.conf",
                       "lib64/ld-linux-x86-64.so.2",
                       "lib/x86_64-linux-gnu/libcrypto.so.3"]),
])
def test_first_file_systems_have_what_init_needs(name, more):
    with gzip.open(os.path.join(IMAGES, name)) as file:
        found = entries(file.read())
    for path in ["init", "bin/busybox", "lib/dhcp", "sbin/poweroff",
                 "bin/bench", "bin/client", *more]:
        assert found[path][0] & 0o444, path
        if not path.endswith(".conf"):
            assert found[path][0] & 0o111, path
    assert found["sbin/reboot"][1] == b"poweroff"
    drivers = [path for path in found if path.endswith("/xen-netfront.ko")]
    assert len(drivers) == 2  # one for each of Debian's kernels
    assert ("services/nginx" in found) == bool(more)


@pytest.mark.parametrize("kernel, codec", [
    ("vmlinuz-cloud", b"\x02\x21\x4c\x18"), ("vmlinuz-amd64", b"\xfd7zXZ")])
def test_kernels_have_the_payloads_that_the_builder_knows(kernel, codec):
    with open(os.path.join(IMAGES, kernel), "rb") as file:
        image = file.read()
    assert image[0x202:0x206] == b"HdrS"
    sectors = image[0x1f1] or 4
    offset = int.from_bytes(image[0x248:0x24c], "little")
    start = (sectors + 1) * 512 + offset
    assert image[start:start + len(codec)] == codec


@pytest.mark.parametrize("name", ["grub.bin", "grub-chain.bin"])
def test_grub_is_an_elf_for_pv_domains(name):
    with open(os.path.join(IMAGES, name), "rb") as file:
        image = file.read()
    assert image[:5] == b"\x7fELF\x02"
    assert b"Xen\0" in image and b"generic\0" in image
