#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""ttmemd's life and that of the programs it knows: stopped, killed, restarted, under a manager.

Each test has a server of its own in a directory of its own, and programs on the stand-in.
"""
import concurrent.futures
import contextlib
import json
import os
import pathlib
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "lib")]

from compare import open_allocators, process_of
from server import Senders, Server, app, directory
from standin import App
from testing import PATIENCE_S, ROOT, TTMEMD, Skip, equal, run_tests, ttmem, wait_until
from writer import Writer


def test_dead_keep_their_last_state():
    """Killed with -9: the last state stays, marked, and no longer counts for the devices."""
    # no sample: an end is noticed by itself
    with directory() as d, Server(d, "--sample", "3600") as server:
        with app(d) as program:
            program("open", 1, 0, 0)
            program("many", 0, 100000)
            before = wait_until("it reports", lambda: server.process_of(program.pid))
            program.process.kill()
            wait_until("it is marked", lambda: server.state_of(program.pid) == "exited")
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


class Ledger:
    """What a program was told to do, and answered that it did."""

    def __init__(self, program, seed):
        self.program, self.rng = program, random.Random(seed)
        self.live = []
        self.counts = {kind: dict.fromkeys(("allocs", "frees", "failures", "requested", "peak"), 0)
                       for kind in ("dram", "l1")}
        program("open", 1, 0, 0)

    def step(self):
        if self.live and self.rng.random() < 0.48:
            buffer, kind, size = self.live.pop(self.rng.randrange(len(self.live)))
            self.program("free", buffer)
            self.counts[kind]["frees"] += 1
            self.counts[kind]["requested"] -= size
            return
        kind, size = self.rng.choice(("dram", "l1")), 2048 * self.rng.randint(1, 500)
        if self.rng.random() < 0.01:
            size = 1 << 40
        answer = self.program("alloc", 0, kind, size, 2048)
        counts = self.counts[kind]
        if "error" in answer:
            counts["failures"] += 1
            return
        self.live.append((answer["buffer"], kind, size))
        counts["allocs"] += 1
        counts["requested"] += size
        counts["peak"] = max(counts["peak"], counts["requested"])

    def work_until(self, end):
        while time.monotonic() < end:
            self.step()

    def check(self, process):
        allocator = process["allocators"][0]
        for kind, counts in self.counts.items():
            memory, theirs = allocator["memory"][kind], allocator["counts"][kind]
            equal({**{key: theirs[key] for key in ("allocs", "frees", "failures")},
                   "requested": memory["requested_bytes"], "peak": memory["peak_requested_bytes"]}, counts, kind)
            equal(memory["buffers"], counts["allocs"] - counts["frees"], kind)


def test_stopped_for_ten_seconds():
    """Programs that work while the server is stopped for 10 s come through without waiting for it,
    also one that starts and one that is killed meanwhile; then its figures are their own records."""
    with directory() as d, Server(d) as server, contextlib.ExitStack() as stack:
        ledgers = [Ledger(stack.enter_context(app(d)), seed) for seed in (1, 2)]
        for ledger in ledgers:
            for _ in range(100):
                ledger.step()
            wait_until("it reports", lambda: server.process_of(ledger.program.pid))
        server.process.send_signal(signal.SIGSTOP)
        try:
            ledgers.append(Ledger(stack.enter_context(app(d)), 3))
            end = time.monotonic() + 10
            with concurrent.futures.ThreadPoolExecutor() as pool:
                works = [pool.submit(ledger.work_until, end) for ledger in ledgers]
                for work in works:
                    work.result(timeout=PATIENCE_S)  # a program that waits for the server never gets there
            state = pathlib.Path(f"/proc/{server.process.pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
            equal(state, "T", "still stopped")
            ledgers[1].program.process.kill()
            ledgers[1].program.process.wait()
        finally:
            server.process.send_signal(signal.SIGCONT)
        pids = [ledger.program.pid for ledger in ledgers]
        wait_until("all are known", lambda: [server.state_of(pid) for pid in pids] == ["live", "exited", "live"])
        for ledger in ledgers:
            equal(ledger.counts["dram"]["allocs"] > 50, True, "it worked")
            ledger.check(server.process_of(ledger.program.pid))


def test_no_sleep():
    """Whatever the server does, the allocating thread never goes to sleep: from its first event on
    no voluntary context switch, which it has none of without the hook either."""
    def voluntary(where, naps=0, **more):
        with app(where, **more) as program:
            answer = program("switches", 2, naps)
            equal(answer["pairs"] >= 5000 * naps, True, "pairs")
            return answer["voluntary"]
    equal(voluntary("/nonexistent", hook=False), 0, "without the hook")
    equal(voluntary("/nonexistent", naps=3, hook=False), 3, "the measure itself")
    equal(voluntary("/nonexistent"), 0, "no server")
    with directory() as d, Server(d) as server, app(d) as program:
        program.tell("switches", 4, 0)
        wait_until("it reports", lambda: server.process_of(program.pid))
        end = time.monotonic() + 3
        while time.monotonic() < end:
            server.get("/v1/snapshot?largest_free=1")
            server.get("/v1/buffers?limit=10")
        equal(program.answer()["voluntary"], 0, "a server that reads all the time")
        for how in (signal.SIGSTOP, signal.SIGKILL):
            with app(d) as known:
                known.tell("switches", 5, 0)  # longer than it takes to find the server silent
                wait_until("it reports", lambda: server.process_of(known.pid))
                server.process.send_signal(how)
                equal(known.answer()["voluntary"], 0, f"a server that gets {how.name}")
            equal(voluntary(d), 0, f"a server that had {how.name} before")
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


def test_exit_among_a_thousand():
    """With 1,000 processes the end of one is noticed by itself, without a scan."""
    with directory() as d, Server(d, "--sample", "3600") as server, app("/nonexistent") as program:
        many = Senders(d, program)
        sender = many.start(1000, forks=True)
        pids = [int(w) for w in sender.stdout.readline().split()[1:]]
        equal(len(pids), 1000)
        wait_until("all are known", lambda: server.get("/v1/server")["tables"]["live"] >= 1000)
        for pid in random.Random(2).sample(pids, 10):
            before = server.get("/v1/server")["tables"]["exited"]
            os.kill(pid, signal.SIGKILL)
            wait_until("it is noticed", lambda: server.get("/v1/server")["tables"]["exited"] > before)
        sender.communicate()


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


def live_buffers(process):
    return sum(m["buffers"] for a in open_allocators(process) for m in a["memory"].values())


def states_of(server, pid):
    return sorted(p["state"] for p in server.get("/v1/snapshot")["processes"] if p["pid"] == pid)


def test_exec_into_another_table():
    """One number, two tables one after the other: that of the program before the exec is over."""
    with directory() as d, Server(d, "--sample", "0.1") as server, app(d) as program:
        for count in (10, 7):
            program("open", 1, 0, 0)
            program("many", 0, count)
            wait_until("it reports", lambda: "live" in states_of(server, program.pid))
            if count == 10:
                program.tell("exec")
                program.answer()
        wait_until("the first one is over", lambda: states_of(server, program.pid) == ["exited", "live"])
        equal([live_buffers(p) for p in server.get("/v1/snapshot")["processes"] if p["state"] == "live"], [7])


def test_no_lock_for_a_moment():
    """Between handing out its table and locking it again a process may be stopped: it lives, for the
    server that has it, for the tool, and for a server that is started again."""
    with directory() as d:
        manager = Manager(d)
        prefix, more = manager.environment()
        with Server(d, "--sample", "0.1", prefix=prefix, **more) as server, Writer(server) as program:
            program.alloc(4096)
            manager.collect("FDSTORE")
            program("unlock")
            program.process.send_signal(signal.SIGSTOP)
            time.sleep(0.5)
            equal(states_of(server, program.pid), ["live"], "after some samples")
            alone = json.loads(ttmem("--format=json", "--no-server").stdout)
            equal(process_of(alone, program.pid)["state"], "live")
            server.stop(signal.SIGKILL)
            server.prefix, server.more = manager.environment()
            server.start()
            equal(states_of(server, program.pid), ["live"], "after a restart")


def test_who_speaks_is_alive():
    """A process that was taken for dead is back as soon as it is heard of again."""
    with directory() as d:
        manager = Manager(d)
        prefix, more = manager.environment()
        with Server(d, prefix=prefix, **more) as server, Writer(server) as program:
            program.alloc(4096)
            manager.collect("FDSTORE")
            server.stop(signal.SIGKILL)
            # stored for a number that is somebody else's: not that of who holds the lock
            (name, fd), = manager.stored.items()
            manager.stored = {name.replace(f"-{program.pid}-", f"-{os.getpid()}-"): fd}
            server.prefix, server.more = manager.environment()
            server.start()
            program("hello")
            wait_until("it is back", lambda: states_of(server, program.pid) == ["live"])
            equal(states_of(server, os.getpid()), [])


def test_only_the_table_is_closed():
    """Who loses the table's descriptor but not the other one tells its server that it has moved."""
    with directory() as d, Server(d, "--sample", "0.1") as server, app(d) as program:
        program("open", 1, 0, 0)
        program("many", 0, 10)
        wait_until("it reports", lambda: server.process_of(program.pid))
        table, = (int(fd.name) for fd in pathlib.Path(f"/proc/{program.pid}/fd").iterdir()
                  if os.readlink(fd).startswith("/memfd:ttmem ("))
        program("closeone", table)
        made = 10

        def is_seen():
            nonlocal made
            program("alloc", 0, "dram", 32, 32)
            made += 1
            process = server.process_of(program.pid)
            return process["losses"]["moves"] == 1 and live_buffers(process) == made
        wait_until("the server has the other table", is_seen)
        equal(states_of(server, program.pid), ["live"])


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


