# SPDX-License-Identifier: BSD-2-Clause
"""Several CPUs: starting them, interrupting them, stopping them."""

import re

import pytest

from machine import DEBUG_HYPERVISOR, HYPERVISOR, OUT, Machine, guest

CONTROL = guest("control")
TRAPS = f"{OUT}/guests/conformance/traps.elf"
KEYS = "\x01\x01\x01"  # what makes input go to the debug keys, and back


def keys(m, typed):
    """Type debug keys; returns what they print."""
    m.type(KEYS)
    start = m.wait_for(r"goes to the debug keys").end()
    m.type(typed + KEYS)
    end = m.wait_for(r"goes to the initial domain").start()
    return m.output[start:end]


@pytest.mark.parametrize("hypervisor", [HYPERVISOR, DEBUG_HYPERVISOR],
                         ids=["release", "debug"])
@pytest.mark.parametrize("cpus", [1, 2, 4, 8])
@pytest.mark.parametrize("cpu", ["max", "max,-x2apic"])
def test_all_cpus_run(hypervisor, cpus, cpu):
    with Machine(f"smp-{cpus}-{cpu}", [CONTROL], kernel=hypervisor, smp=cpus,
                 cpu=cpu) as m:
        m.wait_ready()
        assert ("x2APIC" in m.output) == (cpu == "max")
        if cpus > 1:
            assert f"CPUs: {cpus} of {cpus} run" in m.output
        found = re.findall(r"CPU (\d+): \d+ of the timer", keys(m, "i"))
        assert [int(n) for n in found] == list(range(cpus))
        m.type("poweroff\r")
        m.wait_end()


@pytest.mark.parametrize("option,runs", [("maxcpus=2", 2), ("maxcpus=1", 1),
                                         ("maxcpus=0", 1), ("maxcpus=99", 4)])
def test_maxcpus_starts_fewer(option, runs):
    with Machine(f"smp-{option}", [CONTROL], append=option, smp=4) as m:
        m.wait_ready()
        assert len(re.findall(r"CPU \d+: \d+ of the timer",
                              keys(m, "i"))) == runs
