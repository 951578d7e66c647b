#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Clients of ttmemd that misbehave: others are answered meanwhile, and nothing is left behind."""
import contextlib
import http.client
import pathlib
import socket
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "lib")]

from server import Server, app, directory
from testing import equal, run_tests, wait_until


def test_large_requests():
    """A request of 15 KiB is read; one that is too large is refused, and the server lives."""
    with directory() as d, Server(d) as server:
        equal(server.request("GET", "/healthz?" + "x" * 15000)[0], 200)
        with contextlib.suppress(OSError, http.client.HTTPException, ValueError):
            equal(server.request("GET", "/healthz?" + "x" * 80000)[0] in (413, 414, 431), True)
        equal(server.get("/healthz"), {"status": "ok"})


def test_slow_reader():
    """A client that asks for much and reads nothing is cut off."""
    with directory() as d, Server(d, "--sample", "0.2") as server, app(d) as program:
        program("open", 1, 0, 0)
        program("many", 0, 50000)
        wait_until("it reports", lambda: server.process_of(program.pid))
        slow = socket.socket(socket.AF_UNIX)
        slow.connect(str(d / "api.sock"))
        slow.sendall(b"GET /v1/buffers?limit=100000 HTTP/1.1\r\nHost: x\r\n\r\n")
        time.sleep(7)
        equal(server.get("/healthz"), {"status": "ok"})
        slow.settimeout(5)
        got = 0
        with contextlib.suppress(OSError):
            while piece := slow.recv(1 << 20):
                got += len(piece)
        equal(got < 5_000_000, True, f"{got} bytes before it was cut off")


def test_slow_clients():
    """Idle clients and tricklers do not keep a good one waiting, and are cut off."""
    with directory() as d, Server(d) as server:
        idle = [socket.socket(socket.AF_UNIX) for _ in range(500)]
        tricklers = [socket.socket(socket.AF_UNIX) for _ in range(50)]
        for s in idle + tricklers:
            s.connect(str(d / "api.sock"))
        for s in tricklers:
            s.sendall(b"GET /v1/snapshot HTTP/1.1\r\n")
        start = time.monotonic()
        server.get("/healthz")
        equal(time.monotonic() - start < 1, True, "a good client is answered")
        end = time.monotonic() + 12

        def all_cut():
            for s in list(tricklers):
                try:
                    s.sendall(b"X: y\r\n")
                except OSError:
                    tricklers.remove(s)
            return not tricklers or None
        wait_until("tricklers are cut off", all_cut, end - time.monotonic())
        for s in idle:
            s.close()


if __name__ == "__main__":
    sys.exit(run_tests(globals()))
