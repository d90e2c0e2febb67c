# SPDX-License-Identifier: BSD-2-Clause
"""
Class pv: the conformance guests, the same binaries, as kernels of that class.
They find there what they find on Xen, so what is not Xen's is skipped as there.
"""

import pytest

from machine import DEBUG_HYPERVISOR
from test_conformance import IMAGES, PAIR_CPU, run_guest

ARGUMENTS = "dom0_pv dom0_mem=64M dom0_vcpus=4"
LIGHT_ONLY = ("control", "device")


@pytest.mark.parametrize("name", [i for i in IMAGES if i not in LIGHT_ONLY])
def test_as_class_pv(name):
    run_guest(name, may_skip=True, name=f"pv-{name}", append=ARGUMENTS,
              cpu=PAIR_CPU)


# The debug build checks locks and counts; events move vCPUs between CPUs.
@pytest.mark.parametrize("name", ["events", "paging", "vcpus"])
def test_on_two_processors(name):
    run_guest(name, may_skip=True, name=f"pv-{name}-smp", append=ARGUMENTS,
              cpu=PAIR_CPU, smp=2, kernel=DEBUG_HYPERVISOR)
