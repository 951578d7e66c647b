#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Does ttmem explain understand what the released library really throws?

Reason: wordings and figures change with every release. Each error that a mock cluster can be
made to give is explained from its text alone; verdict and missing bytes must be what the
program's allocators say, and the buffers in the way those of the process.
"""
import json
import pathlib
import re
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "lib")]

from mock import Mock
from test_truth import installed
from testing import TTMEM, equal, run_tests, ttmem_json

VERSIONS = ("0.81.1", "0.80.0", "0.76.0")
SEEN_AT_LEAST = {"region", "too_large", "full", "clash", "fragmented", "beyond_l1"}


def explain(*arguments, text=None):
    done = subprocess.run([str(TTMEM), "explain", "--format=json", *arguments], input=text,
                          capture_output=True, text=True, timeout=240)
    return json.loads(done.stdout), done.returncode


def clash_bytes(text):
    """Of this one there is no view to compare with: the two addresses in the text itself."""
    lowest, end = (int(n) for n in re.search(
        r"allocated at (\d+) and static \w+ buffer region ends at (\d+)", text).groups())
    return end - lowest, lowest, end


def check_program(pid, lowest, end, way):
    """Before it happens: a program that ends there does not fit, and for the same buffers."""
    process = [p for p in ttmem_json()["processes"] if p["pid"] == pid][0]
    base = [a for a in process["allocators"] if a["open"]][-1]["counts"]["l1"]["base_address"]
    for size, fits in ((end - base, False), (lowest - base, True), (lowest - base + 1, False)):
        done = subprocess.run([str(TTMEM), "fit", "--format=json", "--program", str(size)],
                              capture_output=True, text=True, timeout=240)
        answer = json.loads(done.stdout)
        equal((answer["fits"], answer["largest_bytes"]), (fits, lowest - base), f"program of {size}")
        if size == end - base:
            equal(answer["would_have_to_go"]["total"], way["total"])


def check_buffers(answer, line):
    """What lies in the way, of a process that is still there."""
    way = answer["in_the_way"]
    equal(answer["pid"], line["pid"])
    equal(way["moment"], "now")
    if answer["verdict"] == "clash":
        _, lowest, end = clash_bytes(line["text"])
        addresses = [b["address"] for b in way["buffers"]]
        equal(addresses[0], lowest, "the lowest buffer")
        equal(all(a < end for a in addresses), True, "all below the end")
        check_program(line["pid"], lowest, end, way)
    elif answer["verdict"] == "fragmented":
        # the hole and what goes make room for what was needed
        equal(way["total"] >= 1, True)
        equal(way["bank_bytes"] >= answer["short_bytes"], True)
    elif answer["verdict"] == "full" and answer["type"] in ("l1", "dram"):
        sizes = [b["bank_bytes"] for b in way["buffers"]]
        equal(sizes, sorted(sizes, reverse=True), "the largest ones first")
        equal(len(sizes) > 0, True)
    for buffer in way["buffers"]:
        equal(buffer["pid"], line["pid"])


def check_line(line):
    text, short = line["text"], line["short"]
    if text is None:
        raise AssertionError(line["event"] + ": no error came")
    if line["want"] == "clash":
        short = clash_bytes(text)[0]
    elif line["want"] == "beyond_l1":
        end, size = re.search(r"grow to (\d+) B which is beyond max L1 size of (\d+)", text).groups()
        short = int(end) - int(size)
    for source in ({"text": text}, {"text": "E   " + text.replace("\n", "\nE   ")}):
        answer, code = explain("--no-server", **source)
        equal((answer["verdict"], answer["short_bytes"], code), (line["want"], short, 0),
              line["event"])
    check_buffers(answer, line)
    people = subprocess.run([str(TTMEM), "explain", "--pid", str(line["pid"]), text],
                            capture_output=True, text=True, timeout=240)
    equal(people.stdout.startswith(line["want"] + ": "), True, people.stdout + people.stderr)
    equal(str(short) in people.stdout, True, people.stdout)


def check_last(line):
    """The record has no layout, so of an interleaved request the need is an estimate."""
    answer, code = explain("--last", "--no-server")
    equal((answer["verdict"], answer["short_bytes"], code), (line["want"], line["short"], 0),
          "--last of " + line["event"])
    equal(answer["pid"], line["pid"])


def errors(version):
    with Mock(installed(version), "errors.py", prefix=[str(TTMEM), "run", "--"]) as mock:
        seen, everything = set(), ""
        for line in mock.pauses():
            check_line(line)
            if line["event"] in ("l1 full", "l1 fragmented", "dram full", "dram too large"):
                check_last(line)
            seen.add(line["want"])
            everything += line["text"] + "\n"
        code, err = mock.end()
        equal(code, 0, "exit code; " + err[-500:])
    equal(SEEN_AT_LEAST - seen, set(), "kinds of errors")
    # all of them as one log, now that the process is gone
    answer, _ = explain("--no-server", text=everything + err)
    equal(answer["verdict"], "full", "the last one")
    equal(answer["in_the_way"], None, "nobody is there any more")
    equal(SEEN_AT_LEAST - {o["verdict"] for o in answer["others"]}, set(), "the others")


def cases():
    for version in VERSIONS:
        yield f"explain {version}", lambda v=version: errors(v)


if __name__ == "__main__":
    sys.exit(run_tests(globals(), list(cases())))
