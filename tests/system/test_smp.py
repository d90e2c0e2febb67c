# SPDX-License-Identifier: BSD-2-Clause
"""Several CPUs: starting them, interrupting them, stopping them."""

import re

import pytest

from machine import (DEBUG_HYPERVISOR, HYPERVISOR, OUT, Machine, debugger,
                     free_ports, guest, monitor)

CONTROL = guest("control")
KEYS = "\x01\x01\x01"  # what makes input go to the debug keys, and back


def keys(m, typed):
    """Type debug keys; returns what they print."""
    m.type(KEYS)
    start = m.wait_for(r"goes to the debug keys").end()
    m.type(typed + KEYS)
    end = m.wait_for(r"goes to the initial domain").start()
    return m.output[start:end]


@pytest.mark.parametrize("hypervisor", [HYPERVISOR, DEBUG_HYPERVISOR],
                         ids=["release", "debug"])
@pytest.mark.parametrize("cpus", [1, 2, 4, 8])
@pytest.mark.parametrize("cpu", ["max", "max,-x2apic"])
def test_all_cpus_run(hypervisor, cpus, cpu):
    with Machine(f"smp-{cpus}-{cpu}", [CONTROL], kernel=hypervisor, smp=cpus,
                 cpu=cpu) as m:
        m.wait_ready()
        assert ("x2APIC" in m.output) == (cpu == "max")
        if cpus > 1:
            assert f"CPUs: {cpus} of {cpus} run" in m.output
        found = re.findall(r"CPU (\d+): \d+ of the timer", keys(m, "i"))
        assert [int(n) for n in found] == list(range(cpus))
        m.type("poweroff\r")
        m.wait_end()


@pytest.mark.parametrize("option,runs", [("maxcpus=2", 2), ("maxcpus=1", 1),
                                         ("maxcpus=0", 1), ("maxcpus=99", 4)])
def test_maxcpus_starts_fewer(option, runs):
    with Machine(f"smp-{option}", [CONTROL], append=option, smp=4) as m:
        m.wait_ready()
        assert len(re.findall(r"CPU \d+: \d+ of the timer",
                              keys(m, "i"))) == runs


def bent_start(name, *commands, runs=3):
    """Start four CPUs while gdb does COMMANDS; RUNS do, what is printed."""
    port = free_ports(1)
    with Machine(name, [CONTROL], smp=4,
                 arguments=["-S", "-gdb", f"tcp:127.0.0.1:{port}"]) as m:
        debugger(port, *commands, "delete")
        m.wait_ready()
        found = re.findall(r"CPU (\d): \d+ of the timer", keys(m, "i"))
        assert [int(cpu) for cpu in found] == list(range(runs))
        assert f"CPUs: {runs} of 4 run" in m.output
        return m.output


# What the others have of theirs must not depend on the one that fails.
@pytest.mark.parametrize("which", [1, 3])
def test_a_cpu_that_does_not_answer_is_left_out(which):
    out = bent_start("smp-silent", "hbreak boot_cpus_start", "continue",
                     f"set acpi.cpu_apic_id[{which}] = 77")
    assert "APIC 77 is not used: it does not answer" in out


def test_cpus_that_differ_from_the_first_are_left_out():
    out = bent_start("smp-feature", "hbreak boot_cpus_start", "continue",
                     "set cpu_features.pge = 0", runs=1)
    for apic in (1, 2, 3):
        assert f"APIC {apic} is not used: it differs from the first" in out


def test_a_clock_that_cannot_be_set_right_is_refused():
    off = "set $rdi = 50000000"
    out = bent_start("smp-clock", "hbreak *clock_is_right", "continue", off,
                     "continue", off)
    assert len(re.findall(r"CPU 1: its TSC is \d+ ticks", out)) == 2
    assert "APIC 1 is not used: it has a TSC that cannot be set right" in out


def with_monitor(name, module=CONTROL, **more):
    """A machine of four CPUs, and the port of its monitor."""
    port = free_ports(1)
    return Machine(name, [module], smp=4,
                   arguments=["-qmp", f"tcp:127.0.0.1:{port},server,nowait"],
                   **more), port


# Under xpti an NMI also finds the tables of a guest loaded.
@pytest.mark.parametrize("tables", ["no-xpti", "xpti"])
def test_an_nmi_that_means_nothing_is_counted_on_each_cpu(tables):
    machine, port = with_monitor("smp-nmi", append=f"spec-ctrl={tables}")
    with machine as m:
        m.wait_ready()
        for _ in range(3):
            monitor(port, "nmi")
        counts = re.findall(r"CPU (\d): .* (\d+) NMIs", keys(m, "i"))
        assert [int(cpu) for cpu, _ in counts] == list(range(4))
        # Two that come while the CPU is busy with one are one.
        assert all(1 <= int(count) <= 3 for _, count in counts), counts
        assert m.json("info")["memory_mib"] > 0  # It still runs.


