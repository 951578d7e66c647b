#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Leaks of real programs: is the line named that makes them, and no other?

Reason: a list of what rises is worth its name only if what everybody's program does all the time
is not in it. programs/leaks.py has both.
"""
import json
import pathlib
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "lib"), str(HERE.parent / "integration")]

from mock import Mock
from server import Server, directory
from test_truth import installed
from testing import TTMEM, Skip, equal, run_tests, ttmem, ttmem_json, wait_until


def started(where):
    """A program that runs until it gets a line, and what it says of itself."""
    mock = Mock(installed("0.81.1"), "leaks.py", prefix=[str(TTMEM), "run", "--"],
                env={"TTMEM_SOCKET_DIR": str(where)})
    return mock, json.loads(next(line for line in mock.process.stdout if line.startswith("{")))


def need_sites(pid, env):
    process = next(p for p in ttmem_json("--no-server", env=env)["processes"] if p["pid"] == pid)
    sites = process["capabilities"]["sites"]
    if sites["state"] != "present":
        raise Skip(f"no sites: {sites['reason']}")


def check_leaks(ask, told):
    """A slow machine's first rounds fill a window: then what is always there is new in it."""
    def names_both():
        grown = {(row["type"], row["site"]["line"]): row for row in ask()["growing"]
                 if row["pid"] == told["pid"]}
        return sorted(grown) == [("dram", told["tensor"]), ("l1", told["semaphore"])] and grown
    grown = wait_until("these two grow and nothing else", names_both)
    for row in grown.values():
        equal(row["site"]["file"], told["file"])
        equal(row["full_ns"] > 0 and "full_ns" in row["estimates"], True, str(row))
    tensor, semaphore = grown["dram", told["tensor"]], grown["l1", told["semaphore"]]
    equal((tensor["site"]["function"], tensor["op"]), ("tensor_for", "ttnn.ones"))
    equal(semaphore["site"]["function"], "semaphore_for")
    equal(semaphore["requested_bytes"] % semaphore["buffers"], 0, "all of one size")


def test_server_names_the_lines():
    """A server that was asked, and everything that shows it; buffers and sites name it as well."""
    with directory() as d, Server(d, "--sample", "0.05", "--growth-every", "50ms") as server:
        env = {"TTMEM_SOCKET_DIR": str(d)}
        mock, told = started(d)
        with mock:
            need_sites(told["pid"], env)
            wait_until("it is known", lambda: server.process_of(told["pid"]))
            server.get("/v1/growth")
            check_leaks(lambda: ttmem_json("growth", "--window=3s", env=env), told)
            text = ttmem("growth", "--window=3s", env=env).stdout
            for line in (told["tensor"], told["semaphore"]):
                equal(f"leaks.py:{line}" in text, True, text)
            mine = ttmem_json("buffers", f"--site=leaks.py:{told['semaphore']}", env=env)["buffers"]
            equal({b["site"]["function"] for b in mine}, {"semaphore_for"})
            by_op = ttmem_json("sites", "--by=op", env=env)["sites"]
            equal({"ttnn.zeros", "ttnn.ones"} <= {row["op"] for row in by_op}, True, str(by_op))


def test_without_a_server():
    """The tool alone, watching for three seconds."""
    env = {"TTMEM_SOCKET_DIR": "/nonexistent"}
    mock, told = started("/nonexistent")
    with mock:
        need_sites(told["pid"], env)

        def watch():
            done = ttmem("growth", "--window=3s", "--format=json", env=env)
            equal(done.stderr, "")
            return json.loads(done.stdout)
        check_leaks(watch, told)



def test_report_names_what_a_closing_left():
    """A real TT-Metal frees nothing of its users' when a device closes, nor says what there was."""
    with tempfile.TemporaryDirectory() as there:
        report = pathlib.Path(there) / "report"
        with Mock(installed("0.81.1"), "leave.py",
                  prefix=[str(TTMEM), "run", f"--report={report}", "--"]) as mock:
            told = json.loads(next(line for line in mock.process.stdout if line.startswith("{")))
            equal(mock.process.wait(60), 0)
        text = report.read_text()
    left = text[text.index("  buffers left when their device was closed: "):]
    equal(f"in 6 buffers: ttnn.ones at leave.py:{told['line']} (keep)\n" in left, True, text)
    equal("freed" in left, False, text)


if __name__ == "__main__":
    sys.exit(run_tests(globals()))
