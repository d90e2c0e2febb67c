# SPDX-License-Identifier: BSD-2-Clause
"""A sample of `make mutate`: with a check taken away, a test does fail."""

import os
import subprocess

from machine import OUT

# One of the hypervisor's guest copy, one of its rights, one of a backend.
SAMPLE = ["grant-copy-length", "control-right", "console-ring-index"]
BUILD_SECONDS = 900


def test_mutants_are_caught():
    done = subprocess.run(
        ["tests/system/mutate", *SAMPLE], stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, env=dict(os.environ, OUT=OUT),
        timeout=BUILD_SECONDS, check=False)
    text = done.stdout.decode()
    assert done.returncode == 0, text
    assert f"{len(SAMPLE)} passed, 0 failed" in text
