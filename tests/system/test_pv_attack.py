# SPDX-License-Identifier: BSD-2-Clause
"""
Attacks on class pv, with the debug build: its assertions hold, and after each
case the check of all frames finds types and counts as tables say.
"""

import re

import pytest

from machine import DEBUG_HYPERVISOR, Machine
from test_conformance import PAIR_CPU, image

IMAGES = ("pv_attack", "pv_cpu", "pv_paging")
ARGUMENTS = "dom0_pv dom0_mem=64M dom0_vcpus=4"
CHECKED = "all frames' types and counts are as they must be"
SECONDS = 120


def attack(name, cpus, options=""):
    with Machine(f"pv-attack-{name}-{cpus}", [f"{image(name)} {options}"],
                 append=ARGUMENTS, cpu=PAIR_CPU, smp=cpus, net=False,
                 kernel=DEBUG_HYPERVISOR) as m:
        end = m.wait_for(r"^@@ ([1-9]\d*) passed, (\d+) failed, (\d+) skipped",
                         SECONDS)
        m.wait_end()
        bad = re.findall(r"^case .*: (?:failure|error): .*$", m.output,
                         re.MULTILINE)
        assert not bad, "\n".join(bad)
        assert end.group(2) == "0" and end.group(3) == "0"
        return int(end.group(1)), m.output


@pytest.mark.parametrize("name", IMAGES)
def test_every_case_leaves_all_frames_as_they_must_be(name):
    passed, output = attack(name, 1)
    assert output.count(CHECKED) == passed


@pytest.mark.parametrize("name", ["pv_attack"])
def test_attacks_from_two_processors(name):
    attack(name, 2)
