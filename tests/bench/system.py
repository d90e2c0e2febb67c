#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Measure the whole system: memory, start, creations, requests.

Written are OUT/bench/system.csv (figure,value,unit) and OUT/bench/creates.csv
(k,plain,network: instructions of the control domain for the k-th guest).
"""

import csv
import os
import re
import statistics
import subprocess
import time

from bench import OUT  # first: it finds the modules of the system tests
from crowd import Crowd
from machine import Machine, free_ports, guest
from web import Load, page, wait_answers

CPU = "EPYC,-smap"
STATIC_UPLINK = "uplink=10.0.2.15/24,10.0.2.2"
MANY = 16
COUNTED_GUESTS = 64
CREATES = (1, 2, 10, 25, 50, 100, 150, 200)
# Creations around each of those that are averaged.
WINDOW = 5
# A guest's memory has settled when it has not changed for so long.
REST_SECONDS = 15

# The processor's time is exact here, too; and idle time lasts as long as it
# should, so that clients outside have the time they need.
ICOUNT_REAL_TIME = ["-icount", "shift=0,sleep=on"]

# Requests for the rate, and for the count of instructions.
RATE_REQUESTS = 3200
RATE_ROUNDS = 5
COUNT_REQUESTS = 1600


def web_machine(name, guests, forwards=0, **more):
    """Cairn with GUESTS web guests; its .first is the first's port."""
    first = free_ports(max(forwards, 1))
    machine = Machine(
        name, [f"{guest('control')} guests={guests} port={first} "
               f"{STATIC_UPLINK}", guest("web")], cpu=CPU,
        forwards=[(p, p) for p in range(first, first + forwards)], **more)
    machine.first = first
    return machine


def control_time(machine):
    return machine.json("info")["control_cpu_time_ns"]


def busy_time(machine):
    """Of all domains and of the control domain: instructions if counted."""
    domains = machine.json("list")
    return (sum(d["cpu_time_ns"] for d in domains),
            sum(d["cpu_time_ns"] for d in domains if d["domid"] == 0))


def start(figures):
    """From the first instruction to pages being served."""
    for guests, what in ((1, "1 guest"), (MANY, f"{MANY} guests")):
        with web_machine("bench-start", guests, mem=640, icount=True) as m:
            m.wait_ready()
            total = busy_time(m)[0]
            figures.append((f"start, {what}: instructions of all "
                            "domains until all serve", total, "instructions"))
        with web_machine("bench-start-wall", guests, forwards=guests,
                         mem=640) as m:
            ready = m.wait_ready()
            page(m.first)
            first = time.monotonic() - m.started
            figures.append((f"start, {what}: all serve, emulator "
                            "wall time", round(ready, 2), "s"))
            figures.append((f"start, {what}: power-on to the first "
                            "page, emulator wall time", round(first, 2), "s"))


def parts_of(machine, name):
    """KiB of its own pages, its page tables, the hypervisor's records."""
    info = machine.json(f"info {name}")
    return (info["used_kib"], info["table_kib"],
            round(info["record_bytes"] / 1024, 1))


def settled(machine, name):
    """The same, once they have not changed for a while."""
    parts = parts_of(machine, name)
    limit = time.monotonic() + REST_SECONDS
    while time.monotonic() < limit:
        now = parts_of(machine, name)
        if now != parts:
            parts, limit = now, time.monotonic() + REST_SECONDS
    return parts


def memory(figures):
    def note(what, value):
        figures.append((f"memory of a web guest{what}", round(value, 1),
                        "KiB"))

    with web_machine("bench-memory", 1, forwards=1, mem=2048) as m:
        m.wait_ready()
        parts = settled(m, "web-0001")
        note(", idle: pages of its own", parts[0])
        note(", idle: page tables", parts[1])
        note(", idle: hypervisor records", parts[2])
        note(", idle: sum", sum(parts))
        page(m.first)
        note(" that has served a page, at rest: sum",
             sum(settled(m, "web-0001")))
        good, report = Load(m.first, ["-n", "2000", "-c", "10"]).finish()
        if good != 2000:
            raise SystemExit(f"bench: requests were lost:\n{report}")
        note(" right after 2,000 requests over 10 connections: sum",
             sum(parts_of(m, "web-0001")))
        note(" after those requests, at rest: sum",
             sum(settled(m, "web-0001")))
        counted(figures, m)


