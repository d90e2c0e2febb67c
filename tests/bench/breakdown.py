#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Where the instructions of one operation of the bench guest go.

  usage: tests/bench/breakdown.py LINE ...      e.g. grant_map; none: all that
                                                miss their target in micro.csv

Without LINE, OUT/bench/breakdown.csv is written too.

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

from bench import GUEST, OUT, operations, rows_of
from machine import Machine, free_ports

CPU = "EPYC,-smap"
SYMBOLS = (os.path.join(OUT, "release", "cairn.sym"),
           os.path.join(OUT, "guests", "bench", "micro.sym"))
STEP_SECONDS = 120
# Rounds before the one that counts; as many and one time nothing before them.
WARM_UP = 16
NOTHING = WARM_UP + 1

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


def trace_of(operation, table):
    """The address of each instruction of one round."""
    time_once = next(a for a, name in table if name == "time_once")
    port = free_ports(1)
    ended = ["-S", "-gdb", f"tcp:127.0.0.1:{port}"]
    with tempfile.TemporaryDirectory() as folder:
        trace, script = (os.path.join(folder, n) for n in ("trace", "script"))
        with open(script, "w", encoding="ascii") as target:
            target.write(STEPS.format(port=port, time_once=time_once,
                                      ignored=NOTHING + WARM_UP, trace=trace))
        with Machine("bench-breakdown",
                     [f"{GUEST} only={operation} samples=1"], cpu=CPU,
                     net=False, icount=True, arguments=ended):
            subprocess.run(["gdb", "-nx", "-batch", "-x", script], check=True,
                           stdout=subprocess.DEVNULL,
                           stderr=subprocess.DEVNULL, timeout=STEP_SECONDS)
        with open(trace, encoding="ascii") as lines:
            return [int(line, 16) for line in lines]


def breakdown(operation, table):
    addresses = [address for address, _ in table]
    counts = {}
    for pc in trace_of(operation, table):
        name = table[bisect.bisect_right(addresses, pc) - 1][1]
        counts[name] = counts.get(name, 0) + 1
    return counts


def missed():
    """The first line of each operation that is above its target."""
    rows = {r["operation"]: int(r["cairn"])
            for r in rows_of(os.path.join(OUT, "bench", "micro.csv"))}
    return [re.match(r"\w+", o["line"]).group() for o in operations()
            if o["target"] and rows[o["title"]] > int(o["target"])]


def main():
    table = symbols()
    rows = []
    for operation in sys.argv[1:] or missed():
        counts = breakdown(operation, table)
        print(f"{operation}: {sum(counts.values())} instructions")
        for name, count in counts.items():
            print(f"  {count:5d}  {name}")
            rows.append((operation, name, count))
    if len(sys.argv) > 1:
        return
    with open(os.path.join(OUT, "bench", "breakdown.csv"), "w",
              encoding="ascii", newline="") as target:
        lines = csv.writer(target, lineterminator="\n")
        lines.writerow(("line", "function", "instructions"))
        lines.writerows(rows)


if __name__ == "__main__":
    main()
