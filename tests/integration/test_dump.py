#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""ttmem dump: which process, what happens to the directory, and what cannot be written.

That the files are those of TT-Metal is tests/metal/test_dump.py.
"""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "lib")]

from standin import App
from server import Server, as_user, directory, need_other_users
from testing import TTMEM, equal, run_tests, ttmem, wait_until

NAMES = ["detailed_memory_usage.csv", "l1_usage_summary.csv", "memory_usage_summary.csv"]


def dump(where, *arguments, **more):
    done = ttmem("dump", *arguments, where, check=False, **more)
    equal(done.stderr.count("\n") <= 1, True, "one line of error: " + done.stderr)
    return done


def failed(done, code, *words):
    equal((done.returncode, done.stdout), (code, ""), done.stderr)
    for word in words:
        equal(word in done.stderr, True, f"{word} in {done.stderr}")


def wrote(done):
    """It worked; the stand-in is no release, and that is all there is to say."""
    equal(done.returncode, 0, done.stderr)
    equal("not known: labels are those of release 0.63" in done.stderr, True, done.stderr)


def figures(where, prefix=""):
    """The lines of the summary as numbers: total, allocated, free, largest free."""
    lines = pathlib.Path(where, prefix + "memory_usage_summary.csv").read_text().splitlines()[1:]
    return [[int(n) for n in line[1:].split(",")] for line in lines]


def same_files(one, other):
    equal(sorted(os.listdir(one)), sorted(os.listdir(other)), "files")
    for name in os.listdir(one):
        equal((one / name).read_bytes(), (other / name).read_bytes(), name)


def test_usage():
    """What is wrong is said before anything is looked at or written."""
    with directory() as d:
        failed(ttmem("dump", check=False), 2, "directory")
        failed(ttmem("dump", d / "a", "b", check=False), 2, "what is b?")
        for pid in ("0", "-1", "x", str(1 << 32)):
            failed(dump(d / "a", "--pid", pid), 2)
        equal(os.listdir(d), [])


def test_which_process():
    """None, one, several: only where there is no doubt the pid may be left out."""
    with directory() as d:
        failed(dump(d / "a"), 6, "no process reports")
        failed(dump(d / "a", "--pid", "4194304"), 6, "no process 4194304")
        with App() as first:
            failed(dump(d / "a"), 6, "no process reports")  # it has no table yet
            first("open", 1, 0, 0)
            equal(dump(d / "a").stdout.split(), [f"{d}/a/{n}" for n in reversed(NAMES)])
            equal(sorted(os.listdir(d / "a")), NAMES)
            with App() as second:
                second("open", 1, 0, 0)
                failed(dump(d / "b"), 2, f"{first.pid} (", f"{second.pid} (", "--pid")
                second("alloc", 0, "dram", 1 << 20, 2048)
                for program, empty in ((first, True), (second, False)):
                    equal(dump(d / "c", "--pid", program.pid).returncode, 0)
                    equal(figures(d / "c")[0][1] == 0, empty, "allocated")
            first("close", 0)
            failed(dump(d / "b"), 6, "no open device")
        equal(sorted(os.listdir(d)), ["a", "c"])


def test_directory():
    """It is made, parents included; files are replaced whole, what else lies there stays."""
    with directory() as d, App() as program:
        program("open", 1, 0, 0)
        where = d / "some/where"
        equal(dump(where).returncode, 0)
        (where / "mine.csv").write_text("mine")
        before = {n: (where / n).read_bytes() for n in NAMES}
        kept = open(where / NAMES[2], "rb")
        program("alloc", 0, "l1", 4096, 2048)
        equal(dump(str(where) + "/").returncode, 0)
        equal(sorted(os.listdir(where)), sorted([*NAMES, "mine.csv"]), "nothing is left behind")
        equal(kept.read(), before[NAMES[2]], "who reads the old file keeps it")
        kept.close()
        equal((where / NAMES[2]).read_bytes() != before[NAMES[2]], True, "the new one is new")
        os.remove(where / NAMES[0])
        (where / NAMES[0]).symlink_to(d / "elsewhere")
        equal(dump(where).returncode, 0)
        equal((where / NAMES[0]).is_symlink(), False, "a link is replaced, not followed")
        equal((d / "elsewhere").exists(), False)


def test_cannot_write():
    """Which file, and why; the old ones stay as they were, and nothing is left behind."""
    with directory() as d, App() as program:
        program("open", 1, 0, 0)
        (d / "file").write_text("x")
        failed(dump(d / "file"), 1, f"{d}/file", "Not a directory")
        failed(dump(d / "file/below"), 1, "Not a directory")
        failed(dump("/proc/nowhere"), 1, "/proc/nowhere")
        failed(dump("x" * 5000), 1, "too long")
        failed(dump(""), 1, "No such file")
        where = d / "taken"
        (where / NAMES[2]).mkdir(parents=True)
        failed(dump(where), 1, f"{where}/{NAMES[2]}", "directory")
        equal(os.listdir(where), [NAMES[2]])
        limit = ["prlimit", "--fsize=100", str(TTMEM), "dump", str(d / "small")]
        equal(dump(d / "small").returncode, 0)
        before = {n: (d / "small" / n).read_bytes() for n in NAMES}
        if shutil.which("prlimit"):
            done = subprocess.run(limit, capture_output=True, text=True, timeout=240,
                                  preexec_fn=ignore_sigxfsz)
            failed(done, 1, "File too large")
            equal({n: (d / "small" / n).read_bytes() for n in sorted(os.listdir(d / "small"))},
                  before, "old files after a failure")


def ignore_sigxfsz():
    import signal
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)


def test_several_allocators():
    """A mesh and its submesh have files of their own, named by the allocator."""
    with directory() as d, App() as program:
        program("open", 2, 16384, 1 << 20)
        program("alloc", 0, "dram", 1 << 20, 2048)
        program("submesh", 0, 1)
        program("alloc", 1, "dram", 1 << 22, 2048)
        equal(dump(d / "a").returncode, 0)
        equal(sorted(os.listdir(d / "a")),
              sorted(f"allocator{a}_{n}" for a in (0, 1) for n in NAMES))
        parent, child = (figures(d / "a", f"allocator{a}_")[0] for a in (0, 1))
        equal((parent[1] > 0, child[1] > 3 * parent[1]), (True, True), f"{parent} {child}")


def test_with_a_server():
    """The server's two documents give the same files as our own look; the dead have theirs."""
    with directory() as d, Server(d / "server") as server, \
            App(env={"TTMEM_SOCKET_DIR": str(d / "server")}) as program:
        env = {"TTMEM_SOCKET_DIR": str(d / "server")}
        program("open", 2, 16384, 1 << 20)
        program("random", 0, 500, 7)
        program("submesh", 0, 1)
        program("random", 1, 300, 8)
        wait_until("it reports", lambda: server.process_of(program.pid))
        wrote(dump(d / "theirs", env=env))
        wrote(dump(d / "ours", "--no-server", env=env))
        same_files(d / "theirs", d / "ours")
        for prefix in ("allocator0_", "allocator1_"):
            equal(figures(d / "theirs", prefix)[0][1] > 0, True, "it holds buffers")
        program.process.kill()
        wait_until("it is known to have ended",
                   lambda: server.state_of(program.pid) == "exited")
        failed(dump(d / "dead", env=env), 6, "no process reports")
        wrote(dump(d / "dead", "--pid", program.pid, env=env))
        same_files(d / "dead", d / "ours")


