#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""pip install ttmem, and every later process of that venv is visible, with no wrapper.

What ttmem.pth brings into each interpreter is tried with a hook of our own making that says when
it is called; the whole wheel is built, checked and installed, and tried with real ttnn.
"""
import functools
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "lib"), str(HERE.parent / "metal")]
sys.dont_write_bytecode = True

from testing import BUILD, HOOK, ROOT, Skip, equal, run_tests

CLEAN = {key: value for key, value in os.environ.items()
         if key not in ("TTMEM", "LD_PRELOAD", "TTMEM_HOOK", "TTMEM_LIBRARY", "PYTHONPATH")}
CLEAN["TTMEM_SOCKET_DIR"] = "/nonexistent"

# a hook that says who called it and whether ttnn._ttnn was there by then
STUB = r"""
#include <stdio.h>
int ttmem_hook_attach(const char *entry);
int ttmem_hook_attach(const char *entry) { printf("attached %s\n", entry); fflush(stdout); return 0; }
"""


class Venv:
    """A venv without pip; `files` are put into its site-packages."""

    def __init__(self, directory, python=sys.executable):
        self.root = pathlib.Path(directory) / "venv"
        subprocess.run([str(python), "-m", "venv", "--without-pip", str(self.root)], check=True)
        self.python = self.root / "bin/python"
        self.site = next(self.root.glob("lib/python3*/site-packages"))

    def run(self, code, *options, env=None):
        # -u: the hook of the test writes around Python's buffer
        done = subprocess.run([str(self.python), "-u", *options, "-c", code], capture_output=True,
                              text=True, env={**CLEAN, **(env or {})}, timeout=240)
        return done.returncode, done.stdout, done.stderr


class BootVenv(Venv):
    """One with ttmem_boot, a stub of the hook and a package of the name ttnn."""

    def __init__(self, directory):
        super().__init__(directory)
        for name in ("ttmem.pth", "ttmem_boot.py"):
            shutil.copy(ROOT / "python" / name, self.site)
        self.hook = self.site / "ttmem/lib/ttmem/libttmem-hook.so"
        self.hook.parent.mkdir(parents=True)
        self.build(STUB)
        (self.site / "ttnn").mkdir()
        (self.site / "ttnn/__init__.py").write_text("from ttnn import _ttnn\nprint('ttnn')\n")
        (self.site / "ttnn/_ttnn.py").write_text("print('_ttnn')\n")

    def build(self, source):
        self.hook.unlink(missing_ok=True)
        subprocess.run(["cc", "-shared", "-fPIC", "-x", "c", "-", "-o", str(self.hook),
                        "-Wl,-soname,libttmem-hook.so"], input=source, text=True, check=True)


def test_boot():
    """The hook comes in once, right after ttnn._ttnn, whoever asks for it and how often."""
    with tempfile.TemporaryDirectory() as there:
        venv = BootVenv(there)
        good = (0, "_ttnn\nattached python\nttnn\n", "")
        equal(venv.run("import ttnn"), good)
        equal(venv.run("import ttnn", "-I"), good, "isolated mode keeps site-packages")
        equal(venv.run("import ttnn; import importlib; importlib.reload(ttnn)"),
              (0, good[1] + "ttnn\n", ""), "reloaded")
        equal(venv.run("import importlib.util as u, sys; u.find_spec('ttnn._ttnn')\n"
                       "import ttnn; print(type(sys.modules['ttnn._ttnn'].__loader__).__name__, "
                       "[f for f in sys.meta_path if 'ttmem' in type(f).__module__])"),
              (0, good[1] + "SourceFileLoader []\n", ""), "and leaves nothing behind")
        equal(venv.run("import ttnn", env={"TTMEM": "off"}), (0, "_ttnn\nttnn\n", ""), "off")
        equal(venv.run("import ttnn", env={"LD_PRELOAD": str(venv.hook)}),
              (0, "_ttnn\nttnn\n", ""), "preloaded: it is in already")
        equal(venv.run("import sys; print('ttmem_boot' in sys.modules)", "-S"), (0, "False\n", ""))
        equal(venv.run("import sys; print([m for m in ('ctypes', 'ttmem', 'importlib.util')"
                       " if m in sys.modules])"), (0, "[]\n", ""), "without ttnn nothing is imported")


def test_boot_never_raises():
    """Whatever is wrong with the hook, ttnn is imported as if we were not there."""
    with tempfile.TemporaryDirectory() as there:
        venv = BootVenv(there)
        alone = (0, "_ttnn\nttnn\n", "")
        venv.build("int something_else;")
        equal(venv.run("import ttnn"), alone, "a hook without the call")
        venv.hook.write_text("garbage")
        equal(venv.run("import ttnn"), alone, "no library at all")
        venv.hook.unlink()
        equal(venv.run("import ttnn"), alone, "no hook")
        venv.build(STUB)
        equal(venv.run("import sys\nsys.modules['ctypes'] = None\nimport ttnn"), alone, "no ctypes")
        equal(venv.run("import sys\nsys.meta_path[:] = sys.meta_path[1:]\nimport ttnn"), alone,
              "somebody took the finder out")
        (venv.site / "ttnn/_ttnn.py").write_text("raise OSError('its own trouble')\n")
        code, out, err = venv.run("import ttnn")
        equal((code, out, err.strip().splitlines()[-1]), (1, "", "OSError: its own trouble"))
        equal("ttmem" in err.replace(str(ROOT), "").replace("ttmem_boot.py", ""), False, err)
        (venv.site / "ttnn/_ttnn.py").unlink()
        equal(venv.run("import ttnn")[2].strip().splitlines()[-1].split(":")[0], "ImportError")


@functools.cache
def wheel():
    """Built and audited, once."""
    if os.environ.get("TTMEM_SANITIZED"):
        raise Skip("the wheel has no sanitizers, and the same build is tested without them")
    done = subprocess.run([str(ROOT / "packaging/wheel")], capture_output=True, text=True,
                          timeout=900, env={**os.environ, "BUILD": str(BUILD)})
    if "No matching distribution" in done.stderr or "Could not find a version" in done.stderr:
        raise Skip("auditwheel cannot be downloaded here: " + done.stderr[-200:])
    equal(done.returncode, 0, done.stderr[-1500:])
    return pathlib.Path(done.stdout.strip())


def pip(venv, *command):
    """The pip of our own Python, for that venv: one for each takes seconds to be made."""
    done = subprocess.run([sys.executable, "-m", "pip", f"--python={venv.python}", *command,
                           "--disable-pip-version-check"], capture_output=True, text=True,
                          env=CLEAN, timeout=240)
    if "no such option: --python" in done.stderr or "No module named pip" in done.stderr:
        raise Skip("this Python has no pip of 22.3 or newer")
    equal(done.returncode, 0, done.stderr)


def install(venv):
    pip(venv, "install", "--no-index", "--no-deps", "--no-compile", str(wheel()))


def test_wheel_asks_for_nothing_new():
    """manylinux_2_34: no file in it asks for a newer glibc, and auditwheel agrees (packaging/wheel)."""
    equal(wheel().name.endswith("-py3-none-manylinux_2_34_x86_64.whl"), True, wheel().name)
    with tempfile.TemporaryDirectory() as there:
        shutil.unpack_archive(wheel(), there, "zip")
        asked = set()
        for path in pathlib.Path(there).rglob("*"):
            if path.is_file() and path.read_bytes()[:4] == b"\x7fELF":
                said = subprocess.run(["readelf", "--version-info", "-W", str(path)],
                                      capture_output=True, text=True).stdout
                asked |= {tuple(map(int, v)) for v in re.findall(r"GLIBC_(\d+)\.(\d+)", said)}
        equal(asked and max(asked) <= (2, 34), True, asked)


def test_wheel_in_a_venv():
    """Programs, hook, library, package and plugin, from where pip puts them; gone when removed."""
    with tempfile.TemporaryDirectory() as there:
        venv = Venv(there)
        (venv.site / "other.py").touch()  # pip removes a directory that has become empty
        before = {path.name for path in venv.site.iterdir()}
        install(venv)
        binaries = venv.root / "bin"
        for name in ("ttmem", "ttmemd"):
            done = subprocess.run([str(binaries / name), "--version"], capture_output=True,
                                  text=True, env=CLEAN)
            equal((done.stdout.split()[0], done.stderr), (name, ""))
        done = subprocess.run([str(binaries / "ttmem"), "run", "--", "sh", "-c",
                               "echo $LD_PRELOAD"], capture_output=True, text=True, env=CLEAN)
        equal(done.stdout.strip(), str((venv.site / "ttmem/lib/ttmem/libttmem-hook.so").resolve()),
              done.stderr)
        equal(venv.run("import ttmem; ttmem.snapshot(); print(ttmem.memory_allocated())"),
              (0, "0\n", ""))
        equal(venv.run("from importlib.metadata import entry_points as e\n"
                       "print([p.value for p in e(group='pytest11')])"),
              (0, "['ttmem.pytest_plugin']\n", ""))
        equal(venv.run("import ttmem_boot; print('PYTEST_DONT_REWRITE' in ttmem_boot.__doc__)"),
              (0, "True\n", ""), "else every run of pytest there begins with a warning")
        pip(venv, "uninstall", "--yes", "ttmem")
        left = {path.name for path in venv.site.iterdir()} - before
        equal(left, set(), "after pip uninstall")


TWO_LINES = ("import ttnn, sys; device = ttnn.open_device(device_id=0)\n"
             "a = ttnn.empty((1, 1, 1024, 1024), dtype=ttnn.bfloat16, layout=ttnn.TILE_LAYOUT, "
             "device=device); print('holding', flush=True); sys.stdin.read()")


def test_wheel_with_ttnn():
    """Two lines of Python in a fresh venv, no wrapper and no environment: seen from outside."""
    from mock import environment, make_scratch
    from test_truth import installed
    hook = subprocess.run(["nm", "-D", str(HOOK)], capture_output=True, text=True).stdout
    if "ttmem_hook_attach" not in hook:
        raise Skip("this hook has no ttmem_hook_attach yet: it can only be preloaded")
    kit = installed("0.81.1")
    with tempfile.TemporaryDirectory() as there:
        venv = Venv(there, kit.resolve())
        install(venv)
        (venv.site / "ttnn.pth").write_text(
            str(next(kit.parents[1].glob("lib/python3*/site-packages"))) + "\n")
        scratch = make_scratch()
        env = environment(scratch, "n150", False)
        for name in set(os.environ) - set(CLEAN):
            env.pop(name, None)
        program = subprocess.Popen([str(venv.python), "-c", TWO_LINES], stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                   cwd=scratch / "logs", env={**env, **CLEAN, "HOME": env["HOME"]})
        try:
            line = next((l for l in program.stdout if "holding" in l), None)
            equal(line, "holding\n", program.stderr.read()[-800:] if line is None else "")
            done = subprocess.run([str(venv.root / "bin/ttmem"), "--no-server", "--format=json"],
                                  capture_output=True, text=True, env=CLEAN, check=True)
            seen = next((p for p in json.loads(done.stdout)["processes"]
                         if p["pid"] == program.pid), None)
            equal(seen is not None, True, "it is not seen")
            equal((seen["entry"], seen["state"]), ("python", "live"))
            used = seen["devices"][0]["memory"]["dram"]["requested_bytes"]
            equal(used >= 2 << 20, True, f"{used} bytes of DRAM")
            said = subprocess.run([str(venv.root / "bin/ttmem"), "doctor"], capture_output=True,
                                  text=True, env=CLEAN).stdout
            equal("by python" in said, True, said)
        finally:
            program.stdin.close()
            program.wait(timeout=240)
            shutil.rmtree(scratch, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(run_tests(globals()))
