# SPDX-License-Identifier: BSD-2-Clause
"""
Class pv: the conformance guests, the same binaries, as kernels of that class.
They find there what they find on Xen, so what is not Xen's is skipped as there.
"""

import pytest

from test_conformance import IMAGES, run_guest

ARGUMENTS = "dom0_pv dom0_mem=64M dom0_vcpus=4"


@pytest.mark.parametrize("name", IMAGES)
def test_as_class_pv(name):
    run_guest(name, may_skip=True, name=f"pv-{name}", append=ARGUMENTS)
