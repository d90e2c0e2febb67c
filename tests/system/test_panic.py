# SPDX-License-Identifier: BSD-2-Clause
"""What the hypervisor says when it breaks, and what keeps it from breaking.

gdb bends the hypervisor in the emulator: the accesses that W^X mappings and
guard pages are there to stop are made in ring 0.
"""

import re

import pytest

from machine import Machine, debugger, free_ports, guest, monitor

FUNCTION = "hypercall_console_io"


def bent(name, *commands):
    """Boot, do COMMANDS of gdb in FUNCTION, let it run; what it prints."""
    port = free_ports(1)
    with Machine(name, [guest("control")], append="noreboot", net=False,
                 arguments=["-S", "-gdb", f"tcp:127.0.0.1:{port}"]) as m:
        debugger(port, f"hbreak *{FUNCTION}", "continue", "delete", *commands)
        m.wait_for(r"Halted \(noreboot\)")
        return m.output


@pytest.mark.parametrize("what,name,said,commands", [
    ("read of nothing", "#PF", r"by ring 0: not present",
     ["set $pc = (char *)memcpy", "set $rsi = 0xffff8f0000000000",
      "set $rdx = 8"]),
    ("write to text", "#PF", r"write of .* by ring 0: not allowed",
     ["set $rdi = $pc", "set $rdx = 8", "set $rsi = $rsp",
      "set $pc = (char *)memcpy"]),
    ("fetch of data", "#PF", r"fetch of .* by ring 0: not allowed",
     ["set $pc = $rsp"]),
    ("stack overflow", "#DF", r"stack overflow",
     ["set $rsp = ((long)$rsp & ~0xffff) + 0x6000"]),  # its bottom, smp.h
])
def test_a_fault_in_ring_0_is_decoded(what, name, said, commands):
    out = bent("panic-" + what, *commands)
    dump = out[out.index("*** Cairn panics"):out.index("*** end of panic")]
    assert name in dump, dump
    assert re.search(said, dump), dump
    assert re.search(r"^ +\w{16}  syscall_in_full\+0x", dump, re.M), dump


def test_nothing_that_is_mapped_is_writable_and_executable():
    port = free_ports(1)
    with Machine("w-xor-x", [guest("control") + " guests=1", guest("web")],
                 arguments=["-qmp",
                            f"tcp:127.0.0.1:{port},server,nowait"]) as m:
        m.wait_ready()
        # "ADDRESS: ADDRESS XGPDACTUW", "-" for each that is not; X is NX.
        pages = re.findall(r"^(\w{16}): \w{16} (\S{9})\s*$",
                           monitor(port, "info tlb"), re.M)
    assert any(address > "ffff8" and flags[-1] == "W"
               for address, flags in pages)
    assert any(address > "ffff8" and flags[0] == "-"
               for address, flags in pages)
    assert not [page for page in pages
                if page[1][0] == "-" and page[1][-1] == "W"]
