# SPDX-License-Identifier: BSD-2-Clause
"""Unmodified kernels as guests of class pv."""

import pytest

from linux_guest import LinuxMachine, has

FILES = ["vmlinuz-cloud", "vmlinuz-amd64", "initrd.cpio.gz", "nginx.cpio.gz",
         "grub.bin", "grub-chain.bin"]
REACHED = r"cairn-guest: init reached, uptime [\d.]+"
READY = r"cairn-guest: ready, uptime [\d.]+"
ALL = "console=hvc0 cairn.test=log cairn.test=work cairn.test=poweroff"


@pytest.fixture(scope="module")
def machine():
    with LinuxMachine("linux", FILES, forwards=4) as m:
        m.wait_ready()
        yield m


@pytest.mark.parametrize("kernel", ["cloud", "amd64"])
def test_to_init_and_back(machine, kernel):
    machine.create(f"{kernel}-1", f"vmlinuz-{kernel}", ALL)
    text = machine.wait_ended(f"{kernel}-1", "powered off: destroy")
    assert has(REACHED, text) and has(READY, text)
    assert has("work: 0 of 4 went wrong", text)
