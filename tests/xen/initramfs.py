# SPDX-License-Identifier: BSD-2-Clause
"""
A Linux that controls Xen, for tests: a kernel and an initramfs with xl.

Nothing is installed.  The kernel, xl and the shell come from the packages that
`make deps` unpacks into the cache; the libraries are the build machine's own
(libxen-dev brings them).  What is made lies under build/xen/.
"""

import glob
import os
import re
import shutil
import subprocess
import sys

CACHE = os.environ.get("CACHE") or os.path.expanduser("~/.cache/cairn")
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(1, os.path.join(HERE, "..", "..", "tools"))

# pylint: disable=wrong-import-position
from newc import Archive  # noqa: E402

PACKAGES = {
    "kernel": "linux-image-amd64",
    "xen": "xen-utils-4.17",
    "store": "xenstore-utils",
    "shell": "busybox-static",
}
MODULES = ["xen-privcmd", "xen-evtchn", "xen-gntdev", "xen-gntalloc", "xenfs",
           "xen-netback"]
PROGRAMS = ["xl", "xenstored", "xenconsoled", "xen-init-dom0"]
STORE_PROGRAMS = ["xenstore-read", "xenstore-write", "xenstore-ls"]
FOLDERS = ["bin", "dev", "etc", "etc/xen", "lib", "lib64", "mod", "proc", "run",
           "run/xen", "sys", "tmp", "usr", "usr/lib", "var", "var/lib",
           "var/lib/xen", "var/lib/xenstored", "var/lock", "var/log",
           "var/log/xen", "var/log/xen/console", "guests"]
# Loaded by name when a thread is cancelled, so nobody's list names it.
LATE_LIBRARIES = ["/lib/x86_64-linux-gnu/libgcc_s.so.1"]


class Missing(Exception):
    """A package is not unpacked."""


def unpacked(which, pattern):
    """The only file of a package in the cache that matches."""
    found = glob.glob(os.path.join(CACHE, "unpacked", PACKAGES[which],
                                   pattern), recursive=True)
    if not found:
        raise Missing(f"{PACKAGES[which]} is not unpacked; run make deps")
    return sorted(found)[-1]


def libraries_of(programs):
    """What the dynamic linker would load for them."""
    found = set(LATE_LIBRARIES)
    for program in programs:
        text = subprocess.run(["ldd", program], check=True,
                              stdout=subprocess.PIPE).stdout.decode()
        if "not found" in text:
            raise Missing(f"{program}: a library is missing; run make deps")
        found.update(re.findall(r"(/\S+\.so\S*)", text))
    return sorted(found)


def make_root(path):
    """The archive with everything but the guests."""
    tools = os.path.dirname(unpacked("xen", "usr/lib/xen-*/bin/xl"))
    programs = [os.path.join(tools, name) for name in PROGRAMS]
    programs += [unpacked("store", "usr/bin/" + n) for n in STORE_PROGRAMS]
    archive = Archive(open(path, "wb"))
    for folder in FOLDERS:
        archive.folder(folder)
    archive.link("var/run", "/run")
    archive.link("usr/lib/x86_64-linux-gnu", "/lib")
    archive.link("lib/x86_64-linux-gnu", "/lib")
    archive.copy("bin/busybox", unpacked("shell", "bin/busybox"))
    archive.link("bin/sh", "busybox")
    for program in programs:
        # xenstore-* may be links to the same file.
        archive.copy("bin/" + os.path.basename(program),
                     os.path.realpath(program))
    for library in libraries_of(programs):
        folder = "lib64" if "ld-linux" in library else "lib"
        archive.copy(f"{folder}/{os.path.basename(library)}",
                     os.path.realpath(library))
    for module in MODULES:
        archive.copy(f"mod/{module}.ko",
                     unpacked("kernel", f"lib/modules/**/{module}.ko"), 0o644)
    archive.text("etc/passwd", "root:x:0:0:root:/:/bin/sh\n")
    archive.text("etc/group", "root:x:0:\n")
    archive.text("etc/xen/xl.conf", 'autoballoon="off"\n')
    for script in ("init", "vif", "jobs.sh"):
        archive.copy(script, os.path.join(HERE, "dom0", script))
    archive.close()


def make_guests(path, files):
    """An archive that lays FILES, {name: path or text}, under /guests."""
    archive = Archive(open(path, "wb"))
    for name in sorted(files):
        if os.path.dirname(name):
            archive.folder("guests/" + os.path.dirname(name))
        if os.path.exists(files[name]):
            archive.copy("guests/" + name, files[name])
        else:
            archive.text("guests/" + name, files[name])
    archive.close()


def make_dom0(folder, files):
    """(kernel, initramfs) of a Linux that runs what is in FILES, and ends."""
    os.makedirs(folder, exist_ok=True)
    root, guests, both = (os.path.join(folder, name) for name in
                          ("root.cpio", "guests.cpio", "dom0.cpio"))
    make_root(root)
    make_guests(guests, files)
    # The kernel unpacks one archive behind the other.
    with open(both, "wb") as target:
        for part in (root, guests):
            with open(part, "rb") as source:
                shutil.copyfileobj(source, target)
    return unpacked("kernel", "boot/vmlinuz-*"), both
