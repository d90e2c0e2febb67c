# SPDX-License-Identifier: BSD-2-Clause
"""Many connections at once, from one client.

All are open before the first request, because the emulator's user network
takes one new connection at a time; that is not what is measured.  Each
connection asks again as soon as it has its answer.
"""

import re
import selectors
import socket
import time

REQUEST = b"GET / HTTP/1.1\r\nHost: bench\r\n\r\n"
ANSWER_SECONDS = 30


class Crowd:
    """One connection to each of PORTS of 127.0.0.1; ports may repeat."""

    def __init__(self, ports):
        self.selector = selectors.DefaultSelector()
        self.buffers = {}
        for port in ports:
            connection = socket.create_connection(("127.0.0.1", port),
                                                  ANSWER_SECONDS)
            self.buffers[connection] = b""
            self.selector.register(connection, selectors.EVENT_READ)
        # The first answer shows that the guest has the connection.
        self.run(len(self.buffers))

    def close(self):
        for connection in self.buffers:
            connection.close()
        self.selector.close()

    def ask(self, connection):
        self.buffers[connection] = b""
        connection.sendall(REQUEST)

    def answered(self, connection):
        """Take what came; whether the answer is whole."""
        some = connection.recv(65536)
        if not some:
            raise SystemExit("bench: a connection was closed")
        answer = self.buffers[connection] + some
        self.buffers[connection] = answer
        head, end, body = answer.partition(b"\r\n\r\n")
        if not end:
            return False
        if not head.startswith(b"HTTP/1.1 200 "):
            raise SystemExit(f"bench: the answer was {head.decode()}")
        size = re.search(rb"(?i)^content-length: *(\d+)", head, re.M)
        return len(body) >= int(size.group(1))

    def run(self, count):
        """COUNT requests, shared by all connections; how many each second."""
        asked = done = 0
        began = time.monotonic()
        for connection in self.buffers:
            self.ask(connection)
            asked += 1
        while done < asked:
            ready = self.selector.select(ANSWER_SECONDS)
            if not ready:
                raise SystemExit("bench: no answers any more")
            for key, _ in ready:
                if not self.answered(key.fileobj):
                    continue
                done += 1
                if asked < count:
                    self.ask(key.fileobj)
                    asked += 1
        return done / (time.monotonic() - began)
