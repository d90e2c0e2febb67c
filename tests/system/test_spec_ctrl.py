# SPDX-License-Identifier: BSD-2-Clause
"""Tables of their own for guests: they work, and show nothing of ours."""

import os
import re

import pytest

from machine import (DEBUG_HYPERVISOR, OUT, Machine, MachineError, free_ports,
                     monitor)

HYPERVISOR_START, HYPERVISOR_END = 0xffff800000000000, 0xffff880000000000
CPU_AREAS, GDT_AREAS, AREAS_END = (0xffff820040000000, 0xffff820040400000,
                                   0xffff820040800000)
AREA_BYTES, PAGE_BYTES = 0x10000, 0x1000

# #MC, NMI, entry page, #DF, #DB; of the GDT 15 pages.
AREA_PAGES = {1, 3, 4, 13, 15}
ENTRY_CODE_BYTES = 0x4000 + PAGE_BYTES  # and the IDT


def image(name):
    return os.path.join(OUT, "guests/conformance", name + ".elf")


@pytest.mark.parametrize("name", ["traps", "hypercalls", "events", "grants"])
def test_guests_notice_nothing(name):
    with Machine(f"xpti-{name}", [image(name)], append="spec-ctrl=xpti",
                 kernel=DEBUG_HYPERVISOR, net=False, smp=2) as m:
        m.wait_for(r"speculation: xpti ", 30)
        assert m.wait_for(r"^@@ (\d+) passed, (\d+) failed",
                          90).group(2) == "0"
        m.wait_end()


def test_nmis_at_any_moment_do_no_harm():
    port = free_ports(1)
    with Machine("xpti-nmi", [image("control")], append="spec-ctrl=xpti",
                 kernel=DEBUG_HYPERVISOR, net=False,
                 arguments=["-qmp",
                            f"tcp:127.0.0.1:{port},server,nowait"]) as m:
        m.wait_for(r"^case ", 30)
        for _ in range(200):
            monitor(port, "nmi")
        assert m.wait_for(r"^@@ (\d+) passed, (\d+) failed",
                          90).group(2) == "0"


def mapped_in_ring_3(name, append):
    """Pages of the hypervisor's addresses that are mapped in ring 3."""
    port = free_ports(1)
    with Machine(name, [image("control")], append=append, net=False,
                 arguments=["-qmp",
                            f"tcp:127.0.0.1:{port},server,nowait"]) as m:
        m.wait_for(r"^case ", 30)
        for _ in range(300):
            monitor(port, "stop")
            if "CPL=3" in monitor(port, "info registers"):
                addresses = [int(a, 16) for a in re.findall(
                    r"^(\w{16}): \w{16} \S{9}\s*$", monitor(port, "info tlb"),
                    re.M)]
                return [a for a in addresses
                        if HYPERVISOR_START <= a < HYPERVISOR_END]
            monitor(port, "cont")
    raise MachineError("no guest was found running")


def is_needed(address):
    """Whether the processor itself needs what is there, to enter."""
    if CPU_AREAS <= address < GDT_AREAS:
        return address % AREA_BYTES // PAGE_BYTES in AREA_PAGES
    return GDT_AREAS <= address < AREAS_END


def test_a_guest_s_tables_map_what_the_processor_needs_and_no_more():
    pages = [a for a in mapped_in_ring_3("xpti-tables", "spec-ctrl=xpti")
             if not is_needed(a)]
    assert pages
    assert max(pages) - min(pages) < 0x100000
    assert len(pages) * PAGE_BYTES <= ENTRY_CODE_BYTES


def test_without_it_they_map_all():
    pages = mapped_in_ring_3("no-xpti-tables", "spec-ctrl=no")
    assert any(0xffff830000000000 <= a for a in pages)
