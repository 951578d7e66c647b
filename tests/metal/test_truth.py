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

from compare import TYPES, check_allocator, check_devices, open_allocators, process_of
from mock import Mock
from testing import TTMEM, BUILD, Skip, equal, run_tests, ttmem_json

KIT = pathlib.Path(os.environ.get("TTMEM_METAL_DIR", BUILD / "metal"))


def installed(version):
    """The interpreter of a venv with that release; installed on first use."""
    done = subprocess.run([sys.executable, str(HERE / "install.py"), str(KIT), version])
    if done.returncode == 77:
        raise Skip("no Python 3.12 or 3.10, for which alone there are wheels of ttnn")
    if done.returncode != 0:
        raise AssertionError(f"ttnn {version} cannot be installed")
    return KIT / version / "venv/bin/python"


def check_pause(line):
    what, pid = line["event"], line["pid"]
    process = process_of(ttmem_json(), pid)
    listing = ttmem_json("buffers")
    listing["buffers"] = [b for b in listing["buffers"] if b["pid"] == pid]
    if not line["views"]:
        equal(open_allocators(process), [], what + " open allocators")
        equal(listing["buffers"], [], what + " buffers")
        return
    equal(listing["consistent"], True, what + " consistent")
    allocators = open_allocators(process)
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
    ("0.81.1", "n150", ["ops.py"]),
    ("0.81.1", "p150", ["ops.py"]),
    ("0.81.1", "n300", ["ops.py"]),
    ("0.76.0", "n150", ["ops.py"]),
    ("0.80.0", "n150", ["ops.py"]),
    ("0.66.0", "n150", ["ops.py"]),
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
