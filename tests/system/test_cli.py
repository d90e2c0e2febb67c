# SPDX-License-Identifier: BSD-2-Clause
"""The prompt: commands, their errors, and JSON."""

import pytest

from machine import OUT
from web import page, web_machine

READ_COMMANDS = ["list", "info", "info web-0001", "dmesg", "network-list",
                 "forward-list", "domid web-0001", "domname 1",
                 "store-ls /local/domain/1", "store-read /local/domain/1/name",
                 "console web-0001", "console web-0001 --log", "help",
                 "help create", "create --help"]


@pytest.fixture(scope="module")
def machine():
    with web_machine("cli", 2, extra_modules=[
            f"{OUT}/guests/conformance/attack.elf"], extra_forwards=1) as m:
        m.wait_ready()
        yield m


@pytest.mark.parametrize("line", READ_COMMANDS)
def test_read_commands_have_json(machine, line):
    machine.json(line)


@pytest.mark.parametrize("line,word", [
    ("frobnicate", "frobnicate"),
    ("destroy", "usage"),
    ("destroy nobody", "nobody"),
    ("pause nobody", "nobody"),
    ("console nobody", "nobody"),
    ("info nobody", "nobody"),
    ("destroy 4711", "4711"),
    ("destroy control", "is the control domain"),
    ("pause 0", "is the control domain"),
    ("info --frog", "option"),
    ("list nobody", "nobody"),
    ("create", "usage"),
    ("create kernel=web.elf", "name"),
    ("create name=x", "kernel"),
    ("create name=x kernel=nothere.elf", "nothere.elf"),
    ("create name=web-0001 kernel=web.elf", "web-0001"),
    ("create name=x kernel=web.elf memory=0", "memory"),
    ("create name=x kernel=web.elf memory=frog", "memory"),
    ("create name=x kernel=web.elf memory=99999999", "memory"),
    ("create name=x kernel=web.elf memory=500000", "memory"),
    ("create name=x kernel=web.elf colour=red", "colour"),
    ("create name=x kernel=web.elf vcpus=99", "vcpus"),
    ("create name=x kernel=web.elf type=pvh", "type"),
    ("create name=x kernel=web.elf cpu_weight=0", "cpu_weight"),
    ("create name=x kernel=web.elf vif=['ip=10.64.0.2']", "10.64.0.2"),
    ("create name=x kernel=web.elf vif=['mac=frog']", "MAC"),
    ("create name=x kernel=web.elf vif=['mac=00:16:3e:40:00:02']", "web-0001"),
    ("create name=control kernel=web.elf", "name"),
    ("create name=x kernel=web.elf vif=[''] forward=['tcp:99999->80']",
     "forward"),
    ("create name=x kernel=web.elf vif=[", "column"),
    ("create name=x kernel=web.elf on_crash=dance", "on_crash"),
    ("create nothere.cfg", "nothere.cfg"),
    ("store-read /no/such/node", "/no/such/node"),
    ("help frobnicate", "frobnicate"),
])
def test_errors_name_what_was_wrong(machine, line, word):
    text = machine.command(line)
    assert text.startswith("error: "), text
    assert word in text
    assert "error" in machine.json(line)
    assert machine.json("info")["guests"] == 2


def test_a_port_forwarded_twice_is_refused(machine):
    text = machine.command("create name=x kernel=web.elf vif=[''] "
                           f"forward=['tcp:{machine.first}->80']")
    assert text.startswith("error: ") and str(machine.first) in text


def test_what_cannot_go_on_is_not_suspended(machine):
    assert "has no note SUSPEND_CANCEL" in machine.command("suspend web-0002")
    assert "is not suspended" in machine.command("resume web-0002")
    assert "web-0002" in page(machine.first + 1)


def test_pause_stops_and_unpause_resumes(machine):
    machine.command("pause web-0002")
    states = {d["name"]: d["state"] for d in machine.json("list")}
    assert "p" in states["web-0002"]
    with pytest.raises(OSError):
        page(machine.first + 1, seconds=2)
    machine.command("unpause web-0002")
    assert "web-0002" in page(machine.first + 1)


def test_console_shows_what_a_guest_prints(machine):
    text = machine.command("console --log web-0001")
    assert text.strip() != ""


def test_list_and_info_agree(machine):
    for d in machine.json("list")[1:]:
        info = machine.json(f"info {d['name']}")
        assert info["domid"] == d["domid"]
        assert info["memory_kib"] == d["memory_kib"]
        assert info["used_kib"] < 1024
        assert "table_kib" in d and "table_kib" in info
        for key in ("ports", "grant_frames", "maptrack", "store_nodes"):
            assert info[key] <= info[key + "_max"], key


def test_long_and_strange_lines_do_no_harm(machine):
    machine.command("help " + "x" * 200)
    machine.type("\x00\x01\x1b[A\x7f\t\x08\x08\x15\r")
    machine.command("list")
    machine.type("y" * 5000 + "\r")
    machine.wait_for(r"^cairn> ")
    assert len(machine.json("list")) == 3


def test_ctrl_a_three_times_leads_to_the_debug_keys_and_back(machine):
    machine.type("\x01\x01\x01")
    machine.wait_for(r"(?i)debug keys|hypervisor")
    machine.type("?")
    machine.wait_for(r"(?m)^.*\bd\b.*domains", 20)
    machine.type("\x01\x01\x01")
    machine.wait_for(r"(?i)control|d0|domain 0|initial", 20)
    machine.type("\r")
    assert len(machine.json("list")) == 3


def test_a_guest_that_crashes_tells_why(machine):
    at = len(machine.output)
    machine.command("create name=dies kernel=attack.elf extra='attack=crash' "
                    "on_crash=preserve")
    machine.position = at
    machine.wait_for(r"d\d+: crashed", 20)
    info = machine.json("info dies")
    assert "crash" in str(info).lower()
    machine.command("destroy dies")


# What a guest may put into its nodes: JSON must stay JSON, UTF-8 at that.
def test_values_of_any_bytes_are_valid_json(machine):
    machine.process.stdin.write(b"store-write /bytes \xff\xc3\xbc\x9b\xc2\r")
    machine.process.stdin.flush()
    machine.wait_for(r"^cairn> $")
    assert machine.json("store-read /bytes")["value"] == "\xff\xfc\x9b\xc2"
    assert "\\9b" in machine.command("store-read /bytes")
    machine.command("store-rm /bytes")


def test_store_ls_of_the_deepest_tree(machine):
    path = "/deep" + "/d" * 31
    machine.command(f"store-write {path} x")
    assert "EINVAL" in machine.command(f"store-write {path}/d x") or \
        "argument" in machine.command(f"store-write {path}/d x").lower()
    tree = machine.json("store-ls /deep")
    for _ in range(31):
        tree = tree["d"]["children"] if "children" in tree.get("d", {}) else {}
    assert tree == {}
    machine.command("store-rm /deep")


def test_network_counters(machine):
    for vif in machine.json("network-list"):
        for key in ("flows_opened", "flows_displaced", "flows_refused",
                    "rx_direct"):
            assert isinstance(vif[key], int)
        assert vif["stopped"] is False
    facts = machine.json("info")
    assert any(name.startswith("dropped, ") for name in facts)


def test_columns_count_from_the_first_word(machine):
    assert "column 1:" in machine.command("create foo=1")
    assert "column 8:" in machine.command("create name=x foo=1")
