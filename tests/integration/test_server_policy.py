#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Who sees what of whom at ttmemd, across users and containers."""
import json
import os
import pathlib
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "lib")]

from compare import process_of
from server import Server, app, as_user, directory, need_other_users
from standin import App
from testing import TTMEM, Skip, equal, run_tests, wait_until


def leaves(value, path=()):
    """Where a document has values, and of which type; but not which."""
    if isinstance(value, dict):
        return {leaf for key, inner in value.items() for leaf in leaves(inner, (*path, key))}
    return {(path, type(value))}


def test_three_users():
    """Totals are for everybody; names, commands, failures and buffers are the owner's."""
    need_other_users()
    with directory() as d, Server(d) as server, \
            app(d, prefix=as_user(1234, [])) as program:
        program("open", 1, 0, 0)
        program("many", 0, 10)
        program("alloc", 0, "l1", 1 << 40, 2048)
        wait_until("it reports", lambda: server.process_of(program.pid))
        client = "import sys,socket;s=socket.socket(socket.AF_UNIX);s.connect(sys.argv[1]);" \
                 "s.sendall(('%s HTTP/1.0\\r\\n\\r\\n'%sys.argv[2]).encode());" \
                 "d=b''\nwhile True:\n b=s.recv(65536)\n if not b: break\n d+=b\nsys.stdout.buffer.write(d.split(b'\\r\\n\\r\\n',1)[1])"

        def ask(uid, target, method="GET"):
            done = subprocess.run(as_user(uid, ["/usr/bin/python3", "-c", client, str(d / "api.sock"),
                                                f"{method} {target}"]), capture_output=True, cwd="/")
            return json.loads(done.stdout)
        wait_until("its failure is kept", lambda: server.get("/v1/failures")["kept"])
        whole = server.get("/v1/server")
        for uid, sees in ((0, True), (1234, True), (4321, False)):
            for route in ("/v1/snapshot", "/v1/processes", "/v1/failures"):
                process = process_of(ask(uid, route), program.pid)
                equal(process["details"], "shown" if sees else "hidden", f"{uid} {route}")
                equal(process["command"] is not None, sees, f"{uid} {route} command")
                equal(len(process["failures"]["last"]), 1 if sees else 0, f"{uid} {route} failures")
                equal(process["failures"]["count"], 1)
            equal(len(ask(uid, f"/v1/buffers?pid={program.pid}")["buffers"]), 10 if sees else 0, f"{uid} buffers")
            totals = ask(uid, "/v1/devices")["devices"]
            equal(max(t["memory"]["dram"]["buffers"] for t in totals) >= 10, True, "totals are for all")
            verdict = ask(uid, f"/v1/verify?pid={program.pid}", "POST")
            equal("error" in verdict, not sees, f"{uid} verify")
            then = ask(uid, "/v1/buffers?failure=1")
            equal((len(then["buffers"]), then["total"]), (10, 10) if sees else (0, 0), f"{uid} buffers of a failure")
            equal(ask(uid, "/healthz"), {"status": "ok"})
            # the server's own numbers: counts over all users, and nothing of anybody, so the same for all
            numbers = ask(uid, "/v1/server")
            equal(numbers["tables"]["accepted"], whole["tables"]["accepted"], f"{uid} server")
            equal(leaves(numbers), leaves(whole), f"{uid} server")
            equal({path for path, kind in leaves(numbers) if kind is not int},
                  {("schema",), ("time",), ("version",), ("started",)}, "all else are counts")


def test_share():
    """--share widens who sees details: to a group, to all."""
    need_other_users()
    for share, group_sees, others_see in (("own", False, False), ("group", True, False), ("all", True, True)):
        with directory() as d, Server(d, f"--share={share}") as server, app(d, prefix=as_user(1234, [])) as program:
            program("open", 1, 0, 0)
            program("many", 0, 3)
            wait_until("it reports", lambda: server.process_of(program.pid))
            for uid, gid, sees in ((4321, 1234, group_sees), (4321, 4321, others_see), (1234, 1234, True)):
                viewer = ["setpriv", f"--reuid={uid}", f"--regid={gid}", "--clear-groups"]
                done = subprocess.run([*viewer, str(TTMEM), "--format=json"], capture_output=True, text=True,
                                      env={**os.environ, "TTMEM_SOCKET_DIR": str(d)}, cwd="/")
                process = process_of(json.loads(done.stdout), program.pid)
                equal(process["command"] is not None, sees, f"{share}: {uid}:{gid}")


