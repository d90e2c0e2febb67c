# SPDX-License-Identifier: BSD-2-Clause
"""The bench guest runs, and what was fast has not become slow.

`make bench` compares with Xen and writes the figures down; this runs Cairn
alone, and only looks that each operation did its work, that those which reach
their target still do, and that no cost grows with the number of domains.
"""

import os
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "bench"))

# pylint: disable=wrong-import-position
from bench import (SPEC_OFF, crowd_of, lines_of, operations,  # noqa: E402
                   run_bench, value_of)

CPU = "EPYC,-smap"

# Title and most instructions: a target, or what it has been brought to where
# the target is still missed.
LIMITS = {o["title"]: int(o["target"]) for o in operations() if o["target"]}
LIMITS |= {
    "event send, upcall, iret hypercall": 355,
    "#PF to the guest's kernel, back by iret hypercall": 220,
    "grant map, one page": 520,
    "grant unmap, one page": 490,
}

# Others in the machine; `make bench` makes 10,000.
CROWD = 500


@pytest.fixture(scope="module")
def lines():
    return lines_of(run_bench("cairn", CPU, options=SPEC_OFF))


def test_the_counter_counts_instructions(lines):
    assert lines["nothing"]["med"] == 0
    assert lines["thousand_nops"]["med"] == 1000


def test_each_operation_does_its_work(lines):
    for name, line in lines.items():
        assert line["rc"] == 0, name
    for operation in operations():
        assert value_of(operation["line"], lines), operation["title"]


@pytest.mark.parametrize("title", LIMITS)
def test_fast_operations_stay_fast(lines, title):
    line = {o["title"]: o["line"] for o in operations()}[title]
    assert value_of(line, lines) <= LIMITS[title]


def test_costs_do_not_grow_with_the_number_of_domains():
    for title, few, first, last in crowd_of(CROWD, 512):
        assert max(first, last) <= few * 1.01, title
