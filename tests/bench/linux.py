#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Linux on Cairn, beside it the same Linux on Xen: instructions per operation.

  linux.py [cairn] [xen]   count on both anew, or only on those named
  linux.py --kept          count nothing: the table of the kept logs

Each job of tests/xen/linux_guests.py that is named here runs on both, in the
emulator that counts instructions; of the two guests of a job, one processor's
count has both, the controlling domain and the hypervisor.  The guests' consoles
are kept in OUT/linux/cairn-count-JOB.log and xen-count-JOB.log.  Written is
OUT/bench/linux.csv: operation,cairn,xen,ratio; a figure that is in no log is left
out.
"""

import csv
import os
import re
import sys

from bench import HERE, OUT

sys.path.insert(1, os.path.join(HERE, "..", "xen"))

# pylint: disable=wrong-import-position
import linux_guests  # noqa: E402
import linux_on_cairn  # noqa: E402
from linux_guests import LOGS, REACHED  # noqa: E402

BOOTS = {"boot to init, cloud kernel": "bench",
         "boot to init, amd64 kernel": "boot-amd64",
         "boot to init, small kernel": "boot-pv"}
# line of a guest: its title
LINES = {
    "null_syscall": "system call",
    "page_fault": "page fault, page of zeros",
    "mprotect_twice": "mprotect, forth and back",
    "mmap_munmap_16": "mmap and munmap, 16 pages",
    "mmap_touch_munmap_16": "mmap, write and munmap, 16 pages",
    "signal": "signal to itself",
    "pipe_byte": "a byte through a pipe",
    "context_switch": "switch to another process",
    "fork_exit": "fork and exit",
    "fork_exec_exit": "fork, exec and exit",
    "http_index": "HTTP request from another guest",
    "http_stream": "4 MiB from another guest by HTTP",
}
SIDES = ("cairn", "xen")
MEASURED = ("bench", "boot-amd64", "boot-pv", "stream", "requests")


def console(side, job):
    path = os.path.join(LOGS, f"{side}-count-{job}.log")
    if not os.path.exists(path):
        return ""
    with open(path, encoding="utf-8", errors="replace") as log:
        return log.read().replace("\r", "")


def figures(side):
    """{title: instructions} of what that side's logs show."""
    found = {}
    for title, job in BOOTS.items():
        match = re.search(REACHED, console(side, job))
        if match:
            # A guest's clock advances by a nanosecond with each instruction.
            found[title] = round(float(match[1]) * 1e9)
    for job in MEASURED:
        medians = dict(re.findall(r"^bench,(\w+),(\d+),", console(side, job),
                                  re.MULTILINE))
        if job == "boot-pv":
            continue  # another kernel
        for name, median in medians.items():
            if name in LINES:
                # Less what it takes to read the counter.
                found[LINES[name]] = int(median) - int(medians.get("nothing", 0))
    return found


def count(side):
    jobs = {name: it for name, it in linux_guests.jobs_of().items()
            if name in MEASURED}
    if side == "cairn":
        return linux_on_cairn.run_jobs(jobs)
    return [problem for name, result in
            linux_guests.run_jobs(jobs, count=True).items()
            for problem in linux_guests.problems_of(name, jobs[name], *result)]


def main():
    kept = sys.argv[1:] == ["--kept"]
    sides = () if kept else sys.argv[1:] or SIDES
    if not set(sides) <= set(SIDES):
        sys.exit(__doc__)
    for side in sides:
        for problem in count(side):
            print(problem)
    cairn, xen = figures("cairn"), figures("xen")
    path = os.path.join(OUT, "bench", "linux.csv")
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="ascii", newline="") as target:
        table = csv.writer(target, lineterminator="\n")
        table.writerow(("operation", "cairn", "xen", "ratio"))
        for title in [*BOOTS, *LINES.values()]:
            ours, theirs = cairn.get(title), xen.get(title)
            if ours is None and theirs is None:
                continue
            ratio = f"{ours / theirs:.2f}" if ours and theirs else ""
            row = (title, ours or "", theirs or "", ratio)
            table.writerow(row)
            print("  {:36s} {:>14} {:>14} {:>6}".format(*row), flush=True)


if __name__ == "__main__":
    main()
