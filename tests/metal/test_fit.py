#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Is what ttmem fit says true? The released allocator is asked.

Reason: fit computes in pages, banks and alignments what TT-Metal's allocator will do. In 200
random states of a real program the largest size that it names must allocate and one page more
must not; and when what "would have to go" is gone, what did not fit fits.
"""
import json
import pathlib
import random
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "lib")]

from mock import Mock
from test_truth import installed
from testing import TTMEM, equal, run_tests

STATES = 200


def fit(size, *arguments):
    done = subprocess.run([str(TTMEM), "fit", str(size), "--format=json", "--no-server", *arguments],
                          capture_output=True, text=True, timeout=240)
    answer = json.loads(done.stdout)
    if "error" in answer:
        raise AssertionError(answer["error"])
    equal(done.returncode, 0 if answer["fits"] else 1, "exit code")
    return answer


def answer_of(mock):
    """The next line of JSON; TT-Metal logs between them."""
    for line in mock.process.stdout:
        if line.startswith("{"):
            return json.loads(line)
    raise AssertionError("it ended: " + mock.end()[1][-500:])


def ask(mock, **question):
    mock.process.stdin.write(json.dumps(question) + "\n")
    mock.process.stdin.flush()
    return answer_of(mock)


class Counts:
    def __init__(self):
        self.largest = self.freed = self.sharded = 0


def check_state(mock, rng, counts):
    kind, page = rng.choice(("l1", "dram")), rng.choice((2048, 4096, 1088, 100, 514))
    cores = rng.choice((0, 1, 7, 8, 50, 64)) if kind == "l1" and page == 2048 else 0
    options = [f"--type={kind}", f"--page={page}", *([f"--cores={cores}"] if cores else [])]
    step = page * cores if cores else page  # a shard is as long on each core
    what = f"{kind}, pages of {page}, {cores or 'all'} cores"
    question = {"kind": kind, "page_bytes": page, "cores": cores}
    largest = fit(1, *options)["largest_bytes"]
    equal(largest % step, 0, what + " whole pages")
    if largest:
        equal(fit(largest, *options)["fits"], True, what)
        equal(ask(mock, **question, pages=largest // page)["fits"], True, f"{what}: {largest} B")
        counts.largest += 1
    more = fit(largest + step, *options)
    equal(more["fits"], False, what + ", one page more")
    answer = ask(mock, **question, pages=(largest + step) // page)
    equal(answer["fits"], False, f"{what}: {largest + step} B")
    equal("Not enough space" in answer["text"], True, answer["text"])
    go = more["would_have_to_go"]
    if go:
        equal(go["bank_bytes"], sum(b["bank_bytes"] for b in go["buffers"]), "what goes")
        addresses = [b["address"] for b in go["buffers"]]
        answer = ask(mock, **question, pages=(largest + step) // page, free=addresses)
        equal(answer["fits"], True, f"{what}: {largest + step} B without {addresses}")
        counts.freed += 1
    counts.sharded += cores != 0


def states(version, cluster, seed, number):
    rng, counts = random.Random(seed), Counts()
    with Mock(installed(version), "fit_states.py", seed, number, cluster=cluster,
              prefix=[str(TTMEM), "run", "--"]) as mock:
        for state in range(number):
            equal(answer_of(mock)["state"], state)
            check_state(mock, rng, counts)
            mock.process.stdin.write("\n")
            mock.process.stdin.flush()
        equal(mock.end()[0], 0, "exit code")
    for name, least in (("largest", number * 3 // 4), ("freed", number // 2),
                        ("sharded", number // 20)):
        if getattr(counts, name) < least:
            raise AssertionError(f"only {getattr(counts, name)} states with {name}")
    print(f"# {version} {cluster}: {number} states, {vars(counts)}")


def test_200_states():
    states("0.81.1", "n150", 1, STATES)


def test_other_banks():
    """Blackhole rounds DRAM pages to 64 bytes."""
    states("0.81.1", "p150", 2, 40)


def test_old_release():
    states("0.66.0", "n150", 3, 40)


if __name__ == "__main__":
    sys.exit(run_tests(globals()))
