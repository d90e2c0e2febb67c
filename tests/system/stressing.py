# SPDX-License-Identifier: BSD-2-Clause
"""Running the stress guest (guests/conformance/stress)."""

import os
import re

from machine import DEBUG_HYPERVISOR, OUT, Machine

STRESS = os.path.join(OUT, "guests/conformance/stress.elf")
BOSSES = 4

# To start, and to end what is there; the emulator may be beside another test.
MORE_SECONDS = 200

END = r"^stress: \d+ steps .*: (\w+)|end of panic|panic inside a panic"


def stress(seconds, seed=1, smp=4, name="stress"):
    """For SECONDS of the machine's time; what it printed."""
    limit = MORE_SECONDS + seconds
    with Machine(name, [f"{STRESS} steps=999999999 seconds={seconds} "
                        f"seed={seed}"],
                 append=f"dom0_vcpus={BOSSES} noreboot", smp=smp,
                 kernel=DEBUG_HYPERVISOR, life=limit + MORE_SECONDS) as m:
        end = m.wait_for(END, limit)
        assert end.group(1) == "passed", m.tail()
        m.wait_end()
        bad = re.findall(r"^.*(?:BROKEN|FAILED|\] error: ).*$", m.output,
                         re.MULTILINE)
        assert not bad, "\n".join(bad)
        return m.output
