#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""make soak: a server and programs that come, work, and end in every way, for ten minutes.

Reason: what leaks, leaks slowly. At the end the server has no more descriptors, mappings and
private memory than after the first minute, and every living program's figures are right.
SECONDS sets how long.
"""
import os
import pathlib
import random
import signal
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE / "integration"), str(HERE / "lib")]

from server import Server, app, directory
from testing import equal, wait_until

SECONDS = int(os.environ.get("SECONDS", "600"))


def weight(pid):
    """Descriptors, mappings and private bytes of a process."""
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    private = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("RssAnon"))
    maps = len(pathlib.Path(f"/proc/{pid}/maps").read_text().splitlines())
    return len(os.listdir(f"/proc/{pid}/fd")), maps, private * 1024


def check(server, programs):
    snapshot = {p["pid"]: p for p in server.get("/v1/processes")["processes"]}
    for program in programs:
        view = program("stats", 0)
        memory = snapshot_of(server, program)["allocators"][0]["memory"]
        equal(memory["dram"]["bank"]["allocated_bytes"], view["dram"]["allocated_bytes"])
    return len(snapshot)


def snapshot_of(server, program):
    return wait_until("it reports", lambda: server.process_of(program.pid))


def main():
    rng = random.Random(1)
    ended = started = 0
    with directory() as d, Server(d) as server:
        programs, first, begin = [], None, time.monotonic()
        while time.monotonic() - begin < SECONDS:
            if len(programs) < 12:
                program = app(d)
                program("open", 1, 0, 0)
                program("random", 0, rng.randint(1, 3000), started)
                programs.append(program)
                started += 1
            program = rng.choice(programs)
            act = rng.random()
            if act < 0.5:
                program("random", 0, rng.randint(1, 2000), rng.randint(0, 1 << 30))
            elif act < 0.6:
                program("alloc", 0, "l1", 1 << 40, 2048)
            elif act < 0.9 and len(programs) > 3:
                programs.remove(program)
                if rng.random() < 0.5:
                    program.process.kill()
                    program.process.communicate()
                else:
                    program.end()
                ended += 1
            elif act < 0.95:
                check(server, programs)
            now = time.monotonic() - begin
            if first is None and now > min(60, SECONDS / 3):
                first = weight(server.process.pid)
        check(server, programs)
        last = weight(server.process.pid)
        print(f"{started} programs, {ended} ended; server: descriptors, mappings, private bytes "
              f"after a minute {first}, at the end {last}")
        equal(last[0] <= first[0] + 10, True, "descriptors")
        equal(last[1] <= first[1] + 120, True, "mappings: at most the newest 64 dead, twice")
        equal(last[2] <= first[2] + (4 << 20), True, "private memory")
        for program in programs:
            program.process.kill()
            program.process.communicate()
        equal(server.stop(signal.SIGTERM), 0)
    print("1 passed, 0 failed, 0 skipped")


if __name__ == "__main__":
    main()
