# SPDX-License-Identifier: BSD-2-Clause
"""Jobs of tests/xen/linux_guests.py as guests of Cairn, instruction-counted."""

import os
import re

from bench import SPEC_OFF
from linux_guest import LinuxMachine
from linux_guests import (CPU, JOB_SECONDS, LOGS, MACHINE_MIB, PV_KERNEL, READY,
                          image, problems_of)

# As problems_of() takes the reason for an end: of xl.
ENDED = {"powered off": "shut down, reason code 0"}


def log_path(name):
    return os.path.join(LOGS, f"cairn-count-{name}.log")


def start(machine, name, it):
    """Start it as CONFIG there has it; it stays when it has ended."""
    kernel = os.path.basename(image(it.kernel))
    machine.create(name, kernel, it.words, it.ramdisk, it.mib,
                   vcpus=it.vcpus, on_poweroff="preserve",
                   **({"vif": f"['ip={it.address}']"} if it.address else {}))


def run(machine, name, it):
    """One job: its console, and how it ended.

    Nothing reads the console while the guest runs: its clock goes on with what
    the control domain does for that, too.
    """
    peer = f"{name}-peer"
    if it.peer:
        start(machine, peer, it.peer)
        with machine.console(peer):
            machine.wait_for(READY, JOB_SECONDS)
    machine.position = len(machine.output)
    start(machine, name, it)
    ended = machine.wait_for(rf'domain "{name}" \(\d+\) ([a-z ]+): preserve',
                             JOB_SECONDS)[1]
    console = machine.command(f"console {name} --log")
    for domain in [name] + [peer] * bool(it.peer):
        machine.command(f"destroy {domain}")
    with open(log_path(name), "w", encoding="utf-8") as log:
        log.write(console)
    return problems_of(name, it, console, "", ENDED.get(ended, ended))


def run_jobs(jobs):
    """Each in a machine of its own; returns what was not seen."""
    problems = []
    os.makedirs(LOGS, exist_ok=True)
    for name, it in jobs.items():
        files = {image(f) for one in (it, it.peer) if one
                 for f in (one.kernel, one.ramdisk)}
        with LinuxMachine(f"count-{name}", sorted(files), mem=MACHINE_MIB,
                          cpu=CPU, append=SPEC_OFF, icount=True,
                          net=False) as machine:
            machine.wait_ready()
            problems += run(machine, name, it)
    return problems
