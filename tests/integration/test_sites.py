#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Whose line allocates, under every interpreter there is, against Python's own traceback.

Reason: what is read of frames without the GIL must be right for all kinds of code, and stay
right when code objects and operations come and go. The stand-in is called through ctypes,
which releases the GIL; tests/metal/test_sites.py is about the real thing.
"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "lib")]

from compare import process_of
from standin import App, library
from testing import BUILD, HOOK, Skip, equal, run_tests, ttmem_json

DECORATORS = """
import dataclasses
import typing

@dataclasses.dataclass
class FastOperation:
    python_fully_qualified_name: str
    function: typing.Callable
    is_experimental: bool = False
    _slow: typing.Any = dataclasses.field(default=None, init=False, repr=False)

    def __call__(self, *arguments):
        try:
            return self.function(*arguments)
        except TypeError:
            raise

def composite(other):
    return other()
"""
NOT_COMPARED = "not compared with Python's own answer yet"


def python(minor):
    """An interpreter of that version; skips loudly without one."""
    root = pathlib.Path(os.environ.get("PYENV_ROOT") or pathlib.Path.home() / ".pyenv")
    found = sorted((root / "versions").glob(f"3.{minor}*/bin/python3"))
    if not found:
        raise Skip(f"no Python 3.{minor} under {root}/versions")
    return found[0]


class Program:
    """One run of sites_program.py under the hook."""

    def __init__(self, minor, *parts, packages=None, env=None):
        self.directory = tempfile.TemporaryDirectory(prefix="ttmem-sites.")
        self.packages = pathlib.Path(self.directory.name) / "site-packages"
        (self.packages / "ttnn").mkdir(parents=True)
        (self.packages / "ttnn/__init__.py").write_text("")
        (self.packages / "ttnn/decorators.py").write_text(DECORATORS)
        environment = {**os.environ, "LD_PRELOAD": str(HOOK), "PYTHONDONTWRITEBYTECODE": "1",
                       "TTMEM_SOCKET_DIR": "/nonexistent", "PYTHONPATH": str(packages or ""),
                       "PYTHONIOENCODING": "utf-8", "PYTHONMALLOC": "pymalloc", **(env or {})}
        self.process = subprocess.Popen(
            [str(python(minor)), "-Wignore", str(HERE / "sites_program.py"), str(library("79")),
             str(self.packages), *parts], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env=environment)

    def __iter__(self):
        for line in self.process.stdout:
            yield json.loads(line)
            try:
                self.process.stdin.write("\n")
                self.process.stdin.flush()
            except BrokenPipeError:
                pass

    def __enter__(self):
        return self

    def __exit__(self, kind, *what):
        if kind:
            self.process.kill()
        self.process.communicate()
        self.directory.cleanup()
        if not kind:
            equal(self.process.returncode, 0, "exit code")


def cut(text, keep_end):
    """As the table has it."""
    raw = text.encode()
    return (raw[-1024:] if keep_end else raw[:1024]).decode()


def check(line):
    """Each buffer that is there has the site that was noted when it was made."""
    buffers = {b["address"]: b for b in ttmem_json("buffers")["buffers"] if b["pid"] == line["pid"]}
    wrong = []
    for note in line["noted"]:
        got = buffers[note["address"]]
        want = {"file": cut(note["file"], True), "line": note["line"],
                "function": cut(note["function"], False)}
        if got["site"] != want or got["op"] != note["op"]:
            wrong.append((want, note["op"], got["site"], got["op"]))
    equal((len(wrong), wrong[:2]), (0, []), f"wrong of {len(line['noted'])}")
    return len(line["noted"])


def line_of(buffer):
    """Its line of Python; None without one, whether or not there is a native stack instead."""
    return buffer["site"] if buffer["site"] and buffer["site"]["line"] else None


def sites_of(pid):
    return process_of(ttmem_json(), pid)["capabilities"]["sites"]


def every_kind(minor):
    """Functions, classes, comprehensions, threads, coroutines, exec, operations, a fork."""
    with Program(minor, "functions", "async", "threads", "exec", "reused", "operations", "trails",
                 "fork",
                 env={"WITH_GIL": "1"}) as program:
        turns = []
        for line in program:
            check(line)
            turns.append((line["parts"], sites_of(line["pid"])["reason"]))
            if line["parts"] != ["fork"]:
                equal(line["python"], [3, minor])
                equal(line["answers"]["reused"] > 100, True, f"reused {line['answers']['reused']}")
                equal(line["answers"]["trails"] > 100, True, f"trails {line['answers']['trails']}")
                equal(len(line["noted"]) > 1200, True,
                      f"{len(line['noted'])} buffers")
        # before and after a free with the GIL held; each with a child that looks for itself
        equal([reason for _, reason in turns], [NOT_COMPARED, NOT_COMPARED, None, None])


def greenlets(minor):
    """Stacks that are taken away and put back."""
    where = pathlib.Path(os.environ.get("TTMEM_METAL_DIR", BUILD / "metal")) / f"greenlet/3.{minor}"
    if not (where / "greenlet").is_dir():
        done = subprocess.run([str(python(minor)), "-m", "pip", "install", "-q", "--target",
                               str(where), "greenlet"], capture_output=True, text=True,
                              env={**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1",
                                   "PIP_RETRIES": "0"})
        if done.returncode != 0:
            raise Skip(f"greenlet cannot be had: {done.stderr.strip()[-200:]}")
    with Program(minor, "greenlets", packages=where) as program:
        for line in program:
            equal(check(line), 11)


