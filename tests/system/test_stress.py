# SPDX-License-Identifier: BSD-2-Clause
"""Domains made, wired, messaged and killed at random, on four CPUs."""

import re

from stressing import stress

SECONDS = 40


def test_domains_that_come_and_go_at_random():
    """Four vCPUs do it at once; the guest checks memory and leaks."""
    output = stress(SECONDS)
    done = {name: (int(made), int(good)) for name, made, good in re.findall(
        r"^# op (\w+): (\d+) made, (\d+) good", output, re.MULTILINE)}
    assert len(done) >= 15
    for name, (made, good) in done.items():
        assert good > made * 0.05, (name, made, good)
