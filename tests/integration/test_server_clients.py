#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Clients of ttmemd that misbehave: others are answered meanwhile, and nothing is left behind."""
import contextlib
import http.client
import json
import os
import pathlib
import random
import socket
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "lib")]

from server import Server, app, as_user, directory, need_other_users
from testing import PATIENCE_S, TTMEM, equal, run_tests, ttmem, wait_until


def test_large_requests():
    """A request of 15 KiB is read; one that is too large is refused, and the server lives."""
    with directory() as d, Server(d) as server:
        equal(server.request("GET", "/healthz?" + "x" * 15000)[0], 200)
        with contextlib.suppress(OSError, http.client.HTTPException, ValueError):
            equal(server.request("GET", "/healthz?" + "x" * 80000)[0] in (413, 414, 431), True)
        equal(server.get("/healthz"), {"status": "ok"})


def test_random_bytes():
    """10,000 random bytes on each socket, at once and in pieces, from clients that stay: a good
    client is answered between any two of them, and a program gets in."""
    rng = random.Random(3)
    with directory() as d, Server(d) as server, contextlib.ExitStack() as stack:
        def connect(name, kind):
            s = stack.enter_context(socket.socket(socket.AF_UNIX, kind))
            s.connect(str(d / name))
            return s
        sockets = (("register.sock", socket.SOCK_SEQPACKET), ("api.sock", socket.SOCK_STREAM))
        for size in (10000, 1000, 100, 10, 1):
            for _ in range(min(100, 10000 // size)):
                for name, kind in sockets:
                    with contextlib.suppress(OSError):
                        connect(name, kind).send(rng.randbytes(size))
                equal(server.get("/healthz"), {"status": "ok"})
        refused = wait_until("all are counted", lambda: (
            lambda r: r if r["message"] == 311 else None)(server.get("/v1/server")["refused"]))
        equal(refused["table"], 0)
        with app(d) as program:
            program("open", 1, 0, 0)
            program("many", 0, 3)
            wait_until("it reports", lambda: server.process_of(program.pid))


# opens many connections and asks on each: prints how many were answered, then holds them
MANY = r"""
import socket, sys
sockets = []
for _ in range(int(sys.argv[2])):
    sockets.append(socket.socket(socket.AF_UNIX))
    sockets[-1].connect(sys.argv[1])
answered = 0
for s in sockets:
    try:
        s.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        answered += s.recv(4096).startswith(b"HTTP/1.1 200")
    except OSError:
        pass
print(answered, flush=True)
sys.stdin.read()
"""


def test_quota():
    """A user who takes more connections than its share loses those that are too many, not others
    theirs: the share is three quarters of what the others leave, so a third user finds room after
    two that took all they could get; and when one goes, its share is free again."""
    need_other_users()
    # no sample: it would cut off those that say nothing
    with directory() as d, Server(d, "--sample", "3600") as server, contextlib.ExitStack() as stack:
        def many(uid, count):
            process = stack.enter_context(subprocess.Popen(
                as_user(uid, ["/usr/bin/python3", "-c", MANY, str(d / "api.sock"), str(count)]),
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd="/"))
            return process, int(process.stdout.readline())
        first, answered = many(1234, 900)
        equal(answered, 768, "the first")
        equal(many(4321, 900)[1], 192, "the second")
        equal(many(2345, 20)[1], 20, "the third")
        equal(server.get("/v1/server")["connections"], 768 + 192 + 20 + 1, "root")
        first.communicate()
        wait_until("they are gone", lambda: server.get("/v1/server")["connections"] == 192 + 20 + 1)
        equal(many(1234, 500)[1], 500, "the first again")


def test_slow_reader():
    """A client that asks for much and reads nothing is cut off."""
    with directory() as d, Server(d, "--sample", "0.2") as server, app(d) as program:
        program("open", 1, 0, 0)
        program("many", 0, 50000)
        wait_until("it reports", lambda: server.process_of(program.pid))
        slow = socket.socket(socket.AF_UNIX)
        slow.connect(str(d / "api.sock"))
        slow.sendall(b"GET /v1/buffers?limit=100000 HTTP/1.1\r\nHost: x\r\n\r\n")
        wait_until("it is cut off", lambda: server.get("/v1/server")["connections"] == 1)  # this one
        slow.settimeout(PATIENCE_S)
        got = 0
        with contextlib.suppress(OSError):
            while piece := slow.recv(1 << 20):
                got += len(piece)
        equal(got < 5_000_000, True, f"{got} bytes before it was cut off")


def test_full_queue():
    """Reason: a burst of other clients is no reason to look without the server."""
    with directory() as d:
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(d / "api.sock"))
        listener.listen(1)
        others = []
        with contextlib.suppress(BlockingIOError):
            while len(others) < 100:
                others.append(socket.socket(socket.AF_UNIX))
                others[-1].setblocking(False)
                others[-1].connect(str(d / "api.sock"))
        equal(2 <= len(others) < 100, True, "the queue is full")
        tool = subprocess.Popen([TTMEM, "buffers"], env={**os.environ, "TTMEM_SOCKET_DIR": str(d)},
                                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(0.1)  # it meets the full queue, or on a slow machine none
        listener.settimeout(PATIENCE_S)
        for _ in others[:-1]:
            listener.accept()
        asked = listener.accept()[0].recv(100)
        equal(asked.startswith(b"GET /v1/buffers"), True, asked)
        tool.kill()
        tool.wait()


# gives every client the same answer, a second late: it works so long, or rests until it is ended
LATE = r"""
import socket, sys, time
listener, answer = socket.socket(socket.AF_UNIX), open(sys.argv[2], "rb").read()
listener.bind(sys.argv[1])
listener.listen(8)
print("ready", flush=True)
while True:
    client = listener.accept()[0]
    client.recv(4096)
    if sys.argv[3] == "rests":
        sys.stdin.read()
    end = time.thread_time() + 1
    while time.thread_time() < end:
        pass
    client.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(answer) + answer)
    client.close()
"""


def test_busy_server():
    """A server that works on an answer, or would if it had a processor, is waited for: on a loaded
    machine it is the only one who may see other people's processes. One that rests hangs."""
    with directory() as d:
        with Server(d) as server:
            (d / "answer").write_text(json.dumps(server.get("/v1/snapshot")))
        for how in ("works", "rests"):
            (d / "api.sock").unlink(missing_ok=True)
            with subprocess.Popen([sys.executable, "-c", LATE, str(d / "api.sock"), str(d / "answer"), how],
                                  stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as late:
                equal(late.stdout.readline(), "ready\n")
                done = ttmem("--format=json", env={"TTMEM_SOCKET_DIR": str(d)})
                late.kill()
            if how == "works":
                equal((json.loads(done.stdout)["server"], done.stderr), (str(d), ""), how)
            else:
                equal((json.loads(done.stdout)["server"], "no reply in time" in done.stderr), (None, True), how)


def test_many_buffers_at_once():
    """A list that takes the server its time is no reason to look without it."""
    with directory() as d, Server(d) as server, app(d) as program:
        program("open", 1, 0, 0)
        program("many", 0, 300000)
        wait_until("it reports", lambda: server.process_of(program.pid))
        done = ttmem("buffers", "--top=1", env={"TTMEM_SOCKET_DIR": str(d)})
        equal((done.stderr, "300000" in done.stdout.replace(",", "")), ("", True), done.stdout)


def test_slow_clients():
    """Idle clients and tricklers do not keep a good one waiting, and are cut off."""
    with directory() as d, Server(d) as server:
        idle = [socket.socket(socket.AF_UNIX) for _ in range(500)]
        tricklers = [socket.socket(socket.AF_UNIX) for _ in range(50)]
        for s in idle + tricklers:
            s.connect(str(d / "api.sock"))
        for s in tricklers:
            s.sendall(b"GET /v1/snapshot HTTP/1.1\r\n")
        equal(server.get("/v1/server")["connections"] >= 501, True, "a good client is answered meanwhile")

        def all_cut():
            for s in list(tricklers):
                try:
                    s.sendall(b"X: y\r\n")
                except OSError:
                    tricklers.remove(s)
            return not tricklers or None
        wait_until("tricklers are cut off", all_cut)
        for s in idle:
            s.close()


if __name__ == "__main__":
    sys.exit(run_tests(globals()))
