# SPDX-License-Identifier: BSD-2-Clause
"""A hostile guest does its worst while its neighbours keep serving."""

import re

import pytest

from machine import OUT
from web import Load, failed, frames, page, web_machine

ATTACK = f"{OUT}/guests/conformance/attack.elf"

# Name, and more for its command line.
ENDING = [("text", ""), ("faults", ""), ("pointers", ""), ("memory", ""),
          ("ports", ""), ("grants", ""), ("timer", ""), ("store", ""),
          ("store-flood", ""), ("console", ""), ("net", ""),
          ("net-toggle", ""), ("net-scan", ""), ("net-states", ""),
          ("fuzz", "seed=1"), ("fuzz", "seed=2"), ("fuzz", "seed=3")]
ENDLESS = ["loop", "loop-open", "yield"]

# The hypervisor's pools for records of domains may keep a frame or two.
SLACK_FRAMES = 8


@pytest.fixture(scope="module")
def machine():
    with web_machine("attack", 2, extra_modules=[ATTACK], mem=500) as m:
        m.wait_ready()
        for _ in range(2):  # what grows once, grows now
            start(m, "text", "rounds=10")
            m.wait_for("attack text: done")
            m.command("destroy mallory")
        with Load(m.first, ["-n", "300", "-c", "3", "-t", "60"]) as load:
            load.finish()
        yield m


def start(machine, name, options=""):
    with machine.changed:
        at = len(machine.output)
    text = machine.command(
        f"create name=mallory kernel=attack.elf memory=8 vif=[''] "
        f"on_crash=preserve extra='attack={name} {options}'")
    assert not failed(text), text
    machine.position = at
    machine.wait_for(rf"attack {name}: begun", 30)
    return at


def check_neighbours(machine):
    for i in range(2):
        assert f"web-{i + 1:04d}" in page(machine.first + i)


def state_of(machine):
    return machine.json("info")


@pytest.mark.parametrize("name,options", ENDING)
def test_attack_that_ends(machine, name, options):
    before, frames_before = state_of(machine), frames(machine)
    with Load(machine.first, ["-n", "300", "-c", "3", "-t", "60"]) as load:
        at = start(machine, name, options)
        machine.wait_for(rf"attack {name}: done", 120)
        good, report = load.finish()
    assert good == 300, report
    check_neighbours(machine)
    machine.command("destroy mallory")
    text = machine.output[at:]
    assert "BROKEN" not in text, text
    assert not re.search(r"panic|assertion", text, re.IGNORECASE), text
    after = state_of(machine)
    for key in ("domains", "guests", "store_nodes", "store_connections",
                "consoles", "forwards", "control_ports", "control_maptrack"):
        assert after[key] == before[key], key
    assert abs(frames(machine) - frames_before) <= SLACK_FRAMES


def test_a_scan_does_not_fill_the_uplink_with_questions(machine):
    """Nor does it push the gateway out of the table of neighbours."""
    before = state_of(machine)["uplink_tx_packets"]
    start(machine, "net-scan")
    machine.wait_for("attack net-scan: done", 60)
    assert int(re.search(r"net-scan: (\d+) packets",
                         machine.output).group(1)) > 4000
    assert state_of(machine)["uplink_tx_packets"] < before + 500
    machine.command("destroy mallory")
    check_neighbours(machine)


def test_a_ring_that_overshoots_stops_its_interface(machine):
    """And nothing is made of what it says."""
    at = start(machine, "net-overshoot")
    machine.wait_for("its ring is broken", 30)
    machine.wait_for("attack net-overshoot: done", 30)
    assert "BROKEN" not in machine.output[at:]
    machine.command("destroy mallory")
    check_neighbours(machine)


def test_a_guest_that_prints_without_end_is_cut_short(machine):
    """A burst of 16 KiB, then 16,000 bytes a second, and no more."""
    at = start(machine, "print")
    took = int(machine.wait_for(r"attack print: it took (\d+) ms", 60).group(1))
    machine.wait_for("attack print: done", 30)
    heard = machine.output[at:].count("x")
    assert 8192 < heard < 20000 + 16 * took, (heard, took)
    machine.command("destroy mallory")
    check_neighbours(machine)


@pytest.mark.parametrize("name", ENDLESS)
def test_attack_that_never_ends(machine, name):
    """The neighbours get their share, and the prompt still works."""
    start(machine, name)
    with Load(machine.first, ["-n", "200", "-c", "4", "-t", "60"]) as load:
        good, report = load.finish()
    assert good == 200, report
    check_neighbours(machine)
    assert "mallory" in {d["name"] for d in machine.json("list")}
    machine.command("destroy mallory")
    assert "mallory" not in {d["name"] for d in machine.json("list")}
    check_neighbours(machine)


def test_several_attackers_at_once(machine):
    names = []
    for i, attack in enumerate(["loop", "fuzz", "ports", "net", "store"]):
        name = f"mallory{i}"
        text = machine.command(
            f"create name={name} kernel=attack.elf memory=8 vif=[''] "
            f"on_crash=preserve extra='attack={attack} seed={i + 10}'")
        assert "is created" in text, text
        names.append(name)
    with Load(machine.first + 1, ["-n", "300", "-c", "3", "-t", "60"]) as load:
        good, report = load.finish()
    assert good == 300, report
    for name in names:
        assert not failed(machine.command(f"destroy {name}"))
    check_neighbours(machine)
    assert "BROKEN" not in machine.output


def test_a_guest_that_crashes_for_ever_is_restarted_at_leisure(machine):
    """on_crash=restart must not become a loop that starves the others."""
    text = machine.command(
        "create name=mallory kernel=attack.elf memory=8 on_crash=restart "
        "extra='attack=crash'")
    assert "is created" in text, text
    with Load(machine.first, ["-n", "300", "-c", "3", "-t", "60"]) as load:
        good, report = load.finish()
    assert good == 300, report
    check_neighbours(machine)
    machine.command("destroy mallory")
    assert "mallory" not in {d["name"] for d in machine.json("list")}


def test_a_guest_gets_the_memory_it_was_promised_and_no_more(machine):
    start(machine, "memory", "rounds=1")
    machine.wait_for("attack memory: done", 60)
    info = machine.json("info mallory")
    assert info["used_kib"] <= info["maxmem_kib"] == 8192
    machine.command("destroy mallory")
