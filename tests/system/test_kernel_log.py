# SPDX-License-Identifier: BSD-2-Clause
"""The comparison of kernel logs notices what it must, and nothing else."""

import os
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "xen"))

# pylint: disable=wrong-import-position
from kernel_log import (complaints, kernel_lines,  # noqa: E402
                        new_complaints, normalised)


def log(*lines):
    """A guest's console with its kernel's log, levels and all."""
    return "\n".join(["[    0.000000] Linux version 6", "cairn-guest: log begins",
                      *lines, "cairn-guest: log ends", ""])


def test_levels_and_facilities_are_read():
    text = log("<4>[    1.5] a", "<30>[   2.0] b", "<28>[   2.1] c", "not ours")
    assert kernel_lines(text) == [(4, "a"), (6, "b"), (4, "c")]


def test_a_console_without_levels_is_read():
    assert kernel_lines("[    1.25] a\r\n[   12.5] b\r\n") == [
        (None, "a"), (None, "b")]


def test_with_levels_the_console_before_them_does_not_count_twice():
    text = "[    1.0] x: WARNING: y\n" + log("<4>[    1.0] x: WARNING: y")
    assert complaints(text) == ["x: WARNING: y"]


@pytest.mark.parametrize("level, counts", [
    (0, True), (3, True), (4, True), (5, False), (6, False), (7, False)])
def test_warnings_and_worse_are_complaints(level, counts):
    assert bool(complaints(log(f"<{level}>[ 1.0] it goes wrong"))) == counts


@pytest.mark.parametrize("line", [
    "WARNING: CPU: 0 PID: 1 at arch/x86/xen/multicalls.c:102 xen_mc_flush+0x1b",
    "BUG: unable to handle page fault for address: ffff888004a00000",
    "Oops: 0003 [#1] PREEMPT SMP",
    "general protection fault, maybe for address 0x0: 0000 [#1] SMP",
    "rcu: INFO: rcu_sched self-detected stall on CPU",
    "watchdog: BUG: soft lockup - CPU#1 stuck for 26s!",
    "1 of 3 multicall(s) failed: cpu 0",
    "unchecked MSR access error: RDMSR from 0x1b at rIP: 0xffffffff8107",
    "BUG: Bad rss-counter state mm:00000000a1b2c3d4 type:MM_ANONPAGES val:1",
    "Kernel panic - not syncing: Attempted to kill init!",
    "irq 7: nobody cared (try booting with the \"irqpoll\" option)",
])
def test_alarms_count_without_a_level(line):
    assert complaints(f"[    3.25] {line}\n") == [line]
    assert complaints(log(f"<6>[    3.25] {line}")) == [line]


def test_an_alarm_behind_the_printed_log_counts():
    text = log("<6>[    1.0] fine") + "[   9.0] Oops: 0000 [#1]\n"
    assert complaints(text) == ["Oops: 0000 [#1]"]


def test_ordinary_lines_are_none():
    text = "[    0.5] Memory: 212684K/261752K available\n[    0.6] debug: ok\n"
    assert complaints(text) == []


@pytest.mark.parametrize("one, other", [
    ("p2m at 0xffffc90000000000, size is 40000000",
     "p2m at 0xffffc90000a00000, size is 40000000"),
    ("CPU: 0 PID: 1 Comm: swapper/0", "CPU: 3 PID: 77 Comm: swapper/0"),
    ("tsc: Detected 2596.116 MHz processor", "tsc: Detected 1000.000 MHz processor"),
    ("RIP: 0010:f+0x17/0x70", "RIP: 0010:f+0x27/0x90"),
    ("RAX: 0000000000000000 RBX: ffff88800a1b2c3d",
     "RAX: ffff888000000001 RBX: 0000000000000000"),
    ("took 12 ms", "took 7 ms"),
    ("cpu 3 spinlock event irq 29", "cpu 1 spinlock event irq 17"),
])
def test_numbers_without_meaning_are_the_same(one, other):
    assert normalised(one) == normalised(other)


@pytest.mark.parametrize("one, other", [
    ("failed with error -22", "failed with error -12"),
    ("WARNING: f+0x1/0x2", "WARNING: g+0x1/0x2"),
    ("xen:balloon: bad", "xen:grant: bad"),
])
def test_what_has_meaning_is_kept_apart(one, other):
    assert normalised(one) != normalised(other)


def test_only_what_the_reference_has_not_is_new():
    reference = log("<4>[    1.00] Failed at 0x1000", "<6>[ 1.1] fine")
    ours = log("<4>[    2.34] Failed at 0x2000", "<4>[ 2.5] Failed at all",
               "<6>[ 2.6] not fine")
    assert new_complaints(ours, reference) == ["Failed at all"]
    assert new_complaints(reference, ours) == []


def test_a_complaint_is_reported_once():
    ours = log("<3>[    1.00] again", "<3>[    2.00] again")
    assert new_complaints(ours, log()) == ["again"]
