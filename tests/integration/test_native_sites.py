#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Native stacks of C++ programs: right word by word, and with names from outside the process."""
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parents[1] / "lib")]
from server import Server, directory
from standin import App, library
from testing import BUILD, HOOK, TTMEM, Skip, equal, run_tests, ttmem, ttmem_json, wait_until

STANDIN = BUILD / "tests/standin"


class Stacks:
    """tests/standin/stacks.cpp: gives what backtrace() saw, and waits."""

    def __init__(self, program=None, generation="79", env=None, prefix=()):
        environment = {**os.environ, "TTMEM_SOCKET_DIR": "/nonexistent", **(env or {})}
        environment["LD_PRELOAD"] = str(HOOK)
        self.process = subprocess.Popen(
            [*prefix, str(program or STANDIN / "standin-stacks"), str(library(generation)),
             *(str(STANDIN / f"standin-plugin-{name}.so") for name in ("first", "other"))],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment)
        self.seen = json.loads(self.process.stdout.readline())
        self.pid = self.seen["pid"]

    def __enter__(self):
        return self

    def __exit__(self, *what):
        self.process.kill()
        self.process.communicate()


def buffers(pid, *more, env=None):
    return ttmem_json("buffers", "--stack", "-p", str(pid), *more, env=env)["buffers"]


def real(path):
    return os.path.realpath(path)


def check_all(stacks):
    """Every stack equal to backtrace()'s, frame by frame. Gives the rows by address."""
    rows = {row["address"]: row for row in buffers(stacks.pid, "--no-server")}
    equal(len(rows), len(stacks.seen["buffers"]), "buffers")
    for address, want in stacks.seen["buffers"].items():
        got = [(real(frame["module"]), frame["offset"]) for frame in rows[int(address)]["stack"]]
        equal(got, [(real(path), offset) for path, offset in want], f"stack of {address}")
    return rows


def test_stacks_are_those_of_backtrace():
    """Reason: a wrong stack is worse than none. Deep recursion, alloca, aligned and large frames,
    lambdas, a handler, four threads, first and remembered, and code that takes the place of other
    code."""
    for generation in ("79", "60"):
        with Stacks(generation=generation) as stacks:
            rows = check_all(stacks)
            deepest = max(len(row["stack"]) for row in rows.values())
            equal(deepest, 32, "the deepest, which is cut")
            if not stacks.seen["same_address"]:
                raise Skip("the second plugin was not loaded where the first one was")


def test_code_that_took_the_place_of_other_code_has_its_own_name():
    """Reason: addresses are used again after dlclose, and what was remembered of them is wrong."""
    with Stacks() as stacks:
        rows = check_all(stacks)
        last = [rows[int(a)] for a in stacks.seen["buffers"]
                if "plugin" in stacks.seen["buffers"][a][2][0]]
        names = [row["stack"][2]["symbol"] for row in sorted(last, key=lambda row: row["event"])]
        equal(names, ["(anonymous)::plugin_first"] * 2 + ["(anonymous)::plugin_other"] * 2, "names")


def test_site_is_the_users_own_function():
    """Reason: in a program without Python the answer is the code that called TT-Metal."""
    with App() as app:
        app("open", 1, 0, 0)
        app("alloc", 0, "dram", 4096, 2048, 0)
        row = ttmem_json("buffers", "--no-server", "-p", str(app.pid))["buffers"][0]
        equal(row["site"], {"file": str(STANDIN / "standin-app"), "line": None,
                            "function": "main"}, "site")
        equal("stack" in row, False, "a stack nobody asked for")
        text = ttmem("buffers", "--no-server", "--stack", "-p", str(app.pid)).stdout
        equal([line.split()[0] for line in text.splitlines()[2:4]], ["standin_alloc", "main"], text)


def test_children_of_a_busy_process():
    """Reason: a child inherits the loader's lock as it is. If another thread was just inside the
    loader on our account, at one of its events, the child never loads or throws anything again."""
    with App() as app:
        app("open", 1, 0, 0)
        equal(app("forks", 0, 1000), {"hung": 0}, "children that wait for ever")


def test_switched_off():
    """Reason: TTMEM_SITES=off means off."""
    with App(env={"TTMEM_SITES": "off"}) as app:
        app("open", 1, 0, 0)
        app("alloc", 0, "dram", 4096, 2048, 0)
        row = buffers(app.pid, "--no-server")[0]
        equal((row["op"], row["site"], row["stack"]), (None, None, None), "row")


