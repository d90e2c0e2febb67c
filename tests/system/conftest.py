# SPDX-License-Identifier: BSD-2-Clause
"""What the system tests share."""

import glob
import gzip
import os
import shutil
import sys

import pytest

sys.path.insert(0, os.path.dirname(__file__))

# pylint: disable=wrong-import-position
from machine import OUT  # noqa: E402

CACHE = os.environ.get("CACHE") or os.path.expanduser("~/.cache/cairn")


@pytest.fixture(scope="session")
def xen_image():
    """Debian's hypervisor, as QEMU takes it."""
    packed = sorted(glob.glob(os.path.join(
        CACHE, "unpacked", "xen-hypervisor-*", "boot", "xen-*.gz")))
    if not packed:
        pytest.skip("Debian's Xen is not unpacked; run make deps")
    plain = os.path.join(OUT, "xen.elf")
    os.makedirs(OUT, exist_ok=True)
    with gzip.open(packed[-1]) as source, open(plain, "wb") as target:
        shutil.copyfileobj(source, target)
    return plain
