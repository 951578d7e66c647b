#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The examples of docs/api.md's routes, each of them asked of a living server.

Reason: an example is what a program is written after. So the answer has the members of the
example and no others, of the same types; what is the same in every run is the same here too.
"""
import json
import os
import pathlib
import re
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "lib")]

from server import Server, app, as_user, directory, need_other_users
from testing import PATIENCE_S, ROOT, equal, run_tests, wait_until

# what the document calls them
DIRECTORY, PID, OWNER = "/run/ttmem", 4211, 1234
MORE = "…"
# members whose value is another one in each run: only the type is compared
VARYING = {"time", "started", "age_ns", "oldest_ns", "watched_ns", "user", "command", "version", "duplicate", "connections"}
VARYING_OBJECTS = {"sampling", "at_start"}

# asks for another user: a raw client, so that the test sees every byte of the answer
CLIENT = r"""
import socket, sys
s = socket.socket(socket.AF_UNIX)
s.connect(sys.argv[1])
s.sendall(sys.argv[2].encode())
print("sent", file=sys.stderr, flush=True)
while data := s.recv(65536):
    sys.stdout.buffer.write(data)
"""


class Example:
    """One block: who asks, what, and the answer."""

    def __init__(self, line, options, text):
        self.line = line
        words = dict(word.partition("=")[::2] for word in options.split())
        self.uid, self.busy = int(words.pop("uid", OWNER)), words.pop("busy", None) is not None
        equal(words, {}, f"line {line}: options")
        request, _, answer = text.partition("\n\n")
        head, _, body = answer.partition("\n\n")
        self.target, *headers = request.splitlines()
        self.headers = dict(h.split(": ", 1) for h in headers)
        status, *headers = head.splitlines()
        self.status = int(status.split()[1])
        self.answer_headers = dict(h.split(": ", 1) for h in headers)
        self.body = json.loads(body) if body.strip() else None
        self.what = f"docs/api.md:{line}: {self.target}"


def routes_text():
    text = (ROOT / "docs/api.md").read_text()
    start = text.index("\n## Routes\n")
    return text[:start].count("\n") + 1, text[start + 1:]


def examples():
    first, text = routes_text()
    return [Example(first + text[:m.start()].count("\n"), m[1], m[2])
            for m in re.finditer(r"^```http *(.*)\n((?:.*\n)*?)```$", text, re.M)]


def check_same(got, want, what, varying=False):
    """`want` is the document's."""
    equal(type(got), type(want), f"{what}: type of {got!r}")
    if isinstance(want, dict):
        shown = set(want) - {MORE}
        equal(set(got) >= shown and (MORE in want) == (len(got) > len(shown)), True,
              f"{what}: has {sorted(got)}, shown are {sorted(want)}")
        for key in shown:
            check_same(got[key], want[key], f"{what}.{key}",
                       varying or key in VARYING or key in VARYING_OBJECTS)
    elif isinstance(want, list):
        equal(len(got), len(want), what)
        for i, pair in enumerate(zip(got, want)):
            check_same(*pair, f"{what}[{i}]", varying)
    elif not varying:
        equal(got, want, what)


