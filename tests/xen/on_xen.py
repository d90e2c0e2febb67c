#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""
The common ABI's cases on Debian's Xen, from the binaries that run on Cairn.

  on_xen.py [IMAGE ...]     all images, or those named

Stage "initial": each image boots alone as Xen's initial domain.  Stage
"domains": a Linux boots there, and xl starts each image as a pair of ordinary
domains, of which one does what the other says; then the web guest, from which a
page is fetched.  Stage "alone": xl starts a domain for each crash that a case
wants.  A case counts once in each stage it runs in; one that runs in none, and
is not listed as Cairn's own, is a failure.

The last line is "N passed, N failed".
"""

import collections
import os
import re
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
sys.path[1:1] = [os.path.join(HERE, ".."), os.path.join(HERE, "..", "system")]

# pylint: disable=wrong-import-position
import budgets  # noqa: E402
import cases  # noqa: E402
import initramfs  # noqa: E402
from control import CPU, XEN_OPTIONS, run_linux, xen_image  # noqa: E402
from machine import OUT, Machine, MachineError  # noqa: E402

# As many vCPUs as the cases on several want; one CPU runs them all.
VCPUS = 4
INITIAL_OPTIONS = f"{XEN_OPTIONS} dom0_mem=64M dom0_max_vcpus={VCPUS}"
IMAGE_SECONDS = 90
GUEST_MIB = 16
CRASHED = 3  # the reason of a shutdown

CONFIG = """name = "{name}"
kernel = "/guests/{image}"
memory = {mib}
vcpus = {vcpus}
max_event_channels = 131071
extra = "{extra}"
on_poweroff = "destroy"
on_reboot = "destroy"
on_crash = "destroy"
{more}
"""

WEB_JOB = """# Until it has its address; an answer that is refused takes no time.
for i in 1 2 3 4 5 6 7 8 9 10; do
    timeout 3 wget -q -O- "http://10.64.1.$(xl domid web)/" && break
    sleep 1
done
xl shutdown -w web
"""

Outcome = collections.namedtuple("Outcome", "passed failed not_here")


class Results:
    """What came of each case, and what is printed about it."""

    def __init__(self):
        self.passed = self.failed = 0
        self.ran = set()  # (image, sentence)
        self.crashes = {}  # (image, sentence): how many
        self.problems = []

    def take(self, image, lines):
        """Count the framework's lines of one run."""
        found = {"success": 0, "failure": 0, "error": 0, "skip": 0, "alone": 0}
        bad = set()
        for line in lines:
            match = re.match(
                r"case (.*?): (success|failure|error|skip|alone)\b:? ?(.*)",
                line)
            if not match:
                continue
            sentence, outcome, rest = match.groups()
            found[outcome] += 1
            if outcome == "alone":
                self.crashes[(image, sentence)] = int(rest)
            elif outcome != "skip":
                self.ran.add((image, sentence))
            if outcome in ("failure", "error"):
                bad.add(sentence)
                self.problems.append(f"{image}: {line}")
        end = re.search(r"^@@ (\d+) passed, (\d+) failed", "\n".join(lines),
                        re.MULTILINE)
        failed = len(bad)
        if not end:
            self.problems.append(f"{image}: did not come to its end")
            failed += 1
        return self.count(found["success"], failed,
                          found["skip"] + found["alone"])

    def count(self, passed, failed, not_here=0):
        self.passed += passed
        self.failed += failed
        return Outcome(passed, failed, not_here)

    def check(self, problem, good):
        """One thing besides the cases that must be so."""
        if not good:
            self.problems.append(problem)
        return self.count(int(good), int(not good))


def show(stage, what, outcome):
    print(f"{stage:8} {what:12} {outcome.passed:4} passed "
          f"{outcome.failed:3} failed {outcome.not_here:4} not applicable",
          flush=True)


def elf(image):
    return os.path.join(OUT, cases.FOLDER, image + ".elf")


def run_initial(results, images):
    """Each image as the initial domain."""
    for image in images:
        with Machine(f"xen-initial-{image}", [elf(image)], kernel=xen_image(),
                     append=INITIAL_OPTIONS, cpu=CPU, net=False) as m:
            try:
                m.wait_for(r"^@@ \d+ passed, \d+ failed", IMAGE_SECONDS)
            except MachineError:
                pass  # the missing line tells
            output = m.output
        show("initial", image, results.take(image, output.split("\n")))


def config(name, image, extra="", more="", mib=GUEST_MIB):
    return CONFIG.format(name=name, image=image, extra=extra, more=more,
                         mib=mib, vcpus=VCPUS)


