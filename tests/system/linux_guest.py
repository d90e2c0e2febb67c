# SPDX-License-Identifier: BSD-2-Clause
"""Linux and GRUB, unmodified, as guests of a machine."""

import contextlib
import os
import re
import subprocess
import sys

from machine import OUT, Machine, free_ports, guest

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
IMAGES = os.path.join(OUT, "guests", "linux")
LOGS = os.path.join(OUT, "linux")
SECONDS = 120
DETACH = "\x1d"

sys.path.insert(0, os.path.join(ROOT, "tests", "xen"))


def image(name):
    return os.path.join(IMAGES, name)


def small_kernel():
    """The kernel of pv-kernel-patches, if it has been built."""
    found = subprocess.run([os.path.join(ROOT, "pv-kernel-patches", "build.sh"),
                            "cached", "linux-6.1"], check=False,
                           stdout=subprocess.PIPE, encoding="utf-8")
    return found.stdout.strip() or None


class LinuxMachine(Machine):
    """A machine whose modules are kernels; .first is its first free port."""

    def __init__(self, name, files, control="", forwards=0, mem=1024, **more):
        self.first = free_ports(forwards + 1)
        ports = range(self.first, self.first + forwards)
        control = control.replace("@", str(self.first))
        modules = [f"{guest('control')} {control}"]
        modules += [f if "/" in f else image(f) for f in files]
        super().__init__(name, modules, mem=mem, life=1200,
                         forwards=[(p, p) for p in ports], **more)

    def create(self, name, kernel, words="", ramdisk="initrd.cpio.gz", mib=256,
               paused=False, **more):
        """Start a guest that is let go of when it ends."""
        settings = {"on_poweroff": "destroy", "on_reboot": "destroy",
                    "on_crash": "destroy", **more}
        line = f"create name={name} kernel={kernel} type=pv memory={mib}"
        if ramdisk:
            line += f" ramdisk={ramdisk}"
        if words:
            line += f" cmdline='{words}'"
        for key, value in settings.items():
            line += f" {key}={value}"
        text = self.command(line + " --paused" * paused, SECONDS)
        assert "error: " not in text, text

    @contextlib.contextmanager
    def console(self, name):
        """Its console on ours: first what it printed before."""
        self.position = len(self.output)
        self.type(f"console {name}\r")
        self.wait_for("Ctrl-] leaves it\n")
        try:
            yield
        finally:
            self.type(DETACH)
            self.wait_for(r"^cairn> ")

    def wait_ended(self, name, how, seconds=SECONDS):
        """Its console until it ends; returns that, after checking the report."""
        self.position = len(self.output)
        self.type(f"console {name}\r")
        start = self.wait_for("Ctrl-] leaves it\n").end()
        self.wait_for(rf'domain "{name}" \(\d+\) {how}', seconds)
        end = self.wait_for(r"^cairn> ").start()
        text = self.output[start:end]
        os.makedirs(LOGS, exist_ok=True)
        with open(os.path.join(LOGS, f"{self.name}-{name}.log"), "w",
                  encoding="utf-8") as log:
            log.write(text)
        return text


def has(pattern, text):
    return re.search(pattern, text, re.MULTILINE) is not None
