#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What ttmem draws of every fake machine, at three widths, kept as files to be looked at.

Reason: a screen is for eyes; only a picture shows a column that is off. The real tool draws it
where no other process is to be seen; time, version, names of users and the place of the tree
are made constant. GOLDEN_UPDATE=1 writes the files instead of comparing; then look at them.
"""
import os
import pathlib
import re
import sys

TESTS = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS / part) for part in ("lib", "hosts", "faults")]
sys.dont_write_bytecode = True

import faults
import hosts
from fake import Fake, alone
from testing import Skip, equal, run_tests

GOLDEN = TESTS / "unit/golden/hosts"
WIDTHS = (80, 120, 200)
ASCII = ("n300", "mixed", "unplugged", "galaxy-bh", "pids-dead")
# a card of p150x4 in a state that no plain file can make
STATES = {"reset": "tenstorrent!2/tt_:read.ENODATA:1:0", "gone": "tenstorrent!2:EIO:1:0",
          "stuck": "tenstorrent!2/tt_aiclk:read.hang=30:1"}
USER_AT = slice(10, 20)  # behind "│ " and eight columns of pid


def constant_head(line):
    """The version and the time, without moving what is between them."""
    found = re.fullmatch(r"(. ttmem )(\S+)(.*?)( +)(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d .)", line)
    if not found:
        return line
    start, version, middle, gap, end = found.groups()
    gap += " " * (len(version) - len("0.0.0"))
    return f"{start}0.0.0{middle}{gap}2026-01-01 00:00:00{end[19:]}"


def constant_user(line, uids):
    found = re.match(r"[│|] (\d+) +", line)
    if not found or int(found.group(1)) not in uids:
        return line
    return line[:USER_AT.start] + f"{uids[int(found.group(1))]:<10}" + line[USER_AT.stop:]


def constant(fake, text):
    uids = {process.pid: process.uid for process in fake.host.processes}
    text = text.replace(str(fake.path), "ROOT")
    text = re.sub(r"Looked at \d+ processe?s?", "Looked at N processes", text)
    return "\n".join(constant_user(constant_head(line), uids) for line in text.split("\n"))


def check_box(text, width, what):
    """A box: every line as wide as the first, none wider than asked for."""
    lines = [line for line in text.splitlines() if line[:1] in "┌│├╞└+|"]
    for line in lines:
        equal(len(line), len(lines[0]), f"{what}: {line}")
        equal(len(line) <= width, True, f"{what}: {line}")
        equal(line[-1] in "┐│┤╡┘+|", True, f"{what}: {line}")


def screen(fake, name, width, *options, env=None):
    text = constant(fake, alone("--no-server", "--root", fake.path, "--width", width, *options,
                                env=env))
    what = f"{name}-{width}" + ("-ascii" if "--ascii" in options else "")
    check_box(text, width, what)
    if "--ascii" in options:
        equal(text.isascii(), True, what)
    file = GOLDEN / f"{what}.txt"
    if os.environ.get("GOLDEN_UPDATE"):
        GOLDEN.mkdir(exist_ok=True)
        file.write_text(text)
    elif text != file.read_text():
        raise AssertionError(f"{what} is not what {file} has:\n{text}")


def one_host(name):
    with Fake(name) as fake:
        for width in WIDTHS:
            screen(fake, name, width)
        if name in ASCII:
            screen(fake, name, 80, "--ascii")


def test_states():
    """A card that does not answer as it should has a mark, and the others have all they had."""
    if os.environ.get("TTMEM_SANITIZED"):
        raise Skip("a sanitizer's runtime is in front of any preloaded library")
    with Fake("p150x4") as fake:
        for state, fault in STATES.items():
            screen(fake, state, 80, env={"LD_PRELOAD": faults.LIBRARY, "TTMEM_FAULT": fault})


def test_each_file_is_a_host():
    """No picture is left of a host that is gone."""
    if os.environ.get("GOLDEN_UPDATE"):
        raise Skip("pictures are being written")
    want = {f"{name}-{width}" for name in hosts.HOSTS for width in WIDTHS}
    want |= {f"{name}-80-ascii" for name in ASCII} | {f"{state}-80" for state in STATES}
    equal({path.stem for path in GOLDEN.glob("*.txt")}, want, "pictures")


def cases():
    for name in hosts.HOSTS:
        yield f"screens of {name}", lambda n=name: one_host(n)


if __name__ == "__main__":
    sys.exit(run_tests(globals(), cases()))
