# SPDX-License-Identifier: BSD-2-Clause
"""The disk image: GRUB from BIOS and from UEFI, by Multiboot 2."""

import os
import re
import shutil
import subprocess
import urllib.request

import pytest

from machine import OUT, Machine, free_ports

ISO = os.path.join(OUT, "cairn.iso")
FIRMWARE = {"bios": [], "uefi": ["-bios", "/usr/share/ovmf/OVMF.fd"]}

# Firmware and GRUB come first, and UEFI is slow in an emulator.
BOOT_SECONDS = 180


@pytest.fixture(scope="module", autouse=True)
def image():
    """Make the image, with the guests and ports that it has by default."""
    plain = {name: value for name, value in os.environ.items()
             if name not in ("GUESTS", "PORT", "HV_ARGS", "CONTROL_ARGS")}
    subprocess.run(["make", f"OUT={OUT}", ISO], check=True, env=plain)


class IsoMachine(Machine):
    """A machine that finds all it boots on the disk."""

    def __init__(self, name, iso=ISO, arguments=(), **more):
        super().__init__(name, [], arguments=[*arguments, "-cdrom", iso],
                         **more)

    def command_line(self):
        line = super().command_line()
        at = line.index("-kernel")
        return line[:at] + line[at + 4:]


def small_iso(tmp_path, entry):
    """An image whose menu is ENTRY, and which has no module of its own."""
    boot = tmp_path / "iso" / "boot"
    (boot / "grub").mkdir(parents=True)
    for name in ("cairn.elf", "guests/conformance/traps.elf",
                 "guests/web.elf"):
        shutil.copy(os.path.join(OUT, name), boot)
    (boot / "grub" / "grub.cfg").write_text(
        f"set timeout=0\nmenuentry Test {{\n{entry}\n}}\n")
    path = str(tmp_path / "test.iso")
    subprocess.run(["grub-mkrescue", "--locales=", "--fonts=", "--themes=",
                    "-o", path, str(tmp_path / "iso")], check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return path


@pytest.mark.parametrize("firmware", FIRMWARE)
def test_the_image_boots_and_its_guests_serve(firmware):
    port = free_ports(2)
    with IsoMachine(f"iso-{firmware}", mem=512,
                    forwards=[(port, 9000), (port + 1, 9015)],
                    arguments=FIRMWARE[firmware]) as m:
        m.wait_ready(BOOT_SECONDS)
        assert "cairn: ready, 16 of 16" in m.output
        assert re.search(r"ACPI: tables found, 1 CPUs", m.output)
        if firmware == "uefi":  # GRUB uses the first MiB there; we do not.
            assert re.search(r"module 0: moved to", m.output)
        for at, name in ((port, "web-0001"), (port + 1, "web-0016")):
            with urllib.request.urlopen(f"http://127.0.0.1:{at}/",
                                        timeout=60) as answer:
                assert name in answer.read().decode()
        m.type("poweroff\r")
        m.wait_end()


@pytest.mark.parametrize("firmware", FIRMWARE)
def test_several_cpus_and_much_memory(firmware):
    """The tables that firmware makes of a larger machine are understood."""
    with IsoMachine(f"iso-large-{firmware}", mem=6144, smp=4,
                    arguments=FIRMWARE[firmware]) as m:
        m.wait_ready(BOOT_SECONDS)
        assert re.search(r"ACPI: tables found, 4 CPUs", m.output)
        assert "CPUs: 4 of 4 run" in m.output
        assert m.json("info")["memory_mib"] > 6000
        m.type("poweroff\r")
        m.wait_end()


@pytest.mark.parametrize("words,module", [("multiboot", "module"),
                                          ("multiboot2", "module2")])
def test_both_protocols_of_grub(tmp_path, words, module):
    iso = small_iso(tmp_path, f"{words} /boot/cairn.elf noreboot loglevel=4\n"
                    f"{module} /boot/traps.elf traps.elf case=all")
    with IsoMachine(f"iso-{words}", iso=iso, net=False) as m:
        m.wait_for(r"command line: noreboot loglevel=4$", BOOT_SECONDS)
        m.wait_for(r"module 0: \d+ KiB at [0-9a-f]+: traps.elf case=all$")
        m.wait_for(r"^@@ \d+ passed, 0 failed")


@pytest.mark.parametrize("words", ["multiboot", "multiboot2"])
def test_no_module_is_said_and_noreboot_honoured(tmp_path, words):
    iso = small_iso(tmp_path, f"{words} /boot/cairn.elf noreboot")
    with IsoMachine(f"iso-empty-{words}", iso=iso, net=False) as m:
        m.wait_for(r"no boot module", BOOT_SECONDS)
        m.wait_for(r"^Halted \(noreboot\)")
