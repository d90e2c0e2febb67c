#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Does what a domain does cost more when there are many others?

The bench guest does it with 2 other domains in the machine, and with COUNT.
Written is OUT/bench/others.csv: operation,few,first,last; instructions.  Of
the columns, `few` is with 2, the others with COUNT: `first` with the same peers
as `few`, `last` with the two that were made last.
"""

import csv
import os

from bench import OUT, crowd_of

COUNT = 10000
MEM = 4096


def main():
    path = os.path.join(OUT, "bench", "others.csv")
    os.makedirs(os.path.dirname(path), exist_ok=True)
    print(f"{path}: with 2 other domains, with {COUNT}: to the same peers, to "
          "the last", flush=True)
    with open(path, "w", encoding="ascii", newline="") as target:
        table = csv.writer(target, lineterminator="\n")
        table.writerow(("operation", "few", "first", "last"))
        for row in crowd_of(COUNT, MEM):
            table.writerow(row)
            print("  {:52s} {:6d} {:6d} {:6d}".format(*row), flush=True)


if __name__ == "__main__":
    main()
