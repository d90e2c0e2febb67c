# SPDX-License-Identifier: BSD-2-Clause
"""Running the hypercall fuzzer (guests/conformance/fuzz), and saying what it
did last when it found something."""

import os
import re
import socket
import struct

from machine import DEBUG_HYPERVISOR, LOGS, OUT, Machine, MachineError

FUZZ = os.path.join(OUT, "guests/conformance/fuzz.elf")
MEMORY_MIB = 256

# The emulator beside another test, and a debug hypervisor.  In class pv a call
# may be many, and a domain lasts for a thousand.
SLOWEST_CALLS_A_SECOND = 1000
SLOWEST_PV_CALLS_A_SECOND = 200
START_SECONDS = 60

# As guests/conformance/fuzz/fuzz.h has it, in words of 64 bits: magic, seed,
# domid, calls made of each vCPU, then their rings of calls.
MAGIC = struct.pack("<Q", 0x215a5a5546214841)
VCPUS, RING, CALL_WORDS = 2, 16, 8
STATE_WORDS = 3 + VCPUS + VCPUS * RING * CALL_WORDS

# A frame with VM set, in real mode's addresses and outside of the hypervisor's
# own code segments, is what the emulator's IRET of 32 bits leaves behind when
# ring 3 executes it: no processor in long mode has such a state.
VIRTUAL_8086 = 1 << 17
REAL_MODE_END = 1 << 16
# And flags that are reserved, always 0 (SDM volume 1, 3.4.3), are not in any
# processor's: here they were the operand of an ADD before.
DEFINED_FLAGS = 0x3f7fd7
CODE_SEGMENTS = (0xe008, 0xe023, 0xe033)
# Nor has a program the null code segment in long mode: each way there is
# refuses it (SDM volume 2, IRET, RET, JMP), but for the emulator's MOV to CS.
LOWER_HALF_END = 1 << 47
RPL_OF_PROGRAMS = 3
PANIC_FRAME = re.compile(
    r"^\*\*\* Cairn panics on CPU \d+\n"
    r"\*\*\* (?P<what>exception in the hypervisor|double fault): .*\n"
    r"(?:    (?!rip ).*\n)*"
    r"    rip (?P<cs>[0-9a-f]{4}):(?P<rip>[0-9a-f]{16}) "
    r"rsp (?P<ss>[0-9a-f]{4}):[0-9a-f]{16} rflags (?P<rflags>[0-9a-f]+)$",
    re.MULTILINE)

# The generator keeps away from it, so that more than one is our fault.
EMULATORS_FAULTS_MOST = 1

END = (r"^fuzz: (?P<calls>\d+) calls, seed (?P<seed>\d+): (?P<how>\w+)"
       r"|\*\*\* end of panic|panic inside a panic")


class EmulatorsFault(MachineError):
    """The machine ended in a STATE that no processor has; SEED is the newest
    domain's."""

    def __init__(self, text, seed, state="in virtual-8086 mode"):
        super().__init__(text)
        self.seed = seed
        self.state = state


def is_emulators_fault(output):
    """Which state it is that a panic's frame has and no processor; or None."""
    frame = PANIC_FRAME.search(output)
    if not frame:
        return None
    cs, rip, ss, rflags = (int(word, 16) for word in
                           frame.group("cs", "rip", "ss", "rflags"))
    if rflags & ~DEFINED_FLAGS:
        return "at flags that there are not"
    if frame["what"] == "double fault":
        return None
    if (rflags & VIRTUAL_8086 and rip < REAL_MODE_END and
            cs not in CODE_SEGMENTS):
        return "in virtual-8086 mode"
    if cs == 0 and ss & 3 == RPL_OF_PROGRAMS and rip < LOWER_HALF_END:
        return "in no code segment"
    return None


def _is_state(raw):
    """The word is in the image's text, too: what follows is a domain's."""
    _, _, domid, *_ = struct.unpack(f"<{STATE_WORDS}Q", raw)
    return 0 < domid < 0x7ff0


