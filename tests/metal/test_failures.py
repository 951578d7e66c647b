#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Programs that TT-Metal refuses, as failures: are their figures those of the error text?

Reason: an error is explained long after it happened, when the process may be gone. What the hook
wrote down at that moment must be what TT-Metal's own text says: program, end of its region,
lowest buffer; and ttmem must tell it with a server after kill -9 as well.
"""
import json
import os
import pathlib
import re
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "lib"), str(HERE.parent / "integration")]

from mock import Mock
from server import Server, directory
from test_truth import installed
from testing import TTMEM, equal, run_tests, ttmem_json, wait_until

VERSIONS = ("0.81.1", "0.80.0", "0.76.0")
CLASH = re.compile(r"in program (\d+) clash .* allocated at (\d+) and static (\w+) buffer region "
                   r"ends at (\d+)")
LONG = re.compile(r"Program size \((\d+)\) too large for kernel config buffer \((\d+)\)")
RING_SHRUNK = 1499136 - 35168 - 3072  # of n150: L1 without reserved, and little for the ring


def tool(*arguments, where):
    done = subprocess.run([str(TTMEM), *map(str, arguments)], capture_output=True, text=True,
                          timeout=240, env={**os.environ, "TTMEM_SOCKET_DIR": str(where)})
    return done.stdout, done.returncode


def document(*arguments, where):
    return json.loads(tool(*arguments, "--format=json", where=where)[0])


def failures(pid, where):
    """Of one process, newest first."""
    found = [p for p in document("failures", where=where)["processes"] if p["pid"] == pid]
    return found[0]["failures"]["last"] if found else []


def check_explained(answer, pid, expected, moment):
    lowest, end = expected
    equal((answer["verdict"], answer["short_bytes"], answer["pid"]), ("clash", end - lowest, pid))
    way = answer["in_the_way"]
    equal(way["moment"], moment)
    equal(way["buffers"][0]["address"], lowest, "the lowest buffer")
    equal(all(b["address"] < end for b in way["buffers"]), True)


def check_clash(line, where):
    """The record against the text, and the text finds its record."""
    program, lowest, kind, end = CLASH.search(line["text"]).groups()
    last = failures(line["pid"], where)[0]
    equal({k: last[k] for k in ("kind", "program", "end_address", "lowest_address", "type")},
          {"kind": "clash", "program": int(program), "end_address": int(end),
           "lowest_address": int(lowest), "type": "l1"}, line["event"])
    equal((last["requested_bytes"], last["needed_bytes"], last["limit_bytes"]), (None, None, None))
    listed, _ = tool("failures", where=where)
    equal(f"clash: program {program} ends at {end}, L1 buffers start at {lowest}" in listed, True,
          listed)
    return kind, last["number"], (int(lowest), int(end))


def base_of(process):
    """Where programs begin, which is where the L1 bank does."""
    return [a for a in process["allocators"] if a["open"]][-1]["counts"]["l1"]["base_address"]


def check_gap(pid, lowest, where):
    """No program has run: all up to the lowest buffer is the gap, and that it is small is said."""
    picture = ttmem_json(env={**os.environ, "TTMEM_SOCKET_DIR": str(where)})
    process = [p for p in picture["processes"] if p["pid"] == pid][0]
    gap = picture["devices"][0]["l1"]["clash_gap_bytes"]
    if lowest is not None:
        equal(gap, lowest - base_of(process), "gap")
    text, _ = tool(where=where)
    bank = picture["devices"][0]["memory"]["l1"]["bank"]["size_bytes"]
    equal("of L1 between programs and the lowest buffer" in text, gap < bank // 10, text)
    return gap


def clashes(version):
    with directory() as d, Server(d) as server:
        with Mock(installed(version), "refused.py", prefix=[str(TTMEM), "run", "--"],
                  env={"TTMEM_SOCKET_DIR": d}) as mock:
            kinds, told = set(), []
            for line in mock.pauses():
                pid = line["pid"]
                if line["event"] == "freed":
                    equal(check_gap(pid, None, d) > 1000000, True, "all is free again")
                    break
                wait_until("it is kept", lambda: (newest := failures(pid, d)[:1]) and [
                    k for k in server.get("/v1/failures")["kept"]
                    if k["failure"] == newest[0]["number"]])
                for where in (d, "/nonexistent"):
                    kind, number, expected = check_clash(line, where)
                kinds.add(kind)
                check_gap(pid, expected[0], "/nonexistent")
                check_gap(pid, expected[0], d)
                told.append((number, expected))
                for arguments in (["--last"], ["--failure", number], ["--pid", pid, line["text"]]):
                    check_explained(document("explain", *arguments, where=d), pid, expected,
                                    "failure")
                check_explained(document("explain", "--last", where="/nonexistent"), pid, expected,
                                "now")
            equal(len(told), 2, "both operations clashed")
            equal("circular" in kinds, True)
            if version == "0.81.1":
                equal(kinds, {"circular", "dataflow"})
            process = mock.process
            # the buffers are freed now, and then the process is gone
            os.kill(pid, 9)
            process.wait()
        wait_until("it has ended", lambda: server.state_of(pid) == "exited")
        for number, expected in told:
            check_explained(document("explain", "--failure", number, where=d), pid, expected,
                            "failure")
        check_explained(document("explain", "--last", where=d), pid, told[-1][1], "failure")
        people, code = tool("explain", "--last", where=d)
        equal((people.startswith("clash: "), code), (True, 0), people)


def too_long():
    """A ring of 3 KiB: the limit is the text's, what is needed a lower bound of the text's."""
    with directory() as d, Server(d) as server, Mock(
            installed("0.81.1"), "refused.py", RING_SHRUNK, prefix=[str(TTMEM), "run", "--"],
            env={"TTMEM_SOCKET_DIR": d}) as mock:
        line = next(mock.pauses())
        size, ring = map(int, LONG.search(line["text"]).groups())
        wait_until("it is kept", lambda: server.get("/v1/failures")["kept"])
        last = failures(line["pid"], d)[0]
        equal((last["kind"], last["limit_bytes"]), ("program_too_large", ring))
        equal(ring < last["needed_bytes"] <= size, True, f"{last} of {size}")
        equal("needed_bytes" in last["estimates"], True, "said to be an estimate")
        answer = document("explain", "--last", where=d)
        equal((answer["verdict"], answer["short_bytes"]),
              ("config_ring", last["needed_bytes"] - ring))
        mock.process.kill()


def cases():
    for version in VERSIONS:
        yield f"clashes {version}", lambda v=version: clashes(v)
    yield "too long 0.81.1", too_long


if __name__ == "__main__":
    sys.exit(run_tests(globals(), list(cases())))
