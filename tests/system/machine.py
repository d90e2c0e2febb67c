# SPDX-License-Identifier: BSD-2-Clause
"""A machine in the emulator: booted, watched, typed to, and always ended.

Nothing here sleeps in place of an event: waiting is for text on the console or
for the emulator's end, under a limit.
"""

import ctypes
import json
import os
import re
import shlex
import signal
import socket
import subprocess
import threading
import time

OUT = os.environ.get("OUT", "build")
QEMU = os.environ.get("QEMU", "qemu-system-x86_64")
LOGS = os.path.join(OUT, "test-logs")
HYPERVISOR = os.path.join(OUT, "cairn.elf")
DEBUG_HYPERVISOR = os.path.join(OUT, "cairn-debug.elf")
PROMPT = "cairn> "

# Lines of guests and of the hypervisor may come in the middle of another one.
INTERRUPTION = r"(?:\n(?:(?:\(d\d+\) |\[ *\d+\.\d+\] )[^\n]*\n)+)*"

# The emulator is slow, and two tests may share the machine.
WAIT_SECONDS = 60
LIFE_SECONDS = 600
TAIL = 3000
PR_SET_PDEATHSIG = 1
ICOUNT = ["-icount", "shift=0,sleep=off", "-rtc", "base=2020-01-01,clock=vm"]


class MachineError(AssertionError):
    """The machine did not do what was waited for."""


def guest(name):
    """The path of a guest's image."""
    return os.path.join(OUT, "guests", name + ".elf")


def free_ports(count):
    """The first of COUNT consecutive ports of 127.0.0.1 nobody uses."""
    for first in range(21000, 32000, count):
        held = []
        try:
            for port in range(first, first + count):
                probe = socket.socket()
                held.append(probe)
                probe.bind(("127.0.0.1", port))
            return first
        except OSError:
            continue
        finally:
            for probe in held:
                probe.close()
    raise MachineError("no free ports")


def monitor(port, command):
    """What the emulator's monitor (-qmp at PORT) answers to COMMAND."""
    with socket.create_connection(("127.0.0.1", port)) as connection:
        stream = connection.makefile("rw", encoding="utf-8")
        stream.readline()  # its greeting
        for request in ({"execute": "qmp_capabilities"},
                        {"execute": "human-monitor-command",
                         "arguments": {"command-line": command}}):
            stream.write(json.dumps(request) + "\n")
            stream.flush()
            answer = {}
            while "return" not in answer:
                answer = json.loads(stream.readline())
        return answer["return"]


def debugger(port, *commands):
    """Let gdb do COMMANDS to the machine at PORT, the release build."""
    line = ["gdb", "-q", "-nx", "-batch", "-ex", "set confirm off"]
    for command in (f"target remote 127.0.0.1:{port}", *commands, "detach"):
        line += ["-ex", command]
    subprocess.run(line + [os.path.join(OUT, "release", "cairn.sym.elf")],
                   check=True, timeout=60, stdout=subprocess.DEVNULL)


