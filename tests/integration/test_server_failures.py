#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a failed allocation leaves with the server when the program holds more than a copy has room for."""
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "lib")]

from server import Server, app, directory
from testing import equal, run_tests, wait_until

ROOM = (16 << 20) // 64  # slots of a copy
SMALL, LARGE = 270_000, 40


def test_largest_are_kept():
    """The large buffers are in the copy though they came last, and it says how many small ones are not."""
    with directory() as d, Server(d) as server, app(d) as program:
        program("open", 1, 0, 0)
        equal(program("many", 0, SMALL)["made"], SMALL)
        for i in range(LARGE):
            program("alloc", 0, "dram", 65536 * (i + 1), 2048)
        program("alloc", 0, "l1", 1 << 40, 2048)
        kept = wait_until("it is kept", lambda: server.get("/v1/failures")["kept"])[0]
        equal((kept["pid"], kept["left_out"]), (program.pid, SMALL + LARGE - ROOM))
        then = server.get(f"/v1/buffers?failure={kept['number']}&sort=size&limit={LARGE + 10}")
        equal(then["total"], ROOM)
        equal([b["requested_bytes"] for b in then["buffers"]],
              [65536 * i for i in range(LARGE, 0, -1)] + [32] * 10)


def test_nothing_is_left_out():
    """A small table is copied whole, and says so."""
    with directory() as d, Server(d) as server, app(d) as program:
        program("open", 1, 0, 0)
        program("many", 0, 3000)
        program("alloc", 0, "l1", 1 << 40, 2048)
        kept = wait_until("it is kept", lambda: server.get("/v1/failures")["kept"])[0]
        equal(kept["left_out"], 0)
        equal(server.get(f"/v1/buffers?failure={kept['number']}")["total"], 3000)


if __name__ == "__main__":
    sys.exit(run_tests(globals()))
