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


def builds_an_example(prefix):
    """A program is built with what pkg-config says of it, and finds its library."""
    said = subprocess.run(["pkg-config", f"--define-variable=prefix={prefix}", "--cflags", "--libs",
                           "ttmem"], env={**os.environ, "PKG_CONFIG_PATH": f"{prefix}/lib/pkgconfig"},
                          capture_output=True, text=True)
    equal(said.returncode, 0, said.stderr)
    program = prefix / "an-example"
    built = subprocess.run(["cc", "-o", str(program), str(prefix / "share/doc/ttmem/examples/query.c"),
                            *said.stdout.split()], capture_output=True, text=True)
    equal((built.returncode, built.stderr), (0, ""))
    ran = subprocess.run([str(program)], env={**os.environ, "LD_LIBRARY_PATH": f"{prefix}/lib"},
                         capture_output=True, text=True, timeout=240)
    equal((ran.returncode, ran.stderr), (0, ""))


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
        for path in ("lib/libttmem.so.0", "include/ttmem/ttmem.h", "lib/pkgconfig/ttmem.pc",
                     "share/doc/ttmem/examples/query.c"):
            equal((tool.parents[1] / path).exists(), True, path)
        builds_an_example(tool.parents[1])
        env = {k: v for k, v in os.environ.items() if k not in ("TTMEM_HOOK", "LD_PRELOAD")}
        done = subprocess.run([str(tool), "run", "--", "sh", "-c", "echo $LD_PRELOAD"], env=env,
                              capture_output=True, text=True)
        equal((done.returncode, done.stdout.strip(), done.stderr), (0, str(hook.resolve()), ""))


if __name__ == "__main__":
    sys.exit(run_tests(globals()))
