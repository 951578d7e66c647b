#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""ttmem explain and fit as commands: where the text comes from, exit codes, whose buffers.

What they understand is tested in tests/unit and, on real TT-Metal, in tests/metal; here the
process is the stand-in.
"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "lib")]

from server import Server, app, directory
from testing import TTMEM, equal, run_tests, wait_until

CLASH = ("Statically allocated circular buffers in program 7 clash with L1 buffers on core range "
         "[0-0 - 7-7]. L1 buffer allocated at {} and static circular buffer region ends at {}")
RING = "Program size (79760) too large for kernel config buffer (70656) on TENSIX"


def run(*arguments, text=None, where="/nonexistent"):
    return subprocess.run([str(TTMEM), *map(str, arguments)], input=text, capture_output=True,
                          text=True, timeout=240, env={**os.environ, "TTMEM_SOCKET_DIR": str(where)})


def explain(*arguments, **more):
    done = run("explain", "--format=json", *arguments, **more)
    return json.loads(done.stdout), done.returncode


def test_sources():
    """An argument, arguments, a file, standard input: the same answer."""
    with tempfile.TemporaryDirectory() as there:
        log = pathlib.Path(there, "a log.txt")
        log.write_text("something else\n" + RING + "\nmore\n")
        for arguments, text in (([RING], None), (RING.split(), None), ([log], None),
                                (["--file", log], None), (["-f", log], None), ([], RING),
                                (["-"], RING), (["--file=-"], RING)):
            answer, code = explain(*arguments, text=text)
            equal((answer["schema"], answer["verdict"], answer["short_bytes"], code),
                  ("ttmem.explain/1", "config_ring", 9104, 0), str(arguments))
    equal(run("explain", RING, "--format", "json").stdout.startswith('{"schema"'), True,
          "options may stand behind the text")


def test_raised_at():
    """A traceback in the text says where, in words and as JSON; strings in it do no harm."""
    log = ('Traceback (most recent call last):\n  File "/srv/\x1b[2Jmodel.py", line 12, in forward\n'
           f"    x = f()\nRuntimeError: TT_THROW @ x.cpp:1: tt::exception\ninfo:\n{CLASH}\n")
    answer, code = explain("--no-server", text=log)
    equal((answer["verdict"], answer["op"], answer["site"], code),
          ("clash", None, {"file": "/srv/\x1b[2Jmodel.py", "line": 12, "function": "forward"}, 0))
    said = run("explain", "--no-server", text=log).stdout
    equal("\nRaised at \\x1b[2Jmodel.py:12 (forward).\n" in said, True, said)
    equal(explain("--no-server", CLASH)[0]["site"], None)


def test_unknown():
    """It says so, also as JSON, and the exit code tells."""
    for text in ("", "hello world", "\0\0\xff\n"):
        answer, code = explain(text=text)
        equal((answer["verdict"], answer["short_bytes"], answer["others"], code),
              ("unknown", None, [], 1), repr(text))
    done = run("explain", text="nothing")
    equal((done.returncode, done.stdout.startswith("unknown: "), done.stderr), (1, True, ""))


def test_not_readable():
    """What cannot be read is said, with its name."""
    with tempfile.TemporaryDirectory() as there:
        for arguments, code in ((["--file", there + "/none"], 6), ([there + "/none"], 6),
                                (["--file", there], 1), ([there], 1)):
            done = run("explain", *arguments)
            equal((done.returncode, done.stdout), (code, ""), str(arguments))
            equal("cannot read " + arguments[-1] in done.stderr, True, done.stderr)
            done = run("explain", "--format=json", *arguments)
            equal(json.loads(done.stdout)["error"]["code"], "unreadable")
        descriptor = os.open(there, os.O_RDONLY)  # a directory as standard input
        done = subprocess.run([str(TTMEM), "explain"], stdin=descriptor, capture_output=True,
                              text=True, timeout=240)
        os.close(descriptor)
        equal((done.returncode, done.stdout), (1, ""))
        equal("standard input" in done.stderr, True, done.stderr)


def test_usage():
    for arguments in (["explain", "--last", RING], ["explain", "--file=x", RING],
                      ["explain", "--pid=0", RING], ["explain", "--pid", "x", RING], ["fit"],
                      ["fit", "1", "2"], ["fit", "0"], ["fit", "many"], ["fit", "-5"],
                      ["fit", "1", "--type=L3"], ["fit", "1", "--cores=0"],
                      ["fit", "1", "--cores=1,2"], ["fit", "1", "--cores=3,3-2,2"],
                      ["fit", "1", "--page=0"], ["fit", "1", "--program", "--type=DRAM"]):
        done = run(*arguments)
        equal((done.returncode, done.stdout), (2, ""), str(arguments))
    equal(run("explain", "--pid=4194304", RING).returncode, 6)
    equal(run("explain", "--last").returncode, 6)
    equal(run("fit", "1").returncode, 6)


