# SPDX-License-Identifier: BSD-2-Clause
"""Two hundred guests made and destroyed: everything is there again."""

from web import page, web_machine

GUESTS = 200
BATCH = 25
SAME = ("free_pages", "unreserved_mib", "domains", "guests", "store_nodes",
        "store_connections", "store_watched_paths", "consoles",
        "console_pool_bytes", "forwards")
# The control domain's heap: a page or two more in its free lists is no leak.
SLACK_PAGES = 8


def cycle(machine, start, count):
    names = [f"g{i}" for i in range(start, start + count)]
    for name in names:
        text = machine.command(
            f"create name={name} kernel=web.elf memory=8 vif=['']")
        assert "is created" in text, text
    listed = {d["name"] for d in machine.json("list")}
    assert set(names) <= listed
    for name in names:
        assert "error" not in machine.command(f"destroy {name}")


def test_200_guests_leave_nothing_behind():
    with web_machine("leaks", 1, mem=900) as m:
        m.wait_ready()
        cycle(m, 1000, BATCH)  # what grows once, grows now
        page(m.first)
        before, ports = m.json("info"), m.json("info control")
        for start in range(0, GUESTS, BATCH):
            cycle(m, start, BATCH)
        after, ports_after = m.json("info"), m.json("info control")
        for key in SAME:
            if key == "free_pages":
                assert abs(after[key] - before[key]) <= SLACK_PAGES
            else:
                assert after[key] == before[key], key
        assert (after["control_free_pages"] >=
                before["control_free_pages"] - SLACK_PAGES)
        for key in ("ports", "grant_frames"):
            if key in ports:
                assert ports_after[key] == ports[key], key
        assert "web-0001" in page(m.first)
