# SPDX-License-Identifier: BSD-2-Clause
"""Booting: what is said, and what is refused in clear words."""

import gzip
import re
import struct
import urllib.request

import pytest

from machine import (DEBUG_HYPERVISOR, HYPERVISOR, OUT, Machine, MachineError,
                     free_ports, guest)

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
    """All but 128 MiB lies beyond 4 GiB, so that is where all domains live."""
    port = free_ports(1)
    with Machine("boot-large", [f"{CONTROL} guests=16", guest("web")],
                 append="dom0_mem=256M", mem=6144, forwards=[(port, 9000)],
                 arguments=["-machine", "q35,max-ram-below-4g=128M"]) as m:
        m.wait_ready()
        assert "cairn: ready, 16 of 16" in m.output
        assert m.json("info")["memory_mib"] > 6100
        # The network card's DMA reaches beyond 4 GiB, too.
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/",
                                    timeout=60) as answer:
            assert "web-0001" in answer.read().decode()
        m.type("poweroff\r")
        m.wait_end()


def test_smap_can_be_left_off():
    def processor(append):
        out = end_of(f"smap-{append}", [conformance("traps")], append=append)
        assert re.search(r"^@@ \d+ passed, 0 failed", out, re.M), out[-2000:]
        return re.search(r"processor:.*", out).group()

    assert " SMEP SMAP UMIP" in processor("")
    assert "SMAP" not in processor("smap=off")


def test_clocks_are_compared():
    with Machine("clocks", [CONTROL], net=False) as m:
        m.wait_ready()
        m.type("\x01\x01\x01cc")
        for _ in range(2):
            found = m.wait_for(r"in \d+ s the PM timer gained (-?\d+) ppm")
        # Not exact: an emulator's clocks stand still when its host is busy.
        assert abs(int(found.group(1))) < 100000


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
    assert "cannot start: no boot module" in out, out


def test_an_empty_module_is_said(tmp_path):
    empty = tmp_path / "empty.elf"
    empty.write_bytes(b"")
    out = end_of("empty-module", [str(empty)])
    assert re.search("cannot start: .*empty.elf.* cannot be the initial domain: "
                     "it is shorter than an ELF header", out), out


def test_a_bad_initial_domain_halts_with_noreboot(tmp_path):
    image = patched(tmp_path, conformance("traps"), unknown_class)
    with Machine("bad-noreboot", [image], append="noreboot", net=False) as m:
        m.wait_for("names an unknown class")
        m.wait_for(r"^Halted \(noreboot\)")


def test_any_light_guest_can_be_the_initial_domain():
    """A web guest finds no store there, says so and ends."""
    out = end_of("initial-web", [guest("web")])
    assert "web: no store offered; no devices" in out
    assert re.search(r"d0: shut down for reason 0", out)


def test_the_words_for_xens_console_start_cairn_too():
    out = end_of("xens-words", [conformance("traps")],
                 append="console=com1 com1=115200,8n1 dom0_mem=64M")
    assert re.search(r"^@@ [1-9]\d* passed, 0 failed", out, re.MULTILINE)


@pytest.mark.parametrize("option,words", [
    ("frobnicate=7", 'there is no option "frobnicate"'),
    ("loglevel=high", 'option loglevel: .*"high" is not'),
    ("smap=maybe", 'option smap: .*"maybe" is not'),
    ("dom0_mem", "option dom0_mem: "),
    ("console=vga", 'option console: .*"vga" is not'),
    ("com1=9600,8n1", 'option com1: .*"9600,8n1" is not'),
    ("dom0_mem=99999999999G", "option dom0_mem: "),
])
def test_a_wrong_option_is_named_and_nothing_starts(option, words):
    """And noreboot counts, wherever it stands."""
    for append, end in ((f"{option} noreboot", r"^Halted \(noreboot\)"),
                        (option, None)):
        with Machine(f"option-{option}", [conformance("traps")],
                     append=append, net=False) as m:
            m.wait_for(words)
            m.wait_for("cannot start: the command line is not understood")
            if end:
                m.wait_for(end)
            else:
                m.wait_end()
            assert "@@" not in m.output


@pytest.mark.parametrize("mem", [4, 8, 16])
def test_too_little_memory_is_said(mem):
    out = end_of(f"memory-{mem}", [CONTROL, guest("web")], mem=mem)
    assert re.search(r"cannot start: too little memory: \d+ MiB are free, \d+ "
                     r"MiB are needed; give the machine \d+ MiB more", out), out


def test_memory_for_the_initial_domain_only_is_enough_or_is_said():
    with Machine("memory-24", [f"{CONTROL} guests=8", guest("web")],
                 mem=24) as m:
        m.wait_for(r"^cairn: ready, \d of 8|cannot start: .*memory")


def test_more_virtual_cpus_than_there_can_be_are_refused():
    for count in ("0", "33", "4294967297"):
        out = end_of("vcpus-dom0", [conformance("traps")],
                     append=f"dom0_vcpus={count}")
        assert "cannot start: dom0_vcpus= is 1 to 32" in out, out


