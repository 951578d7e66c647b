# SPDX-License-Identifier: Apache-2.0
"""The smallest test runner that says everything: one line a test, and why.

A test is a function whose name starts with test_; its docstring is its reason. It fails by
an exception and skips by Skip. Lines are "ok", "not ok" or "skip" with the name and, where
there is one, the reason; tests/run counts them.
"""
import json
import os
import pathlib
import subprocess
import sys
import time
import traceback

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("BUILD", "build"))
if not BUILD.is_absolute():
    BUILD = ROOT / BUILD
TTMEM = BUILD / "src/tool/ttmem"
TTMEMD = BUILD / "src/server/ttmemd"
HOOK = BUILD / "src/hook/libttmem-hook.so"


# Longer than anything takes on a machine that is ten times slower and has others on it. Nobody waits
# so long but for what never comes.
PATIENCE_S = 240


class Skip(Exception):
    """Cannot run here; the text says what is missing."""


def equal(got, want, what=""):
    if got != want:
        raise AssertionError(f"{what}: got {got!r}, want {want!r}")


def ttmem(*arguments, env=None, check=True, **more):
    """Runs ttmem; gives the finished process with text output."""
    done = subprocess.run([str(TTMEM), *map(str, arguments)], capture_output=True, text=True,
                          env={**os.environ, **(env or {})}, timeout=PATIENCE_S, **more)
    if check and done.returncode != 0:
        raise AssertionError(f"ttmem {arguments}: exit {done.returncode}: {done.stderr}")
    return done


def ttmem_json(*arguments, env=None):
    return json.loads(ttmem(*arguments, "--format=json", env=env).stdout)


def need_ptrace():
    """Whether the kernel lets this user into processes that are not its children."""
    scope = pathlib.Path("/proc/sys/kernel/yama/ptrace_scope")
    value = scope.read_text().strip() if scope.exists() else "0"
    if value == "3" or (value != "0" and os.geteuid() != 0):
        raise Skip(f"kernel.yama.ptrace_scope is {value}: only root may attach, or nobody")


def wait_until(what, condition):
    """Waits for something outside our control; fails with `what` when it never comes."""
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.01)
    raise AssertionError("never came: " + what)


def run_tests(module, cases=()):
    """Runs test_ functions of a module (a dict, as globals()) and (name, function) cases."""
    wanted = sys.argv[1:]
    tests = [(name, f) for name, f in module.items() if name.startswith("test_") and callable(f)]
    failed = 0
    for name, function in [*tests, *cases]:
        if wanted and not any(w in name for w in wanted):
            continue
        try:
            function()
            print("ok", name, flush=True)
        except Skip as why:
            print(f"skip {name}: {why}", flush=True)
        except Exception as error:  # a test may fail in any way
            failed += 1
            print(f"not ok {name}: {str(error)[:600]}", flush=True)
            traceback.print_exc(limit=6)
    return 1 if failed else 0
