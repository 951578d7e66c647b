#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Installs a released ttnn wheel so that it runs on a mock cluster, with no card.

    install.py DIRECTORY [VERSION]

makes DIRECTORY/VERSION/venv and puts a stand-in where TT-Metal looks for its device
compiler. Allocators need no kernels, so the stand-in compiles nothing: it only has to
name the toolchain that built the firmware in the wheel, which is then used as it is.
Exit code 77: no Python 3.12 or 3.10, for which alone there are wheels.
"""
import fcntl
import os
import pathlib
import re
import shutil
import subprocess
import sys

DEFAULT_VERSION = "0.81.1"
WANTED = ("3.12", "3.10")

STAND_IN = """#!/bin/sh
# Stand-in for the device compiler: names a toolchain, compiles nothing.
case " $* " in
*" --version "*) echo "riscv-tt-elf-g++ {text}"; exit 0 ;;
esac
while [ $# -gt 0 ]; do
	case $1 in
	-o) shift; : > "$1" ;;
	-MF) shift; : > "$1" ;;
	esac
	shift
done
"""


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
            done = subprocess.run([python, "-c", check], capture_output=True, text=True, timeout=60)
        except (OSError, subprocess.TimeoutExpired):
            continue
        if done.returncode == 0 and done.stdout.strip() in WANTED:
            return python
    return None


def toolchain(package):
    """The compiler's name as it stands in the firmware that came with the wheel."""
    for firmware in sorted(package.glob("tt_metal/pre-compiled/*/brisc/brisc.elf")):
        found = re.search(rb"GCC: (\([^\0]*\) [0-9.]+)", firmware.read_bytes())
        if found:
            return found.group(1).decode()
    return "(stand-in) 15.1.0"


def install(directory, version):
    python = find_python()
    if not python:
        print("install.py: no Python 3.12 or 3.10 found; set PYTHON to one", file=sys.stderr)
        return 77
    home = pathlib.Path(directory).absolute() / version
    home.mkdir(parents=True, exist_ok=True)
    with open(home / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if (home / "ready").exists():
            return 0
        venv = home / "venv"
        if not (venv / "bin" / "python").exists():
            subprocess.run([python, "-m", "venv", str(venv)], check=True)
        subprocess.run([str(venv / "bin" / "python"), "-m", "pip", "install", "-q",
                        "--disable-pip-version-check", "ttnn==" + version], check=True)
        package = next(venv.glob("lib/python3*/site-packages/ttnn"))
        compiler = package / "runtime/sfpi/compiler/bin/riscv-tt-elf-g++"
        compiler.parent.mkdir(parents=True, exist_ok=True)
        compiler.write_text(STAND_IN.replace("{text}", toolchain(package)))
        compiler.chmod(0o755)
        (home / "ready").touch()
    return 0


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        print(__doc__, file=sys.stderr)
        sys.exit(2)
    sys.exit(install(sys.argv[1], sys.argv[2] if len(sys.argv) == 3 else DEFAULT_VERSION))
