#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What holds for the sources as a whole.

Reason: a file that came along by accident (a download, a build) or an include that goes up
does no harm on the day it is made, and is costly to get rid of later.
"""
import pathlib
import re
import subprocess
import sys

TESTS = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(TESTS / "lib"))
sys.dont_write_bytecode = True

from testing import Skip, equal, run_tests

ROOT = TESTS.parent
# the layers, each with those that it may include
BELOW = {
    "base": [], "model": ["base"], "symbols": ["base"], "metal": [], "region": [],
    "analyse": ["model", "base"],
    "hook": ["region", "metal"],
    "inject": ["region", "base"],
    "source": ["model", "base"],
    "collect": ["source", "region", "analyse", "metal", "model", "symbols", "base"],
    "api": ["model", "base", "collect"],
    "view": ["api", "analyse", "model", "base"],
    "lib": ["api", "collect", "region", "model", "base"],
    "server": ["api", "collect", "region", "source", "analyse", "model", "base", "view"],
    "tool": ["view", "api", "inject", "collect", "region", "source", "analyse", "metal", "model",
             "base"],
}
# inputs of fuzzers may be anything
NO_TEXT = ("tests/fuzz/corpus/",)


def tracked():
    listing = subprocess.run(["git", "-C", ROOT, "ls-files", "-z"], capture_output=True, text=True,
                             check=False)
    if listing.returncode != 0:
        raise Skip("these sources are no git checkout: " + listing.stderr.strip())
    return [name for name in listing.stdout.split("\0") if name and (ROOT / name).is_file()]


def test_layers():
    """An arrow goes down only (docs/architecture.md)."""
    folders = sorted(path.name for path in (ROOT / "src").iterdir() if path.is_dir())
    equal(folders, sorted(BELOW))
    wrong = []
    for file in ROOT.glob("src/*/*.[ch]"):
        own = file.parent.name
        for folder in re.findall(r'#include "(\w+)/', file.read_text()):
            if folder in BELOW and folder != own and folder not in BELOW[own]:
                wrong.append(f"{own}/{file.name} includes {folder}/")
    equal(wrong, [])


def test_only_text():
    """Everything that is kept is text, and not large: no download, no build."""
    wrong = []
    for name in tracked():
        data = (ROOT / name).read_bytes()
        if name.startswith(NO_TEXT):
            continue
        if b"\0" in data:
            wrong.append(f"{name} is no text")
        if len(data) > 1 << 19:
            wrong.append(f"{name} has {len(data)} bytes")
    equal(wrong, [])


def test_licence_of_each_source():
    """Each source of ours names its licence in its first lines."""
    equal([name for name in tracked()
           if name.endswith((".c", ".h", ".py", ".S")) and not name.startswith("third_party/")
           and b"SPDX-License-Identifier: " not in (ROOT / name).read_bytes()[:200]], [])


if __name__ == "__main__":
    sys.exit(run_tests(globals()))
