# SPDX-License-Identifier: BSD-2-Clause
"""Two hundred guests made and destroyed: everything is there again."""

import re

from web import failed, frames, page, web_machine

GUESTS = 200
BATCH = 25
SAME = ("unreserved_mib", "domains", "guests", "store_nodes",
        "store_connections", "store_watched_paths", "consoles",
        "console_pool_bytes", "forwards")
# The hypervisor's pools for records of domains may keep a frame or two.
SLACK_FRAMES = 4
# The control domain's heap: pages more in its free lists are no leak.
SLACK_PAGES = 64


def ports(machine):
    """Event channels of the control domain, as the hypervisor counts them."""
    text = machine.command("debug-keys e")
    return int(re.search(r"d0: (\d+) of \d+ ports", text).group(1))


def cycle(machine, start, count):
    names = [f"g{i}" for i in range(start, start + count)]
    for name in names:
        text = machine.command(
            f"create name={name} kernel=web.elf memory=8 vif=['']")
        assert "is created" in text, text
    listed = {d["name"] for d in machine.json("list")}
    assert set(names) <= listed
    for name in names:
        assert not failed(machine.command(f"destroy {name}"))


def test_200_guests_leave_nothing_behind():
    with web_machine("leaks", 1, mem=900) as m:
        m.wait_ready()
        cycle(m, 1000, BATCH)  # what grows once, grows now
        page(m.first)
        before, frames_before = m.json("info"), frames(m)
        ports_before = ports(m)
        for start in range(0, GUESTS, BATCH):
            cycle(m, start, BATCH)
        after = m.json("info")
        for key in SAME:
            assert after[key] == before[key], key
        assert ports(m) == ports_before
        assert abs(frames(m) - frames_before) <= SLACK_FRAMES
        assert (after["control_free_pages"] >=
                before["control_free_pages"] - SLACK_PAGES)
        assert "web-0001" in page(m.first)