def test_an_initial_domain_larger_than_the_machine_is_refused():
    out = end_of("memory-dom0", [conformance("traps")], append="dom0_mem=1G")
    assert re.search(r"cannot start: cannot make the initial domain with 1024 "
                     r"MiB", out), out


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


def bad_note(data):
    at = data.index(b"Cairn\0") - 8
    struct.pack_into("<I", data, at, 0x7fffffff)


BAD_IMAGES = {
    truncate: "a segment lies outside the file",
    not_elf: "it is no ELF file",
    wrong_machine: "it is no ELF64 file for x86-64",
    elf32: "it is no ELF64 file for x86-64",
    no_notes: "it has no Xen notes, so it is no kernel for this interface",
    unknown_class: "its class note names an unknown class",
    bad_note: "a note lies outside its segment",
    huge_segment: "image does not fit its \\d+ pages",
    wrapping_segment: "a segment's address is out of range",
    file_beyond_image: "a segment lies outside the file",
    filesz_above_memsz: "a segment is larger in the file than in memory",
    no_segments: "it has nothing to load",
    headers_nowhere: "its program headers lie outside the file",
    write_and_execute: "a segment is writable and executable",
    entry_outside: "its entry point is not in executable memory",
}


@pytest.mark.parametrize("change", BAD_IMAGES, ids=lambda f: f.__name__)
def test_a_bad_initial_domain_is_refused_in_words(tmp_path, change):
    """And the machine is reset, which ends the emulator."""
    image = patched(tmp_path, conformance("traps"), change)
    with Machine(f"bad-{change.__name__}", [image], net=False) as m:
        m.wait_for("cannot start: the (first module .*/image.elf.*|initial "
                   "domain's )" + BAD_IMAGES[change])
        m.wait_end()
        assert "@@" not in m.output and "panic" not in m.output


def packed(tmp_path, source, change=lambda data: data):
    with open(source, "rb") as file:
        data = bytearray(gzip.compress(file.read(), mtime=0))
    path = tmp_path / "image.gz"
    path.write_bytes(change(data))
    return str(path)


def frames_of(name, module, append):
    """The hypervisor's frames while the initial domain runs: all, and free."""
    with Machine(name, [module + " linger=1"], append=append, net=False) as m:
        m.wait_for(r"^@@ \d+ passed, 0 failed")
        m.type("\x01\x01\x01")
        m.wait_for("console input goes to")
        m.type("m")
        m.wait_for(r"memory: \d+ frames, \d+ free")
        return re.search(r"memory: (\d+) frames, (\d+) free",
                         m.output).groups()


@pytest.mark.parametrize("append", ["", "dom0_pv dom0_mem=64M"],
                         ids=["light", "pv"])
def test_an_initial_domain_may_be_compressed(tmp_path, append):
    """It runs, and all memory that this took is free again."""
    image = conformance("hypercalls")
    assert (frames_of("boot-gzip", packed(tmp_path, image), append) ==
            frames_of("boot-plain", image, append))


def cut(data):
    return data[:len(data) // 2] + data[-4:]


def cut_short(data):
    return data[:10] + struct.pack("<I", 4096)


def damaged(data):
    at = len(data) // 2
    return data[:at] + bytes(64) + data[at + 64:]


def wrong_sum(data):
    data[-8] ^= 1
    return data


def says_less(data):
    data[-4:] = struct.pack("<I", 4096)
    return data


def says_more(data):
    data[-4:] = struct.pack("<I", 32 << 20)
    return data


def says_too_much(data):
    data[-4:] = b"\xff" * 4
    return data


def longer(data):
    return data + data[-8:]


def twice(data):
    return gzip.compress(data, mtime=0)


def nothing_in_it(_):
    return gzip.compress(b"", mtime=0)


def no_elf_in_it(_):
    return gzip.compress(b"no kernel, but long enough for a header" * 9)


CANNOT = r"the first module \(.*image.gz.*\) cannot be "
BAD_PACKED = {
    cut: CANNOT + "unpacked: ",
    cut_short: CANNOT + "unpacked: ",
    damaged: CANNOT + "unpacked: ",
    wrong_sum: CANNOT + "unpacked: incorrect data check",
    says_less: CANNOT + "unpacked: there is more in it than it says",
    says_more: CANNOT + "unpacked: incorrect length check",
    says_too_much: r"no memory for the 4194303 KiB that the first module "
                   r"\(.*image.gz.*\) says are compressed in it",
    longer: CANNOT + "unpacked: something follows its compressed data",
    twice: CANNOT + "the initial domain: it is no ELF file",
    nothing_in_it: CANNOT + "the initial domain: it is shorter than an ELF",
    no_elf_in_it: CANNOT + "the initial domain: it is no ELF file",
}


@pytest.mark.parametrize("change", BAD_PACKED, ids=lambda f: f.__name__)
def test_a_bad_compressed_image_is_refused_in_words(tmp_path, change):
    image = packed(tmp_path, conformance("traps"), change)
    with Machine(f"bad-gzip-{change.__name__}", [image], net=False) as m:
        m.wait_for("cannot start: " + BAD_PACKED[change])
        m.wait_end()
        assert "@@" not in m.output and "panic" not in m.output


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
