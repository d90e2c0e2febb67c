# SPDX-License-Identifier: BSD-2-Clause
"""Booting: what is said, and what is refused in clear words."""

import re
import struct

import pytest

from machine import (DEBUG_HYPERVISOR, HYPERVISOR, OUT, Machine, MachineError,
                     guest)

CONTROL = guest("control")


def conformance(name):
    return f"{OUT}/guests/conformance/{name}.elf"


def end_of(name, modules, mem=256, append="", net=False, seconds=60, **more):
    """Boot and wait for the end; returns what was printed."""
    with Machine(name, modules, mem=mem, append=append, net=net, **more) as m:
        m.wait_end(seconds)
        return m.output


@pytest.mark.parametrize("hypervisor", [HYPERVISOR, DEBUG_HYPERVISOR])
def test_boot_says_what_it_finds(hypervisor):
    with Machine("boot", [CONTROL, guest("web")], kernel=hypervisor) as m:
        m.wait_ready()
        for line in (r"Cairn, a paravirtualizing microhypervisor",
                     r"memory: \d+ MiB of RAM", r"TSC [\d.]+ MHz",
                     r"module 0: .*control\.elf", r"module 1: .*web\.elf",
                     r"d0: .*control\.elf"):
            assert re.search(line, m.output), line
        m.type("poweroff\r")
        m.wait_end()


@pytest.mark.parametrize("cpu", ["qemu64", "EPYC,-smap", "max,smap=off",
                                 "Haswell,-hle,-rtm", "Nehalem"])
def test_boot_on_other_processors(cpu):
    out = end_of(f"boot-cpu-{cpu}", [conformance("traps")], cpu=cpu)
    assert re.search(r"^@@ \d+ passed, 0 failed", out, re.M), out[-2000:]


@pytest.mark.parametrize("cpu,mode", [("qemu64", ""),
                                      ("qemu64,+x2apic", " (x2APIC)")])
def test_both_modes_of_the_local_apic(cpu, mode):
    """The timers and device interrupts of a whole machine in each of them."""
    with Machine(f"apic-{cpu}", [f"{CONTROL} guests=1", guest("web")],
                 cpu=cpu) as m:
        m.wait_for(r"interrupts: local APIC 0" + re.escape(mode) + ",")
        m.wait_ready()
        assert "cairn: ready, 1 of 1" in m.output
        m.type("poweroff\r")
        m.wait_end()


@pytest.mark.parametrize("machine_type", ["pc", "q35"])
def test_boot_on_both_machine_types(machine_type):
    with Machine(f"boot-{machine_type}", [f"{CONTROL} guests=1",
                                          guest("web")],
                 arguments=["-machine", machine_type], mem=400) as m:
        m.wait_ready()
        assert "cairn: ready, 1 of 1" in m.output
        m.type("poweroff\r")
        m.wait_end()


def test_boot_with_more_than_four_gib():
    with Machine("boot-large", [CONTROL, guest("web")], mem=5120) as m:
        m.wait_ready()
        assert m.json("info")["memory_mib"] > 5000


def test_the_initial_domains_reboot_resets_the_machine():
    with Machine("reboot", [CONTROL, guest("web")]) as m:
        m.wait_ready()
        m.type("reboot\r")
        m.wait_end()  # the emulator runs with -no-reboot


def test_noreboot_is_honoured():
    with Machine("noreboot", [conformance("attack") + " attack=crash"],
                 append="noreboot", net=False) as m:
        m.wait_for(r"d0: .*crash")
        m.wait_for(r"^Halted \(noreboot\)")
        with pytest.raises(MachineError):
            m.wait_end(3)


def test_no_module_is_said():
    out = end_of("no-module", [])
    assert re.search(r"no module|-initrd|initial domain", out), out


def test_an_unknown_option_is_named_and_ignored():
    out = end_of("unknown-option", [conformance("traps")],
                 append="frobnicate=7 noreboot=maybe")
    assert re.search(r"frobnicate", out.split("\n", 2)[2]), out
    assert re.search(r"^@@ \d+ passed, 0 failed", out, re.M)


@pytest.mark.parametrize("mem", [8, 16])
def test_too_little_memory_is_said(mem):
    """Either it works in so little, or says that it is too little."""
    with Machine(f"memory-{mem}", [f"{CONTROL} guests=8", guest("web")],
                 mem=mem) as m:
        m.wait_for(r"(?i)memory.*(not enough|too little|needs|short)|"
                   r"(not enough|too little|no|out of) memory|"
                   r"cannot.*memory")


