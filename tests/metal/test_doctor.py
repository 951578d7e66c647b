#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Are the books of a real program right, by ttmem doctor?

Reason: the stand-in's allocator is ours; TT-Metal's own says here whether what we count is what
it gave. The program allocates now and then, so it can be asked.
"""
import contextlib
import json
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "lib"), str(HERE.parent / "integration")]

from mock import Mock
from server import Server, directory
from test_truth import installed
from testing import TTMEM, equal, run_tests, ttmem


def one(document, pid, check):
    rows = [r for r in document["findings"]
            if r["subject"] == f"process {pid}" and r["check"] == check]
    equal(len(rows), 1, f"{check} in {document['findings']}")
    return rows[0]


def check_up(pid, version, env):
    done = ttmem("doctor", "--format=json", env=env, check=False)
    document = json.loads(done.stdout)
    equal(done.returncode, 0, f"exit code; {document['findings']}")
    equal(one(document, pid, "books")["state"], "ok", "books")
    equal("figures and sums over buffers" in one(document, pid, "books")["message"], True, "sums")
    row = one(document, pid, "verify")
    equal((row["state"], row["message"]),
          ("ok", "4 figures are equal to its allocators' own"), "verify")
    equal(f"TT-Metal {version}," in one(document, pid, "seen")["message"], True, "its release")
    texts = ttmem("doctor", env=env).stdout.splitlines()
    equal(texts[-1].startswith("nothing is wrong; "), True, texts[-1])


def real(version, cluster, with_server):
    python = installed(version)
    with contextlib.ExitStack() as stack:
        env = {"TTMEM_SOCKET_DIR": "/nonexistent"}
        if with_server:
            where = stack.enter_context(directory())
            stack.enter_context(Server(where))
            env["TTMEM_SOCKET_DIR"] = str(where)
        mock = stack.enter_context(Mock(python, "now_and_then.py", cluster=cluster, env=env,
                                        prefix=[str(TTMEM), "run", "--"]))
        seen = 0
        for line in mock.pauses():
            check_up(line["pid"], version, env)
            seen += 1
        code, err = mock.end()
        equal((seen, code), (1, 0), err[-500:])


def cases():
    for version, cluster, with_server in (("0.81.1", "n150", False), ("0.81.1", "p150", True),
                                          ("0.66.0", "n150", True)):
        name = f"doctor {version} {cluster}" + (" with a server" if with_server else "")
        yield name, lambda v=version, c=cluster, s=with_server: real(v, c, s)


if __name__ == "__main__":
    sys.exit(run_tests(globals(), list(cases())))
