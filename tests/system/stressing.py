# SPDX-License-Identifier: BSD-2-Clause
"""Running the stress guest (guests/conformance/stress)."""

import os
import re

from machine import DEBUG_HYPERVISOR, OUT, Machine

STRESS = os.path.join(OUT, "guests/conformance/stress.elf")
BOSSES = 4

# The emulator beside another test, and a debug hypervisor.
SLOWEST_STEPS_A_SECOND = 100
START_SECONDS = 60

END = r"^stress: \d+ steps .*: (\w+)|end of panic|panic inside a panic"


def stress(steps, seed=1, smp=4, name="stress"):
    """STEPS of each boss; what the machine printed."""
    seconds = START_SECONDS + BOSSES * steps / SLOWEST_STEPS_A_SECOND
    with Machine(name, [f"{STRESS} steps={steps} seed={seed}"],
                 append=f"dom0_vcpus={BOSSES} noreboot", smp=smp,
                 kernel=DEBUG_HYPERVISOR, life=seconds + START_SECONDS) as m:
        end = m.wait_for(END, seconds)
        assert end.group(1) == "passed", m.tail()
        m.wait_end()
        bad = re.findall(r"^.*(?:BROKEN|FAILED|\] error: ).*$", m.output,
                         re.MULTILINE)
        assert not bad, "\n".join(bad)
        return m.output
