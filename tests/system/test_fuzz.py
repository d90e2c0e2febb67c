# SPDX-License-Identifier: BSD-2-Clause
"""A million random hypercalls, and nobody but the caller suffers."""

import re

from fuzzing import fuzz, operations

CALLS = 1000000

# What must answer no: nothing a domain can do makes it succeed.
NEVER = {"EVTCHNOP_bind_pirq", "PHYSDEVOP_eoi", "PHYSDEVOP_irq_status_query",
         "no hypercall", "SCHEDOP_shutdown"}
# No fuzzed domain is given a device.
NO_SUCH = re.compile(r"^unknown |^device_op ")


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


def test_the_same_seed_makes_the_same_calls():
    """One domain alone: what it did is told by its seed."""
    runs = []
    for n in range(2):
        output = fuzz(5000, seed=42, options="flavour=0 verbose=1", smp=1,
                      name=f"fuzz-same-{n}")
        runs.append(operations(output))
    assert runs[0] == runs[1]
