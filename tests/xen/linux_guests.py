#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""
Linux and GRUB, unmodified, as guests of Debian's Xen: what Cairn must match.

  linux_guests.py [JOB ...]           each job, or those named; their console
                                      logs go to build/linux/xen-JOB.log
  linux_guests.py --count [JOB ...]   with exact, instruction-counted time, to
                                      build/linux/xen-count-JOB.log
  linux_guests.py --list              the jobs

A job is a domain, what is done to it from outside, and what must be seen; the
last line is "N passed, N failed".
"""

import argparse
import collections
import os
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[1:1] = [HERE, os.path.join(HERE, "..", "system")]

# pylint: disable=wrong-import-position
import initramfs  # noqa: E402
from control import run_linux  # noqa: E402
from machine import OUT  # noqa: E402

ROOT = os.path.abspath(os.path.join(HERE, "..", ".."))
IMAGES = os.path.join(OUT, "guests", "linux")
LOGS = os.path.join(OUT, "linux")
DOM0_MIB = 512
MACHINE_MIB = 1536
SECONDS = 1500
# With XSAVE, which the emulator's EPYC has, programs lose what is in their vector
# registers when Xen switches between vCPUs: cairn.test=work fails.
CPU = "EPYC,-smap,-xsave"
# To count, as tests/bench/ does: no defences on either side.
COUNT_OPTIONS = "spec-ctrl=no"
JOB_SECONDS = 300
POWEROFF, REBOOT, CRASH = 0, 1, 3

# The emulator's TSC is not called invariant, so that by default xl would trap each
# reading of it, which it does on few machines.
CONFIG = """name = "{name}"
kernel = "/guests/{kernel}"
{ramdisk}
memory = {mib}
maxmem = {maxmem}
vcpus = {vcpus}
maxvcpus = {maxvcpus}
extra = "{words}"
tsc_mode = "native"
on_poweroff = "destroy"
on_reboot = "destroy"
on_crash = "destroy"
{more}
"""

# kernel, ramdisk: of build/guests/linux/; run: a script; guest: patterns that
# its console (guest) or the script (outside) shows; reason: why it must end;
# address: of its network interface; peer: a Job of a second domain, NAME-peer,
# which starts first and ends when it is told to
Job = collections.namedtuple(
    "Job", "kernel ramdisk words vcpus online mib maxmem address run guest "
    "outside reason peer")


def job(kernel, words="", ramdisk="initrd.cpio.gz", vcpus=1, online=None,
        mib=256, maxmem=None, address="", run="", guest=(), outside=(),
        reason=POWEROFF, peer=None):
    return Job(kernel, ramdisk, words, vcpus, online or vcpus, mib,
               maxmem or mib, address, run, guest, outside, reason, peer)


REACHED = r"cairn-guest: init reached, uptime ([\d.]+)"
PV_KERNEL = "vmlinuz-pv"
READY = r"cairn-guest: ready, uptime ([\d.]+)"

# The first lease is the guest's; the vif script has given the interface its
# own address.
DHCP_RUN = """. /jobs.sh
interface=vif$(xl domid {name}).0
printf 'interface %s\\nstart 10.64.2.2\\nend 10.64.2.2\\nopt router 10.64.0.1\\n' \\
    "$interface" >/tmp/udhcpd.conf
printf 'opt subnet 255.255.0.0\\nopt dns 10.64.0.1\\nlease_file /tmp/leases\\n' \\
    >>/tmp/udhcpd.conf
: >/tmp/leases
until ip addr show dev "$interface" 2>/dev/null | grep -q 10.64.0.1; do
    usleep 100000
