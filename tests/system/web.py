# SPDX-License-Identifier: BSD-2-Clause
"""Machines with web guests, and clients for them."""

import re
import subprocess
import time
import urllib.error
import urllib.request

from machine import Machine, MachineError, free_ports, guest

# A page in the emulator takes milliseconds; a lost packet costs seconds.
PAGE_SECONDS = 15
ANSWER_SECONDS = 30


def page(port, path="/", seconds=PAGE_SECONDS):
    """What the guest behind PORT answers to GET PATH."""
    url = f"http://127.0.0.1:{port}{path}"
    with urllib.request.urlopen(url, timeout=seconds) as answer:
        return answer.read().decode()


def answers(port):
    """Whether a page comes now."""
    try:
        page(port, seconds=3)
        return True
    except (OSError, urllib.error.URLError):
        return False


def wait_answers(port):
    """The page, as soon as the guest gives one."""
    limit = time.monotonic() + ANSWER_SECONDS
    while True:
        try:
            return page(port, seconds=3)
        except (OSError, urllib.error.URLError) as error:
            if time.monotonic() >= limit:
                raise MachineError(f"port {port}: {error}") from error


def web_machine(name, guests, extra_modules=(), extra_forwards=0, mem=None,
                control="", **more):
    """A machine with GUESTS web guests; .first is the first one's port."""
    first = free_ports(guests + extra_forwards + 1)
    modules = [f"{guest('control')} guests={guests} port={first} {control}",
               guest("web"), *extra_modules]
    machine = Machine(
        name, modules, mem=mem or 320 + 18 * (guests + extra_forwards),
        forwards=[(p, p)
                  for p in range(first, first + guests + extra_forwards)],
        **more)
    machine.first = first
    return machine


def failed(text):
    """Whether a command said so; other lines may stand before it."""
    return re.search(r"^error: ", text, re.MULTILINE) is not None


def frames(machine):
    """
    Frames that are free or in use by the domains there are.

    Guests touch pages for the first time and give them back, as any program
    does; a frame that is in neither is lost.
    """
    used = 0
    for domain in machine.json("list"):
        used += domain["used_kib"] // 4
        if domain["domid"] != 0:
            used += machine.json(f"info {domain['name']}")["table_kib"] // 4
    return machine.json("info")["free_pages"] + used


class Load:
    """hey in the background, or to its end."""

    def __init__(self, port, arguments, path="/"):
        self.process = subprocess.Popen(
            ["hey", *arguments, f"http://127.0.0.1:{port}{path}"],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def finish(self, seconds=300):
        """Returns (answers with 200, the whole report)."""
        try:
            report = self.process.communicate(timeout=seconds)[0].decode()
        except subprocess.TimeoutExpired as late:
            self.process.kill()
            self.process.wait()
            raise MachineError(f"hey: no end within {seconds} s") from late
        good = re.search(r"\[200\]\s+(\d+) responses", report)
        return (int(good.group(1)) if good else 0), report

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
