# SPDX-License-Identifier: Apache-2.0
"""Drives tests/writer/writer.c: a process with a table that allocates what it is told, where it is
told, without TT-Metal."""
import os
import subprocess

from testing import BUILD

MODEL = "/srv/app/model.py"


def encode(field):
    raw = field if isinstance(field, bytes) else str(field).encode()
    return "".join(chr(b) if 0x20 < b < 0x7f and b != 0x25 else f"%{b:02x}" for b in raw)


class Writer:
    """One running process; a call is a command."""

    def __init__(self, server=None, chips=1, prefix=()):
        where = str(server.directory) if server else "/nonexistent"
        self.process = subprocess.Popen(
            [*prefix, str(BUILD / "tests/writer/writer"), str(chips)], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, text=True, env={**os.environ, "TTMEM_SOCKET_DIR": where})
        self.pid = int(self.process.stdout.readline())
        self.keys = 0

    def __call__(self, *fields):
        self.process.stdin.write("\t".join(map(encode, fields)) + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline().strip()
        if answer != "ok":
            raise AssertionError(f"writer {fields}: {answer or 'it ended'}")

    def alloc(self, size, kind="dram", op="ttnn.add", file=MODEL, line=1, function="main", tag=None):
        """Gives the key to free it with."""
        self.keys += 1
        self("alloc", self.keys, size, kind, op, file, line, function, *([tag] if tag else []))
        return self.keys

    def free(self, key):
        self("free", key)

    def fail(self, size, kind="l1", op="ttnn.add", file=MODEL, line=1, function="main"):
        self("fail", size, kind, op, file, line, function)

    def __enter__(self):
        return self

    def __exit__(self, *what):
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()
