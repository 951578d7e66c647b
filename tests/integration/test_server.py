#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""ttmemd: registration, life and death, who may see what, and clients that misbehave.

Each test has a server of its own in a directory of its own, and programs on the stand-in.
"""
import contextlib
import http.client
import json
import os
import pathlib
import random
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "lib")]

from compare import check_allocator, open_allocators, process_of
from standin import App
from testing import BUILD, ROOT, TTMEM, TTMEMD, Skip, equal, run_tests, ttmem, wait_until


class Connection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("ttmem", timeout=10)
        self.path = str(path)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(10)
        self.sock.connect(self.path)


class Server:
    """One running ttmemd; also asks it."""

    def __init__(self, directory, *options, prefix=(), **more):
        self.directory = pathlib.Path(directory)
        self.options, self.prefix, self.more = options, prefix, more
        self.start()

    def start(self):
        self.process = subprocess.Popen(
            [*self.prefix, str(TTMEMD), "--socket-dir", str(self.directory), *self.options],
            stderr=subprocess.PIPE, text=True, **self.more)
        wait_until("the server answers", self.answers)

    def answers(self):
        if self.process.poll() is not None:
            raise AssertionError("ttmemd ended: " + self.process.stderr.read())
        with contextlib.suppress(OSError):
            return self.get("/healthz") == {"status": "ok"}

    def request(self, method, target, headers=None):
        connection = Connection(self.directory / "api.sock")
        connection.request(method, target, headers=headers or {})
        response = connection.getresponse()
        body = response.read()
        connection.close()
        return response.status, dict(response.getheaders()), json.loads(body) if body else None

    def get(self, target):
        status, _, body = self.request("GET", target)
        equal(status, 200, target)
        return body

    def process_of(self, pid):
        return process_of(self.get("/v1/snapshot"), pid)

    def state_of(self, pid):
        process = self.process_of(pid)
        return process and process["state"]

    def stop(self, how=signal.SIGTERM):
        self.process.send_signal(how)
        return self.process.wait(timeout=10)

    def __enter__(self):
        return self

    def __exit__(self, *what):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


@contextlib.contextmanager
def directory():
    with tempfile.TemporaryDirectory(prefix="ttmemd.") as path:
        os.chmod(path, 0o755)
        yield pathlib.Path(path)


def need_other_users():
    """Skips where no other user can be played, or where none could reach what was built."""
    if os.geteuid() != 0:
        raise Skip("becoming another user needs root")
    if subprocess.run(as_user(1234, ["test", "-x", str(TTMEM)]), stderr=subprocess.DEVNULL).returncode:
        raise Skip("the build lies where other users cannot reach it")


def app(where, **more):
    return App(env={"TTMEM_SOCKET_DIR": str(where)}, **more)


def live_requested(server, pid):
    return sum(a["memory"]["dram"]["requested_bytes"] for a in server.process_of(pid)["allocators"])


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


def test_dead_keep_their_last_state():
    """Killed with -9: the last state stays, marked, and no longer counts for the devices."""
    with directory() as d, Server(d) as server:
        with app(d) as program:
            program("open", 1, 0, 0)
            program("many", 0, 100000)
            before = wait_until("it reports", lambda: server.process_of(program.pid))
            program.process.kill()
            start = time.monotonic()
            wait_until("it is marked", lambda: server.state_of(program.pid) == "exited")
            equal(time.monotonic() - start < 2, True)
            after = server.process_of(program.pid)
            equal(after["allocators"], before["allocators"], "the last figures")
            equal(after["exit_time"] is not None, True)
            # other programs may run beside us: the devices hold what the living hold, no more
            snapshot = server.get("/v1/snapshot")
            equal(sum(x["memory"]["dram"]["buffers"] for x in snapshot["devices"]),
                  sum(x["memory"]["dram"]["buffers"] for p in snapshot["processes"]
                      if p["state"] == "live" for x in p["devices"]))
            equal(server.get(f"/v1/buffers?pid={program.pid}&limit=1")["total"], 100000)


def test_newest_sixty_four():
    """Of the dead the newest 64 are kept."""
    with directory() as d, Server(d) as server:
        pids = []
        for _ in range(70):
            with app(d) as program:
                program("open", 1, 0, 0)
                program("many", 0, 3)
                pids.append(program.pid)
        wait_until("all are known", lambda: server.get("/v1/server")["tables"]["accepted"] >= 70)
        wait_until("all are dead", lambda: server.state_of(pids[-1]) == "exited")
        dead = [p["pid"] for p in server.get("/v1/snapshot")["processes"] if p["state"] == "exited"]
        equal(len(dead), 64)
        # of other programs that ended meanwhile some may be among them
        kept = [pid for pid in dead if pid in pids]
        equal(set(kept), set(pids[-len(kept):]), "the newest")


def test_stopped_server():
    """A stopped server blocks nobody; what was sent meanwhile is there when it goes on."""
    with directory() as d, Server(d) as server:
        server.process.send_signal(signal.SIGSTOP)
        try:
            with app(d) as program, app(d) as killed:
                for one in (program, killed):
                    one("open", 1, 0, 0)
                    one("many", 0, 500)
                ns = program("loop", 0, 20000)["ns"]
                equal(ns < 1e6, True, f"{ns} ns a pair beside a stopped server")
                killed.process.kill()
                killed.process.wait()
                server.process.send_signal(signal.SIGCONT)
                wait_until("the living is known", lambda: server.state_of(program.pid) == "live")
                wait_until("the dead is known", lambda: server.state_of(killed.pid) == "exited")
                equal(server.get(f"/v1/buffers?pid={killed.pid}&limit=1")["total"], 500)
        finally:
            server.process.send_signal(signal.SIGCONT)


def test_restarts():
    """Killed and started again, or started late: the tables are the truth and are found again."""
    with directory() as d:
        with app(d) as program:
            program("open", 1, 0, 0)
            program("many", 0, 200)
            with Server(d) as server:
                equal(server.state_of(program.pid), "live", "found under /proc")
                server.stop(signal.SIGKILL)
                program("many", 0, 100)
                server.start()
                equal(server.state_of(program.pid), "live", "after -9")
                view = program("stats", 0)
                equal(server.process_of(program.pid)["allocators"][0]["memory"]["dram"]["bank"]
                      ["allocated_bytes"], view["dram"]["allocated_bytes"])
                equal(server.stop(), 0, "clean stop")
                equal(sorted(f.name for f in d.iterdir()), ["lock"], "no sockets left")


def test_late_server_by_registration():
    """A server that starts later is found by the process itself, at one of its next events."""
    with directory() as d, app(d, prefix=["unshare", "--pid", "--fork", "--kill-child", "--mount-proc"]) as program:
        program("open", 1, 0, 0)
        program("many", 0, 10)
        with Server(d) as server:
            def registered():
                program("alloc", 0, "dram", 4096, 2048)
                return server.get("/v1/server")["tables"]["accepted"]
            wait_until("a registration", registered, 15)


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


SENDER = r"""
import fcntl, os, socket, struct, sys
small, where, count, control, forks = open(sys.argv[1], "rb").read(), sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), int(sys.argv[5])