done
udhcpd /tmp/udhcpd.conf
wait_line {name} 'cairn-guest: ready'
fetch 10.64.2.2 ''
xl shutdown -w {name}
"""

STATIC_RUN = """. /jobs.sh
wait_line {name} 'cairn-guest: ready'
fetch 10.64.3.3 ''
for _ in 1 2 3; do fetch 10.64.3.3 stream | wc -c; done
xl shutdown -w {name}
"""

SHELL_RUN = """. /jobs.sh
wait_line {name} 'cairn-guest# '
type_line {name} 'echo sum $((6 * 7))'
wait_line {name} '^sum 42'
xl shutdown -w {name}
"""

ASKED_RUN = """. /jobs.sh
wait_line {name} 'cairn-guest: ready'
xl {what} -w {name}
"""

CPUS_RUN = """. /jobs.sh
wait_line {name} 'cpus 0,'
xl vcpu-set -i {name} 4
wait_line {name} 'cpus 0-3, counted 4, ran on 4'
xl vcpu-set -i {name} 2
wait_line {name} 'cpus 0-1, counted 2, ran on 2'
xl shutdown -w {name}
"""

BALLOON_RUN = """. /jobs.sh
wait_line {name} 'cairn-guest: memory'
xl mem-set {name} 160
wait_line {name} 'target 163840 KiB'
xl mem-set {name} 256
wait_line {name} 'target 262144 KiB'
sleep 5
xl shutdown -w {name}
"""

GRUB_RUN = """. /jobs.sh
wait_line {name} 'Minimal BASH-like line editing'
wait_line {name} 'grub>'
type_line {name} 'echo cairn-${grub_platform}-${grub_cpu}'
wait_line {name} 'cairn-xen-x86_64'
type_line {name} halt
"""

# The server is there first: the client asks once it has its address.
PEER_RUN = """. /jobs.sh
wait_line {name} 'test fetch ends'
xl shutdown -w {name}-peer
"""

CHAIN_RUN = """. /jobs.sh
wait_line {name} 'cairn-guest: ready'
xl shutdown -w {name}
"""


def jobs_of():
    """{name: Job}, in the order in which they run."""
    jobs = {}
    for kernel in "cloud", "amd64":
        image_name = "vmlinuz-" + kernel
        # Its whole log, with levels: the reference of Cairn's.
        for vcpus in 1, 4:
            jobs[f"{kernel}-{vcpus}"] = job(
                image_name, "cairn.test=log cairn.test=work cairn.test=poweroff",
                vcpus=vcpus, guest=(REACHED, READY, "cairn-guest: log ends",
                                    "work: 0 of 4 went wrong"))
        jobs[f"{kernel}-dhcp"] = job(
            image_name, "ip=dhcp cairn.name=linux", "nginx.cpio.gz",
            address="10.64.2.2", run=DHCP_RUN, outside=("<title>linux</title>",),
            guest=("address 10.64.2.2/255.255.0.0 gateway 10.64.0.1",
                   "nginx has ended"))
    jobs["static"] = job(
        "vmlinuz-cloud",
        "ip=10.64.3.3::10.64.0.1:255.255.0.0:still cairn.stream=2",
        "nginx.cpio.gz", address="10.64.3.3", vcpus=4, run=STATIC_RUN,
        outside=("<title>still</title>", "^2097152$"))
    jobs["shell"] = job("vmlinuz-cloud", run=SHELL_RUN, outside=("^sum 42",))
    jobs["asked-reboot"] = job(
        "vmlinuz-cloud", run=ASKED_RUN.replace("{what}", "reboot"),
        guest=("cairn-guest: reboot was asked for",), reason=REBOOT)
    jobs["reboot"] = job("vmlinuz-cloud", "cairn.test=reboot", reason=REBOOT)
    jobs["panic"] = job("vmlinuz-cloud", "cairn.test=panic", reason=CRASH,
                        guest=("Kernel panic - not syncing",))
    jobs["cpus"] = job("vmlinuz-cloud", "cairn.test=cpus", vcpus=4, online=1,
                       run=CPUS_RUN, guest=("cpus 0-1, counted 2, ran on 2",))
    jobs["balloon"] = job("vmlinuz-cloud", "cairn.test=balloon", run=BALLOON_RUN,
                          guest=("target 262144 KiB",))
    jobs["grub"] = job("grub.bin", ramdisk="", mib=64, run=GRUB_RUN,
                       outside=("cairn-xen-x86_64",))
    jobs["grub-chain"] = job("grub-chain.bin", ramdisk="", mib=384,
                             run=CHAIN_RUN, guest=(REACHED,))
    if image(PV_KERNEL):
        jobs["pv-4"] = job(
            PV_KERNEL, "cairn.test=log cairn.test=work cairn.test=poweroff",
            vcpus=4, guest=(REACHED, "work: 0 of 4 went wrong"))
        jobs["pv-dhcp"] = job(
            PV_KERNEL, "quiet ip=dhcp cairn.name=small", "nginx.cpio.gz",
            address="10.64.2.2", run=DHCP_RUN, mib=64,
            outside=("<title>small</title>",))
        jobs["boot-pv"] = job(PV_KERNEL, "quiet cairn.test=bench "
                              "cairn.test=poweroff", mib=128, guest=(REACHED,))
    server = job("vmlinuz-cloud", "quiet cairn.stream=4 "
                 "ip=10.64.3.3::10.64.0.1:255.255.0.0:server", "nginx.cpio.gz",
                 address="10.64.3.3")
    for name, page, times in ("stream", "stream", 25), ("requests", "", 200):
        jobs[name] = job(
            "vmlinuz-cloud", "quiet ip=10.64.3.4::10.64.0.1:255.255.0.0:client "
            f"cairn.host=10.64.3.3 cairn.page={page} cairn.times={times} "
            "cairn.test=fetch cairn.test=poweroff", address="10.64.3.4",
            peer=server, run=PEER_RUN, guest=(f"client,http_{page or 'index'},{times},",))
    jobs["boot-amd64"] = job("vmlinuz-amd64", "quiet cairn.test=poweroff",
                             mib=128, guest=(REACHED,))
    jobs["bench"] = job("vmlinuz-cloud", "quiet cairn.test=bench "
                        "cairn.test=poweroff", mib=128,
                        guest=("bench,fork_exec_exit,",))
    return jobs


def image(name):
    """Where a kernel or file system is; None if there is none to be had."""
    if name != PV_KERNEL:
        return os.path.join(IMAGES, name)
    found = subprocess.run([os.path.join(ROOT, "pv-kernel-patches", "build.sh"),
                            "cached", "linux-6.1"], check=False,
                           stdout=subprocess.PIPE, encoding="utf-8")
    return found.stdout.strip() or None


def write_config(name, it):
    ramdisk = f'ramdisk = "/guests/{it.ramdisk}"' if it.ramdisk else ""
    more = f'vif = ["script=/vif,ip={it.address}"]' if it.address else ""
    return CONFIG.format(name=name, kernel=it.kernel, ramdisk=ramdisk,
                         mib=it.mib, maxmem=it.maxmem, vcpus=it.online,
                         maxvcpus=it.vcpus, words=it.words, more=more)


def files_of(jobs):
    """What the controlling Linux is given."""
    files = {}
    for number, (name, it) in enumerate(jobs.items()):
        wanted = [it.kernel, it.ramdisk]
        wanted += [it.peer.kernel, it.peer.ramdisk] if it.peer else []
        for file in filter(None, wanted):
            files[file] = image(file)
            if not os.path.exists(files[file]):
                raise initramfs.Missing(
                    f"there is no {file}; run make linux-guests")
        folder = f"{number:02}-{name}"
        files[f"{folder}/2.cfg"] = write_config(name, it)
        if it.peer:
            files[f"{folder}/1.cfg"] = write_config(name + "-peer", it.peer)
        files[f"{folder}/limit"] = f"{JOB_SECONDS}\n"
        if it.run:
            files[f"{folder}/run"] = it.run.replace("{name}", name)
    return files


def problems_of(name, it, console, outside, ended):
    """What a job did not show."""
    problems = [f"{name}: its console does not show {pattern!r}"
                for pattern in it.guest
                if not re.search(pattern, console, re.MULTILINE)]
    problems += [f"{name}: from outside {pattern!r} was not seen"
                 for pattern in it.outside
                 if not re.search(pattern, outside, re.MULTILINE)]
    reason = re.search(r"shut down, reason code (\d+)", ended)
    reason = int(reason[1]) if reason else None
    if reason != it.reason:
        problems.append(f"{name}: it ended for reason {reason}, "
                        f"not {it.reason}")
    return problems


def uptimes(console):
    """Seconds of a guest's own time until init, and until it was ready."""
    found = (re.search(pattern, console) for pattern in (REACHED, READY))
    return [float(match[1]) if match else None for match in found]


