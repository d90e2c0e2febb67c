# SPDX-License-Identifier: BSD-2-Clause
"""Unmodified kernels as guests of class pv."""

import os
import urllib.request

import pytest

# linux_guest knows where the harness of Xen is.
from linux_guest import LOGS, SECONDS, LinuxMachine, has
from kernel_log import new_complaints
from web import wait_answers
import linux_guests

FILES = ["vmlinuz-cloud", "vmlinuz-amd64", "initrd.cpio.gz", "nginx.cpio.gz",
         "grub.bin", "grub-chain.bin"]
REACHED = r"cairn-guest: init reached, uptime [\d.]+"
READY = r"cairn-guest: ready, uptime [\d.]+"
ALL = "console=hvc0 cairn.test=log cairn.test=work cairn.test=poweroff"


@pytest.fixture(scope="module")
def machine():
    with LinuxMachine("linux", FILES, forwards=4) as m:
        m.wait_ready()
        yield m


@pytest.mark.parametrize("kernel", ["cloud", "amd64"])
def test_to_init_and_back(machine, kernel):
    machine.create(f"{kernel}-1", f"vmlinuz-{kernel}", ALL)
    text = machine.wait_ended(f"{kernel}-1", "powered off: destroy")
    assert has(REACHED, text) and has(READY, text)
    assert has("work: 0 of 4 went wrong", text)


def fetch(machine, name, address_word, kernel="cloud", **more):
    """A guest with nginx; its page, as the host gets it."""
    port = machine.first
    machine.create(name, f"vmlinuz-{kernel}", f"console=hvc0 {address_word}",
                   "nginx.cpio.gz", forward=f"['tcp:{port}->80']", **more)
    with machine.console(name):
        address = machine.wait_for(r"cairn-guest: address (.*)\n", SECONDS)[1]
        machine.wait_for("nginx serves port 80", SECONDS)
        machine.wait_for("cairn-guest: ready")
    assert f"<title>{name}</title>" in wait_answers(port)
    return address


def stream(port, path, seconds=60):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/{path}",
                                timeout=seconds) as answer:
        return answer.read()


def test_an_address_by_dhcp_and_pages_to_the_host(machine):
    address = fetch(machine, "leased", "ip=dhcp cairn.name=leased "
                    "cairn.stream=4", vif="['']", kernel="amd64")
    own = machine.json("info leased")["vif0_ip"]
    assert address == f"{own}/255.255.0.0 gateway 10.64.0.1"
    numbers = "".join(f"{n}\n" for n in range(10000000, 10500000))
    assert stream(machine.first, "stream").decode() == numbers[:4 << 20]
    # Its kernel leaves it to us to cut what it sends, and we do.
    [vif] = machine.json("network-list leased")
    assert vif["tx_bytes"] > 4 << 20
    assert vif["tx_bytes"] / vif["tx_packets"] > 1514
    machine.command("shutdown leased")
    text = machine.wait_ended("leased", "powered off: destroy")
    assert has("cairn-guest: poweroff was asked for", text)
    assert has("nginx has ended", text)


def reconnect(machine, name, times):
    """The driver lets go of its device and takes it again; nothing is lost."""
    keys = ("control_ports", "control_maptrack", "forwards", "store_nodes")
    before = machine.json("info"), machine.json(f"info {name}")
    with machine.console(name):
        machine.type("cd /sys/bus/xen/drivers/vif; for n in $(seq "
                     f"{times}); do echo vif-0 >unbind; echo vif-0 >bind; "
                     "done; cd /; ip=10.64.3.3 subnet=255.255.0.0 "
                     "router=10.64.0.1 interface=eth0 /lib/dhcp bound; "
                     "ping -c 1 10.64.0.1; dmesg | grep -c defer''ring\r")
        machine.wait_for("1 packets transmitted, 1 packets received")
        # It would say so if the other end still had a page of it.
        machine.wait_for("^0\n")
    assert f"<title>{name}</title>" in wait_answers(machine.first)
    after = machine.json("info"), machine.json(f"info {name}")
    assert [before[0][k] for k in keys] == [after[0][k] for k in keys]
    assert before[1]["ports"] == after[1]["ports"]


def suspend(machine, name):
    """Stops where it is, and goes on there."""
    begin = len(machine.output)
    machine.command(f"suspend {name}")
    machine.position = begin
    machine.wait_for(rf'domain "{name}" \(\d+\) suspended: preserve', SECONDS)
    assert "s" in machine.json(f"list {name}")[0]["state"]
    used = machine.json(f"info {name}")["cpu_time_ns"]
    assert "error: " not in machine.command(f"resume {name}")
    assert "is not suspended" in machine.command(f"resume {name}")
    assert machine.json(f"info {name}")["cpu_time_ns"] > used


def test_a_static_address_and_the_way_out(machine):
    fetch(machine, "fixed", "ip=10.64.3.3::10.64.0.1:255.255.0.0:fixed",
          vif="['ip=10.64.3.3']")
    with machine.console("fixed"):
        machine.type("ping -c 2 10.64.0.1 && ping -c 2 10.0.2.2\r")
        for _ in range(2):
            machine.wait_for("2 packets transmitted, 2 packets received")
        machine.type(f"wget -O- http://10.0.2.2:{machine.first}/\r")
        machine.wait_for("<title>fixed")
    reconnect(machine, "fixed", 10)
    for _ in range(2):
        suspend(machine, "fixed")
        assert "<title>fixed</title>" in wait_answers(machine.first)
    machine.command("reboot fixed")
    machine.wait_ended("fixed", "asked to be restarted: destroy")