def send():
    ticks = int(open("/proc/self/stat").read().rsplit(")", 1)[1].split()[19])
    fd = os.memfd_create("ttmem", 3)
    os.ftruncate(fd, len(small))
    os.pwrite(fd, small[:0x2000], 0)
    os.pwrite(fd, os.urandom(16), 24)
    fcntl.fcntl(fd, 1033, 7)
    s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    s.connect(where + "/register.sock")
    socket.send_fds(s, [struct.pack("<QIIQII", 0x004745526d656d74, 1, 0, ticks, 0, 0)], [fd, control])
    s.close()
    os.close(fd)

children = []
for i in range(count):
    if not forks:
        send()
        continue
    children.append(os.fork())
    if children[-1] == 0:
        send()
        sys.stdin.read()
        os._exit(0)
print("sent", *children, flush=True)
sys.stdin.read()
"""


class Senders:
    """Registers tables that are copies of an honest one, without a program behind each."""

    def __init__(self, where, program):
        program("open", 1, 0, 0)
        program("many", 0, 3)
        files = {os.readlink(f).split()[0]: str(f)
                 for f in pathlib.Path(f"/proc/{program.pid}/fd").iterdir()}
        self.where, self.control = where, os.open(files["/memfd:ttmem-control"], os.O_RDWR)
        # a small table: the head's count of slots and the size are made to fit, and the parts
        # behind the slots (programs, kernels, ranges) are not there
        small = bytearray(open(files["/memfd:ttmem"], "rb").read()[:0x100000 + 65536])
        struct.pack_into("<Q", small, 16, len(small))
        struct.pack_into("<I", small, 160 + 5 * 16 + 12, 1024)
        for part in (6, 9, 10):
            struct.pack_into("<I", small, 160 + part * 16 + 12, 0)
        (where / "small").write_bytes(small)
        os.chmod(where / "small", 0o644)

    def start(self, count, forks=False, prefix=()):
        python = "/usr/bin/python3" if prefix else sys.executable
        return subprocess.Popen(
            [*prefix, python, "-c", SENDER, str(self.where / "small"), str(self.where), str(count),
             str(self.control), str(int(forks))], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            text=True, pass_fds=[self.control], cwd="/")


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
        wait_until("all are accepted", lambda: server.get("/v1/server")["tables"]["accepted"] - before >= 2000, 60)
        tables = wait_until("the dead are told from the living", lambda: (
            lambda t: t if t["exited"] == 64 else None)(server.get("/v1/server")["tables"]))
        equal(tables["live"] >= 1000, True)
        for s in senders[1::2]:
            s.communicate()


def test_exit_among_a_thousand():
    """With 1,000 processes the end of one is noticed by itself, without a scan."""
    with directory() as d, Server(d, "--sample", "3600") as server, app("/nonexistent") as program:
        many = Senders(d, program)
        sender = many.start(1000, forks=True)
        pids = [int(w) for w in sender.stdout.readline().split()[1:]]
        equal(len(pids), 1000)
        wait_until("all are known", lambda: server.get("/v1/server")["tables"]["live"] >= 1000, 60)
        for pid in random.Random(2).sample(pids, 10):
            before = server.get("/v1/server")["tables"]["exited"]
            os.kill(pid, signal.SIGKILL)
            wait_until("it is noticed", lambda: server.get("/v1/server")["tables"]["exited"] > before, 2)
        sender.communicate()


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


def test_both_killed():
    """Program and server killed at once: the next server has no trace of it, and others are whole."""
    with directory() as d, Server(d) as server, app(d) as other:
        other("open", 1, 0, 0)
        other("many", 0, 7)
        with app(d) as program:
            program("open", 1, 0, 0)
            program("many", 0, 1000)
            wait_until("both report", lambda: server.process_of(program.pid) and server.process_of(other.pid))
            os.kill(program.pid, signal.SIGKILL)
            server.stop(signal.SIGKILL)
        server.start()
        equal(server.process_of(program.pid), None)
        wait_until("the other", lambda: server.process_of(other.pid))
        equal(server.get(f"/v1/buffers?pid={other.pid}")["total"], 7)


def test_large_requests():
    """A request of 15 KiB is read; one that is too large is refused, and the server lives."""
    with directory() as d, Server(d) as server:
        equal(server.request("GET", "/healthz?" + "x" * 15000)[0], 200)
        with contextlib.suppress(OSError, http.client.HTTPException, ValueError):
            equal(server.request("GET", "/healthz?" + "x" * 80000)[0] in (413, 414, 431), True)
        equal(server.get("/healthz"), {"status": "ok"})


def test_slow_reader():
    """A client that asks for much and reads nothing is cut off."""
    with directory() as d, Server(d, "--sample", "0.2") as server, app(d) as program:
        program("open", 1, 0, 0)
        program("many", 0, 50000)
        wait_until("it reports", lambda: server.process_of(program.pid))
        slow = socket.socket(socket.AF_UNIX)
        slow.connect(str(d / "api.sock"))
        slow.sendall(b"GET /v1/buffers?limit=100000 HTTP/1.1\r\nHost: x\r\n\r\n")
        time.sleep(7)
        equal(server.get("/healthz"), {"status": "ok"})
        slow.settimeout(5)
        got = 0
        with contextlib.suppress(OSError):
            while piece := slow.recv(1 << 20):
                got += len(piece)
        equal(got < 5_000_000, True, f"{got} bytes before it was cut off")


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


def test_kept_failures():
    """What lay in memory when an allocation failed, also after the process is gone."""
    with directory() as d, Server(d) as server:
        with app(d) as program:
            program("open", 1, 0, 0)
            program("many", 0, 50)
            program("alloc", 0, "l1", 1 << 40, 2048)
            program("freeall")
        kept = wait_until("it is kept", lambda: server.get("/v1/failures")["kept"])
        equal((len(kept), kept[0]["pid"]), (1, program.pid))
        then = server.get(f"/v1/buffers?failure={kept[0]['number']}")
        equal((then["total"], len(then["buffers"])), (50, 50))
        equal(server.request("GET", "/v1/buffers?failure=99")[0], 404)
        for _ in range(20):  # each process sends its first one at once
            with app(d) as program:
                program("open", 1, 0, 0)
                program("alloc", 0, "l1", 1 << 40, 2048)
        wait_until("the newest are kept", lambda: (
            lambda k: len(k) == 16 and k[0]["pid"] == program.pid)(server.get("/v1/failures")["kept"]))


class Manager:
    """Stands in for a service manager: holds the sockets, keeps what is stored, starts again."""

    def __init__(self, where):
        self.where, self.stored = where, {}
        self.notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.notify.bind(str(where / "notify"))
        self.notify.settimeout(5)
        self.sockets = [socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET), socket.socket(socket.AF_UNIX)]
        for s, name in zip(self.sockets, ("register.sock", "api.sock")):
            s.bind(str(where / name))
            s.listen(128)

    def environment(self):
        fds = [s.fileno() for s in self.sockets] + list(self.stored.values())
        names = ["ttmemd.socket"] * 2 + list(self.stored)
        # numbers from 3 on and LISTEN_PID are the child's: a shell puts them in place
        moves = " ".join(f"{3 + i}<&{fd + 100}" for i, fd in enumerate(fds))
        for fd in fds:
            os.dup2(fd, fd + 100)
            os.set_inheritable(fd + 100, True)
        script = (f"export LISTEN_PID=$$ LISTEN_FDS={len(fds)} LISTEN_FDNAMES={':'.join(names)} "
                  f"NOTIFY_SOCKET={self.where}/notify; exec \"$@\" {moves}")
        return ["bash", "-c", script, "manager"], {"pass_fds": [fd + 100 for fd in fds]}

    def collect(self, until):
        """Messages up to the one that begins with `until`."""
        while True:
            data, fds, _, _ = socket.recv_fds(self.notify, 4096, 4)
            lines = dict(line.split("=", 1) for line in data.decode().splitlines())
            if "FDSTORE" in lines:
                self.stored[lines["FDNAME"]] = fds[0]
            if "FDSTOREREMOVE" in lines:
                os.close(self.stored.pop(lines["FDNAME"]))
            if until in lines:
                return


def test_descriptor_store():
    """Under a service manager a restart loses nothing, not even the last state of the dead."""
    with directory() as d:
        manager = Manager(d)
        prefix, more = manager.environment()
        with Server(d, prefix=prefix, **more) as server:
            manager.collect("READY")
            with app(d) as living, app(d) as dying:
                for program, count in ((living, 30), (dying, 40)):
                    program("open", 1, 0, 0)
                    program("many", 0, count)
                    manager.collect("FDSTORE")
                dying.process.kill()
                wait_until("it is marked", lambda: server.state_of(dying.pid) == "exited")
                server.stop(signal.SIGKILL)
                equal((d / "api.sock").exists(), True, "the sockets are the manager's")
                server.prefix, server.more = manager.environment()
                server.start()
                equal(server.state_of(living.pid), "live")
                equal(server.state_of(dying.pid), "exited")
                equal(server.get(f"/v1/buffers?pid={dying.pid}&limit=1")["total"], 40)
                living("many", 0, 5)
                equal(server.get(f"/v1/buffers?pid={living.pid}&limit=1")["total"], 35)


def test_units():
    """The unit files are what systemd takes."""
    if not shutil.which("systemd-analyze"):
        raise Skip("systemd-analyze is not installed")
    with tempfile.TemporaryDirectory() as there:
        for file in (ROOT / "packaging/systemd").glob("ttmemd.*"):
            text = file.read_text().replace("/usr/bin/ttmemd", str(TTMEMD))
            pathlib.Path(there, file.name).write_text(text.replace("Documentation=man:ttmemd(8)\n", ""))
        done = subprocess.run(["systemd-analyze", "verify", "--man=no", f"{there}/ttmemd.service",
                               f"{there}/ttmemd.socket"], capture_output=True, text=True)
        ours = [line for line in done.stderr.splitlines() if "ttmemd" in line]
        equal((done.returncode, ours), (0, []))


def test_two_servers():
    """Two servers in two directories both know the process."""
    with directory() as a, directory() as b, Server(a) as one, Server(b) as two:
        with App(env={"TTMEM_SOCKET_DIR": f"{a}:{b}"}) as program:
            program("open", 1, 0, 0)
            program("many", 0, 10)
            wait_until("both", lambda: one.process_of(program.pid) and two.process_of(program.pid))


def test_second_on_the_same_directory():
    """A second server says who is there and exits 1; a stale socket is no obstacle."""
    with directory() as d:
        (d / "api.sock").touch()
        with Server(d) as server:
            second = subprocess.run([str(TTMEMD), "--socket-dir", str(d)], capture_output=True, text=True)
            equal(second.returncode, 1)
            equal(f"pid {server.process.pid}" in second.stderr, True, second.stderr)
            equal(server.get("/healthz"), {"status": "ok"}, "the first is unharmed")


def test_exec_and_closed_descriptors():
    """exec ends a process's table; closing all descriptors does not."""
    with directory() as d, Server(d, "--sample", "0.1") as server, app(d) as program:
        program("open", 1, 0, 0)
        program("many", 0, 10)
        wait_until("it reports", lambda: server.process_of(program.pid))
        program("closefrom", 3, "-")
        time.sleep(0.5)
        equal(server.state_of(program.pid), "live", "after closefrom")
        program.tell("exec")
        program.answer()
        wait_until("it is marked", lambda: server.state_of(program.pid) == "exited")


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


