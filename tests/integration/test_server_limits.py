#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Descriptors of ttmemd: each live table takes two, and there must be enough for all it accepts."""
import pathlib
import resource
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "lib")]

from server import Senders, Server, app, as_user, directory, need_other_users
from testing import Skip, equal, run_tests, wait_until

TABLES = 4096
OTHERS = 1024 + 1024 + 64


def limits(soft, hard):
    return lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def limit_of(pid):
    for line in pathlib.Path(f"/proc/{pid}/limits").read_text().splitlines():
        if line.startswith("Max open files"):
            return [int(word) for word in line.split()[3:5]]


def may_raise():
    for line in pathlib.Path("/proc/self/status").read_text().splitlines():
        if line.startswith("CapEff:"):
            return bool(int(line.split()[1], 16) >> 24 & 1)
    return False


def descriptors_of(pid):
    return len(list(pathlib.Path(f"/proc/{pid}/fd").iterdir()))


def fill(server, where, program, count):
    """`count` more tables; waits until each was taken or refused, and gives the server's account."""
    before = server.get("/v1/server")
    sender = Senders(where, program).start(count)
    equal(sender.stdout.readline(), "sent\n")

    def done():
        now = server.get("/v1/server")
        dealt = (now["tables"]["accepted"] - before["tables"]["accepted"]
                 + sum(now["refused"].values()) - sum(before["refused"].values()))
        return now if dealt >= count else None
    try:
        return wait_until("all are dealt with", done)
    finally:
        sender.communicate()


def test_every_table_there_is_room_for():
    """Started with the usual soft limit: all 4,096 tables fit, the next is refused, and it still answers."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    with directory() as d, Server(d, "--sample", "3600", preexec_fn=limits(1024, hard)) as server, \
            app("/nonexistent") as program:
        equal(limit_of(server.process.pid)[0] >= 2 * TABLES + OTHERS, True, "the soft limit is raised")
        account = fill(server, d, program, TABLES + 10)
        # with the program of this test, which was found under /proc or not
        equal(account["tables"]["live"] + account["tables"]["exited"], TABLES)
        equal(account["refused"]["limit"] >= 10, True)
        equal(server.get("/healthz"), {"status": "ok"})


def test_low_hard_limit_of_root():
    """Who may raise the hard limit does so, as far as is needed."""
    if not may_raise():
        raise Skip("raising a hard limit needs CAP_SYS_RESOURCE")
    with directory() as d, Server(d, preexec_fn=limits(1024, 4096)) as server:
        equal(limit_of(server.process.pid), [2 * TABLES + OTHERS] * 2)


def test_two_descriptors_a_table():
    """A table takes its own descriptor and a pidfd, no more, and gives both back when its process ends."""
    with directory() as d, Server(d, "--sample", "3600") as server, app("/nonexistent") as program:
        many = Senders(d, program)
        before = descriptors_of(server.process.pid)
        sender = many.start(60)
        equal(sender.stdout.readline(), "sent\n")
        wait_until("all are known", lambda: server.get("/v1/server")["tables"]["live"] >= 60)
        wait_until("two each", lambda: descriptors_of(server.process.pid) - before == 120)
        sender.communicate()
        wait_until("all are given back", lambda: descriptors_of(server.process.pid) == before)


def test_low_hard_limit():
    """Where the limit cannot be raised fewer tables are taken: never so many that nobody is heard."""
    need_other_users()
    hard = 4600
    with directory() as d:
        d.chmod(0o777)
        with Server(d, "--sample", "3600", prefix=as_user(1234, []),
                    preexec_fn=limits(1024, hard)) as server, app("/nonexistent") as program:
            equal(limit_of(server.process.pid), [hard, hard])
            account = fill(server, d, program, 1300)
            equal(account["tables"]["live"] + account["tables"]["exited"], (hard - OTHERS) // 2)
            equal(account["refused"]["limit"], 1300 - (hard - OTHERS) // 2)
            equal(server.get("/healthz"), {"status": "ok"})


if __name__ == "__main__":
    sys.exit(run_tests(globals()))
