#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`ttmem attach` to the real TT-Metal with many live buffers and two threads that allocate.

Reason: the released library decides what its set of live buffers looks like, in which order it
tracks and frees, and how its calls are bound. Afterwards the table must be what the allocator
itself says, address by address, the program must end as it would have, and detaching must leave
every slot as it was.

ATTACH_ROUNDS=50 ATTACH_BUFFERS=50000 is the whole proof; it takes a few minutes.
ATTACH_VERSION=0.76.0 takes another release.
"""
import os
import pathlib
import re
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "lib")]

from compare import process_of
from mock import Mock
from slots import Slots
from test_truth import check_pause, installed
from testing import HOOK, equal, need_ptrace, run_tests, ttmem, ttmem_json

ROUNDS = int(os.environ.get("ATTACH_ROUNDS", 3))
VERSION = os.environ.get("ATTACH_VERSION", "0.81.1")
BUFFERS = int(os.environ.get("ATTACH_BUFFERS", 5000))
STOP_MS = []


def command(*words):
    need_ptrace()
    done = ttmem(*words, check=False)
    equal(done.returncode, 0, f"{words}: {done.stdout}{done.stderr}")
    stopped = re.search(r"stood still for ([\d.]+) ms", done.stdout)
    if stopped:
        starved = re.search(r"([\d.]+) ms of them in want", done.stdout)
        STOP_MS.append((float(stopped[1]) - float(starved[1] if starved else 0),
                        float(stopped[1])))
    return done.stdout


def slots_of(pid):
    """Of the three libraries through whose slots the calls go."""
    maps = pathlib.Path(f"/proc/{pid}/maps").read_text()
    return Slots(pid, *sorted(set(re.findall(
        r"/\S*/(?:libtt_metal\.so|_ttnncpp\.so|_ttnn\.cpython\S*\.so)", maps))))


def check_losses(process, what):
    losses = process["losses"]
    for name in ("full", "memory", "allocator", "key", "replaced", "moves"):
        equal(losses[name], 0, f"{what}: {name}")


def check_rest(line, what):
    equal(line.pop("failed"), [], what + ": the program's own calls")
    check_pause(line)
    process = process_of(ttmem_json(), line["pid"])
    equal(process["capabilities"]["before_attach"], {"state": "present", "reason": None})
    check_losses(process, what)
    # what came since has its line of Python, in the same table or after a detach in between
    rows = [row for row in ttmem_json("buffers")["buffers"] if row["pid"] == line["pid"]]
    equal({(row["op"], row["site"]["function"]) for row in rows if row["site"]},
          {("ttnn.empty", "empty")}, what + ": sites")


def test_attach_and_detach():
    """Attached while two threads allocate and free; equal at rest; gone again; and again."""
    with Mock(installed(VERSION), "attach.py", BUFFERS, 2, ROUNDS) as mock:
        slots = old = None
        rounds = 0
        for line in mock.pauses():
            pid, what = line["pid"], f"round {line['round']}"
            if line["event"] == "at work":
                slots = slots or slots_of(pid)
                old = old or slots.words()
                time.sleep(0.02 * (line["round"] % 3))
                command("attach", pid)
                equal(sum(new != old[at] for at, new in slots.words().items()) >= 15, True, what)
                time.sleep(0.05)
                continue
            check_rest(line, what)
            command("detach", pid)
            equal(slots.words(), old, what + ": every word as it was")
            rounds += 1
        equal(rounds, ROUNDS, "rounds")
        code, err = mock.end()
        equal((code, err.split()), (7, ["finished"]), "the program's own end")
    own, whole = (sorted(column) for column in zip(*STOP_MS))
    print(f"# {len(own)} stops of one thread: median {own[len(own) // 2]:.1f} ms, most {own[-1]:.1f} ms;"
          f" with the wait for a processor {whole[len(own) // 2]:.1f} and {whole[-1]:.1f} ms", flush=True)


def test_loaded_by_python():
    """In the manner of a .pth file, but late: by ctypes, with a device open and buffers live."""
    with Mock(installed(VERSION), "attach.py", 500, 2, 2, HOOK) as mock:
        for line in mock.pauses():
            if line["event"] == "at rest":
                check_rest(line, "python")
                equal(process_of(ttmem_json(), line["pid"])["entry"], "python")
                equal("already (python)" in command("attach", line["pid"]), True)
        code, err = mock.end()
        equal((code, err.split()), (7, ["0", "finished"]), "the program's own end")


def attach_at(event, program, *args, checked, **more):
    """Attaches at one pause and compares at the later ones; `checked` turns a line into its views."""
    with Mock(installed(VERSION), program, *args, **more) as mock:
        attached, seen = False, []
        for line in mock.pauses():
            if attached and checked(line):
                check_pause(line)
                check_losses(process_of(ttmem_json(), line["pid"]), line["event"])
                seen.append(line["event"])
            elif line["event"] == event:
                command("attach", line["pid"])
                attached = True
        code, err = mock.end()
        equal(code, 0, err[-500:])
        return seen


def test_operations():
    """Operations whose programs come from the cache, built before the attach; then the end."""
    seen = attach_at("first", "ops.py", checked=lambda line: True)
    equal(seen, ["again", "inputs freed", "freed"])


def test_meshes():
    """A submesh that opens before our eyes, its parent that has its first event later and is freed
    and closed, and the submesh that outlives it."""
    def checked(line):
        line["views"].reverse()  # in the order of their first events
        return line["event"] != "submesh"

    seen = attach_at("mesh", "mesh.py", 1, 2, cluster="n300", checked=checked)
    equal(seen, ["parent freed", "parent closed", "closed"])


if __name__ == "__main__":
    sys.exit(run_tests(globals()))