class Manager:
    """Stands in for a service manager: holds the sockets, keeps what is stored, starts again."""

    def __init__(self, where):
        self.where, self.stored = where, {}
        self.notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.notify.bind(str(where / "notify"))
        self.notify.settimeout(PATIENCE_S)
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
                living("look_into_files")  # its lock is away at this moment
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


def test_tool_falls_back():
    """A dead or a hung server: the tool looks itself, soon, and says so in one line."""
    with directory() as d, app("/nonexistent") as program:
        program("open", 1, 0, 0)
        program("many", 0, 3)
        env = {"TTMEM_SOCKET_DIR": str(d)}
        with Server(d) as server:
            server.process.send_signal(signal.SIGSTOP)
            hung = ttmem("--format=json", env=env)  # comes back while the server hangs
            server.process.send_signal(signal.SIGCONT)
            server.stop(signal.SIGKILL)
        dead = ttmem("--format=json", env=env)
        for done in (hung, dead):
            equal(len(done.stderr.splitlines()), 1, done.stderr)
            equal(str(d) in done.stderr, True)
            equal(process_of(json.loads(done.stdout), program.pid) is not None, True)
        absent = ttmem("--format=json", env={"TTMEM_SOCKET_DIR": "/nonexistent"})
        equal(absent.stderr, "", "no server at all is nothing to talk about")


if __name__ == "__main__":
    sys.exit(run_tests(globals()))
