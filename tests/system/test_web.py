# SPDX-License-Identifier: BSD-2-Clause
"""Web guests and real clients."""

import http.client
import json
import re
import socket
import subprocess
import time
import urllib.error

import pytest

from machine import free_ports
from web import Load, answers, page, wait_answers, web_machine

GUESTS = 16
REQUESTS = 10000
CONNECTIONS = 50


@pytest.fixture(scope="module")
def machine():
    with web_machine("web", GUESTS, extra_forwards=2) as m:
        m.wait_ready(120)
        yield m


def test_ready_names_every_url(machine):
    for i in range(GUESTS):
        assert re.search(rf"^web-{i + 1:04d} +http://127\.0\.0\.1:"
                         rf"{machine.first + i}/$", machine.output, re.M)


def test_each_guest_answers_with_its_own_name(machine):
    for i in range(GUESTS):
        text = page(machine.first + i)
        assert f"<h1>web-{i + 1:04d}</h1>" in text
        assert f"<td>{i + 1}</td>" in text


def test_curl_gets_name_domain_uptime_and_requests_from_each_guest(machine):
    for i in range(GUESTS):
        done = subprocess.run(
            ["curl", "-sS", "--fail", "--max-time", "30",
             f"http://127.0.0.1:{machine.first + i}/"],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        text = done.stdout.decode()
        assert done.returncode == 0, text
        for row in (rf"<h1>web-{i + 1:04d}</h1>",
                    rf"Domain</th><td>{i + 1}</td>",
                    r"Uptime</th><td>\d+ s</td>",
                    r"Requests</th><td>\d+</td>"):
            assert re.search(row, text), text


def test_the_page_counts_requests(machine):
    first = json.loads(page(machine.first, "/status.json"))
    second = json.loads(page(machine.first, "/status.json"))
    assert first["name"] == "web-0001"
    assert second["requests"] == first["requests"] + 1


def test_a_page_that_is_not_there_is_404(machine):
    with pytest.raises(urllib.error.HTTPError) as caught:
        page(machine.first, "/no/such/page")
    assert caught.value.code == 404


@pytest.mark.parametrize("path", [
    "/../../etc/passwd", "/%2e%2e/%2e%2e/x",
    pytest.param("/" + "a" * 3000, id="long"), "/%00", "/%zz"])
def test_a_path_that_means_harm_gives_an_error_and_no_more(machine, path):
    connection = http.client.HTTPConnection("127.0.0.1", machine.first,
                                            timeout=15)
    connection.putrequest("GET", path, skip_host=True)
    connection.endheaders()
    try:
        assert 400 <= connection.getresponse().status < 500
    except http.client.HTTPException:
        pass
    finally:
        connection.close()
    assert "web-0001" in page(machine.first)


def test_several_requests_on_one_connection(machine):
    connection = http.client.HTTPConnection("127.0.0.1", machine.first + 3,
                                            timeout=15)
    for _ in range(20):
        connection.request("GET", "/")
        answer = connection.getresponse()
        assert answer.status == 200
        assert "web-0004" in answer.read().decode()
    connection.close()


def test_rubbish_instead_of_http_does_no_harm(machine):
    for rubbish in (b"\x00" * 5000, b"GET", b"\r\n\r\n", b"POST / HTTP/1.1\r\n"
                    b"Content-Length: 99999999999\r\n\r\n", b"\xff" * 100):
        with socket.create_connection(("127.0.0.1", machine.first + 1),
                                      timeout=15) as link:
            link.sendall(rubbish)
            link.shutdown(socket.SHUT_WR)
            link.settimeout(3)
            try:
                while link.recv(4096):
                    pass
            except OSError:
                pass
    assert "web-0002" in page(machine.first + 1)


def test_ten_thousand_requests_none_lost(machine):
    with Load(machine.first + 4, ["-n", str(REQUESTS), "-c",
                                  str(CONNECTIONS)]) as load:
        good, report = load.finish()
    assert good == REQUESTS, report


def test_a_connection_for_each_request_none_lost(machine):
    with Load(machine.first + 5, ["-n", "1000", "-c", "20", "-t", "60",
                                  "-disable-keepalive"]) as load:
        good, report = load.finish()
    assert good == 1000, report


def get_from(source, port):
    """A page over a connection of its own from port SOURCE, and seconds."""
    begun = time.monotonic()
    with socket.socket() as link:
        link.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        link.bind(("127.0.0.1", source))
        link.settimeout(30)
        link.connect(("127.0.0.1", port))
        link.sendall(b"GET / HTTP/1.0\r\n\r\n")
        text = b""
        while some := link.recv(4096):
            text += some
    return text, time.monotonic() - begun


def test_a_port_that_is_used_again_at_once_is_answered_at_once(machine):
    """The guest closes first, so its side of the connection lingers."""
    source = free_ports(1)
    for _ in range(10):
        text, seconds = get_from(source, machine.first + 6)
        assert b"web-0007" in text
        assert seconds < 1


def test_a_request_that_never_ends_does_not_hold_its_connection(machine):
    begun = time.monotonic()
    with socket.create_connection(("127.0.0.1", machine.first + 7)) as link:
        link.sendall(b"GET / HTTP/1.1\r\nX: ")
        link.settimeout(2)
        while time.monotonic() - begun < 60:
            try:
                link.sendall(b"x")
                if not link.recv(1):
                    break
            except TimeoutError:
                continue
            except OSError:
                break
    assert time.monotonic() - begun < 45


def test_load_on_all_guests_at_once(machine):
    loads = [Load(machine.first + i, ["-n", "200", "-c", "5"])
             for i in range(GUESTS)]
    for load in loads:
        with load:
            good, report = load.finish()
            assert good == 200, report


def test_a_guest_is_destroyed_and_recreated_under_load(machine):
    port = machine.first + GUESTS
    create = (f"create name=phoenix kernel=web.elf memory=16 vif=[''] "
              f"forward=['tcp:{port}->80']")
    with Load(machine.first, ["-z", "30s", "-c", "10"]) as load:
        for _ in range(5):
            machine.command(create)
            assert "<h1>phoenix</h1>" in wait_answers(port)
            machine.command("destroy phoenix")
            assert not answers(port)
        load.process.terminate()
        load.finish()
    assert "web-0001" in page(machine.first)


def test_requests_to_a_destroyed_guest_end_and_its_successor_serves(machine):
    port = machine.first + GUESTS + 1
    create = (f"create name=target kernel=web.elf memory=16 vif=[''] "
              f"forward=['tcp:{port}->80']")
    machine.command(create)
    wait_answers(port)
    with Load(port, ["-z", "60s", "-c", "10", "-t", "5"]) as load:
        machine.command("destroy target")
        machine.command(create)
        assert "<h1>target</h1>" in wait_answers(port)
        load.process.terminate()
        load.finish()
    machine.command("destroy target")
