#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""libttmem as others use it: its header, its names, its examples, and the fork that reports."""
import os
import pathlib
import re
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "lib"), str(HERE.parent / "abi"), str(HERE.parent / "hosts")]

import abi
import hosts
import ids
from testing import BUILD, ROOT, Skip, equal, run_tests, ttmem, ttmem_json

LIBRARY = BUILD / "src/lib/libttmem.so.0.0.0"
MAP = ROOT / "src/lib/libttmem.map"
EXAMPLES = BUILD / "examples"
ENV = {**os.environ, "TTMEM_SOCKET_DIR": "/nonexistent"}


def example(name, *arguments):
    done = subprocess.run([str(EXAMPLES / f"example-{name}"), *arguments], capture_output=True,
                          text=True, env=ENV, timeout=240)
    equal((done.returncode, done.stderr), (0, ""), name)
    return done.stdout


class Running:
    """An example that stays until its standard input ends."""

    def __init__(self, name, *arguments):
        self.process = subprocess.Popen(
            [str(EXAMPLES / f"example-{name}"), *arguments], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, text=True, env=ENV)
        self.line = self.process.stdout.readline()

    def __enter__(self):
        return self

    def __exit__(self, *what):
        self.process.stdin.close()
        equal(self.process.wait(timeout=240), 0, "it ended well")

    def seen(self):
        """As another process sees it."""
        both = ttmem_json("--no-server")["processes"]
        return next(p for p in both if p["pid"] == self.process.pid)


def test_header():
    """Strict C99 and C++17, by both compilers, alone and twice."""
    source = "#include <ttmem/ttmem.h>\n#include <ttmem/ttmem.h>\nint main(void) { return 0; }\n"
    tried = 0
    for compiler, language, standard in [("gcc", "c", "c99"), ("clang", "c", "c99"),
                                         ("g++", "c++", "c++17"), ("clang++", "c++", "c++17")]:
        try:
            done = subprocess.run(
                [compiler, f"-std={standard}", "-x", language, "-pedantic", "-Wall", "-Wextra",
                 "-Werror", "-I", str(ROOT / "include"), "-fsyntax-only", "-"], input=source,
                capture_output=True, text=True, timeout=240)
        except FileNotFoundError:
            continue
        equal((done.returncode, done.stderr), (0, ""), compiler)
        tried += 1
    equal(tried >= 2, True, "no compiler tried")


def test_names():
    """What leaves the library is what its map lists, under that version, and all of the header."""
    listed = set(re.findall(r"(ttmem\w+);", MAP.read_text()))
    shown = subprocess.run(["nm", "-D", "--defined-only", "--with-symbol-versions", str(LIBRARY)],
                           capture_output=True, text=True, check=True).stdout
    equal(set(re.findall(r" T (\S+)", shown)), {f"{name}@@LIBTTMEM_0" for name in listed})
    equal(re.findall(r" [A-SU-Z] (\S+)", shown), ["LIBTTMEM_0"], "nothing else")
    header = (ROOT / "include/ttmem/ttmem.h").read_text()
    equal(set(re.findall(r"(?m)^TTMEM_EXPORT [^(]*?\*?(ttmem\w+)\(", header)), listed)
    dynamic = subprocess.run(["readelf", "-dW", str(LIBRARY)], capture_output=True,
                             text=True).stdout
    equal(re.findall(r"SONAME.*\[(.*)\]", dynamic), ["libttmem.so.0"])
    equal(set(re.findall(r"NEEDED.*\[(.*)\]", dynamic)) <= {"libc.so.6", "ld-linux-x86-64.so.2"},
          True, dynamic)
    equal("NODELETE" in dynamic, True, "threads of it may wait for a card")


def test_calls_nothing_of_others():
    """In somebody's process: it ends nothing, prints nothing and takes no signal."""
    names = subprocess.run(["nm", "-D", str(LIBRARY)], capture_output=True, text=True).stdout
    used = set(re.findall(r" U ([^@\s]+)", names))
    # _exit is of the tool's way to read cards, by children, which a library never takes
    equal(used & {"exit", "abort", "printf", "puts", "perror", "fprintf", "vfprintf",
                  "__printf_chk", "__fprintf_chk", "__vfprintf_chk", "sigaction", "signal",
                  "setenv", "putenv", "chdir", "system", "atexit", "pthread_atfork",
                  "__register_atfork"}, set())


def test_abi():
    """No struct or function has changed under a name that programs are linked with."""
    try:
        equal(abi.compare(), "", "tests/abi/libttmem.abi (see abi.py)")
        # and it would have been noticed
        header = (ROOT / "include/ttmem/ttmem.h").read_text()
        changed = header.replace("	uint32_t pid;	  /* this process only", "	uint64_t pid; /*")
        equal(changed != header and "ttmemTakeOptions_t" in abi.compare(changed), True)
    except FileNotFoundError as missing:
        raise Skip(f"no {missing.filename} here (apt-get install abigail-tools)") from None


def test_report_and_look_at_itself():
    """Its own look at itself gives its figures, and does not make others believe it is dead."""
    with Running("report", "--hold") as app:
        equal(app.line, "occupied 67108864 of 8589934592 bytes, largest hole 7985954816, "
                        "peak 335544320\n")
        process = app.seen()
        equal((process["state"], process["entry"]), ("live", "report"))
        equal(process["devices"][0]["memory"]["dram"]["occupied_bytes"], 64 << 20)
        said = " ".join(ttmem("doctor", "--no-server", check=False).stdout.split())
        equal(f"process {app.process.pid}: reports its memory (by report, runtime " in said, True,
              said)
        equal(f"process {app.process.pid}: not told by its report: verify" in said, True, said)
    gone = [p for p in ttmem_json("--no-server")["processes"] if p["pid"] == app.process.pid]
    equal(gone, [])


def test_examples_on_a_machine():
    """What is reported for two cards is seen on these two, by C and by C++."""
    with tempfile.TemporaryDirectory() as there:
        cards = hosts.build("p300", there).cards
        # the serial number is the same, so only the fuses tell the two apart
        chips = [ids.blackhole_alone(card.asic_id) for card in cards]
        with Running("workload", *map(str, chips)) as app:
            equal(app.line, "holding\n")
            text = example("query", there)
            equal(re.findall(r"(?m)^device (\d+) p300a$", text), ["0", "1"])
            mine = f"process {app.process.pid} (report)"
            equal(mine in text, True, text)
            equal(text.count(f"buffer of {app.process.pid}: dram"), 8)
            fullest = example("fullest", there)
            equal(re.fullmatch(r"device [01]: 1\d\.?\d* % of DRAM\n", fullest) is not None, True,
                  fullest)
            view = ttmem_json(f"--root={there}", "--no-server")
            for device in view["devices"]:
                equal(device["memory"]["dram"]["occupied_bytes"] > 5 << 30, True)
                card = next(c for c in view["cards"] if c["number"] == device["card"])
                equal(card["board"], "p300a")
            equal({f["type"] for f in app.seen()["failures"]["last"]}, {"l1"})


if __name__ == "__main__":
    sys.exit(run_tests(globals()))