class Scene:
    """The server and the process of the document."""

    def __init__(self, server, program):
        self.server, self.where, self.program = server, server.directory, program
        self.tags = {}  # the document's -> the real one

    def real(self, text):
        for ours, real in {str(PID): str(self.program.pid), **self.tags}.items():
            text = re.sub(rf"(?<!\w){ours}(?!\w)", real, text)
        return text

    def documented(self, body):
        """With the names that the document uses."""
        if isinstance(body, dict):
            return {key: PID if key in ("pid", "inner_pid", "thread") and value == self.program.pid
                    else DIRECTORY if key == "server" and value == str(self.where)
                    else self.documented(value) for key, value in body.items()}
        return [self.documented(value) for value in body] if isinstance(body, list) else body

    def ask(self, example):
        """Gives status, headers and body."""
        head = [f"{self.real(example.target)} HTTP/1.1", "Host: ttmem", "Connection: close"]
        head += [f"{name}: {self.real(value)}" for name, value in example.headers.items()]
        client = subprocess.Popen(
            as_user(example.uid, ["/usr/bin/python3", "-c", CLIENT, str(self.where / "api.sock"),
                                  "\r\n".join(head) + "\r\n\r\n"]),
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd="/")
        equal(client.stderr.readline(), b"sent\n")
        if example.busy:
            # requests are taken as they came: once a later one is answered, ours was passed on
            equal(self.server.get("/healthz"), {"status": "ok"})
            self.program("alloc", 0, "dram", 4096, 2048)
        head, _, body = client.communicate(timeout=PATIENCE_S)[0].partition(b"\r\n\r\n")
        status, *headers = head.decode().split("\r\n")
        return (int(status.split()[1]), dict(h.split(": ", 1) for h in headers),
                json.loads(body) if body else None)

    def replay(self, example):
        status, headers, body = self.ask(example)
        equal(status, example.status, example.what)
        for name, value in example.answer_headers.items():
            if name == "ETag" and value.strip('"') not in self.tags:
                self.tags[value.strip('"')] = headers[name].strip('"')
            equal(headers.get(name), self.real(value), f"{example.what}: {name}")
        check_same(self.documented(body), example.body, example.what)


def test_examples():
    """Every example, in the order of the document."""
    need_other_users()
    with directory() as d:
        os.chown(d, OWNER, OWNER)  # a server of its own: no other program of the machine is in it
        # its site would be a function of the stand-in
        with (Server(d, prefix=as_user(OWNER, [])) as server,
              app(d, env={"TTMEM_SITES": "off"}, prefix=as_user(OWNER, [])) as program):
            program("open", 1, 16384, 0)
            program("alloc", 0, "dram", 8 << 20, 2048)
            program("alloc", 0, "l1", 64 << 10, 2048)
            equal("error" in program("alloc", 0, "l1", 128 << 20, 2048), True)
            wait_until("it reports", lambda: server.get("/v1/failures")["kept"])
            scene = Scene(server, program)
            for example in examples():
                scene.replay(example)


def test_examples_are_complete():
    """Each route of the table has an example that succeeds, and each error code one; but for two
    that need a broken program or a server without memory."""
    _, text = routes_text()
    routes = set(re.findall(r"^\| `((?:GET|POST) [^`?]+)` \|", text, re.M))
    codes = set(re.findall(r"^\| (\d+) \| `(\w+)` \|", text, re.M))
    equal(len(routes), 10)
    shown = [(e.target.partition("?")[0], e.status, e.body) for e in examples()]
    equal(routes - {route for route, status, _ in shown if status == 200}, set(), "no example")
    equal(codes - {(str(status), body["error"]["code"]) for _, status, body in shown if status >= 400},
          {("409", "no_control"), ("500", "internal")}, "no example")


def test_comparison_sees():
    """The comparison itself: a member too many, one too few, another type, another value."""
    whole, short = {"a": 1, "time": "x"}, {"a": 1, MORE: MORE}
    check_same({"a": 1, "time": "y"}, whole, "varying")
    check_same({"a": 1, "b": 2}, short, "shortened")
    for got, want in (({"a": 1}, whole), ({"a": 1, "time": "x", "b": 0}, whole), ({"a": 1}, short),
                      ({"a": "1", "time": "x"}, whole), ({"a": 2, "time": "x"}, whole),
                      ({"a": 1, "time": None}, whole), ({"b": 1, "c": 2}, short), ([1], [1, 2])):
        try:
            check_same(got, want, "")
        except AssertionError:
            continue
        raise AssertionError(f"{got} passed for {want}")


if __name__ == "__main__":
    sys.exit(run_tests(globals()))
