# SPDX-License-Identifier: Apache-2.0
"""The programs that come with the wheel: `ttmem` and `ttmemd` become these."""
from __future__ import annotations

import os
import pathlib
import shutil
import sys

HERE = pathlib.Path(__file__).resolve().parent


def find(name: str) -> str:
    """Beside this package (the wheel), else on PATH."""
    beside = HERE / "bin" / name
    found = str(beside) if beside.exists() else shutil.which(name)
    if not found:
        raise FileNotFoundError(f"{name}: neither beside the package nor on PATH")
    return found


def _become(name: str) -> None:
    os.execv(find(name), [sys.argv[0], *sys.argv[1:]])


def ttmem() -> None:
    _become("ttmem")


def ttmemd() -> None:
    _become("ttmemd")
