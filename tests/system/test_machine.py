# SPDX-License-Identifier: BSD-2-Clause
"""The harness itself: what is waited for is whole, in whatever pieces it comes."""

import os
import threading

import pytest

from machine import Machine, MachineError

END = r"^end: (?P<how>\w+)"


class Piped(Machine):
    """A machine that is a pipe, and this test what runs in it."""

    def __init__(self):
        super().__init__("piped", [])
        self.log_path = os.devnull
        end, inside = os.pipe()
        self.inside = os.fdopen(inside, "wb", buffering=0)
        self.process = type("Process", (), {"stdout": os.fdopen(end, "rb")})
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def say(self, text):
        before = len(self.output)
        self.inside.write(text.encode())
        with self.changed:
            assert self.changed.wait_for(
                lambda: len(self.output) == before + len(text), 10)


@pytest.fixture(name="m")
def machine():
    m = Piped()
    yield m
    m.inside.close()
    m.reader.join(10)
    m.process.stdout.close()


@pytest.mark.parametrize("pattern, pieces", [
    (END, ("end: pa", "ss", "ed")),
    (END + "$", ("end: pa", "ssed")),
    (END + "|never", ("end: pa", "ssed")),
    (r"^\d+", ("1", "2")),
    (r"^12.*", ("12", " ", "calls")),
])
def test_a_word_that_is_not_all_there_is_waited_for(m, pattern, pieces):
    found = []
    waiter = threading.Thread(
        target=lambda: found.append(m.wait_for(pattern, 10).group()))
    m.say(pieces[0])
    waiter.start()
    for piece in (*pieces[1:], "\n"):
        waiter.join(0.1)
        assert not found
        m.say(piece)
    waiter.join(10)
    assert found == ["".join(pieces)]


@pytest.mark.parametrize("pattern", ["^cairn> $", "^cairn> ", "cairn"])
def test_a_prompt_is_there_without_more(m, pattern):
    m.say("cairn> ")
    assert m.wait_for(pattern, 10)


def test_what_is_last_is_whole(m):
    m.say("end: pa")
    m.inside.close()
    assert m.wait_for(END, 10).group("how") == "pa"


def test_nothing_else_is_taken_for_it(m):
    m.say("the end: passed\n")
    with pytest.raises(MachineError, match="within"):
        m.wait_for(END, 0.1)
