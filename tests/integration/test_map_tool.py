#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""ttmem map against the allocator of a stand-in: every hole, every owner, what a release opens.

The search itself is tested in tests/property; here it is the way from a process, with a server and
without, through lists that do not know the geometry.
"""
import json
import os
import pathlib
import re
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "lib")]

from server import Server, app, directory
from standin import App
from testing import TTMEM, equal, run_tests, wait_until


def run(*arguments, where="/nonexistent"):
    return subprocess.run([str(TTMEM), "map", *map(str, arguments)], capture_output=True, text=True,
                          timeout=240, env={**os.environ, "TTMEM_SOCKET_DIR": str(where)})


def read(*arguments, where="/nonexistent"):
    done = run("--format=json", *arguments, where=where)
    document = json.loads(done.stdout)
    if done.returncode:
        raise AssertionError(document)
    return document


def pieces_of(document, free):
    return [(p["address"], p["bytes"]) for p in document["pieces"] if p["free"] == free]


def holes_from(document, blocks):
    """The free ranges of a bank, from what the allocator says it has given out."""
    at, end = document["bank"]["address"], document["bank"]["address"] + document["bank"]["bytes"]
    holes = []
    for start, size in sorted(blocks) + [[end, 0]]:
        if start > at:
            holes.append((at, start - at))
        at = max(at, start + size)
    return holes


def comb(program, kind, count):
    """Every second buffer is freed again: as many holes."""
    made = [program("alloc", 0, kind, 4096 * (i + 1), 2048) for i in range(count)]
    for one in made[::2]:
        program("free", one["buffer"])
    return made[1::2]


def check(program, document, kind):
    stats = program("stats", 0)[kind]
    blocks = [tuple(b) for b in stats["blocks"]]
    holes = holes_from(document, stats["blocks"])
    equal(document["bank"]["bytes"], stats["size_bytes"])
    equal(pieces_of(document, False), sorted(blocks), "blocks")
    equal(pieces_of(document, True), holes, "holes")
    equal((document["used_bytes"], document["free_bytes"], document["largest_free_bytes"]),
          (stats["allocated_bytes"], stats["free_bytes"], stats["largest_free_bytes"]))
    equal(document["fragmentation"],
          round(1 - stats["largest_free_bytes"] / stats["free_bytes"], 6), "fragmentation")
    equal((document["buffers"], document["holes"], document["left_out"]), (len(blocks), len(holes), 0))
    equal([(o["pid"], o["buffers"]) for o in document["owners"]], [(program.pid, len(blocks))])


def test_against_the_allocator():
    """DRAM and L1 of a fragmented bank, with a server and without: what the allocator says."""
    with directory() as d, Server(d) as server, app(d) as program:
        program("open", 1, 0, 0)
        for kind in ("dram", "l1"):
            comb(program, kind, 12)
        wait_until("it reports", lambda: [p for p in server.get("/v1/processes")["processes"]
                                          if p["pid"] == program.pid])
        for kind in ("dram", "l1"):
            for where in (d, "/nonexistent"):
                check(program, read("-i", 0, "--type", kind, where=where), kind)


def test_release_comes_true():
    """The buffers that are named are freed: the hole is the one that was promised."""
    with App() as program:
        program("open", 1, 0, 0)
        left = {b["address"]: b["buffer"] for b in comb(program, "l1", 15)}
        for count in (1, 2, 3):
            before = read("-i", 0)
            best = [r for r in before["releases"] if r["count"] == count][0]
            for buffer in best["buffers"]:
                program("free", left[buffer["address"]])
            after = read("-i", 0)
            equal((best["hole"]["address"], best["hole"]["bytes"]) in pieces_of(after, True), True)
            equal(after["largest_free_bytes"], best["hole"]["bytes"], f"{count} released")
            equal(after["used_bytes"], before["used_bytes"] - best["bank_bytes"])


def test_two_allocators():
    """A submesh hands out its parent's addresses: a hole is free in both, sharing is said."""
    with App() as program:
        program("open", 2, 0, 0)
        program("submesh", 0, 0)
        first = program("alloc", 0, "l1", 8192, 2048)
        second = program("alloc", 1, "l1", 8192, 2048)
        equal(first["address"], second["address"], "the stand-in does as TT-Metal")
        document = read("-i", 0)
        equal((document["buffers"], len(pieces_of(document, False))), (2, 1))
        equal([p["shared"] for p in document["pieces"] if not p["free"]], [True])
        equal([o["buffers"] for o in document["owners"]], [1, 1])
        equal([r["count"] for r in document["releases"]], [2], "one alone opens nothing")
        equal("another buffer lies over" in run("-i", 0).stdout, True)


def test_text():
    """Thousands of buffers are a screen: 80 columns, and the sums of what was folded."""
    with App() as program:
        program("open", 1, 0, 0)
        program("many", 0, 3000)
        comb(program, "dram", 100)
        done = run("-i", 0, "--type=dram")
        equal((done.returncode, done.stderr), (0, ""))
        lines = done.stdout.splitlines()
        equal(max(map(len, lines)) <= 80, True, done.stdout)
        equal(len(lines) < 60, True, "a screen or so")
        rows = [line for line in lines if re.match(r" +0x", line) and "pid" in line]
        counts = [int(re.search(r"(\d+)  pid", row).group(1)) for row in rows]
        equal(sum(counts), 3050, "buffers of all rows: 3,000 and every second of 100")
        equal(max(counts) >= 3000, True, "the small ones are one row")
        for word in ("used ", "free ", "holes", "fragmentation", "whose release"):
            equal(word in done.stdout, True, word)


def test_errors():
    """No such device, nobody on it, a wrong type."""
    with App() as program:
        program("open", 1, 0, 0)
        equal(run("-i", 77).returncode, 6)
        equal(run("--type=l2").returncode, 2)
        equal(run().returncode, 0, "the only device needs no name")
    equal(run().returncode, 6, "nobody")


if __name__ == "__main__":
    sys.exit(run_tests(globals()))