def test_verify():
    """Asked by the server, the process answers at its next event; an idle one is called idle."""
    with directory() as d, Server(d) as server, app(d) as program:
        program("open", 1, 0, 0)
        program("random", 0, 200, 1)
        wait_until("it reports", lambda: server.process_of(program.pid))
        start = time.monotonic()
        status, _, answer = server.request("POST", f"/v1/verify?pid={program.pid}")
        equal((status, answer["state"]), (200, "idle"))
        equal(time.monotonic() - start < 3, True)
        program.tell("loop 0 2000000")
        status, _, answer = server.request("POST", f"/v1/verify?pid={program.pid}")
        equal((status, answer["state"]), (200, "answered"))
        equal([a["type"] for a in answer["answers"]], ["dram", "l1", "l1_small", "trace"])
        equal([a["equal"] for a in answer["answers"]], [True] * 4)
        program.answer()
        equal(server.request("POST", "/v1/verify?pid=1")[0], 404)


def test_verify_blocks_nobody():
    """While one client waits for an idle process, others are answered."""
    with directory() as d, Server(d) as server, app(d) as program:
        program("open", 1, 0, 0)
        program("many", 0, 3)
        wait_until("it reports", lambda: server.process_of(program.pid))
        waiting = Connection(d / "api.sock")
        waiting.request("POST", f"/v1/verify?pid={program.pid}")
        start = time.monotonic()
        for _ in range(20):
            server.get("/healthz")
        equal(time.monotonic() - start < 0.8, True)
        equal(json.loads(waiting.getresponse().read())["state"], "idle")


