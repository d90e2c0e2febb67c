# SPDX-License-Identifier: BSD-2-Clause
"""
The conformance cases, from their sources, and where each can run.

A case is a TEST("sentence") in guests/conformance/IMAGE/; the first macro in
its body says what it needs (framework/test.h, framework/child.h):

  nothing           any machine: Cairn, Xen's initial domain, an xl domain
  NEEDS_CHILD       a second domain: Cairn, a pair of xl domains
  SKIP_IN_DOMU      Cairn, Xen's initial domain
  SKIP_ON_XEN_DOM0  Cairn, an xl domain
  SKIP_ON_XEN       Cairn only, for the reason that it gives
  CAIRN_ONLY        the same, for class pv
  child_must_crash  Cairn, and an xl domain for each crash

  cases.py --page   print docs/conformance.md's generated part
"""

import collections
import glob
import os
import re
import sys

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
FOLDER = "guests/conformance"
# No lists of cases: what attacks a running system, and what is timed.
NO_CASES = ("framework", "attack", "crowd", "fuzz", "lending", "stress",
            "latency")
PAGE = "docs/conformance.md"
MARK = "<!-- From here on: tests/xen/cases.py --page -->\n"

Case = collections.namedtuple("Case", "image file sentence where reason")

EVERYWHERE, PAIR, DOM0, DOMU, ALONE, CAIRN = (
    "everywhere", "pair", "dom0", "domu", "alone", "cairn")
NEEDS = [  # in the order in which they are looked for
    (r"SKIP_ON_XEN\(", CAIRN),
    (r"CAIRN_ONLY\(", CAIRN),
    (r"child_must_crash\(", ALONE),
    (r"SKIP_ON_XEN_DOM0\(", DOMU),
    (r"SKIP_IN_DOMU\(", DOM0),
    (r"NEEDS_CHILD;", PAIR),
]


def text_of(literals):
    """What adjacent C string literals say."""
    return "".join(re.findall(r'"((?:[^"\\]|\\.)*)"', literals)).replace(
        '\\"', '"')


def expand_macros(source):
    """Put the file's own names for SKIP_...(...) in their place."""
    source = re.sub(r"\\\n", " ", source)
    for name, text in re.findall(
            r"#define (\w+) +(.*\b(?:SKIP|NEEDS|CAIRN)_\w*\b.*)$", source,
            re.MULTILINE):
        source = re.sub(r"^( +)%s;" % name, lambda m, t=text: m[1] + t + ";",
                        source, flags=re.MULTILINE)
    return source


def cases_of(image):
    found = []
    for path in sorted(glob.glob(os.path.join(ROOT, FOLDER, image, "*.c"))):
        with open(path, encoding="utf-8") as file:
            source = expand_macros(file.read())
        for match in re.finditer(
                r'^TEST\(\s*((?:"(?:[^"\\]|\\.)*"\s*)+)\)\s*\{(.*?)^\}',
                source, re.MULTILINE | re.DOTALL):
            where, reason = EVERYWHERE, ""
            for pattern, name in NEEDS:
                needed = re.search(pattern + r"([^)]*)", match[2])
                if needed:
                    where, reason = name, text_of(needed[1])
                    break
            found.append(Case(image, os.path.basename(path),
                              text_of(match[1]), where, reason))
    return found


def images():
    """The images that are lists of cases."""
    names = (os.path.basename(path.rstrip("/"))
             for path in glob.glob(os.path.join(ROOT, FOLDER, "*/")))
    return sorted(n for n in names if n not in NO_CASES)


def all_cases():
    return [case for image in images() for case in cases_of(image)]


def page():
    """The lists that docs/conformance.md ends with."""
    lines = [MARK, "## Cases that run on Cairn only\n"]
    by_reason = collections.defaultdict(list)
    for case in all_cases():
        if case.where == CAIRN:
            by_reason[(case.image, case.reason)].append(case.sentence)
    for (image, reason), sentences in sorted(by_reason.items()):
        lines.append(f"**{image}**: {reason}.\n")
        lines += [f"- {sentence}" for sentence in sentences] + [""]
    return "\n".join(lines).rstrip() + "\n"


def check_page():
    """What is wrong with the page, or nothing."""
    with open(os.path.join(ROOT, PAGE), encoding="utf-8") as file:
        text = file.read()
    if text[text.find(MARK):] == page():
        return ""
    return f"{PAGE} is not what the sources say; run make conformance-page"


def write_page():
    path = os.path.join(ROOT, PAGE)
    with open(path, encoding="utf-8") as file:
        text = file.read()
    with open(path, "w", encoding="utf-8") as file:
        file.write(text[:text.find(MARK)] + page())


def main():
    if sys.argv[1:] == ["--page"]:
        sys.stdout.write(page())
    elif sys.argv[1:] == ["--write"]:
        write_page()
    elif sys.argv[1:] == ["--check"]:
        sys.exit(check_page() or 0)
    else:
        sys.exit("usage: cases.py --page | --write | --check")


if __name__ == "__main__":
    main()
