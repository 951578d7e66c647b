#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Are the files of `ttmem dump` those of ttnn.dump_device_memory_state?

Reason: scripts exist that read the reporter's files; they should work on ours without a change.
At each pause the released library has just written its own, and we write ours from outside: the
two summaries must be the same bytes; of the detailed file everything but the numbers of blocks,
which are the allocator's history.
"""
import os
import pathlib
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "lib")]

from compare import open_allocators, process_of
from mock import Mock
from test_truth import installed
from testing import TTMEM, equal, run_tests, ttmem, ttmem_json

SUMMARIES = ("memory_usage_summary.csv", "l1_usage_summary.csv")
DETAILED = "detailed_memory_usage.csv"
HEADINGS = ["Block", "Address", "Size", "PrevID", "NextID", "Allocated"]


def sections(text):
    """Per memory type: its heading and totals, lists of free blocks and blocks, with addresses
    in place of numbers. What is not known from outside, the slots without a block, is left out."""
    out, lines, in_table = [], text.split("\n"), False
    equal(lines.pop(), "", "the file ends with a line end")
    for line in lines:
        if line.startswith(",") and not line.startswith(",Total"):
            out.append({"lines": [], "lists": [], "blocks": []})
            in_table = False
        if in_table:
            equal(len(line), 6 * 13 - 1, "width of a row of the block table: " + line)
            out[-1]["blocks"].append(line.split())
        elif ") blocks: " in line:
            out[-1]["lists"].append(line.partition(") blocks: "))
        else:
            out[-1]["lines"].append(line.partition("block table: ")[0])
        in_table = in_table or line.split() == HEADINGS
    for section in out:
        address = {number: int(start) for number, start, *rest in section["blocks"]}
        section["lists"] = [(name, [address[n] for n in numbers.split()])
                            for name, _, numbers in section["lists"]]
        section["blocks"] = sorted(
            [int(start), int(size), address.get(before), address.get(after), allocated]
            for _, start, size, before, after, allocated in section["blocks"])
    return out


def check_detailed(ours, theirs, what):
    """One memory type after the other, so that a difference is short enough to read."""
    equal(len(sections(ours)), len(sections(theirs)), what + " memory types")
    for mine, real in zip(sections(ours), sections(theirs)):
        for part in real:
            equal(mine[part], real[part], f"{what} {real['lines'][0]} {part}")


def prefixes(count, allocators):
    return [""] if count == 1 else [f"allocator{a}_" for a in allocators]


def check_set(ours, reports, our_prefix, prefix, what):
    for name in SUMMARIES:
        equal((ours / (our_prefix + name)).read_bytes(), (reports / (prefix + name)).read_bytes(),
              f"{what} {name}")
    check_detailed((ours / (our_prefix + DETAILED)).read_text(),
                   (reports / (prefix + DETAILED)).read_text(), f"{what} {DETAILED}")


def check_pause(line, reports, scratch):
    what = line["event"]
    ours = scratch / what / "new"
    done = ttmem("dump", "--pid", line["pid"], ours)
    equal(done.stderr, "", what + " says nothing")
    ids = [a["id"] for a in open_allocators(process_of(ttmem_json(), line["pid"]))]
    mine = prefixes(len(line["prefixes"]), ids)
    equal(len(mine), len(line["prefixes"]), what + " sets")
    equal(done.stdout.split(), [f"{ours}/{p}{name}" for p in mine
                                for name in (*SUMMARIES, DETAILED)], what + " names")
    equal(sorted(os.listdir(ours)), sorted(p + n for p in mine for n in (*SUMMARIES, DETAILED)),
          what + " files")
    for our_prefix, prefix in zip(mine, line["prefixes"]):
        check_set(ours, reports, our_prefix, prefix, f"{what} {prefix}")


def same_files(version, cluster, rows, columns):
    with tempfile.TemporaryDirectory() as scratch, \
            Mock(installed(version), "dump.py", rows, columns, cluster=cluster,
                 prefix=[str(TTMEM), "run", "--"]) as mock:
        reports = mock.scratch / "logs/generated/reports"
        pauses = 0
        for line in mock.pauses():
            check_pause(line, reports, pathlib.Path(scratch))
            pauses += 1
        code, err = mock.end()
        equal(code, 0, "exit code; " + err[-500:])
        equal(pauses >= 7, True, f"{pauses} pauses")


MATRIX = [
    ("0.81.1", "n150", 1, 1),
    ("0.81.1", "n300", 1, 2),
    ("0.81.1", "t3k", 2, 4),
    ("0.81.1", "p150", 1, 1),
    ("0.80.0", "n150", 1, 1),
    ("0.76.0", "n150", 1, 1),
    ("0.66.0", "n150", 1, 1),
]


def cases():
    for version, cluster, rows, columns in MATRIX:
        name = f"dump {version} {cluster} {rows}x{columns}"
        yield name, lambda c=(version, cluster, rows, columns): same_files(*c)


if __name__ == "__main__":
    sys.exit(run_tests(globals(), list(cases())))