def counted(figures, m):
    """What is gone from the machine's free memory for each further guest."""
    before = m.json("info")["free_pages"]
    for i in range(COUNTED_GUESTS):
        create(m, f"m{i}", " vif=['']")
    while any(d["state"] != "-b----" for d in m.json("list")
              if d["domid"] != 0):
        pass
    after = m.json("info")["free_pages"]
    each = (before - after) * 4 / COUNTED_GUESTS
    figures.append((f"memory gone from the machine for each of "
                    f"{COUNTED_GUESTS} further guests, the control domain's "
                    "part included", round(each, 1), "KiB"))


def create(machine, name, more=""):
    text = machine.command(f"create name={name} kernel=web.elf memory=8{more}")
    if "is created" not in text:
        raise SystemExit(f"bench: create: {text}")


def creates_of(more):
    """Instructions of the control domain for the k-th guest, by k."""
    averages = {}
    with web_machine("bench-creates", 0, mem=2560, icount=True) as m:
        m.wait_ready()
        asking = -control_time(m) + control_time(m)
        costs = {}
        for k in range(1, CREATES[-1] + WINDOW + 1):
            before = control_time(m)
            create(m, f"g{k}", more)
            costs[k] = control_time(m) - before - asking
        for k in CREATES:
            around = [costs[i] for i in costs if abs(i - k) <= WINDOW]
            averages[k] = round(statistics.mean(around))
    return averages


def creates():
    plain, network = creates_of(""), creates_of(" vif=['']")
    with open(os.path.join(OUT, "bench", "creates.csv"), "w",
              encoding="ascii", newline="") as target:
        table = csv.writer(target, lineterminator="\n")
        table.writerow(("k", "plain", "network"))
        for k in CREATES:
            table.writerow((k, plain[k], network[k]))


def rate_of(ports):
    """Requests per second of wall time, one connection to each of PORTS."""
    crowd = Crowd(ports)
    try:
        return crowd.run(RATE_REQUESTS)
    finally:
        crowd.close()


def rates(figures):
    """One guest and many, in turns in one machine; only the ratio counts."""
    with web_machine("bench-rates", MANY, forwards=MANY, mem=640) as m:
        m.wait_ready()
        for i in range(MANY):
            wait_answers(m.first + i)
        ratios = []
        for _ in range(RATE_ROUNDS):
            one = rate_of([m.first] * MANY)
            many = rate_of([m.first + i for i in range(MANY)])
            ratios.append(many / one)
        figures.append((f"requests/s of {MANY} guests, one connection each, "
                        f"over those of 1 guest with {MANY} connections",
                        round(statistics.median(ratios), 2), "ratio"))


def instructions_of(machine, ports):
    """Of one request: of the control domain and of the guests."""
    crowd = Crowd(ports)
    try:
        before = busy_time(machine)
        asked = busy_time(machine)
        crowd.run(COUNT_REQUESTS)
        after = busy_time(machine)
    finally:
        crowd.close()
    # What the question itself costs is not part of it.
    total, control = ((a - b - (b - c)) / COUNT_REQUESTS
                      for a, b, c in zip(after, asked, before))
    return round(control), round(total - control)


def requests(figures):
    """Instructions for one request over a connection that stays open."""
    with web_machine("bench-requests", MANY, forwards=MANY, mem=640,
                     arguments=ICOUNT_REAL_TIME) as m:
        m.wait_ready()
        for i in range(MANY):
            wait_answers(m.first + i)
        everyone = [m.first + i for i in range(MANY)]
        for what, ports in (
                ("1 guest, 1 connection", [m.first]),
                (f"1 guest, {MANY} connections", [m.first] * MANY),
                (f"{MANY} guests, 1 connection each", everyone)):
            control, guests = instructions_of(m, ports)
            figures.append((f"one request, {what}: control domain", control,
                            "instructions"))
            figures.append((f"one request, {what}: web guest", guests,
                            "instructions"))
            figures.append((f"one request, {what}: both", control + guests,
                            "instructions"))


def emulator():
    text = subprocess.run([os.environ.get("QEMU", "qemu-system-x86_64"),
                           "--version"], check=True,
                          stdout=subprocess.PIPE).stdout.decode()
    return re.search(r"version ([0-9.]+)", text).group(1)


def main():
    os.makedirs(os.path.join(OUT, "bench"), exist_ok=True)
    figures = [("emulator", emulator(), "QEMU")]
    for measure in (start, memory, requests, rates):
        known = len(figures)
        measure(figures)
        for figure, value, unit in figures[known:]:
            print(f"  {figure}: {value} {unit}", flush=True)
    with open(os.path.join(OUT, "bench", "system.csv"), "w",
              encoding="ascii", newline="") as target:
        table = csv.writer(target, lineterminator="\n")
        table.writerow(("figure", "value", "unit"))
        table.writerows(figures)
    creates()
    print("  creations: see creates.csv", flush=True)


if __name__ == "__main__":
    main()
