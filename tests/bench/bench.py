# SPDX-License-Identifier: BSD-2-Clause
"""What the measuring programs share: the bench guest's runs and lines."""

import csv
import glob
import gzip
import os
import re
import shutil
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "system"))

# pylint: disable=wrong-import-position
from machine import OUT, Machine  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
CACHE = os.environ.get("CACHE") or os.path.expanduser("~/.cache/cairn")
GUEST = os.path.join(OUT, "guests", "bench", "micro.elf")
FLOOR = os.path.join(OUT, "bench", "floor.elf")
BENCH_SECONDS = 240

# Of Cairn, for the pair without mitigations.
SPEC_OFF = "spec-ctrl=no"

# Of Cairn: the bench guest in class pv, with as much memory as on Xen.
CLASSES = {"light": "", "pv": "dom0_pv dom0_mem=64M"}

# Without ACPI idle states, which the emulator does not have in full.
XEN_OPTIONS = "console=com1 com1=115200,8n1 dom0_mem=64M cpuidle=0"


def xen_image():
    """Debian's hypervisor, unpacked by make deps, as the emulator takes it."""
    packed = sorted(glob.glob(os.path.join(
        CACHE, "unpacked", "xen-hypervisor-*", "boot", "xen-*.gz")))
    if not packed:
        raise SystemExit("bench: Debian's Xen is not unpacked; run make deps")
    plain = os.path.join(OUT, "bench", "xen.elf")
    os.makedirs(os.path.dirname(plain), exist_ok=True)
    with gzip.open(packed[-1]) as source, open(plain, "wb") as target:
        shutil.copyfileobj(source, target)
    return plain


def run_bench(which, cpu, kernel=None, options="", arguments="", mem=256):
    """One run under instruction counting; returns what it printed."""
    modules = [] if which == "floor" else [f"{GUEST} {arguments}".strip()]
    append = f"{XEN_OPTIONS} {options}" if which == "xen" else options
    with Machine(f"bench-{which}-{cpu}", modules, kernel=kernel, cpu=cpu,
                 append=append, net=False, icount=True, mem=mem) as machine:
        machine.wait_for(r"^@@ bench done", BENCH_SECONDS)
        return machine.output


def lines_of(output):
    """Each operation's line as a dictionary of its numbers."""
    found = {}
    for name, numbers in re.findall(r"^@ (\w+) (.*)$", output, re.M):
        found[name] = {key: int(value) for key, value in
                       re.findall(r"(\w+)=(-?\d+)", numbers)}
    return found


def run_cairn(cpu, options):
    """{class: lines} of a run in each."""
    return {name: lines_of(run_bench("cairn", cpu,
                                     options=f"{options} {words}".strip()))
            for name, words in CLASSES.items()}


def median_of(name, lines):
    line = lines.get(name)
    if line is None:
        return None
    if line["rc"] != 0:
        raise SystemExit(f"bench: {name} was answered {line['rc']}")
    return line["med"]


def value_of(expression, lines):
    """NAME, NAME+NAME..., or (NAME-NAME)/N written NAME-NAME/N."""
    names = re.findall(r"[a-z]\w*", expression)
    values = [median_of(name, lines) for name in names]
    if None in values:
        return None
    divided = re.fullmatch(r"\w+-\w+/(\d+)", expression)
    if divided:
        return round((values[0] - values[1]) / int(divided.group(1)))
    return sum(values)


# What the bench guest does to other domains, by the end of its lines' names.
CROWD = (
    ("event send to another domain", "send"),
    ("event send to a sleeping domain, and its answer awaited", "wake"),
    ("another domain looked up (status of a port)", "look_up"),
    ("grant copy of 64 bytes from another domain", "copy"),
)


def crowd_of(count, mem):
    """Of each: title, with 2 others, with COUNT: the first, the last two."""
    output = run_bench("cairn", "EPYC,-smap", options=SPEC_OFF, mem=mem,
                       arguments=f"crowd={count} samples=101")
    if f"@@ crowd of {count}" not in output:
        raise SystemExit(f"bench: the crowd was not made:\n{output[-1000:]}")
    lines = lines_of(output)
    return [(title, *(median_of(f"{which}_{name}", lines)
                      for which in ("few", "first", "last")))
            for title, name in CROWD]


def rows_of(path):
    """A CSV file's rows by its header; lines with # are comments."""
    with open(path, encoding="utf-8", newline="") as source:
        return list(csv.DictReader(
            line for line in source if not line.startswith("#")))


def operations():
    return rows_of(os.path.join(HERE, "operations.csv"))
