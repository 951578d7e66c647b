#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How a table comes to ttmemd: by itself, late, by the thousand, by root's hand, or forged."""
import contextlib
import json
import os
import pathlib
import random
import signal
import socket
import struct
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "lib")]

from compare import check_allocator, open_allocators, process_of
from server import Senders, Server, app, as_user, directory, need_other_users
from testing import TTMEM, Skip, equal, run_tests, ttmem, wait_until


def test_registration_and_figures():
    """A process that reports is there at once, with the allocator's own figures."""
    with directory() as d, Server(d) as server, app(d) as program:
        program("open", 2, 16384, 1 << 20)
        program("random", 0, 1000, 5)
        view = program("stats", 0)
        snapshot = server.get("/v1/snapshot?largest_free=1")
        process = process_of(snapshot, program.pid)
        buffers = server.get(f"/v1/buffers?pid={program.pid}&limit=100000")["buffers"]
        check_allocator(open_allocators(process)[0], view, buffers, "by the server", absolute=True)
        equal(len(process["devices"]), 2)
        equal(snapshot["server"], str(d))
        # what the tool shows with and without the server is the same but for its source
        with_server = json.loads(ttmem("--format=json", env={"TTMEM_SOCKET_DIR": str(d)}).stdout)
        alone = json.loads(ttmem("--format=json", "--no-server").stdout)
        equal(with_server["server"], str(d))
        for document in (with_server, alone):
            for failure in process_of(document, program.pid)["failures"]["last"]:
                failure.pop("age_ns")
        equal(process_of(with_server, program.pid), process_of(alone, program.pid))


def test_late_server_by_registration():
    """A server that starts later is found by the process itself, at one of its next events."""
    with directory() as d, app(d, prefix=["unshare", "--pid", "--fork", "--kill-child", "--mount-proc"]) as program:
        program("open", 1, 0, 0)
        program("many", 0, 10)
        with Server(d) as server:
            def registered():
                program("alloc", 0, "dram", 4096, 2048)
                return server.get("/v1/server")["tables"]["accepted"]
            wait_until("a registration", registered)


def test_two_thousand_senders():
    """A stopped server, 2,000 tables waiting in its queue, half of their senders dead: none is lost.

    The senders neither map nor lock their tables, which at a sample would look as if they had
    become other programs: so no sample is taken.
    """
    with directory() as d, Server(d, "--sample", "3600") as server, app("/nonexistent") as program:
        many = Senders(d, program)
        before = server.get("/v1/server")["tables"]["accepted"]
        server.process.send_signal(signal.SIGSTOP)
        try:
            senders = [many.start(100) for _ in range(20)]
            for s in senders:
                equal(s.stdout.readline(), "sent\n")
            for s in senders[::2]:
                s.kill()
                s.wait()
        finally:
            server.process.send_signal(signal.SIGCONT)
        wait_until("all are accepted", lambda: server.get("/v1/server")["tables"]["accepted"] - before >= 2000)
        tables = wait_until("the dead are told from the living", lambda: (
            lambda t: t if t["exited"] == 64 else None)(server.get("/v1/server")["tables"]))
        equal(tables["live"] >= 1000, True)
        for s in senders[1::2]:
            s.communicate()


def test_limit_of_a_user():
    """No user but root fills the list: what is too much is refused and counted."""
    need_other_users()
    with directory() as d, Server(d, "--sample", "3600") as server, app("/nonexistent") as program:
        many = Senders(d, program)
        sender = many.start(1100, prefix=as_user(1234, []))
        equal(sender.stdout.readline(), "sent\n")
        refused = wait_until("all are dealt with", lambda: (
            lambda s: s["refused"] if s["refused"]["uid_limit"] >= 76 else None)(server.get("/v1/server")))
        equal(refused["uid_limit"], 76)
        with app(d) as other:
            other("open", 1, 0, 0)
            other("many", 0, 3)
            wait_until("others still get in", lambda: server.process_of(other.pid))
        sender.communicate()


def test_storm():
    """Many processes at once: each is there, none waits long."""
    with directory() as d, Server(d) as server, contextlib.ExitStack() as stack:
        programs = [stack.enter_context(app(d)) for _ in range(256)]
        for program in programs:
            program.tell("open 1 0 0")
            program.tell("many 0 20")
        for program in programs:
            program.answer()
            program.answer()
        pids = {p.pid for p in programs}
        wait_until("all are known", lambda: pids <= {
            p["pid"] for p in server.get("/v1/snapshot")["processes"]})
        snapshot = server.get("/v1/snapshot")
        for program in programs:
            equal(process_of(snapshot, program.pid)["devices"][0]["memory"]["dram"]["buffers"], 20)
        stack.close()
        wait_until("all are gone", lambda: not any(
            p["pid"] in pids and p["state"] == "live" for p in server.get("/v1/snapshot")["processes"]))
        open_files = len(os.listdir(f"/proc/{server.process.pid}/fd"))
        equal(open_files < 30, True, f"{open_files} descriptors left")


def test_adopt():
    """Root hands over a process that cannot reach the server, to a server that may not look."""
    if os.geteuid() != 0:
        raise Skip("adopting needs root")
    with directory() as d:
        os.chown(d, 2345, 2345)
        with Server(d, prefix=as_user(2345, [])) as server, app("/nonexistent") as program:
            program("open", 1, 0, 0)
            program("many", 0, 7)
            equal(server.process_of(program.pid), None)
            done = ttmem("adopt", f"--socket-dir={d}", f"--pid={program.pid}")
            equal(done.stdout, f"1 process handed over to {d}\n")
            process = wait_until("it is there", lambda: server.process_of(program.pid))
            equal((process["uid"], process["devices"][0]["memory"]["dram"]["buffers"]), (0, 7))
            forged = subprocess.run(as_user(1234, [str(TTMEM), "adopt", f"--socket-dir={d}"]),
                                    capture_output=True, text=True)
            equal(forged.returncode, 4, "nobody else may")


def test_garbage():
    """10,000 random bytes on each socket, and messages that are nearly right: refused and counted."""
    rng = random.Random(1)
    with directory() as d, Server(d) as server:
        for i in range(100):
            sender = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            sender.connect(str(d / "register.sock"))
            sender.send(rng.randbytes(100) if i % 2 else struct.pack("<QIIQQ", 0x004745526d656d74, 1, 0, 0, 0))
            sender.close()
            speaker = socket.socket(socket.AF_UNIX)
            speaker.connect(str(d / "api.sock"))
            with contextlib.suppress(OSError):
                speaker.sendall(rng.randbytes(100))
            speaker.close()
        with tempfile.TemporaryFile() as file:
            sender = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            sender.connect(str(d / "register.sock"))
            socket.send_fds(sender, [struct.pack("<QIIQQ", 0x004745526d656d74, 1, 0, 0, 0)],
                            [file.fileno(), file.fileno()])
            sender.close()
        refused = wait_until("all are counted", lambda: (
            lambda r: r if r["message"] == 100 and r["table"] == 1 else None)(server.get("/v1/server")["refused"]))
        equal(refused["limit"], 0)
        open_files = len(os.listdir(f"/proc/{server.process.pid}/fd"))
        equal(open_files < 30, True, f"{open_files} descriptors left")


if __name__ == "__main__":
    sys.exit(run_tests(globals()))
