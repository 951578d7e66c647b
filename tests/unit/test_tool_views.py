#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The command line of the views: options, errors, exit codes, what goes where."""
import json
import os
import pathlib
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))

from testing import TTMEM, equal, run_tests, ttmem


def test_plain_when_not_a_terminal():
    """What is piped or pasted has no escape sequences, whatever TERM says."""
    out = ttmem(env={"TERM": "xterm-256color"}).stdout
    equal("\x1b" in out, False)


def test_characters():
    """Box characters only where the locale can show them."""
    for env, unicode in (({"LC_ALL": "C.UTF-8"}, True), ({"LC_ALL": "en_US.utf8"}, True),
                         ({"LC_ALL": "C"}, False), ({"LC_ALL": "", "LC_CTYPE": "POSIX"}, False),
                         ({"LC_ALL": "", "LC_CTYPE": "", "LANG": "de_DE.UTF-8"}, True)):
        equal(ttmem(env=env).stdout.startswith("┌"), unicode, str(env))
    equal(ttmem("--ascii", env={"LC_ALL": "C.UTF-8"}).stdout.isascii(), True)


def test_width():
    for width in (80, 100, 140):
        lines = ttmem(f"--width={width}").stdout.split("\n")
        equal(len(lines[0]), width)
    equal(ttmem("--width=79", check=False).returncode, 2)


def test_usage_errors():
    """What is wrong and where help is, on standard error; standard output stays empty."""
    for arguments in (["--bogus"], ["-x"], ["nonsense"], ["--format=xml"], ["-c", "0"],
                      ["-l", "x"], ["-l=0"], ["buffers", "--type=L3"], ["buffers", "--sort=name"],
                      ["buffers", "--min-size=1parsec"], ["buffers", "--top=-1"],
                      ["buffers", "--pid"], ["buffers", "extra"], ["env", "--shell=csh"],
                      ["version", "2"], ["help", "nonsense"]):
        done = ttmem(*arguments, check=False)
        equal(done.returncode, 2, str(arguments))
        equal(done.stdout, "", str(arguments))
        equal(done.stderr.startswith("ttmem: ") and done.stderr.count("\n") == 1, True,
              done.stderr)


def test_errors_as_json():
    """A program that reads JSON gets its error as JSON, wherever --format stands."""
    for arguments, code in ((["--bogus", "--format=json"], "usage"),
                            (["--format=json", "--bogus"], "usage"),
                            (["buffers", "--format", "json", "--type=L3"], "usage"),
                            (["buffers", "--format=json", "--pid=4194304"], "not_found"),
                            (["buffers", "--format=json", "-i", "77"], "not_found")):
        done = ttmem(*arguments, check=False)
        error = json.loads(done.stdout)["error"]
        equal(sorted(error), ["code", "hint", "message"])
        equal(error["code"], code, str(arguments))
        equal(done.stderr, "", str(arguments))
        equal(done.returncode, {"usage": 2, "not_found": 6}[code])


def test_help():
    """Every option that is understood is told, from the same table."""
    for command in ([], ["buffers"], ["run"], ["env"], ["version"]):
        out = ttmem(*command, "--help").stdout
        equal(out.startswith("usage: ttmem"), True)
        if command:
            equal(ttmem("help", *command).stdout, out)
    equal("--min-size=SIZE" in ttmem("buffers", "--help").stdout, True)


def test_loop():
    """-l takes its number as nvidia-smi does; JSON comes one document a line."""
    for loop in (["-l", "0.05"], ["-l0.05"], ["--loop=0.05"]):
        begin = time.monotonic()
        lines = ttmem("--format=json", *loop, "-c", "3").stdout.splitlines()
        equal(len(lines), 3)
        equal(time.monotonic() - begin >= 0.1, True)
        for line in lines:
            equal(json.loads(line)["schema"], "ttmem.snapshot/1")
    equal(len(ttmem("buffers", "--format=json", "-l", "0.05", "-c2").stdout.splitlines()), 2)


def test_json_documents():
    snapshot = json.loads(ttmem("--format=json").stdout)
    equal(snapshot["server"], None)
    equal(isinstance(snapshot["processes"], list), True)
    buffers = json.loads(ttmem("buffers", "--format=json").stdout)
    equal(buffers["schema"], "ttmem.buffers/1")
    equal(isinstance(buffers["buffers"], list), True)


def test_broken_pipe():
    """`ttmem -l | head -1` ends when head does, and says nothing."""
    for arguments in (["-l", "0.01"], ["--format=json", "-l", "0.01"], ["buffers", "-l", "0.01"]):
        process = subprocess.Popen([str(TTMEM), *arguments], stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE)
        process.stdout.readline()
        process.stdout.close()
        equal(process.wait(240), 0, str(arguments))
        equal(process.stderr.read(), b"", str(arguments))


def test_full_disk():
    """Data that did not arrive is an error."""
    for arguments in ([], ["--format=json"], ["help"], ["version"], ["env"]):
        with open("/dev/full", "w") as full:
            done = subprocess.run([str(TTMEM), *arguments], stdout=full, stderr=subprocess.PIPE,
                                  text=True)
        equal(done.returncode, 1, str(arguments))
        equal("No space left" in done.stderr, True, done.stderr)


def test_hostile_arguments():
    """An argument with an escape sequence is shown, not executed by the terminal."""
    done = ttmem("\x1b[2Jx", check=False)
    equal(done.returncode, 2)
    equal("\x1b" in done.stderr, False)


def test_links_only_libc():
    """5 ms for the whole process leaves no room for loading libraries."""
    out = subprocess.run(["ldd", str(TTMEM)], capture_output=True, text=True).stdout
    libraries = [line.split()[0] for line in out.splitlines() if "=>" in line]
    if os.environ.get("TTMEM_SANITIZED"):
        return
    equal(libraries, ["libc.so.6"])


if __name__ == "__main__":
    sys.exit(run_tests(globals()))
