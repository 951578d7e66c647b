#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Are the figures that a program asks for about itself those of ttnn's own get_memory_view?

Reason: they are what people put into tests and logs, and a peak that was sampled or that another
region of code had would be worse than none.
"""
import os
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "lib")]

from mock import Mock
from test_truth import installed
from testing import BUILD, ROOT, TTMEM, equal, run_tests, ttmem_json

ENV = {"PYTHONPATH": str(ROOT / "python"), "TTMEM_LIBRARY": str(BUILD / "src/lib/libttmem.so.0"),
       "PATH": f"{TTMEM.parent}:{os.environ['PATH']}", "TTMEM_SOCKET_DIR": "/nonexistent"}


def test_own_figures():
    """In use, limit, largest hole, peaks of nested regions: ours beside theirs, byte for byte."""
    with Mock(installed("0.81.1"), "package.py", prefix=[str(TTMEM), "run", "--"],
              env=ENV) as program:
        pauses = program.pauses()
        out = next(pauses, None)
        if out is None:
            raise AssertionError(program.process.stderr.read()[-1200:])
        equal(out.pop("before"), [False, 0, 0], "before a device is open")
        for kind, figures in out.pop("figures").items():
            for name, (ours, theirs) in figures.items():
                equal(ours, theirs, f"{kind} {name}")
        text, document = out.pop("explain")
        equal("L1" in text and len(text.splitlines()) > 3, True, text)
        equal(document["schema"].startswith("ttmem.explain/"), True, document)
        for what, (ours, theirs) in out.items():
            equal(ours, theirs, what)
        seen = next(p for p in ttmem_json("--no-server")["processes"]
                    if p["pid"] == program.process.pid)
        equal(seen["state"], "live", "after it has looked at itself")
        equal(next(pauses)["closed"], [0, 0])


if __name__ == "__main__":
    sys.exit(run_tests(globals()))
