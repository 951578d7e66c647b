# SPDX-License-Identifier: Apache-2.0
"""A fake machine of tests/hosts on disk, and what ttmem says of it."""
import json
import os
import pathlib
import subprocess
import sys
import tempfile

TESTS = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(TESTS / "hosts"))

import hosts
from testing import TTMEM, Skip, ttmem_json
from tree import replace

# thousands of small files: in memory where there is such a place
PLACE = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
ALONE = ("unshare", "--fork", "--pid", "--mount-proc", "--ipc", "--")


class Fake:
    """One written tree; its files can be changed as the driver would change them."""

    def __init__(self, name, change=None):
        """name of a host, or a Host; change: a function of its tree."""
        self.host = hosts.HOSTS[name] if isinstance(name, str) else name
        self.scratch = tempfile.TemporaryDirectory(prefix="ttmem-fake.", dir=PLACE)
        self.path = pathlib.Path(self.scratch.name)
        self.tree = self.host.tree()
        if change:
            change(self.tree)
        self.tree.write(self.path)

    def card(self, number=0):
        return next(card for card in self.host.cards if card.number == number)

    def put(self, path, text):
        replace(self.path, path, text if isinstance(text, bytes) else f"{text}\n".encode())

    def remove(self, path):
        (self.path / path).unlink()

    def look(self, **more):
        """By the tool itself, without a server."""
        return ttmem_json("--no-server", "--root", self.path, **more)

    def __enter__(self):
        return self

    def __exit__(self, *what):
        self.scratch.cleanup()


def card_of(document, number=0):
    return next(card for card in document["cards"] if card["number"] == number)


def chips_of(document, number=0):
    """Devices of a card, its own first."""
    return [d for d in document["devices"] if d["card"] == number]


def users_of(document, number=0):
    return {user["pid"]: user["handles"] for user in card_of(document, number)["users"]}


def alone(*arguments, env=None):
    """ttmem where no other process is to be seen; its text."""
    done = subprocess.run([*ALONE, "env", *(f"{k}={v}" for k, v in (env or {}).items()),
                           str(TTMEM), *map(str, arguments)], capture_output=True, timeout=240)
    if done.stderr.startswith(b"unshare:"):
        raise Skip("a PID namespace needs root")
    if done.returncode:
        raise AssertionError(f"ttmem {arguments}: exit {done.returncode}: {done.stderr!r}")
    return done.stdout.decode()


def alone_json(*arguments):
    return json.loads(alone(*arguments, "--format=json"))
