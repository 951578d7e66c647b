#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every byte of every core, at every pause of a program of real operations.

Reason: "reserved + ring + program memory + free + L1 buffers + L1_SMALL = L1 size" is only worth
something when the terms come from different places and the sum is looked at while programs come
and go. Free bytes by addresses are compared with what TT-Metal's allocator says is free of a bank.
"""
import os
import sys
import tempfile

from test_truth import installed

from compare import open_allocators, process_of
from mock import Mock
from testing import TTMEM, equal, run_tests, ttmem, ttmem_json

PROGRAM = ("circular_buffer", "dataflow_buffer", "scratchpad")


def check_core(core, event):
    at = 0
    for r in core["ranges"]:
        equal(r["start"], at, f"{event}: a hole or an overlap in core {core['x']},{core['y']}")
        equal(r["end"] > r["start"], True, event)
        at = r["end"]
    equal(at, core["size_bytes"], event)
    equal(sum(core["terms"].values()), core["size_bytes"], f"{event}: {core['terms']}")
    equal(core["estimate"], False, event)
    measured = {"program_bytes": 0, "free_bytes": 0, "l1_buffer_bytes": 0}
    names = {**dict.fromkeys(PROGRAM, "program_bytes"), "free": "free_bytes",
             "l1_buffer": "l1_buffer_bytes"}
    for r in core["ranges"]:
        if r["what"] in names:
            measured[names[r["what"]]] += r["end"] - r["start"]
    equal({k: core["terms"][k] for k in measured}, measured, event)


def check(document, line, seen):
    picture = ttmem_json()
    process = process_of(picture, line["pid"])
    bank = open_allocators(process)[0]["memory"]["l1"]["bank"]
    workers = [c for c in document["cores"] if c["kind"] == "worker"]
    dispatch = [c for c in document["cores"] if c["kind"] == "dispatch"]
    equal(len(workers) > 0 and len(dispatch) > 0, True, line["event"])
    # a chip has all its Tensix cores, in one way or another
    chips = {c["unique_id"] for c in document["cores"]}
    whole = {1499136: 80, 1572864: 140}[workers[0]["size_bytes"]]
    equal(len(document["cores"]), whole * len(chips), line["event"])
    for device in picture["devices"]:
        own = [c["terms"] for c in workers if c["unique_id"] == device["unique_id"]]
        if not own:
            continue
        # a program range under a buffer is cut on the map, and whole in the summary
        equal(device["l1"]["program_memory"]["resident_bytes"] >=
              max(t["program_bytes"] for t in own), True, line["event"])
        equal(device["l1"]["core_bytes"], workers[0]["size_bytes"], line["event"])
        equal(device["l1"]["reserved"]["bytes"] + device["l1"]["config_ring"]["bytes"],
              own[0]["reserved_bytes"] + own[0]["config_ring_bytes"], line["event"])
    for core in workers:
        check_core(core, line["event"])
        # what no program has of a bank is what the allocator has not given out
        equal(core["terms"]["free_bytes"] + core["terms"]["program_bytes"] +
              core["terms"]["l1_buffer_bytes"], bank["size_bytes"], line["event"])
        equal(core["terms"]["l1_buffer_bytes"], bank["allocated_bytes"], line["event"])
        for r in core["ranges"]:
            seen.add((r["what"], r["state"]))


def run(version, cluster, slow=False):
    python = installed(version)
    seen, pauses = set(), 0
    with tempfile.NamedTemporaryFile() as log:
        with Mock(python, "programs.py", cluster=cluster, slow=slow,
                  prefix=[str(TTMEM), "run", "--"]) as mock:
            for line in mock.pauses():
                pauses += 1
                if line["event"] == "closed":
                    equal(ttmem_json("l1")["cores"], [])
                else:
                    check(ttmem_json("l1"), line, seen)
                if pauses == 10:
                    screens()
    equal(pauses > 20, True)
    for wanted in (("config_ring", None), ("l1_buffer", "live"), ("free", None),
                   ("free", "cached")):
        equal(wanted in seen, True, f"{wanted} never came: {seen}")
    equal(any((kind, "resident") in seen for kind in PROGRAM), True, str(seen))


def screens():
    """What people look at has the same cores, at 80 columns."""
    grid = ttmem("l1", "--ascii").stdout.splitlines()
    equal({len(line) for line in grid}, {80})
    column = ttmem("l1", "--core", "0,0", "--ascii").stdout
    equal("config_ring" in column and "all of the core" in column, True)
    done = ttmem("l1", "--core", "40,40", check=False)
    equal((done.returncode, "no core 40,40" in done.stderr), (6, True))


def cases():
    # all of them with L1_ALL=1: each is a run of every operation, and the suite has its ten minutes
    matrix = [("0.81.1", "n150"), ("0.81.1", "p150"), ("0.76.0", "n150")]
    if os.environ.get("L1_ALL"):
        matrix += [("0.81.1", "n300"), ("0.80.0", "n150")]
    for version, cluster in matrix:
        yield f"{version} {cluster}", lambda v=version, c=cluster: run(v, c)


if __name__ == "__main__":
    sys.exit(run_tests({}, list(cases())))
