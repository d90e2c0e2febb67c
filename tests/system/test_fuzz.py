# SPDX-License-Identifier: BSD-2-Clause
"""Random hypercalls, a million of class light and as many of class pv as there
is time for, and nobody but the caller suffers."""

import re

import pytest

from fuzzing import EmulatorsFault, fuzz, is_emulators_fault, operations
from machine import MachineError

CALLS = 1000000
PV_CALLS = 40000

# What must answer no: nothing a domain can do makes it succeed.
NEVER = {"EVTCHNOP_bind_pirq", "PHYSDEVOP_eoi", "PHYSDEVOP_irq_status_query",
         "no hypercall", "SCHEDOP_shutdown"}
# No fuzzed domain is given a device.
NO_SUCH = re.compile(r"^unknown |^device_op ")
# What is made seldom, for it would end a domain or is refused to all.
SELDOM = re.compile(r"^SCHEDOP_(remote_)?shutdown|^VCPUOP_(down|register_vcpu)"
                    r"|^(control|device|unknown|LIGHT)_?")
# Those on which all of the rest stands.
MUST_BE_GOOD = ("mmu_update", "update_va_mapping", "MMUEXT_UNPIN_TABLE",
                "make a table", "make a tree", "renew pages",
                "store to tables", "balloon", "make a GDT", "set_debugreg",
                "update_descriptor", "code of a user")


def test_a_million_calls():
    """The witness, the log, the limits and the leak check are the guest's."""
    output = fuzz(CALLS)
    made = operations(output)
    assert len(made) > 90
    assert sum(count for count, _ in made.values()) > CALLS * 0.8
    never_made = [name for name, (count, _) in made.items() if not count]
    assert not never_made
    # A fuzzer that only collects errors tests little.
    never_good = [name for name, (_, good) in made.items()
                  if not good and name not in NEVER and
                  not NO_SUCH.match(name)]
    assert not never_good


def test_class_pv():
    """Two processors; all frames are checked again and again."""
    output = fuzz(PV_CALLS, options="class=pv", name="fuzz-pv")
    made = operations(output)
    assert len(made) > 130
    never_made = [name for name, (count, _) in made.items()
                  if not count and not SELDOM.match(name)]
    assert not never_made
    assert not [name for name in MUST_BE_GOOD if not made[name][1]]
    checks = re.search(r"^# all frames checked: (\d+) times", output,
                       re.MULTILINE)
    assert int(checks.group(1)) > 20
    # A domain ends itself soon; but it must have done something before.
    domains = re.search(r"^# domains: (\d+)", output, re.MULTILINE)
    assert int(domains.group(1)) < PV_CALLS / 200


def test_the_same_seed_makes_the_same_calls():
    """One domain alone: what it did is told by its seed."""
    runs = []
    for n in range(2):
        output = fuzz(5000, seed=42, options="flavour=0 verbose=1", smp=1,
                      name=f"fuzz-same-{n}")
        runs.append(operations(output))
    assert runs[0] == runs[1]


# As a machine printed it.
VIRTUAL_8086 = """
(d342) ...
*** Cairn panics on CPU 1
*** exception in the hypervisor: #PF page fault (vector 14), error code 0x15
    fetch of 000000000000cf08 by ring 3: not allowed
    rip 0000:000000000000cf08 rsp cf08:0000000000000000 rflags 00034302
    r15 0000000000024300 r14 0000000000000240 r13 0000000000024020
at, called from:
    000000000000cf08
*** end of panic
"""


@pytest.mark.parametrize("old, new", [
    ("", ""),
    ("(vector 14), error code 0x15", "(vector 14)"),
    ("#PF page fault (vector 14), error code 0x15\n    fetch",
     "#UD invalid opcode (vector 6)\n    fetch"),
])
def test_virtual_8086_mode_is_the_emulators(old, new):
    assert is_emulators_fault(VIRTUAL_8086.replace(old, new))


