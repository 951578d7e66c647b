#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Whose line allocated, and which operation: against what the program itself knows.

Reason: offsets into somebody else's interpreter prove nothing on a stand-in. Two interpreters,
for which there are wheels; each operation once and once more with its program cached.
"""
import os
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "lib"), str(HERE.parent / "integration")]

from compare import process_of
from mock import Mock
from test_truth import KIT
from testing import HOOK, Skip, equal, run_tests, ttmem_json

VERSION = "0.81.1"


def installed(minor):
    """The interpreter of a venv with the release; installed on first use."""
    pythons = sorted((pathlib.Path(os.environ.get("PYENV_ROOT") or pathlib.Path.home() / ".pyenv")
                      / "versions").glob(f"3.{minor}*/bin/python3"))
    if not pythons:
        raise Skip(f"no Python 3.{minor}: none under ~/.pyenv/versions")
    done = None
    for where in (KIT, KIT / f"cp3{minor}"):  # the first one may be of either version
        venv = where / VERSION / "venv"
        if list(venv.glob(f"lib/python3.{minor}")) or where != KIT:
            done = subprocess.run(
                [sys.executable, str(HERE / "install.py"), str(where), VERSION],
                env={**os.environ, "PYTHON": str(pythons[0])})
            break
    if done.returncode != 0:
        raise AssertionError(f"ttnn {VERSION} cannot be installed for 3.{minor}")
    return venv / "bin/python"


def check(minor):
    """Every buffer that is kept has the file, line and function of its line, and its operation."""
    with Mock(installed(minor), "sites.py", env={"LD_PRELOAD": str(HOOK)}) as mock:
        line = next(mock.pauses())
        listing = ttmem_json("buffers")["buffers"]
        buffers = {(b["type"], b["address"]): b for b in listing if b["pid"] == line["pid"]}
        process = process_of(ttmem_json(), line["pid"])
    last, want = process["failures"]["last"][0], line["refusal"]
    equal((last["op"], last["site"]),
          (want["op"], {k: want[k] for k in ("file", "line", "function")}), "who was refused")
    equal(process["capabilities"]["sites"], {"state": "present", "reason": None}, "frees have settled it")
    equal(line["refused"], [], "operations that do not run")
    for want in line["sites"]:
        got = buffers[want["type"], want["address"]]
        equal(got["site"], {k: want[k] for k in ("file", "line", "function")}, want["op"])
        equal(got["op"], want["op"])
    equal(len({want["op"] for want in line["sites"]}), 37, "operations")
    # whatever else is there has a line as well
    equal([b for b in buffers.values() if not b["site"] or not b["site"]["line"]], [], "no site")


def test_python_3_12():
    """Inline values, co_version, frames without objects."""
    check(12)


def test_python_3_10():
    """Frame objects, no versions: what is remembered is told apart by its content."""
    check(10)


if __name__ == "__main__":
    sys.exit(run_tests(globals()))