def test_a_failed_allocation_has_a_site():
    """Reason: the stack of a failure is looked at while an exception passes."""
    with App() as app:
        app("open", 1, 0, 0)
        app("alloc", 0, "l1", 1 << 40, 2048, 0)
        process = next(p for p in ttmem_json("--no-server")["processes"] if p["pid"] == app.pid)
        equal(process["failures"]["last"][0]["site"]["function"], "main", "site")


def test_a_child_has_its_own():
    """Reason: numbers of sites are those of one table; a forked child begins anew."""
    with App() as app:
        app("open", 1, 0, 0)
        app("alloc", 0, "dram", 4096, 2048, 0)
        child = app("fork", 0, 3)["child"]
        rows = wait_until("its buffers", lambda: buffers(child, "--no-server"))
        equal({row["stack"][-1]["symbol"] for row in rows}, {"_start"}, "outermost")
        equal(len(rows), 3, "buffers of the child")
        processes = {p["pid"]: p for p in ttmem_json("--no-server")["processes"]}
        equal([processes[pid]["capabilities"]["stacks"]["state"] for pid in (app.pid, child)],
              ["present"] * 2, "capabilities")


def in_copy(strip, then):
    """The program as a copy of its own that may be changed."""
    with tempfile.TemporaryDirectory() as d:
        copy = pathlib.Path(d) / "copy"
        shutil.copy(STANDIN / "standin-stacks", copy)
        if strip:
            subprocess.run(["strip", str(copy)], check=True)
        with Stacks(program=copy) as stacks:
            then(stacks, copy)


def symbols_of(stacks, file):
    rows = check_all(stacks)
    return {frame["symbol"] for row in rows.values() for frame in row["stack"]
            if frame["module"] == str(file)}


def test_stripped_program_has_offsets():
    """Reason: no name is better than the nearest one."""
    in_copy(True, lambda stacks, copy: equal(symbols_of(stacks, copy), {None}, "symbols"))


def test_removed_and_replaced_file_has_offsets():
    """Reason: another file under the same path has other functions at these places."""
    def then(stacks, copy):
        copy.unlink()
        equal(symbols_of(stacks, copy), {None}, "of a file that is gone")
        shutil.copy(STANDIN / "standin-app", copy)
        equal(symbols_of(stacks, copy), {None}, "of another file in its place")
    in_copy(False, then)


def test_file_of_another_mount_namespace():
    """Reason: in a container a path means something else than here."""
    if os.geteuid() != 0:
        raise Skip("making a mount namespace needs root")
    with tempfile.TemporaryDirectory() as d:
        inside = pathlib.Path(d) / "copy"
        script = f"mount -t tmpfs none {d} && cp {STANDIN / 'standin-stacks'} {inside} && exec \"$@\""
        with Stacks(program=inside, prefix=["unshare", "--mount", "sh", "-c", script, "sh"]) as stacks:
            equal(inside.exists(), False, "the file here")
            names = {frame["symbol"] for row in buffers(stacks.pid, "--no-server")
                     for frame in row["stack"] if frame["module"] == str(inside)}
            equal("main" in names and "(anonymous)::aligned" in names, True, names)


def test_server_gives_the_same():
    """Reason: who asks a server gets names that the server found, also of a process that
    has ended, as long as the file is there."""
    with directory() as d, Server(d) as server:
        with Stacks(env={"TTMEM_SOCKET_DIR": str(d)}) as stacks:
            wait_until("it reports", lambda: any(
                p["pid"] == stacks.pid for p in server.get("/v1/processes")["processes"]))
            mine = buffers(stacks.pid, "--no-server")
            theirs = buffers(stacks.pid, env={"TTMEM_SOCKET_DIR": str(d)})
            equal([row["stack"] for row in theirs], [row["stack"] for row in mine], "stacks")
            row = server.get(f"/v1/buffers?pid={stacks.pid}&limit=1")["buffers"][0]
            equal("stack" in row, False, "a stack nobody asked for")
        wait_until("it has ended", lambda: all(
            p["state"] != "live" for p in server.get("/v1/processes")["processes"]))
        last = server.get(f"/v1/buffers?pid={stacks.pid}&stack=1&limit=100000")["buffers"]
        equal([row["stack"] for row in last], [row["stack"] for row in sorted(
            mine, key=lambda row: row["event"])], "stacks of the ended")


if __name__ == "__main__":
    sys.exit(run_tests(globals()))