def as_user(uid, command):
    return ["setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups", *command]


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


def test_buffers_pages():
    """Filters, order and pages; pages together are the whole."""
    with directory() as d, Server(d) as server, app(d) as program:
        program("open", 1, 0, 0)
        program("random", 0, 1000, 3)
        whole = server.get("/v1/buffers?limit=100000&sort=address")["buffers"]
        pages, cursor = [], "0"
        while cursor is not None:
            page = server.get(f"/v1/buffers?limit=7&sort=address&cursor={cursor}")
            pages += page["buffers"]
            cursor = page["cursor"]
        equal([b["address"] for b in pages], [b["address"] for b in whole])
        for sort, key in (("size", lambda b: -b["requested_bytes"]), ("age", lambda b: -b["age_ns"]),
                          ("bank", lambda b: -b["bank_bytes"])):
            whole = server.get(f"/v1/buffers?pid={program.pid}&limit=100000&sort={sort}")["buffers"]
            for first in (1, 2, 7, 30, len(whole) - 1):
                some = server.get(f"/v1/buffers?pid={program.pid}&limit={first}&sort={sort}")["buffers"]
                equal([b["event"] for b in some], [b["event"] for b in whole[:first]], f"first {first} by {sort}")
            equal([key(b) for b in whole] == sorted(key(b) for b in whole) or sort == "age", True, sort)
        l1 = server.get("/v1/buffers?type=l1&limit=100000")["buffers"]
        equal({b["type"] for b in l1}, {"l1"})
        equal(server.request("GET", "/v1/buffers?limit=x")[0], 400)
        equal(server.request("GET", "/v1/buffers?type=sram")[0], 400)
        equal(server.request("GET", "/v1/nothing")[0], 404)
        equal(server.request("POST", "/v1/snapshot")[0], 405)


