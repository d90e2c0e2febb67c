#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""
What a Linux kernel complains about on one hypervisor and not on another.

  kernel_log.py LOG REFERENCE    complaints of LOG that REFERENCE has not;
                                 the status is 1 if there are any

A log is what a guest's console showed.  If the guest printed its kernel's log
with levels (cairn.test=log), that is read, and each line of level "warning" or
worse is a complaint; besides, and everywhere, whatever looks like one.
"""

import re
import sys

WARNING = 4  # KERN_WARNING; less is worse
BEGIN, END = "cairn-guest: log begins", "cairn-guest: log ends"

RAW = re.compile(r"^<(?P<level>\d+)>(?:\[ *\d+\.\d+\] ?)?(?P<text>.*)$")
PLAIN = re.compile(r"^\[ *\d+\.\d+\] ?(?P<text>.*)$")

# What a kernel says at no particular level, or where the level is not known.
ALARMS = re.compile(
    r"\bWARNING: |\bBUG\b|\bOops\b|Call Trace:|general protection|"
    r"Kernel panic|unable to handle|soft lockup|hard LOCKUP|self-detected stall|"
    r"detected stalls|hung task|blocked for more than|Bad page|"
    r"Bad rss-counter|multicall\(s\) failed|nobody cared|"
    r"double fault|divide error|invalid opcode|segfault at|"
    r"Out of memory|page allocation failure|clocksource .* unstable|"
    r"\bcut here\b|rcu: .*stall|unchecked MSR access|"
    r"TSC_DEADLINE disabled|timed out waiting for device")

# In order; what differs from one run to the next without meaning anything.
NOISE = [
    (re.compile(r"\b0x[0-9a-f]+", re.I), "ADDRESS"),
    (re.compile(r"\b(?=[0-9a-f]*[a-f])(?=[0-9a-f]*\d)[0-9a-f]{8,16}\b", re.I),
     "ADDRESS"),
    (re.compile(r"\b0{8,16}\b|\bf{8,16}\b", re.I), "ADDRESS"),
    (re.compile(r"\(____ptrval____\)"), "ADDRESS"),
    (re.compile(r"\+ADDRESS/ADDRESS"), ""),  # how far into a function
    (re.compile(r"\b(CPU|cpu|processor|Processor|node|Node|vcpu)"
                r"([ #:=]*)\d+(-\d+)?"), r"\1\2N"),
    (re.compile(r"\b(PID|pid|TGID)([ :=]*)\d+"), r"\1\2N"),
    (re.compile(r"\b(irq|IRQ|port|domid|id)([ #:=]*)\d+"), r"\1\2N"),
    (re.compile(r"\b\d+(\.\d+)?( ?(MHz|kHz|KiB|MiB|kB|KB|MB|K|M|pages?|page\(s\)|"
                r"bytes|ms|us|ns|s|seconds|jiffies))\b"), r"N\2"),
    (re.compile(r"\b\d+\.\d+(\.\d+)?\b"), "N"),
    (re.compile(r"\s+"), " "),
]


def kernel_lines(text):
    """(level or None, text) of each line of the kernel's."""
    text = text.replace("\r", "")
    begin, end = text.find(BEGIN), text.find(END)
    if begin != -1 and end > begin:
        # What came before is the same log without levels; after it, news.
        text = text[begin:]
    found = []
    for line in text.split("\n"):
        match = RAW.match(line)
        if match:
            # A facility may be in the number's higher bits.
            found.append((int(match["level"]) & 7, match["text"]))
            continue
        match = PLAIN.match(line)
        if match:
            found.append((None, match["text"]))
    return found


def normalised(text):
    for pattern, by in NOISE:
        text = pattern.sub(by, text)
    return text.strip()


def complaints(text):
    """The lines that complain, as they are, once each, in their order."""
    found = {}
    for level, line in kernel_lines(text):
        if ((level is not None and level <= WARNING)
                or ALARMS.search(line)) and line.strip():
            found.setdefault(line.strip(), None)
    return list(found)


def new_complaints(text, reference):
    """The complaints of TEXT that REFERENCE has not, but for numbers."""
    known = {normalised(line) for line in complaints(reference)}
    return [line for line in complaints(text) if normalised(line) not in known]


def read(path):
    with open(path, encoding="utf-8", errors="replace") as file:
        return file.read()


def main():
    if len(sys.argv) != 3:
        sys.exit("usage: kernel_log.py LOG REFERENCE")
    found = new_complaints(read(sys.argv[1]), read(sys.argv[2]))
    print("\n".join(found))
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
