# SPDX-License-Identifier: BSD-2-Clause
"""
Attacks on class pv, with the debug build: its assertions hold, and all the time
the check of all frames finds types and counts as tables say: in the middle of
validations, too.
"""

import os
import re

import pytest

from machine import DEBUG_HYPERVISOR, LOGS, Machine
from test_conformance import PAIR_CPU, image, run_guest

IMAGES = ("paging", "pv_attack", "pv_cpu", "pv_paging")
ARGUMENTS = "dom0_pv dom0_mem=64M dom0_vcpus=4"
TO_HYPERVISOR = "\x01\x01\x01"
CHECKED = r"all frames' types and counts are as they must be$"
END = r"^@@ ([1-9]\d*) passed, (\d+) failed, (\d+) skipped"
SECONDS = 120


def machine(name, cpus, options=""):
    return Machine(f"pv-attack-{name}-{cpus}", [f"{image(name)} {options}"],
                   append=ARGUMENTS, cpu=PAIR_CPU, smp=cpus, net=False,
                   kernel=DEBUG_HYPERVISOR)


def check(m):
    end = re.search(END, m.output, re.MULTILINE)
    bad = re.findall(r"^case .*: (?:failure|error): .*$", m.output,
                     re.MULTILINE)
    assert not bad, "\n".join(bad)
    # What ends a domain is for test_pv.py.
    alone = re.findall(r"^case .*: alone: ", m.output, re.MULTILINE)
    assert end.group(2) == "0" and int(end.group(3)) == len(alone)


@pytest.mark.parametrize("name", IMAGES)
def test_all_frames_are_as_they_must_be_at_any_time(name):
    with machine(name, 1, "linger=1") as m:
        m.wait_for(r"\] d0: ")
        m.type(TO_HYPERVISOR)
        m.wait_for("console input goes to", 20)
        ended = False
        while not ended:
            ended = re.search(END, m.output, re.MULTILINE)
            m.type("f")  # once more when it has ended
            m.wait_for(CHECKED, 20)
        check(m)


@pytest.mark.parametrize("name", ["pv_attack"])
def test_from_two_processors(name):
    with machine(name, 2) as m:
        m.wait_for(END, SECONDS)
        m.wait_end()
        check(m)


def test_domains_end_while_their_tables_are_validated():
    """All that such a domain had comes back; all frames are checked."""
    name = "pv-ends"
    run_guest("control", "only=amid_the", name=name, smp=2, append="noreboot",
              kernel=DEBUG_HYPERVISOR)
    with open(os.path.join(LOGS, name + ".log"), encoding="utf-8") as log:
        assert len(re.findall(CHECKED, log.read(), re.MULTILINE)) > 20