def test_guests_that_do_not_fit_are_counted():
    with Machine("memory-guests", [f"{CONTROL} guests=64", guest("web")],
                 mem=320) as m:
        m.wait_for(r"^cairn: ready, (\d+) of 64", 120)
        assert re.search(r"memory", m.output[m.output.index("making"):])


# --- Images that are no guests ---------------------------------------------

def patched(tmp_path, source, change):
    data = bytearray(open(source, "rb").read())
    change(data)
    path = tmp_path / "image.elf"
    path.write_bytes(bytes(data))
    return str(path)


def program_headers(data):
    offset, = struct.unpack_from("<Q", data, 32)
    size, count = struct.unpack_from("<HH", data, 54)
    return [offset + i * size for i in range(count)]


def loads(data):
    return [at for at in program_headers(data)
            if struct.unpack_from("<I", data, at)[0] == 1]


def truncate(data):
    del data[len(data) // 3:]


def not_elf(data):
    data[0:4] = b"MZ\x90\x00"


def wrong_machine(data):
    struct.pack_into("<H", data, 18, 40)


def elf32(data):
    data[4] = 1


def no_notes(data):
    for at in program_headers(data):
        if struct.unpack_from("<I", data, at)[0] == 4:
            struct.pack_into("<I", data, at, 0)


def class_pv(data):
    at = data.index(b"Cairn\0") + 8
    struct.pack_into("<I", data, at, 0)


def unknown_class(data):
    at = data.index(b"Cairn\0") + 8
    struct.pack_into("<I", data, at, 77)


def huge_segment(data):
    struct.pack_into("<Q", data, loads(data)[-1] + 40, 1 << 40)


def wrapping_segment(data):
    at = loads(data)[-1]
    struct.pack_into("<Q", data, at + 24, 0xfffffffffffff000)
    struct.pack_into("<Q", data, at + 40, 0x10000)


def file_beyond_image(data):
    at = loads(data)[0]
    struct.pack_into("<Q", data, at + 8, 1 << 30)


def filesz_above_memsz(data):
    at = loads(data)[0]
    struct.pack_into("<Q", data, at + 40, 16)


def no_segments(data):
    for at in loads(data):
        struct.pack_into("<I", data, at, 0)


def headers_nowhere(data):
    struct.pack_into("<Q", data, 32, 0xffffffffffffff00)


def write_and_execute(data):
    struct.pack_into("<I", data, loads(data)[0] + 4, 7)


def entry_outside(data):
    at = data.index(struct.pack("<III", 4, 8, 1))
    struct.pack_into("<Q", data, at + 16, 0x7fffffff0000)


BAD_IMAGES = [truncate, not_elf, wrong_machine, elf32, no_notes, class_pv,
              unknown_class, huge_segment, wrapping_segment, file_beyond_image,
              filesz_above_memsz, no_segments, headers_nowhere,
              write_and_execute, entry_outside]


@pytest.mark.parametrize("change", BAD_IMAGES, ids=lambda f: f.__name__)
def test_a_bad_initial_domain_is_refused_in_words(tmp_path, change):
    image = patched(tmp_path, conformance("traps"), change)
    with Machine(f"bad-{change.__name__}", [image], net=False) as m:
        m.wait_for(r"(?i)(initial domain|image|module 0|d0).*"
                   r"(not|no |bad|cannot|class|beyond|too|must|outside|"
                   r"refuse|wrong)")
        assert "@@" not in m.output


@pytest.mark.parametrize("change", BAD_IMAGES, ids=lambda f: f.__name__)
def test_a_bad_guest_is_refused_in_words_and_leaves_nothing(tmp_path, change):
    image = patched(tmp_path, guest("web"), change)
    with Machine(f"bad-guest-{change.__name__}",
                 [CONTROL, guest("web"), image]) as m:
        m.wait_ready()
        m.command("create name=warm kernel=web.elf")
        m.command("destroy warm")
        before = m.json("info")
        text = m.command("create name=bad kernel=image.elf")
        assert text.startswith("error: "), text
        assert "image.elf" in text or "bad" in text
        after = m.json("info")
        for key in ("free_pages", "domains", "store_nodes", "consoles"):
            assert after[key] == before[key], key
