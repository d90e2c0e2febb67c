#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Where the instructions of one operation of the bench guest go.

  usage: tests/bench/breakdown.py [LINE ...]    e.g. grant_map, or pv:grant_map
                                              of class pv; none: all

Without LINE, two files are written: OUT/bench/breakdown.csv, of the operations
that miss their target in micro.csv, and OUT/bench/costly.csv, how often each
executes instructions that cost a processor much more than others.

The operation's last round is single-stepped under gdb; each instruction is
charged to the function it is in, in the order in which they are entered.
"""

import bisect
import csv
import os
import re
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor

from bench import CLASSES, GUEST, OUT, SPEC_OFF, operations, rows_of
from machine import Machine, free_ports

CPU = "EPYC,-smap"
SYMBOLS = (os.path.join(OUT, "release", "cairn.sym"),
           os.path.join(OUT, "guests", "bench", "micro.sym"))
LISTINGS = tuple(path[:-3] + "asm" for path in SYMBOLS)
STEP_SECONDS = 120
# Rounds before the one that counts; as many and one time nothing before them.
WARM_UP = 16
NOTHING = WARM_UP + 1

# One each under instruction counting, tens to hundreds of cycles on hardware.
COSTLY = {
    "SYSCALL": r"syscall",
    "SYSRET": r"sysretq",
    "IRET": r"iretq",
    "CR3 write": r"mov +%\w+,%cr3",
    "INVLPG": r"invlpg",
    "locked": r"lock |xchg .*\(",
    "WRMSR": r"wrmsr",
}

# An interrupt to another processor: whoever sends one enters this function.
IPI = "IPI"
SENDS_IPI = "lapic_send_cpu"

# Run by gdb.
STEPS = """
set pagination off
set confirm off
set architecture i386:x86-64
target remote 127.0.0.1:{port}
hbreak *{time_once:#x}
ignore 1 {ignored}
continue
delete
python
run = int(gdb.parse_and_eval("$rdi"))
gdb.execute("hbreak *%d" % run, to_string=True)
gdb.execute("continue", to_string=True)
gdb.execute("delete", to_string=True)
back = int(gdb.parse_and_eval("*(unsigned long *)$rsp"))
with open("{trace}", "w") as trace:
    while True:
        pc = int(gdb.parse_and_eval("(unsigned long)$pc"))
        if pc == back:
            break
        trace.write("%x\\n" % pc)
        gdb.execute("stepi", to_string=True)
end
kill
"""


def symbols():
    found = []
    for path in SYMBOLS:
        with open(path, encoding="ascii") as table:
            for line in table:
                address, kind, name = line.split()
                if kind in "tTwW":
                    found.append((int(address, 16), name))
    return sorted(found)


def trace_of(line, port, table):
    """The address of each instruction of one round; PORT is for gdb."""
    kind, _, operation = line.rpartition(":")
    options = f"{SPEC_OFF} {CLASSES[kind or 'light']}".strip()
    time_once = next(a for a, name in table if name == "time_once")
    stopped = ["-S", "-gdb", f"tcp:127.0.0.1:{port}"]
    with tempfile.TemporaryDirectory() as folder:
        trace, script = (os.path.join(folder, n) for n in ("trace", "script"))
        with open(script, "w", encoding="ascii") as target:
            target.write(STEPS.format(port=port, time_once=time_once,
                                      ignored=NOTHING + WARM_UP, trace=trace))
        with Machine(f"bench-breakdown-{line}",
                     [f"{GUEST} only={operation} samples=1"], cpu=CPU,
                     append=options, net=False, icount=True, arguments=stopped):
            subprocess.run(["gdb", "-nx", "-batch", "-x", script], check=True,
                           stdout=subprocess.DEVNULL,
                           stderr=subprocess.DEVNULL, timeout=STEP_SECONDS)
        with open(trace, encoding="ascii") as lines:
            return [int(line, 16) for line in lines]


def costly_addresses():
    """Which costly instruction is where."""
    found = {address: IPI for address, name in symbols()
             if name == SENDS_IPI}
    for path in LISTINGS:
        with open(path, encoding="ascii") as listing:
            for line in listing:
                parts = line.rstrip().split("\t")
                if len(parts) < 2 or not parts[0].endswith(":"):
                    continue
                for name, pattern in COSTLY.items():
                    if re.match(pattern, parts[1]):
                        found[int(parts[0][:-1], 16)] = name
    return found


def by_function(trace, table):
    addresses = [address for address, _ in table]
    counts = {}
    for pc in trace:
        name = table[bisect.bisect_right(addresses, pc) - 1][1]
        counts[name] = counts.get(name, 0) + 1
    return counts


def by_cost(trace, costly):
    counts = dict.fromkeys((*COSTLY, IPI), 0)
    for pc in trace:
        if pc in costly:
            counts[costly[pc]] += 1
    return counts


def all_lines():
    """Each operation's first line, and whether it misses its target."""
    prefix = {"light": "", "pv": "pv:"}
    rows = {r["operation"]: int(r["cairn"])
            for r in rows_of(os.path.join(OUT, "bench", "micro.csv"))}
    return {prefix[o["class"]] + re.match(r"\w+", o["line"]).group():
            bool(o["target"]) and rows[o["title"]] > int(o["target"])
            for o in operations()}


def write(name, header, rows):
    with open(os.path.join(OUT, "bench", name), "w", encoding="ascii",
              newline="") as target:
        lines = csv.writer(target, lineterminator="\n")
        lines.writerow(header)
        lines.writerows(rows)


def main():
    table, costly = symbols(), costly_addresses()
    lines = dict.fromkeys(sys.argv[1:], True) or all_lines()
    functions, costs = [], []
    with ThreadPoolExecutor(os.cpu_count()) as machines:
        ports = range(first := free_ports(len(lines)), first + len(lines))
        traces = machines.map(trace_of, lines, ports, [table] * len(lines))
        lines = list(zip(lines.items(), traces))
    for (line, is_missed), trace in lines:
        cost = by_cost(trace, costly)
        print(f"{line}: {len(trace)} instructions; "
              + ", ".join(f"{n} {name}" for name, n in cost.items() if n))
        costs.append((line, *cost.values()))
        for name, count in by_function(trace, table).items():
            print(f"  {count:5d}  {name}")
            if is_missed:
                functions.append((line, name, count))
    if len(sys.argv) > 1:
        return
    write("breakdown.csv", ("line", "function", "instructions"), functions)
    write("costly.csv", ("line", *COSTLY, IPI), costs)


if __name__ == "__main__":
    main()
