# SPDX-License-Identifier: BSD-2-Clause
"""Random hypercalls, a million of class light and as many of class pv as there
is time for, and nobody but the caller suffers."""

import re

from fuzzing import fuzz, operations

CALLS = 1000000
PV_CALLS = 40000

# What must answer no: nothing a domain can do makes it succeed.
NEVER = {"EVTCHNOP_bind_pirq", "PHYSDEVOP_eoi", "PHYSDEVOP_irq_status_query",
         "no hypercall", "SCHEDOP_shutdown"}
# No fuzzed domain is given a device.
NO_SUCH = re.compile(r"^unknown |^device_op ")
# What is made seldom, for it would end a domain or is refused to all.
SELDOM = re.compile(r"^SCHEDOP_(remote_)?shutdown|^VCPUOP_(down|register_vcpu)"
                    r"|^(control|device|unknown|LIGHT)_?")
# Those on which all of the rest stands.
MUST_BE_GOOD = ("mmu_update", "update_va_mapping", "MMUEXT_UNPIN_TABLE",
                "make a table", "make a tree", "renew pages",
                "store to tables", "balloon", "make a GDT", "set_debugreg",
                "update_descriptor", "code of a user")


def test_a_million_calls():
    """The witness, the log, the limits and the leak check are the guest's."""
    output = fuzz(CALLS)
    made = operations(output)
    assert len(made) > 90
    assert sum(count for count, _ in made.values()) > CALLS * 0.8
    never_made = [name for name, (count, _) in made.items() if not count]
    assert not never_made
    # A fuzzer that only collects errors tests little.
    never_good = [name for name, (_, good) in made.items()
                  if not good and name not in NEVER and
                  not NO_SUCH.match(name)]
    assert not never_good


def test_class_pv():
    """Two processors; all frames are checked again and again."""
    output = fuzz(PV_CALLS, options="class=pv", name="fuzz-pv")
    made = operations(output)
    assert len(made) > 130
    never_made = [name for name, (count, _) in made.items()
                  if not count and not SELDOM.match(name)]
    assert not never_made
    assert not [name for name in MUST_BE_GOOD if not made[name][1]]
    checks = re.search(r"^# all frames checked: (\d+) times", output,
                       re.MULTILINE)
    assert int(checks.group(1)) > 20
    # A domain ends itself soon; but it must have done something before.
    domains = re.search(r"^# domains: (\d+)", output, re.MULTILINE)
    assert int(domains.group(1)) < PV_CALLS / 200


def test_the_same_seed_makes_the_same_calls():
    """One domain alone: what it did is told by its seed."""
    runs = []
    for n in range(2):
        output = fuzz(5000, seed=42, options="flavour=0 verbose=1", smp=1,
                      name=f"fuzz-same-{n}")
        runs.append(operations(output))
    assert runs[0] == runs[1]
