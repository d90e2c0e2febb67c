# SPDX-License-Identifier: BSD-2-Clause
"""The bench guest runs, and what was fast has not become slow.

`make bench` compares with Xen and writes the figures down; this runs Cairn
alone, once, and only looks that each operation did its work and that those
which reach their target still do.
"""

import os
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "bench"))

# pylint: disable=wrong-import-position
from bench import lines_of, operations, run_bench, value_of  # noqa: E402

CPU = "EPYC,-smap"

# Title and most instructions: a target, or what it has been brought to where
# the target is still missed.
LIMITS = {
    "null hypercall (xen_version)": 100,
    "unknown hypercall": 90,
    "event send, peer already pending": 165,
    "sched_op yield, alone": 250,
    "grant copy, 64 bytes": 480,
    "grant copy, 4096 bytes": 990,
}


@pytest.fixture(scope="module")
def lines():
    return lines_of(run_bench("cairn", CPU))


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