def _die_with_parent():
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class Machine:
    """One run of the emulator.  Use it in a with statement."""

    def __init__(self, name, modules, append="", mem=256, smp=1, cpu="max",
                 kernel=None, forwards=(), arguments=(), icount=False,
                 net=True, life=LIFE_SECONDS, one_thread=False):
        self.name = re.sub(r"[^A-Za-z0-9_.-]", "_", name)
        self.kernel = kernel or HYPERVISOR
        self.modules = list(modules)
        self.append = append
        self.mem = mem
        self.smp = smp
        self.cpu = cpu
        self.forwards = list(forwards)
        self.arguments = list(arguments)
        self.icount = icount
        self.net = net
        self.one_thread = one_thread
        self.life = life
        self.output = ""
        self.position = 0
        self.ended = False
        self.process = None
        self.started = None
        self.changed = threading.Condition()
        os.makedirs(LOGS, exist_ok=True)
        self.log_path = os.path.join(LOGS, self.name + ".log")

    def command_line(self):
        cpu = self.cpu
        if self.icount or "-icount" in self.arguments:
            # Under -icount the emulator gives up at an x2APIC's registers:
            # it forgets that to access an MSR may be input or output.
            cpu += ",-x2apic"
        # In one thread a CPU that spins lets the others go on at once; with more
        # CPUs than the host has cores that is far less work.
        accel = "tcg,thread=single" if self.one_thread else "tcg"
        line = [QEMU, "-accel", accel, "-cpu", cpu, "-m", str(self.mem),
                "-smp", str(self.smp), "-nodefaults", "-display", "none",
                "-no-reboot", "-chardev", "stdio,id=console,signal=off",
                "-serial", "chardev:console", "-kernel", self.kernel,
                "-append", self.append]
        if self.modules:
            line += ["-initrd",
                     ",".join(m.replace(",", ",,") for m in self.modules)]
        if self.net:
            netdev = "user,id=net0"
            for host, inside in self.forwards:
                netdev += f",hostfwd=tcp:127.0.0.1:{host}-:{inside}"
            line += ["-netdev", netdev, "-device", "virtio-net-pci,"
                     "netdev=net0,disable-legacy=on,romfile="]
        if self.icount:
            line += ICOUNT
        return line + self.arguments

    def __enter__(self):
        line = self.command_line()
        self.started = time.monotonic()
        with open(self.log_path, "w", encoding="utf-8") as log:
            log.write("# " + shlex.join(line) + "\n")
        self.process = subprocess.Popen(
            line, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, preexec_fn=_die_with_parent)
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()
        # However the test hangs, the machine does not outlive this.
        self.killer = threading.Timer(self.life, self.process.kill)
        self.killer.daemon = True
        self.killer.start()
        return self

    def __exit__(self, *_):
        self.killer.cancel()
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.reader.join(10)
        self.process.stdin.close()
        self.process.stdout.close()

    def _read(self):
        with open(self.log_path, "a", encoding="utf-8", newline="") as log:
            while True:
                some = os.read(self.process.stdout.fileno(), 65536)
                text = some.decode(errors="replace").replace("\r", "")
                log.write(text)
                log.flush()
                with self.changed:
                    self.output += text
                    self.ended = not some
                    self.changed.notify_all()
                if not some:
                    return

    def tail(self):
        return self.output[-TAIL:]

    def _find(self, expression):
        """(match or None, whether it can only be the whole of it)."""
        found = expression.search(self.output, self.position)
        if not found or found.end() < len(self.output):
            return found, True
        # Text comes in pieces: where this one ends a word may not.
        longer = (expression.match(self.output + more, found.start())
                  for more in "a0 .")
        return found, not any(match and match.end() > found.end()
                              for match in longer)

    def wait_for(self, pattern, seconds=WAIT_SECONDS):
        """Wait for PATTERN behind what was waited for before."""
        expression = re.compile(pattern, re.MULTILINE)
        limit = time.monotonic() + seconds
        with self.changed:
            while True:
                found, whole = self._find(expression)
                left = limit - time.monotonic()
                if found and (whole or self.ended or left <= 0):
                    self.position = found.end()
                    return found
                if self.ended:
                    raise MachineError(f"the machine ended before "
                                       f"{pattern!r}:\n{self.tail()}")
                if left <= 0:
                    raise MachineError(f"no {pattern!r} within {seconds} s:\n"
                                       f"{self.tail()}")
                self.changed.wait(left)

    def wait_end(self, seconds=WAIT_SECONDS):
        """Wait until the emulator has ended; returns its status."""
        limit = time.monotonic() + seconds
        with self.changed:
            while not self.ended:
                left = limit - time.monotonic()
                if left <= 0:
                    raise MachineError(f"still running after {seconds} s:\n"
                                       f"{self.tail()}")
                self.changed.wait(left)
        return self.process.wait(10)

    def type(self, text):
        """Type TEXT on the console."""
        self.process.stdin.write(text.encode())
        self.process.stdin.flush()

    def wait_ready(self, seconds=WAIT_SECONDS):
        """Wait until the control domain says that all it was told is up."""
        self.wait_for(r"^cairn: ready", seconds)
        self.wait_for(r"cairn> $", seconds)
        return time.monotonic() - self.started

    def command(self, line, seconds=WAIT_SECONDS):
        """Type LINE at the prompt; returns what it prints."""
        with self.changed:
            self.position = len(self.output)
        self.type(line + "\r")
        # The echo, then the answer, then the next prompt at a line's start.
        start = self.wait_for(INTERRUPTION.join(map(re.escape, line)) +
                              r" *\n", seconds).end()
        end = self.wait_for(r"^cairn> ", seconds).start()
        return self.output[start:end]

    def json(self, line, seconds=WAIT_SECONDS):
        """The value that LINE --json prints."""
        text = self.command(line + " --json", seconds)
        # Lines about other things may come before it.
        start = re.search(r'^(?=[\[{"0-9])', text, re.MULTILINE)
        try:
            return json.JSONDecoder().raw_decode(text, start.start())[0]
        except (AttributeError, ValueError) as error:
            raise MachineError(f"{line} --json: {error}:\n{text}") from error