@pytest.mark.parametrize("test, how", [
    ("reboot", "asked to be restarted: restart"),
    ("panic", "crashed: preserve")])
def test_ends_of_its_own(machine, test, how):
    """What on_reboot= and on_crash= say is done."""
    machine.create("ends", "vmlinuz-cloud", f"console=hvc0 cairn.test={test}",
                   on_reboot="restart", on_crash="preserve")
    machine.position = len(machine.output)
    machine.wait_for(rf'domain "ends" \(\d+\) {how}', SECONDS)
    if test == "panic":
        assert "Kernel panic - not syncing" in machine.command(
            "console ends --log")
    else:
        machine.wait_for('domain "ends" is restarted', SECONDS)
    machine.command("destroy ends")


def test_balloon(machine):
    """Less than it began with, and more, but no more than its maximum."""
    machine.create("balloon", "vmlinuz-cloud", "console=hvc0 cairn.test=balloon",
                   mib=192, maxmem=288)
    with machine.console("balloon"):
        first = int(machine.wait_for(r"cairn-guest: memory (\d+) KiB",
                                     SECONDS)[1])
    used = machine.json("info balloon")["used_kib"]
    seen = ""  # a console that is attached to shows all of it again
    for mib in 160, 288, 192:
        less = (192 - mib) << 10
        machine.command(f"mem-set balloon {mib}")
        seen += rf"memory {first - less} KiB(?:.|\n)*?"
        with machine.console("balloon"):
            machine.wait_for(seen, SECONDS)
        assert machine.json("info balloon")["used_kib"] == used - less
    assert ('error: MiB of "balloon", up to its maxmem, must be a number from 1 '
            'to 288, not "289"') in machine.command("mem-set balloon 289")
    assert machine.json("info balloon")["used_kib"] == used
    machine.command("destroy balloon")


def test_cpus_come_and_go(machine):
    machine.create("plug", "vmlinuz-cloud", "console=hvc0 cairn.test=cpus",
                   vcpus=1, maxvcpus=4)
    with machine.console("plug"):
        machine.wait_for("cpus 0, counted 1, ran on 1", SECONDS)
    seen = ""
    for count in 4, 2:
        machine.command(f"vcpu-set plug {count}")
        seen += (rf"cpus 0-{count - 1}, counted {count}, ran on {count}"
                 r"(?:.|\n)*?")
        with machine.console("plug"):
            machine.wait_for(seen, SECONDS)
        states = [v["state"] for v in machine.json("vcpu-list plug")]
        assert states.count("offline") == 4 - count, states
        suspend(machine, "plug")
    machine.command("destroy plug")


def test_grub_to_its_prompt(machine):
    machine.create("grub", "grub.bin", ramdisk="", mib=64)
    with machine.console("grub"):
        machine.wait_for("grub>", SECONDS)
        machine.type("echo cairn-${grub_platform}-${grub_cpu}\r")
        machine.wait_for("cairn-xen-x86_64")
        machine.type("halt\r")
    machine.wait_for('domain "grub" .* powered off')


def test_grub_starts_linux_from_a_memory_disk(machine):
    machine.create("chain", "grub-chain.bin", ramdisk="", mib=384)
    with machine.console("chain"):
        machine.wait_for(READY, SECONDS)
    machine.command("shutdown chain")
    machine.wait_ended("chain", "powered off: destroy")


@pytest.mark.parametrize("cpus", [1, 2, 4])
def test_four_vcpus(cpus):
    """On fewer CPUs, and on as many; all kernels work at the same time."""
    with LinuxMachine(f"linux-smp-{cpus}", FILES[:3], smp=cpus,
                      one_thread=True) as m:
        m.wait_ready()
        for kernel in ("cloud", "amd64") if cpus == 4 else ("cloud",):
            m.create(f"{kernel}-4", f"vmlinuz-{kernel}", ALL, vcpus=4)
            text = m.wait_ended(f"{kernel}-4", "powered off: destroy", 300)
            assert has("smp: Brought up 1 node, 4 CPUs", text)
            assert has("work: 0 of 4 went wrong", text)


@pytest.mark.parametrize("name, ours", [
    ("cloud-1", "linux-cloud-1"), ("amd64-1", "linux-amd64-1"),
    ("cloud-4", "linux-smp-4-cloud-4"), ("amd64-4", "linux-smp-4-amd64-4")])
def test_kernels_complain_of_nothing_that_they_bear_on_xen(name, ours):
    """What the tests above have left, and the same guests of Debian's Xen."""
    path = os.path.join(LOGS, ours + ".log")
    if not os.path.exists(path):
        pytest.skip("the test that boots this kernel has not run")
    reference = linux_guests.references(
        ["cloud-1", "cloud-4", "amd64-1", "amd64-4"])[name]
    with open(path, encoding="utf-8") as log:
        assert not new_complaints(log.read(), reference)
