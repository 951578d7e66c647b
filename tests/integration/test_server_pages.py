#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Pages of /v1/buffers: whatever is kept while tables are read, a page is a part of the whole."""
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "lib")]

from server import Server, app, directory
from testing import equal, run_tests

KEYS = {"size": lambda b: -b["requested_bytes"], "bank": lambda b: -b["bank_bytes"],
        "address": lambda b: b["address"], "pid": lambda b: b["pid"], "slot": lambda b: 0}


def identity(buffer):
    return buffer["pid"], buffer["event"]


def test_order_of_equals():
    """Equal ones stay as they lie in the tables, process by process, on every page and after filters."""
    with directory() as d, Server(d) as server, app(d) as one, app(d) as other:
        for program, seed in ((one, 3), (other, 4)):
            program("open", 1, 0, 0)
            program("many", 0, 200)  # all of one size
            program("random", 0, 500, seed)
            program("many", 0, 100)
        everything = server.get("/v1/buffers?limit=100000")["buffers"]
        equal(len({b["requested_bytes"] for b in everything}) < len(everything) / 2, True, "there are equals")
        filters = {"": lambda b: True, "&type=l1": lambda b: b["type"] == "l1",
                   "&min_bytes=4096": lambda b: b["requested_bytes"] >= 4096,
                   f"&pid={one.pid}": lambda b: b["pid"] == one.pid}
        for sort, key in KEYS.items():
            for text, passes in filters.items():
                # Python's sort is stable
                want = [identity(b) for b in sorted(filter(passes, everything), key=key)]
                got, cursor = [], "0"
                while cursor is not None:
                    page = server.get(f"/v1/buffers?sort={sort}&limit=173&cursor={cursor}{text}")
                    equal(page["total"], len([b for b in everything if "pid" not in text or passes(b)]), text)
                    got += [identity(b) for b in page["buffers"]]
                    cursor = page["cursor"]
                equal(got == want, True, f"sort={sort}{text}")
                past = server.get(f"/v1/buffers?sort={sort}&limit=10&cursor={len(want)}{text}")
                equal((past["buffers"], past["cursor"]), ([], None), f"past the end, sort={sort}{text}")


if __name__ == "__main__":
    sys.exit(run_tests(globals()))
