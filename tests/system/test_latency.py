# SPDX-License-Identifier: BSD-2-Clause
"""How long interrupts wait for a hypercall: exact, for instructions count."""

import re

import pytest

from machine import OUT, Machine

LATENCY = f"{OUT}/guests/conformance/latency.elf exact=1"


PV = "dom0_pv dom0_mem=64M dom0_vcpus=4"


# Each class skips what is the other's.
@pytest.mark.parametrize("append,skipped", [("", 4), (PV, 5)],
                         ids=["light", "pv"])
def test_no_hypercall_keeps_interrupts_waiting(append, skipped):
    with Machine("latency-pv" if append else "latency", [LATENCY],
                 append=append, net=False, icount=True) as m:
        m.wait_for(r"^@@ \d+ passed, \d+ failed", 180)
        m.wait_end()
        assert re.search(fr"^@@ [4-9] passed, 0 failed, {skipped} skipped",
                         m.output, re.MULTILINE), m.output[-3000:]
