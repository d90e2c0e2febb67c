# SPDX-License-Identifier: BSD-2-Clause
"""The web guest's binary, unchanged, on Debian's Xen."""

from machine import Machine, guest
from test_conformance import PAIR_CPU, XEN_ARGUMENTS


def test_web_guest_starts_on_xen_and_looks_for_its_devices(xen_image):
    """Nobody offers the initial domain a store: it says so and ends."""
    with Machine("web-on-xen", [guest("web")], kernel=xen_image,
                 append=XEN_ARGUMENTS, cpu=PAIR_CPU, net=False) as m:
        m.wait_for(r"web: no store offered; no devices", 60)
        m.wait_for(r"Hardware Dom0 halted")