@pytest.mark.parametrize("old, new", [
    ("rflags 00034302", "rflags 00014302"),
    ("rip 0000:", "rip e033:"),
    ("rip 0000:", "rip e023:"),
    ("rip 0000:", "rip e008:"),
    ("000000000000cf08 rsp", "000000000001cf08 rsp"),
    ("000000000000cf08 rsp", "ffff82000000cf08 rsp"),
    ("exception in the hypervisor", "assertion failed"),
    ("\n*** Cairn panics", "\n(d7) *** Cairn panics"),
])
def test_any_other_panic_is_ours(old, new):
    assert VIRTUAL_8086.count(old) == 1
    assert not is_emulators_fault(VIRTUAL_8086.replace(old, new))


# The same: what an ADD had added, and what is always set.
NO_FLAGS = """
*** Cairn panics on CPU 0
*** double fault: #DF double fault (vector 8), error code 0
    rip e008:ffff82000012c560 rsp 0000:ffff820040009fd0 rflags 47220fcf
    r15 0000000000000010 r14 00000000000592e8 r13 0000000000000036
"""


@pytest.mark.parametrize("rflags", ["47220fcf", "00064f6a", "00000208",
                                    "00008202", "00400202"])
def test_flags_that_there_are_not_are_the_emulators(rflags):
    for frame in (NO_FLAGS, VIRTUAL_8086):
        assert is_emulators_fault(re.sub("rflags [0-9a-f]+",
                                         "rflags " + rflags, frame))


@pytest.mark.parametrize("rflags", ["00000002", "003f7fd7", "00034302"])
def test_a_double_fault_with_flags_that_there_are_is_ours(rflags):
    assert not is_emulators_fault(NO_FLAGS.replace("47220fcf", rflags))


# The same: MOV to CS, of 0.
NO_SEGMENT = """
*** Cairn panics on CPU 0
*** exception in the hypervisor: #UD invalid opcode (vector 6), error code 0
    rip 0000:0000000000010092 rsp e02b:00000000000fcd90 rflags 00010246
    r15 00000000000243c0 r14 0000000000000300 r13 00000000000f2000
"""


def test_a_program_in_no_code_segment_is_the_emulators():
    assert is_emulators_fault(NO_SEGMENT)


@pytest.mark.parametrize("old, new", [
    ("rip 0000:0000000000010092", "rip e033:0000000000010092"),
    ("rip 0000:0000000000010092", "rip 0000:ffff820000010092"),
    ("rsp e02b:", "rsp 0000:"),
    ("rsp e02b:", "rsp e010:"),
    ("exception in the hypervisor", "double fault"),
])
def test_one_of_ours_there_is_ours(old, new):
    assert NO_SEGMENT.count(old) == 1
    assert not is_emulators_fault(NO_SEGMENT.replace(old, new))


def run_of(*ends):
    """A machine that ends each time by the next of ENDS, and what was asked."""
    asked, left = [], list(ends)

    def once(*arguments):
        asked.append(arguments)
        end = left.pop(0)
        if isinstance(end, Exception):
            raise end
        return end

    return once, asked


def test_all_is_made_once_more_behind_the_emulators_fault(capsys):
    once, asked = run_of(EmulatorsFault("...", 648), "output")
    assert fuzz(700, 5, "class=pv", once=once) == "output"
    assert asked == [(700, 5, "class=pv", 2, "fuzz"),
                     (700, 649, "class=pv", 2, "fuzz")]
    assert "virtual-8086 mode after seed 648" in capsys.readouterr().out


@pytest.mark.parametrize("ends", [
    (MachineError("a panic"),),
    (EmulatorsFault("...", 8), MachineError("a panic")),
    (EmulatorsFault("...", 8), EmulatorsFault("...", 9)),
])
def test_others_and_one_too_many_fail(ends):
    once, asked = run_of(*ends)
    with pytest.raises(MachineError):
        fuzz(700, 5, "class=pv", once=once)
    assert len(asked) == len(ends)