def test_hostile_text():
    """Nothing of the text reaches the terminal; ten megabytes of anything are read in passing."""
    done = run("explain", text="\x1b[2J" + RING + " \x1b]0;x\x07 <script>")
    equal((done.returncode, "\x1b" in done.stdout + done.stderr), (0, False))
    answer, _ = explain(text="circular not out of 1,234 (pid=\n" * 300000 + RING)
    equal((answer["verdict"], answer["short_bytes"]), ("config_ring", 9104))


def test_long_text_keeps_its_end():
    """The last message counts, however long the text."""
    text = RING + "\n" + ("x" * 99 + "\n") * 400000 + RING.replace("79760", "70657")
    answer, _ = explain(text=text)
    equal(answer["short_bytes"], 1)


def buffers_of(program):
    rows = json.loads(run("buffers", "--format=json", "--type=L1").stdout)["buffers"]
    return sorted((b for b in rows if b["pid"] == program.pid), key=lambda b: b["address"])


def filled(where):
    program = app(where)
    program("open", 1, 0, 0)
    for size in (64, 128, 32):
        program("alloc", 0, "l1", size * 2048, 2048)
    return program


def test_clash_of_a_process():
    """The buffers below the end of the region, the lowest first, with owner and age."""
    with filled("/nonexistent") as program:
        rows = buffers_of(program)
        end = rows[1]["address"] + 16
        answer, _ = explain(CLASH.format(rows[0]["address"], end))
        way = answer["in_the_way"]
        equal(answer["pid"], program.pid)
        equal([b["address"] for b in way["buffers"]], [b["address"] for b in rows[:2]])
        equal(way["bank_bytes"], sum(b["bank_bytes"] for b in rows[:2]))
        equal(answer["short_bytes"], end - rows[0]["address"])
        people = run("explain", CLASH.format(rows[0]["address"], end)).stdout
        equal(f"process {program.pid} (" in people, True, people)
        equal(f"{rows[0]['address']:#x}" in people, True, people)


def test_program_that_fits():
    """A program ends below the lowest buffer, to the byte."""
    with filled("/nonexistent") as program:
        rows = buffers_of(program)
        room = json.loads(run("fit", "1", "--program", "--format=json").stdout)["largest_bytes"]
        yes, no = run("fit", room, "--program"), run("fit", room + 1, "--program")
        equal((yes.returncode, yes.stdout.split(":")[0]), (0, "yes"))
        equal((no.returncode, no.stdout.split(":")[0]), (1, "no"))
        answer = json.loads(run("fit", room + 1, "--program", "--format=json").stdout)
        equal([b["address"] for b in answer["would_have_to_go"]["buffers"]],
              [rows[0]["address"]])
        equal(answer["bank_largest_free_bytes"], room)


def test_several_processes():
    """Whose memory is meant has to be said; a text alone still gets its verdict."""
    with filled("/nonexistent") as one, filled("/nonexistent"):
        done = run("fit", "1")
        equal((done.returncode, "--pid" in done.stderr), (6, True), done.stderr)
        equal(run("fit", "1", f"--pid={one.pid}").returncode, 0)
        answer, code = explain(CLASH.format(300000, 312000))
        equal((answer["verdict"], answer["pid"], code), ("clash", None, 0))
        answer, _ = explain(CLASH.format(300000, 312000), f"--pid={one.pid}")
        equal(answer["pid"], one.pid)


def test_last_of_the_dead():
    """The server kept the table of that moment: what lay there then, not what was left."""
    with directory() as d, Server(d) as server:
        with filled(d) as program:
            program("alloc", 0, "l1", 1 << 40, 2048)
            program("freeall")
        wait_until("it is kept", lambda: server.get("/v1/failures")["kept"])
        wait_until("it has ended", lambda: server.state_of(program.pid) == "exited")
        answer, code = explain("--last", where=d)
        equal((answer["verdict"], answer["pid"], code), ("too_large", program.pid, 0))
        text = (f"Out of Memory: Not enough space to allocate {1 << 40} B L1 buffer across 64 banks,"
                " where each bank needs to store 5000 B, but bank size is 9000 B (allocated: 6000 B,"
                " free: 3000 B, largest free block: 3000 B)")
        answer, _ = explain(text, where=d)
        way = answer["in_the_way"]
        equal((answer["verdict"], answer["short_bytes"], answer["pid"], way["moment"], way["total"]),
              ("full", 2000, program.pid, "failure", 3))


if __name__ == "__main__":
    sys.exit(run_tests(globals()))