def web_files():
    """The job that fetches a page; the last, so that numbers stay."""
    return {"web.elf": os.path.join(OUT, "guests", "web.elf"),
            "web/1.cfg": config("web", "web.elf", mib=32,
                                more='vif = ["script=/vif"]'),
            "web/run": WEB_JOB}


def take_web(results, lines):
    """The web guest's page, through Linux's network backend."""
    page = "\n".join(lines[("web", "run")])
    said = "\n".join(lines[("web", "web")])
    ended = "\n".join(lines[("web", "web.xl")])
    outcomes = [results.check(f"web: {what}", good) for what, good in (
        ("it says that it serves", "web: web serves port 80" in said),
        ("its page comes", "<title>web</title>" in page),
        ("it ends when told to", "reason code 0" in ended))]
    return Outcome(*(sum(column) for column in zip(*outcomes)))


def run_domains(results, images, web):
    """Each image as a pair, and the web guest; numbered in order, from 1."""
    files = {}
    for number, image in enumerate(images):
        child, parent = 2 * number + 1, 2 * number + 2
        files[f"{image}.elf"] = elf(image)
        files[f"{image}/1.cfg"] = config(
            f"{image}-child", f"{image}.elf", f"role=child peer={parent}")
        files[f"{image}/2.cfg"] = config(
            f"{image}-parent", f"{image}.elf", f"role=parent peer={child}")
    if web:
        files.update(web_files())
    lines = run_linux("domains", files)
    for image in images:
        show("domains", image,
             results.take(image, lines[(image, f"{image}-parent")]))
    if web:
        show("domains", "web", take_web(results, lines))


def run_alone(results):
    """A domain for each crash that the cases of the last stage want."""
    files, jobs = {}, []
    for (image, sentence), count in sorted(results.crashes.items()):
        files[f"{image}.elf"] = elf(image)
        # The command line's words have no spaces, commas or quotes.
        word = re.match(r"[\w -]*", sentence)[0].strip().replace(" ", "_")
        for number in range(1, count + 1):
            job = f"c{len(jobs):03}"
            jobs.append((job, image, sentence, number))
            files[f"{job}/1.cfg"] = config(
                job, f"{image}.elf", f"only={word} alone={number}")
    lines = run_linux("alone", files) if jobs else {}
    by_image = collections.Counter()
    for job, image, sentence, number in jobs:
        told = "@@ must crash now" in lines[(job, job)]
        ended = re.search(r"shut down, reason code (\d+)",
                          "\n".join(lines[(job, job + ".xl")]))
        reason = int(ended[1]) if ended else None
        results.ran.add((image, sentence))
        outcome = results.check(
            f"{image}: case {sentence}: crash {number}: began {told}, ended "
            f"for reason {reason}", told and reason == CRASHED)
        by_image[image, "passed"] += outcome.passed
        by_image[image, "failed"] += outcome.failed
    for image in sorted({job[1] for job in jobs}):
        show("alone", image, Outcome(by_image[image, "passed"],
                                     by_image[image, "failed"], 0))


def unknown_cases(results, images):
    """Cases that ran nowhere though nothing says that they cannot."""
    for case in cases.all_cases():
        if case.image in images and case.where != cases.CAIRN and (
                case.image, case.sentence) not in results.ran:
            results.check(f"{case.image}: case {case.sentence}: ran nowhere "
                          "on Xen, and is not listed as Cairn's own", False)
        if case.where == cases.CAIRN and (
                case.image, case.sentence) in results.ran:
            results.check(f"{case.image}: case {case.sentence}: ran on Xen, "
                          "but is listed as Cairn's own", False)


def timed(stage, function, *arguments):
    started = time.monotonic()
    function(*arguments)
    budgets.show("on-xen " + stage, time.monotonic() - started)


def main():
    chosen = sys.argv[1:] or [
        image for image in cases.images()
        if any(c.where != cases.CAIRN for c in cases.cases_of(image))]
    results = Results()
    try:
        timed("initial", run_initial, results, chosen)
        timed("domains", run_domains, results, chosen, not sys.argv[1:])
        timed("alone", run_alone, results)
        unknown_cases(results, chosen)
    except initramfs.Missing as error:
        sys.exit(f"on-xen: {error}")
    ours = sum(1 for c in cases.all_cases() if c.where == cases.CAIRN)
    print(f"\n{ours} cases are Cairn's own: {cases.PAGE} lists them")
    for problem in results.problems:
        print(problem)
    print(f"{results.passed} passed, {results.failed} failed")
    sys.exit(1 if results.failed or not results.passed else 0)


if __name__ == "__main__":
    main()
