# SPDX-License-Identifier: BSD-2-Clause
"""A hundred busy domains: fair shares, short waits, kept bounds."""

import re

import pytest

from machine import OUT, Machine

# 32 ns an instruction, so that the seconds this takes are few instructions.
COUNTED = ["-icount", "shift=5,sleep=off", "-rtc", "base=2020-01-01,clock=vm"]


@pytest.mark.parametrize("cpus", [1, 2, 4])
def test_crowd(cpus):
    guest = f"{OUT}/guests/conformance/crowd.elf exact=1 cpus={cpus}"
    with Machine(f"crowd-{cpus}", [guest], net=False, smp=cpus,
                 cpu="max,-x2apic", arguments=COUNTED) as m:
        m.wait_for(r"^@@ \d+ passed, \d+ failed", 300)
        m.wait_end()
        assert re.search(r"^@@ [1-9]\d* passed, 0 failed, 0 skipped",
                         m.output, re.MULTILINE), m.output[-3000:]
