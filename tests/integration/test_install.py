#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What make install leaves behind works from where it lies, whatever the prefix."""
import os
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "lib")]

from testing import BUILD, equal, run_tests


def test_install():
    """The tool finds its hook beside itself, and programs run under it."""
    with tempfile.TemporaryDirectory() as there:
        done = subprocess.run(["meson", "install", "-C", str(BUILD), "--quiet", "--no-rebuild"],
                              env={**os.environ, "DESTDIR": there}, capture_output=True, text=True)
        equal(done.returncode, 0, done.stderr)
        tool = next(pathlib.Path(there).rglob("bin/ttmem"))
        hook = tool.parent.parent / "lib/ttmem/libttmem-hook.so"
        equal(hook.exists(), True, "the hook beside it")
        equal((tool.parent / "ttmemd").exists(), True, "the server beside it")
        env = {k: v for k, v in os.environ.items() if k not in ("TTMEM_HOOK", "LD_PRELOAD")}
        done = subprocess.run([str(tool), "run", "--", "sh", "-c", "echo $LD_PRELOAD"], env=env,
                              capture_output=True, text=True)
        equal((done.returncode, done.stdout.strip(), done.stderr), (0, str(hook.resolve()), ""))


if __name__ == "__main__":
    sys.exit(run_tests(globals()))