def _states(path):
    """Each fuzzing domain in an image of the memory, the newest first."""
    found = []
    with open(path, "rb") as file:
        memory = file.read()
    at = memory.find(MAGIC)
    while at >= 0:
        raw = memory[at:at + STATE_WORDS * 8]
        if at % 8 == 0 and len(raw) == STATE_WORDS * 8 and _is_state(raw):
            found.append(struct.unpack(f"<{STATE_WORDS}Q", raw))
        at = memory.find(MAGIC, at + 1)
    return sorted(found, key=lambda words: -words[2])


def _calls(words):
    """The lines of one domain: what each vCPU called, the last one last."""
    yield f"d{words[2]}, seed {words[1]}:"
    for vcpu in range(VCPUS):
        first = 3 + VCPUS + vcpu * RING * CALL_WORDS
        calls = [words[first + i * CALL_WORDS:first + (i + 1) * CALL_WORDS]
                 for i in range(RING)]
        for number, call, *args, result in sorted(calls):
            if call or result:
                text = ", ".join(f"{arg:#x}" for arg in args)
                yield (f"  vCPU {vcpu} call {number}: {call:#x}({text}) = "
                       f"{result - (result >> 63 << 64)}")


def last_domains(monitor):
    """The newest fuzzing domains, from the machine's memory."""
    dump = os.path.abspath(os.path.join(LOGS, "fuzz.memory"))
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(60)
            connection.connect(monitor)
            stream = connection.makefile("rw", encoding="utf-8")
            stream.write(f'stop\npmemsave 0 {MEMORY_MIB << 20} "{dump}"\n'
                         "info status\n")
            stream.flush()
            while "VM status" not in stream.readline():
                pass
        return _states(dump)[:2]
    finally:
        if os.path.exists(dump):
            os.remove(dump)


def failure(text, output, monitor):
    """What to raise for a machine that printed OUTPUT, with its last calls."""
    try:
        domains = last_domains(monitor)
    except OSError as error:
        return MachineError(f"{text}\n(no memory can be read: {error})")
    text = "\n".join([text] + [line for words in domains
                               for line in _calls(words)])
    state = is_emulators_fault(output)
    if domains and state:
        return EmulatorsFault(text, domains[0][1], state)
    return MachineError(text)


def fuzz_once(calls, seed, options, smp, name):
    """Make CALLS calls; what the machine printed, or a MachineError."""
    monitor = os.path.abspath(os.path.join(LOGS, name + ".monitor"))
    slowest = (SLOWEST_PV_CALLS_A_SECOND if "class=pv" in options
               else SLOWEST_CALLS_A_SECOND)
    seconds = START_SECONDS + calls / slowest
    words = f"{FUZZ} calls={calls} seed={seed} {options}"
    # The second module is for control_op module to find.
    with Machine(name, [words.strip(), FUZZ], append="noreboot",
                 kernel=DEBUG_HYPERVISOR, smp=smp, mem=MEMORY_MIB,
                 life=seconds + START_SECONDS,
                 arguments=["-monitor", f"unix:{monitor},server=on,wait=off"]
                 ) as m:
        try:
            end = m.wait_for(END, seconds)
        except MachineError as error:
            raise failure(str(error), m.output, monitor) from None
        if end.group("how") != "passed":
            raise failure(m.tail(), m.output, monitor)
        m.wait_end()
        return m.output


def fuzz(calls, seed=1, options="", smp=2, name="fuzz", once=fuzz_once):
    """The same; all of it once more from behind the domains with which the
    emulator has left long mode, if it did: no call before that counts."""
    for _ in range(EMULATORS_FAULTS_MOST):
        try:
            return once(calls, seed, options, smp, name)
        except EmulatorsFault as fault:
            print(f"{fault}\n\nThe emulator was {fault.state} after "
                  f"seed {fault.seed}, which no processor can be: once more, "
                  f"from seed {fault.seed + 1}.")
            seed = fault.seed + 1
    return once(calls, seed, options, smp, name)


def operations(output):
    """{operation: (made, good)} of a run's output."""
    return {name: (int(made), int(good)) for name, made, good in re.findall(
        r"^# op (.+): (\d+) made, (\d+) good", output, re.MULTILINE)}