def test_changed_uid():
    """A program that gives up root keeps reporting, and can still register with a new server."""
    need_other_users()
    with directory() as d:
        with app(d) as program:
            program("open", 1, 0, 0)
            program("many", 0, 10)
            equal(program("setuid", 1234)["setuid"], 0)
            # in a PID namespace of its own the server cannot find it, only be found
            with Server(d, prefix=["unshare", "--pid", "--fork", "--kill-child", "--mount-proc"]) as server:
                def registered():
                    program("alloc", 0, "dram", 4096, 2048)
                    return server.get("/v1/processes")["processes"]
                process = wait_until("a registration", registered)[0]
                equal(process["uid"], 1234)
                view = program("stats", 0)["dram"]
                process = server.get("/v1/processes")["processes"][0]
                equal(process["allocators"][0]["memory"]["dram"]["bank"]["allocated_bytes"],
                      view["allocated_bytes"])


def test_unprivileged_server():
    """A server of another user is not trusted by a directory alone, only when it is named."""
    need_other_users()
    with directory() as d:
        os.chown(d, 2345, 2345)
        with Server(d, prefix=as_user(2345, [])) as server:
            with App(env={"TTMEM_SOCKET_DIR": str(d)}, prefix=as_user(1234, [])) as stranger, \
                    App(env={"TTMEM_SOCKET_DIR": str(d), "TTMEM_SERVER_UID": "7,2345"},
                        prefix=as_user(1234, [])) as friend:
                for program in (stranger, friend):
                    program("open", 1, 0, 0)
                    program("many", 0, 5)
                wait_until("the friend", lambda: server.process_of(friend.pid))
                time.sleep(0.3)
                equal(server.process_of(stranger.pid), None)
                equal(server.process_of(friend.pid)["uid"], 1234)


def test_namespaces():
    """In its own PID, mount, IPC and network namespace, with only the socket directory shared, a
    process is seen with its pid outside and inside."""
    if os.geteuid() != 0:
        raise Skip("unshare needs root")
    with directory() as d, Server(d) as server:
        with app(d, prefix=["unshare", "--pid", "--fork", "--kill-child", "--mount-proc", "--mount", "--ipc", "--net"]) as program:
            program("open", 1, 0, 0)
            program("many", 0, 10)
            equal(program.pid, 1, "its own pid")
            found = wait_until("it reports", lambda: [
                p for p in server.get("/v1/snapshot")["processes"] if p["inner_pid"] == 1])
            command = pathlib.Path(f"/proc/{found[0]['pid']}/cmdline").read_bytes()
            equal(b"standin-app" in command, True, "the pid outside is that very process")


def test_user_namespace():
    """In a user namespace of its own as well. Where root is not mapped, the server's uid shows as
    the overflow uid there, and the application is told to trust that."""
    need_other_users()
    namespaces = ["unshare", "--user", "--map-root-user", "--pid", "--fork", "--kill-child", "--mount-proc",
                  "--mount", "--ipc", "--net"]
    with directory() as d, Server(d) as server:
        for uid, trust in ((0, {}), (1234, {"TTMEM_SERVER_UID": "65534"})):
            with App(env={"TTMEM_SOCKET_DIR": str(d), **trust}, prefix=as_user(uid, namespaces)) as program:
                program("open", 1, 0, 0)
                program("many", 0, 10)
                found = wait_until("it reports", lambda: [
                    p for p in server.get("/v1/snapshot")["processes"]
                    if p["inner_pid"] == program.pid and p["uid"] == uid and p["state"] == "live"])
                equal(found[0]["devices"][0]["memory"]["dram"]["buffers"], 10)


if __name__ == "__main__":
    sys.exit(run_tests(globals()))