def test_busy_program():
    """While a program allocates all the time the files of a set still agree with each other, or
    it is said why there are none; another program's files are a cut in time all the same."""
    with directory() as d, App() as program:
        program("open", 1, 0, 0)
        program("many", 0, 500)
        program.tell("loop", 0, 1000000000)
        for i in range(10):
            done = ttmem("dump", "--pid", program.pid, d / str(i), check=False)
            equal(done.returncode in (0, 1), True, done.stderr)
            if done.returncode == 1:
                equal("too fast" in done.stderr, True, done.stderr)
                continue
            for total, allocated, free, largest in figures(d / str(i)):
                equal((allocated + free, largest <= free), (total, True))
        with App() as still:
            still("open", 1, 0, 0)
            still("alloc", 0, "l1", 4096, 2048)
            wrote(dump(d / "still", "--pid", still.pid))


def test_other_users():
    """What belongs to another user is not written, and it is said whose business it is."""
    need_other_users()
    with directory() as d, App(prefix=as_user(1234, [])) as program:
        program("open", 1, 0, 0)
        os.chmod(d, 0o777)
        done = subprocess.run(as_user(1235, [str(TTMEM), "dump", "--pid", str(program.pid),
                                             str(d / "a")]), capture_output=True, text=True)
        failed(done, 4, "another user", "root")
        with Server(d / "server") as server:
            os.chmod(d / "server", 0o755)
            env = {**os.environ, "TTMEM_SOCKET_DIR": str(d / "server")}
            wait_until("it is found", lambda: server.process_of(program.pid))
            for arguments in (["--pid", str(program.pid)], []):
                done = subprocess.run(
                    as_user(1235, [str(TTMEM), "dump", *arguments, str(d / "a")]),
                    capture_output=True, text=True, env=env)
                failed(done, 4, "root")
            done = subprocess.run(as_user(1234, [str(TTMEM), "dump", str(d / "b")]),
                                  capture_output=True, text=True, env=env)
            wrote(done)
        equal((d / "a").exists(), False)


if __name__ == "__main__":
    sys.exit(run_tests(globals()))
