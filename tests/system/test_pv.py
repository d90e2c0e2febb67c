# SPDX-License-Identifier: BSD-2-Clause
"""
Class pv: the conformance guests, the same binaries, as kernels of that class.
They find there what they find on Xen, so what is not Xen's is skipped as there:
skips.csv says what.
"""

import re

import pytest

from machine import DEBUG_HYPERVISOR, Machine, guest
from test_conformance import (IMAGES, PAIR_CPU, check_skips, image,
                              run_guest)

ARGUMENTS = "dom0_pv dom0_mem=64M dom0_vcpus=4"
LIGHT_ONLY = ("control", "device")


PV_IMAGES = [i for i in IMAGES if i not in LIGHT_ONLY and i != "pv_attack"]
DOMAIN_SECONDS = 60
# The control domain's heap, and pools of records, may keep some.
SLACK_FRAMES = 48


@pytest.mark.parametrize("name", PV_IMAGES)
def test_as_class_pv(name):
    run_guest(name, skips="initial", name=f"pv-{name}", append=ARGUMENTS,
              cpu=PAIR_CPU)


# The debug build checks locks and counts; events move vCPUs between CPUs.
@pytest.mark.parametrize("name", ["events", "paging", "vcpus"])
def test_on_two_processors(name):
    run_guest(name, skips="initial", name=f"pv-{name}-smp", append=ARGUMENTS,
              cpu=PAIR_CPU, smp=2, kernel=DEBUG_HYPERVISOR)


def frames(m):
    text = m.command("debug-keys m")
    return int(re.search(r"frames, (\d+) free", text).group(1))


def run_domain(m, name, more="vcpus=4", end=""):
    """Have the image run as a domain until its END; what it printed."""
    begin = len(m.output)
    text = m.command(f"create name={name} kernel={name}.elf type='pv' memory=16"
                     f" {more} on_poweroff='preserve' on_reboot='preserve'"
                     " on_crash='preserve'")
    assert "is created" in text, text
    m.position = begin
    m.wait_for(rf'domain "{name}" \(\d+\) {end}.*: preserve', DOMAIN_SECONDS)
    text = m.command(f"console --log {name}")
    m.command(f"destroy {name}")
    return text


# What of pv_cpu ends its domain, and how often.
CRASHES = {
    "a SYSCALL onto a kernel stack that takes no frame": 9,
    "an iret from a frame that cannot be read": 7,
    "an iret from a frame of which a part cannot be read": 4,
    "an iret to a program that has no tables": 4,
}


def test_ends_of_their_own_making():
    with Machine("pv-ends", [guest("control"), image("pv_cpu")], mem=256,
                 cpu=PAIR_CPU) as m:
        m.wait_ready()
        before = frames(m)
        for sentence, count in CRASHES.items():
            for number in range(1, count + 1):
                word = sentence.replace(" ", "_")
                text = run_domain(
                    m, "pv_cpu", f"extra='only={word} alone={number}'",
                    "crashed")
                assert "@@ must crash now" in text, text
                assert "it did not crash" not in text, text
        assert abs(frames(m) - before) < SLACK_FRAMES


def test_as_domains_that_leave_nothing_behind():
    with Machine("pv-domains", [guest("control"), *map(image, PV_IMAGES)],
                 mem=400, smp=2, cpu=PAIR_CPU) as m:
        m.wait_ready()
        before = frames(m)
        for name in PV_IMAGES:
            text = run_domain(m, name)
            end = re.search(r"^@@ ([1-9]\d*) passed, (\d+) failed", text,
                            re.MULTILINE)
            assert end and end.group(2) == "0", text
            check_skips(name, "domain", text)
        assert abs(frames(m) - before) < SLACK_FRAMES


# What ended is still loaded in the CPU that the control domain does not run on,
# and the next one begins there.
def test_what_ended_is_no_more_in_its_processor():
    with Machine("pv-left", [guest("control"), image("pv_cpu")], mem=400,
                 smp=2, cpu=PAIR_CPU, kernel=DEBUG_HYPERVISOR) as m:
        m.wait_ready()
        for more in ("leave=1", ""):
            text = run_domain(m, "pv_cpu",
                              f"extra='only=leaves_in_a_processor {more}'")
            assert "@@ 1 passed, 0 failed" in text, text


LENDERS = 3
ENDS = 12  # so many of them are destroyed, wherever they are
WARM = 4   # of them before frames are counted: what is kept is made by then
KEPT = 8


@pytest.mark.parametrize("cpus", [1, 2])
def test_lenders_are_destroyed_in_the_midst_of_it(cpus):
    def make(i):
        # Every third comes to its end by itself.
        rounds = 500 if i % 3 == 2 else 10 ** 9
        m.command(f"create name=l{i} kernel=lending.elf type='pv' memory=16"
                  f" vcpus={1 + i % 4} extra='rounds={rounds}'"
                  " on_poweroff='preserve'")
        if cpus == 1:
            assert "as they must be" in m.command("debug-keys f")

    def end(i):
        """Returns how many grants it had mapped shortly before."""
        mapped = m.json(f"info l{i}")["maptrack"]
        m.command(f"destroy l{i}")
        return mapped

    def run(first, last):
        mapped = 0
        for i in range(first, last):
            make(i)
            if i >= first + LENDERS:
                mapped += end(i - LENDERS)
        return mapped + sum(map(end, range(last - LENDERS, last)))

    with Machine(f"pv-lending-{cpus}", [guest("control"), image("lending")],
                 mem=400, smp=cpus, cpu=PAIR_CPU,
                 kernel=DEBUG_HYPERVISOR) as m:
        m.wait_ready()
        run(0, WARM)
        before = frames(m)
        assert run(WARM, WARM + ENDS) > ENDS
        assert "crashed" not in m.output
        assert abs(frames(m) - before) <= KEPT, (before, frames(m))