# A valid, uncorrected error with a context that is lost.
MACHINE_CHECK = "0xbe00000000000000 0x5 0 0"


@pytest.mark.parametrize("hypervisor", [HYPERVISOR, DEBUG_HYPERVISOR],
                         ids=["release", "debug"])
@pytest.mark.parametrize("tables", ["no-xpti", "xpti"])
@pytest.mark.parametrize("command,cpus", [
    (f"mce 0 1 {MACHINE_CHECK}", "0"),
    (f"mce 2 1 {MACHINE_CHECK}", "2"),
    (f"mce -b 3 1 {MACHINE_CHECK}", "0123"),  # all of them at once
])
def test_one_cpu_panics_and_the_others_stop(hypervisor, command, cpus, tables):
    # The emulator's own "max" is too old a processor to broadcast.
    machine, port = with_monitor("smp-panic",
                                 append=f"noreboot spec-ctrl={tables}",
                                 kernel=hypervisor, cpu="Haswell,-hle,-rtm")
    with machine as m:
        m.wait_ready()
        monitor(port, command)
        m.wait_for(r"^Halted \(noreboot\)")
        heads = re.findall(r"^\*\*\* Cairn panics on CPU (\d)", m.output, re.M)
        assert len(heads) == 1 and heads[0] in cpus, heads
        text = m.output[m.output.index("*** Cairn panics"):
                        m.output.index("*** end of panic")]
        assert "machine check" in text
        for line in text.strip().split("\n"):
            assert re.fullmatch(r"\*\*\* .*|    .*|at, called from:", line), line
        # Nobody else is left to say anything.
        size = len(m.output)
        m.type("info\r" + KEYS + "i")
        stopped = monitor(port, "info cpus")
        assert len(m.output) == size
        assert len(re.findall(r"thread_id", stopped)) == 4


@pytest.mark.parametrize("tables", ["no-xpti", "xpti"])
def test_nmis_and_a_panic_strike_cpus_at_work(tables):
    """In guests, on the way in and out, in waits for locks and each other."""
    machine, port = with_monitor(
        "smp-busy", f"{OUT}/guests/conformance/stress.elf steps=100000",
        append=f"dom0_vcpus=4 noreboot spec-ctrl={tables}",
        kernel=DEBUG_HYPERVISOR, cpu="Haswell,-hle,-rtm")
    with machine as m:
        m.wait_for(r"CPUs: 4 of 4 run")
        m.wait_for(r"d\d+: crashed")  # They are at it.
        for _ in range(200):
            monitor(port, "nmi")
        counts = re.findall(r"CPU (\d): .* (\d+) of CPUs, (\d+) NMIs",
                            keys(m, "i"))
        assert len(counts) == 4
        # All of them are asked by others, and strikes go by.
        assert all(int(asked) > 0 < int(nmis) for _, asked, nmis in counts)
        assert "panic" not in m.output
        monitor(port, f"mce -b 1 1 {MACHINE_CHECK}")
        m.wait_for(r"^Halted \(noreboot\)")
        assert m.output.count("*** Cairn panics on CPU") == 1
        assert "machine check" in m.output


def test_every_cpu_is_protected_alike():
    machine, port = with_monitor("smp-registers")
    with machine as m:
        m.wait_ready()
        registers = monitor(port, "info registers -a")
        # "ADDRESS: ADDRESS XGPDACTUW", "-" for each that is not; X is NX.
        pages = dict(re.findall(r"^(\w{16}): \w{16} (\S{9})\s*$",
                                monitor(port, "info tlb"), re.M))
    for name in ("CR0", "CR4", "EFER", "IDT"):
        values = re.findall(name + r"= *(\w+)", registers)
        assert len(values) == 4 and len(set(values)) == 1, (name, values)
    for name in ("GDT", "TR "):
        assert len(set(re.findall(name + r"=.*", registers))) == 4, registers
    idt = re.search(r"IDT= +(\w+)", registers).group(1)
    assert pages[idt][0] == "X" and pages[idt][-1] == "-", pages[idt]
    # What kernels of class pv may read, their programs, on other tables, do not:
    # the processor forgets it in between.
    assert pages["ffff800000000000"][1] == "-", pages["ffff800000000000"]
    assert all(page[1] == "G" for page in (pages[idt], pages["ffff820000100000"]))
    # What is mapped of the areas is the same: guards are where CPU 0 has them.
    layouts = []
    for cpu in range(4):
        area = 0xffff820040000000 + cpu * 0x10000
        layouts.append([pages.get(f"{area + page * 0x1000:016x}", "guard")
                        for page in range(16)])
        assert layouts[cpu].count("guard") >= 5  # one below each stack
    shapes = [[page == "guard" for page in layout] for layout in layouts]
    assert shapes == [shapes[0]] * 4
    for layout in layouts:
        assert all(page == "guard" or page[0] + page[-1] == "XW"
                   for page in layout), layout
