# SPDX-License-Identifier: BSD-2-Clause
"""
Memory on several CPUs: the conformance guest whose vCPUs take pages from each
other while they use them.  The debug build checks locks and beliefs meanwhile.
"""

import pytest

from machine import DEBUG_HYPERVISOR, HYPERVISOR
from test_conformance import run_guest


@pytest.mark.parametrize("cpus, kernel", [(2, DEBUG_HYPERVISOR),
                                          (4, HYPERVISOR)],
                         ids=["2-cpus-debug", "4-cpus"])
def test_memory_on_several_cpus(cpus, kernel):
    run_guest("memory", name=f"memory-{cpus}-cpus", smp=cpus, kernel=kernel)
