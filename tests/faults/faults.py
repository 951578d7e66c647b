# SPDX-License-Identifier: Apache-2.0
"""Runs a program with libttmem-faults.so and says what it met: see faults.c for the kinds.

Not for programs built with a sanitizer: its runtime steps into the same functions, before us.
"""
import os
import pathlib
import subprocess
import tempfile

BUILD = pathlib.Path(os.environ.get("BUILD", "build"))
if not BUILD.is_absolute():
    BUILD = pathlib.Path(__file__).resolve().parents[2] / BUILD
LIBRARY = BUILD / "tests/faults/libttmem-faults.so"
PROBE = BUILD / "tests/faults/faults-probe"


class Met:
    """A finished program: its process, the calls that matched, the files it opened."""

    def __init__(self, process, calls, opened):
        self.process, self.calls, self.opened = process, calls, opened

    def opened_below(self, part):
        """Opens that touch a path, by its name or by what it was; O_PATH opens no device."""
        return [line for line in self.opened
                if any(part in path for path in line[:2]) and line[2] == "open"]


def run(command, fault=None, env=None, **more):
    """fault: PATTERN:KIND:N[:COUNT] or None, which only watches."""
    with tempfile.TemporaryDirectory(prefix="ttmem-faults.") as scratch:
        count, trace = pathlib.Path(scratch, "count"), pathlib.Path(scratch, "trace")
        environment = {**os.environ, **(env or {}), "LD_PRELOAD": str(LIBRARY),
                       "TTMEM_FAULT_COUNT": str(count), "TTMEM_TRACE_OPEN": str(trace)}
        if fault:
            environment["TTMEM_FAULT"] = fault
        process = subprocess.run([str(word) for word in command], env=environment,
                                 capture_output=True, timeout=240, **more)

        def lines(path):
            return path.read_text(errors="replace").splitlines() if path.exists() else []
        return Met(process, lines(count), [line.split("\t") for line in lines(trace)])


def every(command, pattern, kind, count=1, **more):
    """The program once for each call that matches, with the fault at that one: (N, Met).

    Ends when a run is through before its Nth call came. A fault may make a program do more
    calls than it did without, so the end is not known at the beginning.
    """
    n = 1
    while True:
        met = run(command, f"{pattern}:{kind}:{n}:{count}", **more)
        if len(met.calls) < n:
            return
        yield n, met
        n += 1
