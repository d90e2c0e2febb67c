# SPDX-License-Identifier: BSD-2-Clause
"""Many Linux guests beside many web guests, all serving, any of them killed."""

import pytest

from linux_guest import LinuxMachine, small_kernel
from machine import guest
from web import page, wait_answers

LINUX, WEB = 20, 100


def test_twenty_linux_guests_and_a_hundred_web_guests():
    kernel = small_kernel()
    if not kernel:
        pytest.skip("there is no small kernel; run make pv-kernel")
    with LinuxMachine("linux-many", [guest("web"), kernel, "nginx.cpio.gz"],
                      f"guests={WEB} port=@", forwards=LINUX + WEB,
                      mem=4096) as m:
        m.wait_ready(300)
        linux = {f"linux-{n:02}": m.first + WEB + n for n in range(LINUX)}
        for name, port in linux.items():
            m.create(name, "bzImage", f"console=hvc0 quiet ip=dhcp "
                     f"cairn.name={name}", "nginx.cpio.gz", mib=64,
                     vif="['']", forward=f"['tcp:{port}->80']", paused=True)
        # All at one instant: the control domain has its time nevertheless.
        for name in linux:
            m.command(f"unpause {name}")
        for name in linux:
            own = m.json(f"info {name}")["vif0_ip"]
            with m.console(name):
                assert m.wait_for("cairn-guest: (.* address .*|address .*)\n",
                                  240)[1].startswith(f"address {own}/")
                m.wait_for("nginx serves", 120)
        web = {f"web-{n + 1:04}": m.first + n for n in range(WEB)}
        for name, port in {**linux, **web}.items():
            assert name in wait_answers(port)
        for name in "linux-03", "web-0050", "linux-19", "web-0001":
            m.command(f"destroy {name}")
            port = {**linux, **web}[name]
            with pytest.raises(OSError):
                page(port, seconds=2)
            linux.pop(name, None)
            web.pop(name, None)
        for name, port in {**linux, **web}.items():
            assert name in wait_answers(port)
