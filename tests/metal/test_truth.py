#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Is what ttmem says from outside what TT-Metal's own allocator says inside?

Reason: everything else is built on it. The released wheel runs under `ttmem run` on a mock
cluster; at each pause the program prints what its allocators say, and we compare, exactly:
banks, sizes, allocated, free and largest free bytes per bank, and every address range.
"""
import os
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "lib")]

from mock import Mock
from testing import TTMEM, BUILD, Skip, equal, run_tests, ttmem_json

TYPES = ("dram", "l1", "l1_small", "trace")
FIGURES = ("size_bytes", "allocated_bytes", "free_bytes", "largest_free_bytes")
KIT = pathlib.Path(os.environ.get("TTMEM_METAL_DIR", BUILD / "metal"))


def installed(version):
    """The interpreter of a venv with that release; installed on first use."""
    done = subprocess.run([sys.executable, str(HERE / "install.py"), str(KIT), version])
    if done.returncode == 77:
        raise Skip("no Python 3.12 or 3.10, for which alone there are wheels of ttnn")
    if done.returncode != 0:
        raise AssertionError(f"ttnn {version} cannot be installed")
    return KIT / version / "venv/bin/python"


def process_of(document, pid):
    found = [p for p in document["processes"] if p["pid"] == pid]
    return found[0] if found else None


def check_allocator(allocator, view, buffers, what):
    """One allocator against its own memory view."""
    for kind in TYPES:
        memory, truth = allocator["memory"][kind], view[kind]
        equal(memory["banks"], truth["banks"], f"{what} {kind} banks")
        for figure in FIGURES:
            equal(memory["bank"][figure], truth[figure], f"{what} {kind} {figure}")
        equal(memory["occupied_bytes"] + memory["free_bytes"], memory["allocatable_bytes"],
              f"{what} {kind} occupied + free")
        base = allocator["counts"][kind]["base_address"]
        mine = sorted([b["address"] - base, b["bank_bytes"]] for b in buffers
                      if b["allocator"] == allocator["id"] and b["type"] == kind)
        if truth["blocks"] is None:  # this release does not tell: at least the sum must agree
            truth["blocks"] = mine
            equal(sum(size for _, size in mine), truth["allocated_bytes"], f"{what} {kind} sum")
        equal(mine, truth["blocks"], f"{what} {kind} address ranges")
        equal(memory["buffers"], len(mine), f"{what} {kind} buffers")


def union_bytes(blocks):
    total, end = 0, 0
    for address, size in sorted(blocks):
        total += max(0, address + size - max(end, address))
        end = max(end, address + size)
    return total


def check_devices(process, views, what):
    """Each chip: the union of the ranges of all allocators that cover it."""
    allocators = [a for a in process["allocators"] if a["open"]]
    for device in process["devices"]:
        covering = [view for a, view in zip(allocators, views)
                    if device["unique_id"] in a["chips"]]
        for kind in TYPES:
            memory = device["memory"][kind]
            blocks = [b for view in covering for b in view[kind]["blocks"]]
            equal(memory["bank"]["allocated_bytes"], union_bytes(blocks), f"{what} chip {kind}")
            equal(memory["buffers"], len(blocks), f"{what} chip {kind} buffers")
            equal(memory["bank"]["allocated_bytes"] + memory["bank"]["free_bytes"],
                  memory["bank"]["size_bytes"], f"{what} chip {kind} allocated + free")


def check_pause(line):
    what, pid = line["event"], line["pid"]
    process = process_of(ttmem_json(), pid)
    listing = ttmem_json("buffers", f"--pid={pid}")
    if not line["views"]:
        equal([a for a in process["allocators"] if a["open"]], [], what + " open allocators")
        equal(listing["buffers"], [], what + " buffers")
        return
    equal(listing["consistent"], True, what + " consistent")
    allocators = [a for a in process["allocators"] if a["open"]]
    equal(len(allocators), len(line["views"]), what + " allocators")
    for allocator, view in zip(allocators, line["views"]):
        check_allocator(allocator, view, listing["buffers"], what)
    check_devices(process, line["views"], what)
    if line.get("requested"):
        for kind in TYPES:
            equal(sum(a["memory"][kind]["requested_bytes"] for a in allocators),
                  line["requested"][kind], f"{what} {kind} requested")
    if "failures" in line:
        equal(process["failures"]["count"], line["failures"], what + " failures")
    if "chips" in line:
        equal(len(process["devices"]), line["chips"], what + " chips")
        ids = [d["unique_id"] for d in process["devices"]]
        equal(len(set(ids)), line["chips"], what + " distinct unique ids")
    if "threads" in line:
        threads = {b["thread"] for b in listing["buffers"]}
        equal(len(threads), line["threads"], what + " threads")


def truth(version, cluster, program, *args, slow=False):
    python = installed(version)
    with Mock(python, program, *args, cluster=cluster, slow=slow,
              prefix=[str(TTMEM), "run", "--"]) as mock:
        pauses = 0
        for line in mock.pauses():
            check_pause(line)
            pauses += 1
        code, err = mock.end()
        equal(code, 0, "exit code; " + err[-500:])
        if pauses < 2:
            raise AssertionError(f"only {pauses} pauses: {err[-500:]}")


MATRIX = [
    ("0.81.1", "n150", ["all_types.py"]),
    ("0.81.1", "n150", ["random_history.py", "1", "400", "20"]),
    ("0.81.1", "n150", ["random_history.py", "2", "400", "20"]),
    ("0.81.1", "n150", ["failures.py"]),
    ("0.81.1", "n150", ["threads.py"]),
    ("0.81.1", "n150", ["reopen.py"]),
    ("0.81.1", "n300", ["mesh.py", "1", "2"]),
    ("0.81.1", "n300", ["all_types.py"]),
    ("0.81.1", "t3k", ["mesh.py", "2", "4"]),
    ("0.81.1", "p150", ["all_types.py"]),
    ("0.81.1", "p150", ["random_history.py", "3", "400", "20"]),
    ("0.81.1", "4xp150", ["mesh.py", "2", "2"]),
    ("0.66.0", "n150", ["all_types.py"]),
    ("0.66.0", "n150", ["random_history.py", "4", "300", "15"]),
    ("0.66.0", "n150", ["failures.py"]),
    ("0.66.0", "n150", ["reopen.py"]),
    ("0.76.0", "n150", ["all_types.py"]),
    ("0.76.0", "n150", ["random_history.py", "5", "300", "15"]),
    ("0.76.0", "n150", ["failures.py"]),
    ("0.76.0", "n150", ["reopen.py"]),
    ("0.80.0", "n150", ["all_types.py"]),
    ("0.80.0", "n150", ["random_history.py", "6", "300", "15"]),
    ("0.80.0", "n150", ["failures.py"]),
    ("0.80.0", "n150", ["reopen.py"]),
    ("0.70.1", "n150", ["all_types.py"]),
    ("0.70.1", "n150", ["random_history.py", "7", "300", "15"]),
]


def cases():
    for version, cluster, program in MATRIX:
        name = f"truth {version} {cluster} {' '.join(program)}"
        slow = version == "0.70.1"
        yield name, lambda v=version, c=cluster, p=program, s=slow: truth(v, c, *p, slow=s)


def test_same_behaviour():
    """The program must not notice us: same output, same exit code, same exception texts.

    TT-Metal appends a backtrace to its texts, with addresses and, under the hook, one frame
    of ours: the text before it is what must not change.
    """
    python = installed("0.81.1")
    outputs = []
    for prefix in ([], [str(TTMEM), "run", "--"]):
        with Mock(python, "failures.py", prefix=prefix) as mock:
            lines = [{k: v for k, v in line.items() if k != "pid"} for line in mock.pauses()]
            for line in lines:
                line["texts"] = [t.partition("backtrace:")[0] for t in line.get("texts", [])]
            outputs.append((lines, mock.end()[0]))
    equal(outputs[1], outputs[0], "with and without the hook")


if __name__ == "__main__":
    sys.exit(run_tests(globals(), list(cases())))
