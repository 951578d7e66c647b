# SPDX-License-Identifier: Apache-2.0
"""Drives tests/standin/app.cpp: a program under the hook that does what it is told."""
import json
import os
import subprocess

from testing import BUILD, HOOK, PATIENCE_S

GENERATIONS = ("60", "62", "64", "66", "70", "79")


def library(generation):
    name = "_ttnncpp.so" if generation == "60" else "libtt_metal.so"
    return BUILD / "tests/standin" / ("gen" + generation) / name


class App:
    """One running program; each call is a command and gives its answer."""

    def __init__(self, generation="79", hook=True, env=None, prefix=(), **more):
        environment = {**os.environ, **(env or {})}
        # nothing of this machine's own servers
        environment.setdefault("TTMEM_SOCKET_DIR", "/nonexistent")
        if hook:
            environment["LD_PRELOAD"] = str(HOOK)
        self.process = subprocess.Popen(
            [*prefix, str(BUILD / "tests/standin/standin-app"), str(library(generation))],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env=environment, **more)
        self.pid = self.answer()["pid"]

    def answer(self):
        line = self.process.stdout.readline()
        if not line:
            raise AssertionError(f"the program ended: {self.process.wait()}: "
                                 + self.process.stderr.read()[-300:])
        return json.loads(line)

    def tell(self, *words):
        self.process.stdin.write(" ".join(map(str, words)) + "\n")
        self.process.stdin.flush()

    def __call__(self, *words):
        self.tell(*words)
        return self.answer()

    def end(self):
        """Closes its input and waits; gives (exit code, stderr)."""
        _, err = self.process.communicate(timeout=PATIENCE_S)
        return self.process.returncode, err

    def __enter__(self):
        return self

    def __exit__(self, *what):
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()
