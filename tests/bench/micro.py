#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Measure single operations on Cairn and on Xen, and write them down.

Both run the same bench guest in the same emulator with instruction counting,
once for each pair of conditions; Cairn once for each class of guest.  Written
are OUT/bench/micro.csv (pair a) and OUT/bench/micro-defaults.csv (pair b):
operation,cairn,xen,ratio,floor.
"""

import csv
import os

from bench import (FLOOR, OUT, SPEC_OFF, lines_of, operations, run_bench,
                   run_cairn, value_of, xen_image)

# What differs between the pairs; the emulator and the guest never do.
PAIRS = (
    ("micro.csv", "EPYC,-smap", SPEC_OFF),
    ("micro-defaults.csv", "qemu64", ""),
)


def shown(value):
    return "" if value is None else str(value)


def measure(path, cpu, options, xen):
    cairn = run_cairn(cpu, options)
    rival = lines_of(run_bench("xen", cpu, kernel=xen, options=options))
    floor = lines_of(run_bench("floor", cpu, kernel=FLOOR))
    with open(path, "w", encoding="ascii", newline="") as target:
        table = csv.writer(target, lineterminator="\n")
        table.writerow(("operation", "cairn", "xen", "ratio", "floor"))
        for o in operations():
            ours, theirs = (value_of(o["line"], s)
                            for s in (cairn[o["class"]], rival))
            ratio = f"{ours / theirs:.2f}" if theirs else ""
            least = value_of(o["floor"], floor) if o["floor"] else None
            table.writerow((o["title"], ours, shown(theirs), ratio,
                            shown(least)))
            print(f"  {o['title']:60s} {ours:6d} {shown(theirs):>6s} "
                  f"{ratio:>5s} {shown(least):>5s}", flush=True)


def main():
    folder = os.path.join(OUT, "bench")
    os.makedirs(folder, exist_ok=True)
    xen = xen_image()
    for name, cpu, options in PAIRS:
        path = os.path.join(folder, name)
        print(f"{path}: -cpu {cpu}, both with {options or 'their defaults'}; "
              "columns Cairn, Xen, ratio, floor", flush=True)
        measure(path, cpu, options, xen)


if __name__ == "__main__":
    main()
