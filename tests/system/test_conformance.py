# SPDX-License-Identifier: BSD-2-Clause
"""
The conformance guests on Cairn, and as a sample one of them, the same binary, on
Xen; `make test-on-xen` runs the others there, and as domains that xl starts.
"""

import csv
import glob
import os
import re
from collections import Counter

import pytest

from machine import OUT, Machine

FOLDER = "guests/conformance"

# Not lists of cases, or (the last two) exact only under instruction counting:
# all of these have tests of their own.
ELSEWHERE = ("framework", "attack", "fuzz", "stress", "crowd", "latency",
             "lending")
IMAGES = sorted(
    os.path.basename(path.rstrip("/"))
    for path in glob.glob(FOLDER + "/*/")
    if os.path.basename(path.rstrip("/")) not in ELSEWHERE)

# About page tables, which only class pv has: test_pv.py.
PV_ONLY = ("paging", "pv_attack", "pv_cpu", "pv_paging")

# Xen: without ACPI idle states, which the emulator does not have in full.
XEN_ARGUMENTS = "console=com1 com1=115200,8n1 dom0_mem=64M cpuidle=0 dom0_max_vcpus=4"
PAIR_CPU = "EPYC,-smap"


def image(name):
    return os.path.join(OUT, FOLDER, name + ".elf")


def expected_skips(guest, where):
    """{reason: cases} that skips.csv lets the image leave out there."""
    path = os.path.join(os.path.dirname(__file__), "skips.csv")
    with open(path, encoding="utf-8", newline="") as file:
        rows = csv.DictReader(line for line in file if line[0] != "#")
        found = {row["reason"]: int(row[where]) for row in rows
                 if row["image"] == guest}
    return Counter({reason: count for reason, count in found.items() if count})


def check_skips(guest, where, text):
    """A case that skips must be known to, and one that is known to, must."""
    said = Counter(skip or "alone" for skip in re.findall(
        r"^case .*: (?:skip: (.*)|alone: \d+)$", text, re.MULTILINE))
    assert said == expected_skips(guest, where)
    end = re.search(r"^@@ .* (\d+) skipped$", text, re.MULTILINE)
    assert int(end.group(1)) == said.total()


def run_guest(guest, options="", skips=None, **machine):
    """Boot the guest alone; each case must say success, or skip as expected."""
    with Machine(modules=[f"{image(guest)} {options}"], net=guest == "device",
                 **machine) as m:
        end = m.wait_for(r"^@@ ([1-9]\d*) passed, (\d+) failed, (\d+) skipped",
                         90)
        m.wait_end()
        bad = re.findall(r"^case .*: (?:failure|error): .*$", m.output,
                         re.MULTILINE)
        assert not bad, "\n".join(bad)
        assert int(end.group(2)) == 0
        if skips:
            check_skips(guest, skips, m.output)
        else:
            assert int(end.group(3)) == 0


@pytest.mark.parametrize("name", [i for i in IMAGES if i not in PV_ONLY])
def test_on_cairn(name):
    run_guest(name, name=f"conformance-{name}", append="dom0_vcpus=4")


@pytest.mark.parametrize("name", ["events", "grants"])
def test_races_on_two_processors(name):
    run_guest(name, "only=vCPU", name=f"conformance-{name}-smp", smp=2,
              append="dom0_vcpus=4")


@pytest.mark.parametrize("name", ["hypercalls", "paging", "pv_attack"])
def test_on_xen(name, xen_image):
    run_guest(name, skips="xen", name=f"conformance-{name}-xen",
              kernel=xen_image, append=XEN_ARGUMENTS, cpu=PAIR_CPU)
