# SPDX-License-Identifier: BSD-2-Clause
"""tools/run, as `make run` calls it."""

import os
import pty
import re
import select
import signal
import socket
import subprocess
import time

import pytest

from machine import OUT, free_ports
from web import page, wait_answers


def environment(**settings):
    env = dict(os.environ, OUT=OUT)
    for name in ("GUESTS", "PORT", "MEM", "CPUS", "QEMU_EXTRA", "HV_ARGS"):
        env.pop(name, None)
    env.update(settings)
    return env


def stat_fields(pid):
    """What /proc says of a process behind its name; None: there is none."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8",
                  errors="replace") as stat:
            return stat.read().rsplit(")", 1)[1].split()
    except OSError:
        return None


def children(pid):
    found = []
    for name in filter(str.isdigit, os.listdir("/proc")):
        fields = stat_fields(name)
        if fields and int(fields[1]) == pid:
            found.append(int(name))
    return found


def descendants(pid):
    below = children(pid)
    return below + [p for child in below for p in descendants(child)]


def alive(pid):
    fields = stat_fields(pid)
    return fields is not None and fields[0] != "Z"


def read_until(stream, pattern, seconds):
    """Output of a file descriptor until PATTERN."""
    text, limit = "", time.monotonic() + seconds
    while not re.search(pattern, text):
        left = limit - time.monotonic()
        assert left > 0, f"no {pattern!r} in:\n{text}"
        if select.select([stream], [], [], left)[0]:
            some = os.read(stream, 65536)
            assert some, f"ended before {pattern!r}:\n{text}"
            text += some.decode(errors="replace")
    return text


@pytest.mark.parametrize("command,number", [
    ("tools/run", signal.SIGTERM), ("tools/run", signal.SIGINT),
    ("make run", signal.SIGTERM)])
def test_run_without_a_terminal_ends_all_it_started(command, number):
    port, started = free_ports(4), []
    process = subprocess.Popen(
        command.split(), env=environment(GUESTS="3", PORT=str(port)),
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT)
    try:
        text = read_until(process.stdout.fileno(), r"run: ready", 120)
        for i in range(3):
            assert f"http://127.0.0.1:{port + i}/" in text
            assert f"web-{i + 1:04d}" in wait_answers(port + i)
        started = descendants(process.pid)
        assert started
        process.send_signal(number)
        # The pipe ends with the last of them that could write to it.
        process.communicate(timeout=20)
        assert not any(alive(pid) for pid in started)
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
    finally:
        process.kill()
        for pid in filter(alive, started):
            os.kill(pid, signal.SIGKILL)
        process.wait()


def test_the_machine_dies_with_a_script_that_is_killed():
    port = free_ports(2)
    process = subprocess.Popen(
        ["tools/run"], env=environment(GUESTS="1", PORT=str(port)),
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT)
    read_until(process.stdout.fileno(), r"run: ready", 120)
    started = children(process.pid)
    process.kill()
    process.wait()
    limit = time.monotonic() + 10
    while any(alive(pid) for pid in started):
        assert time.monotonic() < limit


def test_the_prompt_is_usable_on_a_terminal():
    port = free_ports(2)
    pid, terminal = pty.fork()
    if pid == 0:
        os.execve("tools/run", ["tools/run"],
                  environment(GUESTS="1", PORT=str(port)))
    try:
        read_until(terminal, r"run: ready", 120)
        os.write(terminal, b"list\r")
        read_until(terminal, r"web-0001 +1 ", 20)
        assert "web-0001" in page(port)
        started = children(pid)
        os.write(terminal, b"\x03")
        _, status = os.waitpid(pid, 0)
        pid = 0
        assert os.waitstatus_to_exitcode(status) == 0
        assert not any(alive(p) for p in started)
    finally:
        if pid:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        os.close(terminal)


def run_refused(**settings):
    done = subprocess.run(["tools/run"], env=environment(**settings),
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=120, check=False)
    assert done.returncode != 0
    return done.stdout.decode()


def test_a_busy_port_is_named():
    port = free_ports(3)
    with socket.socket() as busy:
        busy.bind(("127.0.0.1", port + 1))
        busy.listen()
        text = run_refused(GUESTS="3", PORT=str(port))
    assert f"port {port + 1}" in text and "PORT=" in text


@pytest.mark.parametrize("settings,word", [
    ({"GUESTS": "many"}, "GUESTS=many"),
    ({"GUESTS": "-1"}, "GUESTS=-1"),
    ({"PORT": "0"}, "PORT=0"),
    ({"PORT": "65535", "GUESTS": "3"}, "PORT=65535"),
    ({"MEM": "1"}, "MEM=1"),
    ({"MEM": "999999"}, "MEM="),
    ({"QEMU": "no-such-emulator"}, "no-such-emulator"),
    ({"OUT": "/nowhere"}, "/nowhere"),
])
def test_settings_that_cannot_be_are_refused(settings, word):
    text = run_refused(**{"PORT": str(free_ports(4)), "GUESTS": "2",
                          **settings})
    assert word in text and len(text.splitlines()) <= 2, text


def test_an_old_emulator_is_refused(tmp_path):
    fake = tmp_path / "qemu"
    fake.write_text("#!/bin/sh\necho QEMU emulator version 7.2.17\n")
    fake.chmod(0o755)
    text = run_refused(QEMU=str(fake))
    assert "7.2.17" in text and "make deps" in text


def test_a_boot_that_fails_shows_the_logs_tail():
    text = run_refused(GUESTS="4", MEM="32", PORT=str(free_ports(5)),
                       WAIT="30")
    assert "last lines" in text
