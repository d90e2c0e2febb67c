# SPDX-License-Identifier: BSD-2-Clause
"""Under instruction counting two runs of one boot are the same, to the byte."""

import pytest

from machine import OUT, Machine


def printed(name, modules, **more):
    with Machine(name, modules, icount=True, net=False, **more) as m:
        m.wait_end(120)
        # How soon the emulator obeys is the host's affair.
        return m.output.split("the machine goes off")[0]


@pytest.mark.parametrize("name", ["traps", "grants", "memory", "time"])
def test_two_runs_print_the_same(name):
    image = f"{OUT}/guests/conformance/{name}.elf"
    first = printed(f"same-{name}-1", [image])
    second = printed(f"same-{name}-2", [image])
    assert " 0 failed" in first
    assert first == second
