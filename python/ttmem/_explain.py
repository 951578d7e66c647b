# SPDX-License-Identifier: Apache-2.0
"""An error of TT-Metal about memory in words, by `ttmem explain`."""
from __future__ import annotations

import json
import os
import subprocess
from typing import Any, Dict, Union

from ._programs import find


class Explanation:
    """str() is for people; `data` is the document of `ttmem explain --format=json` (docs/api.md)."""

    def __init__(self, text: str, data: Dict[str, Any]):
        self.text, self.data = text, data

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return f"<ttmem.Explanation {self.text.splitlines()[0]!r}>" if self.text else "<nothing>"


def explain(error: Union[BaseException, str]) -> Explanation:
    """What an error meant, by how much it did not fit, and what would have to go.

    error  an exception of ttnn, or the text of one

    Names the buffers of this process. Raises FileNotFoundError when there is no `ttmem` program.
    """
    text = str(error) + "\n"
    # what is preloaded here is not for it
    env = {key: value for key, value in os.environ.items() if key != "LD_PRELOAD"}

    def ask(*more: str) -> str:
        command = [find("ttmem"), "explain", *more, "-"]
        return subprocess.run(command, input=text, stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, universal_newlines=True, env=env,
                              timeout=60, check=False).stdout

    own = ["--pid", str(os.getpid())]
    data = json.loads(ask("--format=json", *own) or "{}")
    if "schema" not in data:  # a process without a table has no buffers to be named
        own, data = [], json.loads(ask("--format=json") or "{}")
    return Explanation(ask(*own), data)