def run_jobs(jobs, count=False):
    """Run them on Xen; returns {name: (console, outside, ended)}."""
    kind = "count-" if count else ""
    lines = run_linux(kind + "linux", files_of(jobs), dom0_mib=DOM0_MIB,
                      mib=MACHINE_MIB, seconds=SECONDS, icount=count, cpu=CPU,
                      more=COUNT_OPTIONS if count else "")
    os.makedirs(LOGS, exist_ok=True)
    results = {}
    for number, name in enumerate(jobs):
        folder = f"{number:02}-{name}"
        results[name] = tuple("\n".join(lines[(folder, what)]) for what in
                              (name, "run", name + ".xl"))
        with open(log_path(kind + name), "w", encoding="utf-8") as log:
            log.write(results[name][0] + "\n")
    return results


def log_path(name):
    return os.path.join(LOGS, f"xen-{name}.log")


def is_current(name, it):
    """Whether a job's log is newer than what it ran."""
    ran = [image(file) for file in (it.kernel, it.ramdisk) if file]
    return os.path.exists(log_path(name)) and all(
        os.path.getmtime(log_path(name)) > os.path.getmtime(path)
        for path in ran)


def references(names):
    """{job: its console on Xen}; jobs without a current log are run first."""
    jobs = {name: it for name, it in jobs_of().items() if name in names}
    missing = {name: it for name, it in jobs.items()
               if not is_current(name, it)}
    if missing:
        for name, result in run_jobs(missing).items():
            wrong = problems_of(name, jobs[name], *result)
            if wrong:
                os.remove(log_path(name))  # no reference
                raise AssertionError("on Xen: " + "; ".join(wrong))
    texts = {}
    for name in jobs:
        with open(log_path(name), encoding="utf-8") as log:
            texts[name] = log.read()
    return texts


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", action="store_true")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("job", nargs="*")
    options = parser.parse_args()
    jobs = jobs_of()
    if options.list:
        print("\n".join(jobs))
        return
    unknown = set(options.job) - set(jobs)
    if unknown:
        sys.exit(f"linux-on-xen: no job {' '.join(sorted(unknown))}")
    jobs = {name: it for name, it in jobs.items()
            if not options.job or name in options.job}
    try:
        results = run_jobs(jobs, options.count)
    except initramfs.Missing as error:
        sys.exit(f"linux-on-xen: {error}")
    problems = []
    for name, it in jobs.items():
        wrong = problems_of(name, it, *results[name])
        reached, ready = uptimes(results[name][0])
        print(f"{name:14} {'FAILED' if wrong else 'ok':6} init {reached} s, "
              f"ready {ready} s of its own time")
        problems += wrong
    print("\n".join(problems))
    bad = len({problem.split(":")[0] for problem in problems})
    print(f"{len(jobs) - bad} passed, {bad} failed")
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
