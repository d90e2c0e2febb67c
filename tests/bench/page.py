#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Put the figures into docs/measurements.md, and draw docs/measurements.svg.

A table of the page lies between <!-- NAME --> and <!-- end -->, and is made
from OUT/bench/NAME.csv; one whose file is not there stays as it is.
"""

import os
import re
import subprocess
import sys

from bench import HERE, OUT, operations, rows_of

PAGE = "docs/measurements.md"
PLOT = "docs/measurements.svg"
# The goal of MEASURED creations is theirs without an interface.
CREATE_GOAL = 1000000


def verdict(value, goal):
    return "yes" if value <= goal else f"**no**, {value / goal:.2f} times"


def table(header, rows, align=None):
    lines = ["| " + " | ".join(header) + " |",
             "|---|" + (align or "---:|" * (len(header) - 1))]
    lines += ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join(lines)


def micro_table(rows, with_targets):
    targets = {o["title"]: o["target"] for o in operations()}
    shown = []
    for row in rows:
        target = targets[row["operation"]]
        line = [row["operation"].replace(" @", " (Cairn only)"), row["cairn"],
                row["xen"] or "-", row["ratio"] or "-", row["floor"] or "-"]
        if with_targets:
            line += [target or "-",
                     verdict(int(row["cairn"]), int(target)) if target
                     else "-"]
        shown.append(line)
    header = ["operation", "Cairn", "Xen", "ratio", "floor"]
    return table(header + (["target", "reached"] if with_targets else []),
                 shown)


def system_table(rows):
    goals = {g["figure"]: float(g["goal"])
             for g in rows_of(os.path.join(HERE, "goals.csv"))}
    shown = []
    for row in rows:
        value, goal = row["value"], goals.get(row["figure"])
        number = (f"{int(value):,}" if re.fullmatch(r"\d{4,}", value)
                  else value)
        shown.append([row["figure"], f"{number} {row['unit']}",
                      f"{goal:g}" if goal else "-",
                      verdict(float(value), goal) if goal else "-"])
    return table(["figure", "value", "goal", "reached"], shown)


def creates_table(rows):
    return table(["k-th guest", "no interface", "reached",
                  "with an interface, serving"],
                 [[r["k"], f"{int(r['plain']):,}",
                   verdict(int(r["plain"]), CREATE_GOAL),
                   f"{int(r['network']):,}"] for r in rows])


def breakdown_table(rows):
    parts = {}
    for row in rows:
        parts.setdefault(row["line"], []).append(row)
    return table(["line of the bench guest", "instructions", "of those, in"],
                 [[line, str(sum(int(r["instructions"]) for r in all_of)),
                   ", ".join(f"`{r['function']}` {r['instructions']}"
                             for r in all_of)]
                  for line, all_of in parts.items()], "---:|---|")


def costly_table(rows):
    return table(["line of the bench guest", *list(rows[0])[1:]],
                 [list(row.values()) for row in rows])


def others_table(rows):
    return table(["operation", "2 other domains", "10,000, the same peers",
                  "10,000, the last two"], [list(row.values()) for row in rows])


def linux_table(rows):
    shown = [[r["operation"], *(f"{int(r[side]):,}" if r[side] else "-"
                                for side in ("cairn", "xen")),
              r["ratio"] or "-"] for r in rows]
    return table(["Linux's operation", "Cairn", "Xen", "ratio"], shown)


TABLES = {
    "micro": lambda rows: micro_table(rows, True),
    "breakdown": breakdown_table,
    "costly": costly_table,
    "others": others_table,
    "micro-defaults": lambda rows: micro_table(rows, False),
    "system": system_table,
    "creates": creates_table,
    "linux": linux_table,
}

DRAW = """
set terminal svg size 1300,680 font 'sans,12' noenhanced
set output '{plot}'
set title 'Instructions of one operation, guest and hypervisor (EPYC,-smap)'
set style data histogram
set style histogram clustered gap 1
set style fill solid 0.9 noborder
set boxwidth 0.9
set grid ytics
set ylabel 'instructions, logarithmic'
set logscale y
set yrange [20:100000]
set xtics rotate by 40 right nomirror
set lmargin 26
set bmargin 18
set key top left
$figures << END
{figures}
END
plot $figures using 2:xtic(1) title 'Cairn' linecolor rgb '#2b6ca3', \\
     '' using 3 title 'Xen 4.17' linecolor rgb '#c9752d'
"""


def draw(rows):
    figures = "\n".join(f"\"{r['operation']}\" {r['cairn']} {r['xen']}"
                        for r in rows if r["xen"])
    script = DRAW.format(plot=PLOT, figures=figures)
    try:
        subprocess.run(["gnuplot"], input=script.encode(), check=True)
    except FileNotFoundError:
        sys.exit("bench: gnuplot is not installed; run make deps")
    # As every text here: no blanks at the end of a line.
    with open(PLOT, encoding="utf-8") as source:
        lines = [line.rstrip() for line in source]
    with open(PLOT, "w", encoding="utf-8") as target:
        target.write("\n".join(lines) + "\n")


def main():
    with open(PAGE, encoding="utf-8") as source:
        text = source.read()
    for name, make in TABLES.items():
        path = os.path.join(OUT, "bench", name + ".csv")
        if not os.path.exists(path):
            continue
        made = f"<!-- {name} -->\n{make(rows_of(path))}\n<!-- end -->"
        text, count = re.subn(rf"<!-- {name} -->\n.*?<!-- end -->",
                              made.replace("\\", r"\\"), text, flags=re.S)
        if count != 1:
            sys.exit(f"bench: {PAGE} has {count} places for {name}")
    with open(PAGE, "w", encoding="utf-8") as target:
        target.write(text)
    if os.path.exists(os.path.join(OUT, "bench", "micro.csv")):
        draw(rows_of(os.path.join(OUT, "bench", "micro.csv")))
    print(f"bench: {PAGE} and {PLOT} are made anew")


if __name__ == "__main__":
    main()
