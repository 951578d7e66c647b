#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What native stacks alone say of real operations.

Reason: where Python does not tell (C++ programs, foreign threads) the name of an operation comes
from symbols. Forty operations of the released wheel, each with its program new and cached; the
script itself says which buffer is whose. NATIVE_SITES_VERSIONS="0.81.1 0.76.0" takes longer.
"""
import json
import os
import pathlib
import shutil
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "lib")]

from mock import Mock, environment, make_scratch
from test_truth import installed
from testing import BUILD, HOOK, TTMEM, Skip, equal, run_tests, ttmem_json

# The native rule cannot know these: both come from bindings that are not operations.
HARD = {"ttnn.to_device", "ttnn.allocate_tensor_on_device"}


def look(version, then):
    with Mock(installed(version), "every_op.py", prefix=[str(TTMEM), "run", "--"],
              env={"TTMEM_SITES": "native"}) as mock:
        for line in mock.pauses():
            begin = time.monotonic()
            rows = ttmem_json("buffers", "--stack", "--no-server", "-p", str(line["pid"]))
            print(f"# names of all stacks: {time.monotonic() - begin:.2f} s")
            then(line, {row["address"]: row for row in rows["buffers"] if row["type"] == "dram"})
        code, err = mock.end()
        equal(code, 0, err[-300:])


def check_ops(line, rows):
    right, wrong = set(), {}
    for name, address in line["buffers"]:
        got = rows[address]["op"]
        if got == name:
            right.add(name)
        else:
            wrong[name] = got
    print(f"# {len(right - set(wrong))} right; wrong: {wrong}; do not run: {line['failed']}")
    names = {name for name, _ in line["buffers"]}
    equal(set(wrong) - HARD, set(), f"wrong: {wrong}")
    # two names stand for two calls each
    equal(len(names) >= 36, True, f"operations that ran, without {line['failed']}")


def check_shape(line, rows):
    for name, address in line["buffers"]:
        stack = rows[address]["stack"]
        equal(stack[0]["module"].endswith("libtt_metal.so"), True, f"{name}: first {stack[0]}")
        outside = [i for i, frame in enumerate(stack)
                   if "/ttnn/" not in frame["module"]]
        equal(outside, [len(stack) - 1], f"{name}: {stack[-1]}")
        equal(all(frame["symbol"] for frame in stack[:-1]), True, f"{name}: {stack}")
        launches = [frame["symbol"] for frame in stack
                    if "device_operation::detail::launch<" in (frame["symbol"] or "")]
        if name == "ttnn.matmul":
            equal(launches, ["ttnn::device_operation::detail::launch<"
                             "ttnn::prim::MatmulDeviceOperation>"], "launches")


def test_ops_by_symbols():
    """Reason: at least 38 of 40 calls have the name that Python knows them by; and stacks lead from
    TT-Metal to the interpreter and not into it, whose frames are others in every call."""
    def check(line, rows):
        check_shape(line, rows)
        check_ops(line, rows)
    for version in os.environ.get("NATIVE_SITES_VERSIONS", "0.81.1").split():
        look(version, check)


def test_program_without_python():
    """Reason: C++ programs are whom native stacks are for: without being asked for, the user's own
    function is the site, and the stack leads from it to TT-Metal."""
    package = next(installed("0.81.1").parents[1].glob("lib/python3*/site-packages/ttnn"))
    program, scratch = str(BUILD / "tests/metal/metal-native"), make_scratch()
    env = {**environment(scratch, "n150", False), "LD_PRELOAD": str(HOOK),
           "TT_METAL_RUNTIME_ROOT": str(package), "TT_METAL_HOME": str(package)}
    env.pop("TTMEM_SITES", None)
    process = subprocess.Popen([program, str(package / "build/lib/libtt_metal.so")], env=env,
                               cwd=scratch / "logs", text=True, stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        line = process.stdout.readline()
        if process.poll() == 77:
            raise Skip("this release has other functions")
        rows = ttmem_json("buffers", "--stack", "--no-server", "-p",
                          str(json.loads(line)["pid"]))["buffers"]
        equal([row["requested_bytes"] for row in rows], [2 << 20, 1 << 20], "buffers")
        for row in rows:
            equal(row["site"], {"file": program, "line": None, "function": "model::load_weights"},
                  "site")
            equal([frame["symbol"] for frame in row["stack"]][:4],
                  ["tt::tt_metal::BufferImpl::create", "tt::tt_metal::distributed::MeshBuffer::create",
                   "model::load_weights", "main"], "stack")
        equal(len({frame["offset"] for row in rows for frame in row["stack"]
                   if frame["symbol"] == "main"}), 2, "lines of main")
        process.communicate(timeout=240)
        equal(process.returncode, 0, "exit code")
    finally:
        process.kill()
        process.communicate()
        shutil.rmtree(scratch, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(run_tests(globals()))