def test_etag():
    """An unchanged snapshot is answered without a body."""
    with directory() as d, Server(d) as server, app(d) as program:
        program("open", 1, 0, 0)
        program("many", 0, 10)
        wait_until("it reports", lambda: server.process_of(program.pid))
        tag = server.request("GET", "/v1/snapshot")[1]["ETag"]
        equal(server.request("GET", "/v1/snapshot", {"If-None-Match": tag})[0], 304)
        program("many", 0, 1)
        equal(server.request("GET", "/v1/snapshot", {"If-None-Match": tag})[0], 200)


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


def test_slow_clients():
    """Idle clients and tricklers do not keep a good one waiting, and are cut off."""
    with directory() as d, Server(d) as server:
        idle = [socket.socket(socket.AF_UNIX) for _ in range(500)]
        tricklers = [socket.socket(socket.AF_UNIX) for _ in range(50)]
        for s in idle + tricklers:
            s.connect(str(d / "api.sock"))
        for s in tricklers:
            s.sendall(b"GET /v1/snapshot HTTP/1.1\r\n")
        start = time.monotonic()
        server.get("/healthz")
        equal(time.monotonic() - start < 1, True, "a good client is answered")
        end = time.monotonic() + 12

        def all_cut():
            for s in list(tricklers):
                try:
                    s.sendall(b"X: y\r\n")
                except OSError:
                    tricklers.remove(s)
            return not tricklers or None
        wait_until("tricklers are cut off", all_cut, end - time.monotonic())
        for s in idle:
            s.close()


def test_tool_falls_back():
    """A dead or a hung server: the tool looks itself, soon, and says so in one line."""
    with directory() as d, app("/nonexistent") as program:
        program("open", 1, 0, 0)
        program("many", 0, 3)
        env = {"TTMEM_SOCKET_DIR": str(d)}
        with Server(d) as server:
            server.process.send_signal(signal.SIGSTOP)
            start = time.monotonic()
            hung = ttmem("--format=json", env=env)
            equal(time.monotonic() - start < 1.5, True, "falls back in time")
            server.process.send_signal(signal.SIGCONT)
            server.stop(signal.SIGKILL)
        dead = ttmem("--format=json", env=env)
        for done in (hung, dead):
            equal(len(done.stderr.splitlines()), 1, done.stderr)
            equal(str(d) in done.stderr, True)
            equal(process_of(json.loads(done.stdout), program.pid) is not None, True)
        absent = ttmem("--format=json", env={"TTMEM_SOCKET_DIR": "/nonexistent"})
        equal(absent.stderr, "", "no server at all is nothing to talk about")


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


if __name__ == "__main__":
    sys.exit(run_tests(globals()))
