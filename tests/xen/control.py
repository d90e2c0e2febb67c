# SPDX-License-Identifier: BSD-2-Clause
"""Debian's Xen with a Linux that controls it: booted, and given jobs."""

import collections
import glob
import gzip
import os
import re
import shutil
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[1:1] = [HERE, os.path.join(HERE, "..", "system")]

# pylint: disable=wrong-import-position
import initramfs  # noqa: E402
from machine import OUT, Machine, MachineError  # noqa: E402

# Without ACPI idle states, which the emulator does not have in full.
XEN_OPTIONS = "console=com1 com1=115200,8n1 cpuidle=0 loglvl=warning"
LINUX_WORDS = "console=hvc0 panic=-1 quiet"
DOM0_MIB = 320
LINUX_MIB = 640
CPU = "EPYC,-smap"
LINUX_SECONDS = 300


def xen_image():
    """Debian's hypervisor, as QEMU takes it."""
    packed = sorted(glob.glob(os.path.join(
        initramfs.CACHE, "unpacked", "xen-hypervisor-*", "boot", "xen-*.gz")))
    if not packed:
        raise initramfs.Missing("Debian's Xen is not unpacked; run make deps")
    plain = os.path.join(OUT, "xen", "xen.elf")
    os.makedirs(os.path.dirname(plain), exist_ok=True)
    with gzip.open(packed[-1]) as source, open(plain, "wb") as target:
        shutil.copyfileobj(source, target)
    return plain


def run_linux(name, files, dom0_mib=DOM0_MIB, mib=LINUX_MIB,
              seconds=LINUX_SECONDS, icount=False, cpu=CPU, more=""):
    """Run what is in FILES; returns {(job, domain): lines}."""
    kernel, root = initramfs.make_dom0(os.path.join(OUT, "xen", name), files)
    options = f"{XEN_OPTIONS} dom0_mem={dom0_mib}M guest_loglvl=error {more}"
    with Machine(f"xen-{name}", [f"{kernel} {LINUX_WORDS}", root],
                 kernel=xen_image(), append=options, cpu=cpu, mem=mib,
                 net=False, icount=icount, life=seconds) as m:
        try:
            m.wait_for(r"^@@ dom0 ends", seconds)
        except MachineError as error:
            print(error)
        output = m.output
    lines = collections.defaultdict(list)
    for job, domain, line in re.findall(r"^@@ ([\w.-]+)/([\w.-]+): (.*)$",
                                        output, re.MULTILINE):
        lines[(job, domain)].append(line)
    return lines
