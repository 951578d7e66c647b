#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Installs a released ttnn wheel so that it runs on a mock cluster, with no card.

    install.py DIRECTORY [VERSION]

makes DIRECTORY/VERSION/venv and puts compiler.py, which compiles nothing, where TT-Metal
looks for its device compiler. Two may run at once; the second waits.
Exit code 77: no Python 3.12 or 3.10, for which alone there are wheels.
"""
import fcntl
import os
import pathlib
import shlex
import shutil
import subprocess
import sys

DEFAULT_VERSION = "0.81.1"
WANTED = ("3.12", "3.10")
HERE = pathlib.Path(__file__).resolve().parent


def candidates():
    if os.environ.get("PYTHON"):
        yield os.environ["PYTHON"]
    root = os.environ.get("PYENV_ROOT") or str(pathlib.Path.home() / ".pyenv")
    for version in WANTED:
        for path in sorted(pathlib.Path(root, "versions").glob(version + "*/bin/python3")):
            yield str(path)
        found = shutil.which("python" + version)
        if found:
            yield found
    yield sys.executable


def find_python():
    """The first interpreter of a version that wheels exist for and that can make a venv."""
    check = "import sys, venv, ensurepip; print('%d.%d' % sys.version_info[:2])"
    for python in candidates():
        try:
            done = subprocess.run([python, "-c", check], capture_output=True, text=True, timeout=240)
        except (OSError, subprocess.TimeoutExpired):
            continue
        if done.returncode == 0 and done.stdout.strip() in WANTED:
            return python
    return None


def put(path, text):
    """The file with that text, executable, replaced in one step."""
    if not path.exists() or path.read_text() != text:
        scratch = path.with_name(path.name + ".new")
        scratch.write_text(text)
        scratch.chmod(0o755)
        scratch.replace(path)


def put_compiler(venv):
    """compiler.py under the compiler's name, run by the venv's Python."""
    package = next(venv.glob("lib/python3*/site-packages/ttnn"))
    directory = package / "runtime/sfpi/compiler/bin"
    directory.mkdir(parents=True, exist_ok=True)
    stand_in = directory / "compiler.py"
    put(stand_in, (HERE / "compiler.py").read_text())
    # through a shell: the path of an interpreter in a #! line must be short and without spaces;
    # -IS: it is started dozens of times and needs nothing from its surroundings
    command = f"exec {shlex.quote(str(venv / 'bin' / 'python'))} -IS {shlex.quote(str(stand_in))}"
    put(directory / "riscv-tt-elf-g++", f'#!/bin/sh\n{command} "$@"\n')


def install(directory, version):
    python = find_python()
    if not python:
        print("install.py: no Python 3.12 or 3.10 found; set PYTHON to one", file=sys.stderr)
        return 77
    home = pathlib.Path(directory).absolute() / version
    home.mkdir(parents=True, exist_ok=True)
    with open(home / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        venv = home / "venv"
        if not (home / "ready").exists():
            if not (venv / "bin" / "python").exists():
                subprocess.run([python, "-m", "venv", str(venv)], check=True)
            subprocess.run([str(venv / "bin" / "python"), "-m", "pip", "install", "-q",
                            "--disable-pip-version-check", "ttnn==" + version], check=True)
            (home / "ready").touch()
        put_compiler(venv)
    return 0


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        print(__doc__, file=sys.stderr)
        sys.exit(2)
    sys.exit(install(sys.argv[1], sys.argv[2] if len(sys.argv) == 3 else DEFAULT_VERSION))
