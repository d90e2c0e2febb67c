# SPDX-License-Identifier: BSD-2-Clause
"""How long interrupts wait for a hypercall: exact, for instructions count."""

import re

from machine import OUT, Machine

LATENCY = f"{OUT}/guests/conformance/latency.elf exact=1"


def test_no_hypercall_keeps_interrupts_waiting():
    with Machine("latency", [LATENCY], net=False, icount=True) as m:
        m.wait_for(r"^@@ \d+ passed, \d+ failed", 180)
        m.wait_end()
        assert re.search(r"^@@ [1-9]\d* passed, 0 failed, 0 skipped",
                         m.output, re.MULTILINE), m.output[-3000:]