def test_off():
    """TTMEM_SITES=off: no site, and the reason; anything strange is said and is the default."""
    with Program(12, "functions", env={"TTMEM_SITES": "off"}) as program:
        for line in program:
            equal(sites_of(line["pid"]), {"state": "off", "reason": "TTMEM_SITES=off"})
            listing = [b for b in ttmem_json("buffers")["buffers"] if b["pid"] == line["pid"]]
            equal([b for b in listing if b["site"] or b["op"]], [])
            equal(len(listing), len(line["noted"]))
    with Program(12, "functions", env={"TTMEM_SITES": "pyton"}) as program:
        for line in program:
            equal("TTMEM_SITES" in sites_of(line["pid"])["reason"], True)
            check(line)


def embedded(minor):
    """A C program: no Python yet, one that comes late, threads it does not know, its end."""
    root = python(minor).parent.parent
    shared = root / f"lib/libpython3.{minor}.so.1.0"
    if not shared.exists():
        raise Skip(f"Python 3.{minor} has no shared library")

    def line(number, function="f"):
        return {"file": "<string>", "line": number, "function": function}
    wanted = {"no python": None, "no frame": None, "python": line(3), "foreign thread": None,
              "its own thread": line(3), "compared": line(3), "subinterpreter": line(3, "g"),
              "after it": line(3), "finalized": None, "initialized again": line(5),
              "finalized under a thread": None}
    program = subprocess.Popen(
        [str(BUILD / "tests/standin/standin-embed"), str(library("79")), str(shared)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        env={**os.environ, "LD_PRELOAD": str(HOOK), "PYTHONHOME": str(root),
             "TTMEM_SOCKET_DIR": "/nonexistent"})
    events = []
    with program:
        for text in program.stdout:
            event = json.loads(text)
            what = event["event"]
            found = [b for b in ttmem_json("buffers")["buffers"]
                     if (b["pid"], b["address"]) == (event["pid"], event["address"])]
            # before 3.12 a thread's first state stays its own: then the line is of whoever started it
            if what != "subinterpreter" or minor >= 12:
                equal([line_of(b) for b in found], [wanted[what]], what)
            state = sites_of(event["pid"])
            if what == "no python":
                equal("no Python in this process" in state["reason"], True)
            elif what != "no frame":  # it is looked for every so many events only
                equal(state["state"], "present", what)
            if what in ("python", "compared"):
                equal(state["reason"], NOT_COMPARED if what == "python" else None, what)
            events.append(what)
            program.stdin.write("\n")
            program.stdin.flush()
    equal((events, program.returncode), (list(wanted), 0))


def test_unknown_interpreters():
    """A version we do not know, a build that is laid out otherwise, functions that are missing,
    memory that is not what it should be: no site, the reason, and nobody dies."""
    for kind, version, reason in (
            ("fake", "3.14.0 (main)", "3.14.0: only Python 3.10 to 3.13 are known"),
            ("fake", "3.9.18", "3.9.18: only Python 3.10 to 3.13 are known"),
            ("fake", "4.0", "4.0: the version of this Python cannot be read"),
            ("fake", "", "the version of this Python cannot be read"),
            ("fake", "3.13.0 experimental free-threading build (main)",
             "3.13.0: Python without a GIL is not supported"),
            ("fake", "3.13.0 (main)", "3.13.0: this Python does not describe itself"),
            ("fake", "3.12.1 (main)",
             "3.12.1: the frames of this Python are not where those of its version are"),
            ("fake", "3.10.0 (main)",
             "3.10.0: the frames of this Python are not where those of its version are"),
            ("unfinished", "3.12.1", "3.12.1: Py_IsFinalizing")):
        fake = BUILD / f"tests/standin/lib{kind}-python.so"
        with App("79", hook=False, env={"LD_PRELOAD": f"{HOOK} {fake}",
                                        "FAKE_PYTHON": version}) as app:
            app("open", 1, 0, 0)
            app("many", 0, 100)
            equal(sites_of(app.pid), {"state": "failed", "reason": reason}, version)
            listing = [b for b in ttmem_json("buffers")["buffers"] if b["pid"] == app.pid]
            equal((len(listing), [b for b in listing if line_of(b)]), (100, []))
            equal(app.end(), (0, ""))


def test_python_that_disagrees():
    """The first event with the GIL held shows a difference: no more sites from then on."""
    lying = BUILD / "tests/standin/liblying-python.so"
    with Program(12, "functions", env={"LD_PRELOAD": f"{HOOK} {lying}", "WITH_GIL": "1"}) as program:
        lines = iter(program)
        equal(sites_of(next(lines)["pid"]), {"state": "present", "reason": NOT_COMPARED})
        line = next(lines)
        state = sites_of(line["pid"])
        equal((state["state"], "its frames are not those" in state["reason"]), ("failed", True))
        buffers = {b["address"]: b for b in ttmem_json("buffers")["buffers"]
                   if b["pid"] == line["pid"]}
        equal([n for n in line["noted"] if line_of(buffers[n["address"]])], [])
        equal(list(lines), [])


if __name__ == "__main__":
    cases = [(f"python_3_{minor}", lambda minor=minor: every_kind(minor)) for minor in range(10, 14)]
    cases += [(f"greenlets_3_{minor}", lambda minor=minor: greenlets(minor))
              for minor in range(10, 14)]
    cases += [(f"embedded_3_{minor}", lambda minor=minor: embedded(minor)) for minor in range(10, 14)]
    sys.exit(run_tests(globals(), cases))
