#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The hook comes late: what was there is taken over, nothing is lost, and the program is unharmed.

Reason: people forget to start a job under a wrapper. tests/metal/test_attach.py does it with the
real TT-Metal; here are the moments that one cannot be made to have, and everybody who is refused.
"""
import contextlib
import ctypes
import json
import os
import pathlib
import re
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "lib")]

from compare import check_allocator, open_allocators, process_of
from server import Server
from slots import Slots
from standin import App, library
from testing import BUILD, HOOK, TTMEM, Skip, equal, need_ptrace, run_tests, ttmem, ttmem_json, wait_until

REFUSED, DENIED, NOT_FOUND = 67, 4, 6


def attach(pid, *options, code=0, **more):
    if code == 0:
        need_ptrace()
    done = ttmem("attach", *options, pid, check=False, **more)
    equal(done.returncode, code, f"attach: {done.stdout}{done.stderr}")
    return done.stdout + done.stderr


def detach(pid, code=0):
    done = ttmem("detach", pid, check=False)
    equal(done.returncode, code, f"detach: {done.stdout}{done.stderr}")
    return done.stdout + done.stderr


def look(pid):
    listing = ttmem_json("buffers")
    return process_of(ttmem_json(), pid), [b for b in listing["buffers"] if b["pid"] == pid]


def check(app, meshes, what):
    """The table against the allocators' own figures, address by address."""
    views = [app("stats", m) for m in meshes]
    process, buffers = look(app.pid)
    allocators = open_allocators(process)
    equal(len(allocators), len(meshes), what + " allocators")
    for allocator, view in zip(allocators, views):
        check_allocator(allocator, view, buffers, what, absolute=True)
    return process


def before(process):
    return (process["capabilities"]["before_attach"]["state"],
            process["capabilities"]["before_attach"]["reason"])


def unharmed(app):
    equal(app.end(), (0, ""), "the program's end")


def test_waits_then_takes_over():
    """Before the next event of an allocator every view says what is waited for; then all is there."""
    with App(hook=False) as app:
        app("open", 2, 16384, 1 << 20)
        app("random", 0, 3000, 7)
        app("alloc", 0, "l1_small", 2048, 2048, 1)
        text = attach(app.pid)
        equal(bool(re.search(r"one thread stood still for [\d.]+ ms", text)), True, text)
        process, buffers = look(app.pid)
        equal((process["entry"], process["allocators"], buffers), ("attach", [], []))
        equal(before(process), ("unknown", "waiting for its next allocation"))
        pid = f"--pid={app.pid}"
        for words in ((), ("buffers",), ("sites",), ("growth", "--window=1s"), ("l1",), ("doctor",),
                      ("fit", "1KiB", pid), ("dump", pid, "/nonexistent")):
            done = ttmem(*words, check=False)
            shown = " ".join((done.stdout + done.stderr).split())
            equal("waiting for its next allocation" in shown, True, f"ttmem {words} says so")
        equal(ttmem_json("buffers")["incomplete"],
              [{"pid": app.pid, "state": "unknown", "reason": "waiting for its next allocation"}])
        app("alloc", 0, "trace", 65536, 2048)
        process = check(app, [0], "taken over")
        equal(before(process), ("present", None))
        equal(ttmem_json("buffers")["incomplete"], [])
        equal("error" in app("alloc", 0, "l1", 1 << 40, 2048), True)  # an exception passes through us
        equal(look(app.pid)[0]["failures"]["count"], 1)
        app("freeall")
        process = check(app, [0], "all freed")
        equal((process["losses"]["replaced"], process["losses"]["unknown_frees"]), (0, 0))
        unharmed(app)


def test_first_event_is_a_free():
    """A free brings its allocator as well, and the buffer that goes is not left behind."""
    with App(hook=False) as app:
        app("open", 1, 0, 0)
        app("many", 0, 500)
        attach(app.pid)
        app("free", 250)
        check(app, [0], "after a free")
        unharmed(app)


def test_submesh():
    """Each allocator has its own first event."""
    with App(hook=False) as app:
        app("open", 2, 0, 0)
        app("submesh", 0, 1)
        app("many", 0, 30)
        app("many", 1, 20)
        attach(app.pid)
        app("alloc", 1, "dram", 4096, 2048)
        check(app, [1], "the submesh")
        app("alloc", 0, "dram", 4096, 2048)
        # in the order of their first events
        check(app, [1, 0], "both")
        unharmed(app)


def every_generation(generation, state, reason):
    """A release that cannot be asked says that the list is partial; what comes after is seen."""
    with App(generation, hook=False) as app:
        app("open", 1, 0, 0)
        old = app("alloc", 0, "dram", 4096, 2048)
        attach(app.pid)
        new = app("alloc", 0, "l1", 8192, 2048)
        process, buffers = look(app.pid)
        equal(process["capabilities"]["before_attach"]["state"], state)
        equal(reason in (process["capabilities"]["before_attach"]["reason"] or ""), True, "reason")
        want = {old["address"], new["address"]} if state == "present" else {new["address"]}
        equal({b["address"] for b in buffers}, want)
        if state != "present":
            equal("partial" in ttmem().stdout, True, "the picture says so")
            equal(ttmem_json("buffers")["incomplete"][0]["state"], state)
        app("freeall")
        equal(look(app.pid)[1], [])
        unharmed(app)


def test_races_are_lost():
    """What was on its way when the hook came: freed but still in the allocator's set (a phantom
    until the allocator is asked again), in the set without an address, or not tracked yet."""
    with App(hook=False) as app:
        app("open", 1, 0, 0)
        app("many", 0, 100)
        app("untrack", 10)                         # its event is over: nobody will tell
        coming = app("begin", 0, 4096, 2048)["buffer"]  # in the set, and address() would throw
        attach(app.pid)
        app("alloc", 0, "dram", 4096, 2048)
        process, buffers = look(app.pid)
        equal(len(buffers), 101, "100 with the phantom and the new one, without the one coming")
        app("release", 10)
        for number in (11, 12):                    # their memory is used again first, not that of 10
            app("free", number)
        equal(len(look(app.pid)[1]), 99, "98 with the phantom, and the new one")
        time.sleep(0.02)
        app("commit", coming)                      # compared at an event 10 ms later
        process = check(app, [0], "without the phantom")
        equal(process["losses"]["replaced"], 0)
        # taken over and then announced: not twice
        late = app("begin", 0, 4096, 2048)["buffer"]
        app("commit", late)
        app("freeall")
        check(app, [0], "all freed")
        unharmed(app)


def test_threads():
    """Two threads allocate and free all the while; the table is that of the allocator."""
    for n in range(3):
        with App(hook=False) as app:
            app("open", 1, 0, 0)
            app("random", 0, 4000, n)
            app.tell("threads", 0, 30000, 2)
            time.sleep(0.01 * n)
            attach(app.pid)
            app.answer()
            time.sleep(0.02)
            app("alloc", 0, "dram", 4096, 2048)
            process = check(app, [0], "after the threads")
            equal(process["losses"]["replaced"], 0)
            app("freeall")
            check(app, [0], "all freed")
            unharmed(app)


@contextlib.contextmanager
def busy(cpu, count):
    """Some that take nearly all of a processor."""
    loops = [subprocess.Popen([sys.executable, "-c", f"import os; os.sched_setaffinity(0, [{cpu}])\n"
                               "while True: pass"]) for _ in range(count)]
    try:
        wait_until("each is on that processor",
                   lambda: all(os.sched_getaffinity(loop.pid) == {cpu} for loop in loops))
        yield
    finally:
        for loop in loops:
            loop.kill()
            loop.wait()


def test_in_the_middle_of_a_free():
    """A thread between its event and the end of its buffer has no processor: it is waited for, because
    a Buffer that goes while it is read may end the program."""
    cpu = min(os.sched_getaffinity(0))
    for _ in range(20):
        with App(hook=False) as app:
            app("open", 1, 0, 0)
            victim = app("alloc", 0, "dram", 4096, 2048)["buffer"]
            app("alloc", 0, "dram", 8192, 2048)
            with busy(cpu, 3):
                is_in_it = app("starve", victim, cpu)["starving"]
                attach(app.pid)
                is_in_it = is_in_it and not app("starved")["starved"]
                app("alloc", 0, "l1", 4096, 2048)
                is_over = app("starved")["starved"]
            process = check(app, [0], "after it")
            state, reason = before(process)
            unharmed(app)
        if is_in_it and state == "present":
            equal(is_over, 1, "the takeover waited for the free")
            return
        equal((state, reason) == ("present", None) or "no processor for a second" in reason, True,
              f"{state}, {reason}")
    raise Skip("in 20 attempts the thread was not in the middle of its free, or for over a second")


def test_registers_and_the_system_call():
    """The thread is borrowed out of a sleep: its registers are what they were, the sleep is neither
    cut short nor an error (it is one that the kernel continues by a block of its own)."""
    with App(hook=False) as app:
        app("open", 1, 0, 0)
        app.tell("asleep", 600)
        time.sleep(0.1)
        attach(app.pid)
        answer = app.answer()
        equal((answer["result"], answer["same"]), (0, True))
        equal(answer["ms"] >= 600, True, f"slept {answer['ms']} ms")
        app.tell("asleep", 300)
        time.sleep(0.1)
        detach(app.pid)
        answer = app.answer()
        equal((answer["result"], answer["same"]), (0, True))
        unharmed(app)


def test_slots():
    """Detaching leaves every word as it was, bound or not; a slot that a resolver has overwritten
    after the attach is ours again a second later."""
    with App(hook=False, env={"STANDIN_LAZY": "1"}) as app:
        app("open", 1, 0, 0)
        app("alloc", 0, "dram", 4096, 2048)        # binds some of them, not track_deallocate
        slots = Slots(app.pid, library("79"))
        old = slots.words()
        attach(app.pid)
        new = slots.words()
        equal(sum(new[at] != old[at] for at in old) > 10, True, "slots were changed")
        lazy = slots.named("GraphTracker16track_deallocate")
        slots.write(lazy, old[lazy])               # as if it had been bound in that moment
        time.sleep(1.1)
        app("alloc", 0, "dram", 4096, 2048)
        equal(slots.words(), new, "read back")
        app("free", 0)
        check(app, [0], "the free was seen")
        detach(app.pid)
        equal(slots.words(), old, "as they were")
        app("alloc", 0, "dram", 4096, 2048)
        process, buffers = look(app.pid)
        equal((buffers, open_allocators(process)), ([], []))
        equal(process["capabilities"]["buffers"], {"state": "off", "reason": "detached"})
        found = json.loads(ttmem("doctor", "--format=json", check=False).stdout)["findings"]
        equal([(r["check"], r["state"]) for r in found if r["subject"] == f"process {app.pid}"][0],
              ("detached", "warning"))
        equal("nothing to do" in detach(app.pid), True, "twice")
        # and in again
        attach(app.pid)
        app("alloc", 0, "dram", 4096, 2048)
        check(app, [0], "attached again")
        unharmed(app)


def test_a_library_that_is_unloaded():
    """Its slots were patched, and then it goes: they are nobody's memory when they are put back,
    patched once more, or read back."""
    for step in ("detach", "again", "read back"):
        with App(hook=False) as app:
            app("open", 1, 0, 0)
            equal(app("load", BUILD / "tests/standin/standin-caller.so"), {"plugin": True})
            equal(app("late", HOOK, "attach"), {"result": 0})
            equal(app("unload"), {"plugin": True})
            if step == "again":
                equal(app("late", HOOK, "attach"), {"result": 0})
            elif step == "read back":
                time.sleep(1.1)
            app("alloc", 0, "dram", 4096, 2048)
            check(app, [0], step)
            equal(app("leave", HOOK), {"result": 0})
            unharmed(app)


def test_detach_without_attach():
    """Asked a hundred times to leave where it never came in, it finds the slots each time anew."""
    with App(hook=False) as app:
        app("open", 1, 0, 0)
        for _ in range(100):
            equal(app("leave", HOOK), {"result": 0})
        equal(app("late", HOOK, "attach"), {"result": 0})
        app("many", 0, 10)
        check(app, [0], "attached in the end")
        unharmed(app)


def test_twice_and_preloaded():
    """Attached twice, loaded by Python, or preloaded: said, and nothing is done or counted twice."""
    with App(hook=False) as app:
        app("open", 1, 0, 0)
        app("many", 0, 10)
        attach(app.pid)
        equal("already (attach)" in attach(app.pid), True)
        app("many", 0, 10)
        check(app, [0], "attached twice")
        unharmed(app)
    with App(hook=False) as app:
        equal(app("late", HOOK, "python"), {"result": 0})
        equal(process_of(ttmem_json(), app.pid), None, "no table before there is something in it")
        app("open", 1, 0, 0)
        app("many", 0, 10)
        equal(check(app, [0], "python")["entry"], "python")
        equal("already (python)" in attach(app.pid), True)
        equal(app("leave", HOOK), {"result": 0})
        unharmed(app)
    with App() as app:
        app("open", 1, 0, 0)
        equal("started with the hook" in attach(app.pid), True)
        equal(app("late", HOOK, "attach"), {"result": 0})
        app("many", 0, 10)
        equal(check(app, [0], "preloaded")["entry"], "preload")
        equal("before_attach" in look(app.pid)[0]["capabilities"], False)
        equal("cannot be taken out" in detach(app.pid, REFUSED), True)
        unharmed(app)


def test_fork():
    """A child of an attached process has a table of its own, of what it allocates itself."""
    with App(hook=False) as app:
        app("open", 1, 0, 0)
        app("many", 0, 20)
        attach(app.pid)
        app("alloc", 0, "dram", 4096, 2048)
        child = app("fork", 0, 3)["child"]
        process, buffers = look(child)
        equal((len(buffers), process["entry"]), (3, "attach"))
        equal("before_attach" in process["capabilities"], False)
        check(app, [0], "the parent")
        unharmed(app)


def test_other_file_system():
    """In a container the hook's file is not there: the process gets a copy in memory."""
    if os.geteuid() != 0:
        raise Skip("only root can make a mount namespace")
    hide = f"mount -t tmpfs none {HOOK.parent} && exec \"$@\""
    with App(hook=False, prefix=["unshare", "--mount", "sh", "-c", hide, "sh"]) as app:
        app("open", 1, 0, 0)
        app("many", 0, 10)
        fd = app("fd")
        attach(app.pid)
        equal(pathlib.Path(f"/proc/{app.pid}/root{HOOK}").exists(), False)
        app("alloc", 0, "dram", 4096, 2048)
        check(app, [0], "in another file system")
        equal(app("fd"), fd, "no descriptor was left")
        equal("already" in attach(app.pid), True)
        detach(app.pid)
        unharmed(app)


@contextlib.contextmanager
def started(*command, **more):
    process = subprocess.Popen([*map(str, command)], stdin=subprocess.PIPE,
                               stdout=subprocess.DEVNULL, **more)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def test_refusals():
    """Who cannot take it is not stopped, and hears why."""
    equal("no process" in attach(4000000, code=NOT_FOUND), True)
    with started("sleep", 60) as other:
        equal("no TT-Metal" in attach(other.pid, code=REFUSED), True)
        equal("does not have the hook" in detach(other.pid, REFUSED), True)
    with App(hook=False, env={"TTMEM": "off"}) as app:
        equal("TTMEM=off" in attach(app.pid, code=REFUSED), True)
    with App(hook=False) as app:
        os.kill(app.pid, signal.SIGSTOP)
        wait_until("stop", lambda: "T (stopped)" in
                   pathlib.Path(f"/proc/{app.pid}/status").read_text())
        equal("is stopped" in attach(app.pid, code=REFUSED), True)
        os.kill(app.pid, signal.SIGCONT)
        unharmed(app)
    for words in ((), (1, 2), ("x",), (0,)):
        equal(ttmem("attach", *words, check=False).returncode, 2, f"usage {words}")


def test_refuses_the_traced():
    """A process has one tracer."""
    libc = ctypes.CDLL(None, use_errno=True)
    with App(hook=False) as app:
        if libc.ptrace(0x4206, app.pid, None, None) != 0:  # PTRACE_SEIZE
            raise Skip("this user may not trace")
        equal("traced already" in attach(app.pid, code=REFUSED), True)


def test_ttmem_is_killed():
    """Killed at any moment of it, ttmem leaves a program that goes on: it had died of an unfinished
    call. A later attach is as any other."""
    need_ptrace()
    with App(hook=False) as app:
        app("open", 1, 0, 0)
        for i in range(80):
            verb = "attach" if i % 2 == 0 else "detach"
            killed = subprocess.Popen([str(TTMEM), verb, str(app.pid)], stdout=subprocess.DEVNULL,
                                      stderr=subprocess.DEVNULL)
            time.sleep(i % 20 / 2000)
            killed.kill()
            killed.wait()
            app("alloc", 0, "dram", 4096, 2048)
            equal(app.process.poll(), None)
        wait_until("the last one is through", lambda: ttmem("attach", app.pid, check=False).returncode == 0)
        app("alloc", 0, "dram", 4096, 2048)
        check(app, [0], "attached in the end")
        unharmed(app)


def test_stopped_meanwhile():
    """SIGSTOP cannot be blocked: one that comes in the middle of a call waits for its end, and then
    stops the program; nothing was broken off, and after SIGCONT it goes on."""
    need_ptrace()
    for i in range(60):
        with App(hook=False) as app:
            app("open", 1, 0, 0)
            stopped = subprocess.Popen([str(TTMEM), "attach", str(app.pid)], text=True,
                                       stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            time.sleep(i % 20 / 2000)
            os.kill(app.pid, signal.SIGSTOP)
            text = stopped.communicate()[0]
            equal(stopped.returncode == 0 or "is stopped" in text, True, text)
            stat = pathlib.Path(f"/proc/{app.pid}/stat")
            wait_until("it stops", lambda: stat.read_text().rsplit(")", 1)[1].split()[0] == "T")
            os.kill(app.pid, signal.SIGCONT)
            app("alloc", 0, "dram", 4096, 2048)
            unharmed(app)


def test_becomes_another_program_meanwhile():
    """exec at any moment: there is no such process any more, and that is found out at once."""
    need_ptrace()
    with App(hook=False) as app:
        for i in range(60):
            app("open", 1, 0, 0)
            tool = subprocess.Popen([str(TTMEM), "attach", str(app.pid)], text=True,
                                    stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            time.sleep(i % 20 / 2000)
            app.tell("exec")
            app.answer()
            text = tool.communicate()[0]
            equal(tool.returncode in (0, NOT_FOUND) or "has no TT-Metal" in text, True, text)


def test_several_at_once():
    """Whoever comes second waits or says who is there: it is no question of rights."""
    need_ptrace()
    with App(hook=False) as app:
        app("open", 1, 0, 0)
        for _ in range(15):
            some = [subprocess.Popen([str(TTMEM), verb, str(app.pid)], text=True,
                                     stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
                    for verb in ("attach", "detach", "attach")]
            for done in some:
                text = done.communicate()[0]
                equal(done.returncode in (0, REFUSED), True, text)
        app("alloc", 0, "dram", 4096, 2048)
        attach(app.pid)
        app("alloc", 0, "dram", 4096, 2048)
        check(app, [0], "attached in the end")
        unharmed(app)


def test_refuses_other_users():
    """Another user's process is not ours to change."""
    if os.geteuid() != 0:
        raise Skip("only root can become somebody else")
    with App(hook=False) as app, tempfile.TemporaryDirectory() as directory:
        os.chmod(directory, 0o755)
        tool = shutil.copy(TTMEM, directory)

        def drop():
            os.setgroups([])
            os.setresgid(65534, 65534, 65534)
            os.setresuid(65534, 65534, 65534)

        done = subprocess.run([tool, "attach", str(app.pid)], preexec_fn=drop, text=True,
                              capture_output=True, cwd="/")
        equal((done.returncode, "belongs to user 0" in done.stderr), (DENIED, True), done.stderr)
        unharmed(app)


def test_refuses_static_programs():
    """No loader, no hook."""
    with tempfile.TemporaryDirectory() as directory:
        source, program = pathlib.Path(directory, "a.c"), pathlib.Path(directory, "a")
        source.write_text("#include <unistd.h>\nint main(void) { return pause(); }\n")
        if subprocess.run([os.environ.get("CC", "cc"), "-static", source, "-o", program],
                          capture_output=True).returncode != 0:
            raise Skip("no static C library here")
        with started(program) as process:
            equal("linked statically" in attach(process.pid, code=REFUSED), True)


def test_refuses_without_room_for_thread_locals():
    """Libraries that come late share what little room the loader keeps for variables of threads
    that must not be allocated. Where others have taken it, the hook cannot come in: that is said."""
    with tempfile.TemporaryDirectory() as directory, App(hook=False) as app:
        app("open", 1, 0, 0)
        for size in (512, 64, 16):
            source, library_ = pathlib.Path(directory, "a.c"), pathlib.Path(directory, "a.so")
            source.write_text("__thread __attribute__((tls_model(\"initial-exec\"))) "
                              f"char room[{size}];\nchar *f(void) {{ return room; }}\n")
            subprocess.run([os.environ.get("CC", "cc"), "-shared", "-fPIC", source, "-o", library_],
                           check=True)
            for n in range(100):
                if not app("load", shutil.copy(library_, f"{library_}.{size}.{n}"))["plugin"]:
                    break
            else:
                raise Skip("there is no end to the room for thread-locals here")
        text = attach(app.pid, code=REFUSED)
        equal("static TLS block" in text, True, text)
        app("alloc", 0, "dram", 4096, 2048)
        unharmed(app)


def test_refuses_other_architectures():
    """A 32-bit program has another loader and other registers."""
    # pause(); for ever
    code = bytes((0xb8, 29, 0, 0, 0, 0xcd, 0x80, 0xeb, 0xf7))
    base = 0x08048000
    head = struct.pack("<16sHHIIIIIHHHHHH", b"\x7fELF\1\1\1", 2, 3, 1, base + 84, 52, 0, 0, 52, 32,
                       1, 0, 0, 0)
    part = struct.pack("<IIIIIIII", 1, 0, base, base, 84 + len(code), 84 + len(code), 5, 4096)
    with tempfile.TemporaryDirectory() as directory:
        program = pathlib.Path(directory, "a")
        program.write_bytes(head + part + code)
        program.chmod(0o755)
        try:
            with started(program) as process:
                # in pause(), or ended by what this kernel lacks
                wait_until("it runs", lambda: process.poll() is not None or pathlib.Path(
                    f"/proc/{process.pid}/stat").read_text().rsplit(") ", 1)[1][0] == "S")
                if process.poll() is not None:
                    raise Skip("this kernel does not run 32-bit programs")
                equal("another architecture" in attach(process.pid, code=REFUSED), True)
        except OSError:
            raise Skip("this kernel does not run 32-bit programs") from None


def test_refuses_seccomp():
    """A filter may kill for a system call of ours, so the user has to say that it does not."""

    def allow_all():
        libc = ctypes.CDLL(None)
        code = ctypes.create_string_buffer(struct.pack("<HBBI", 6, 0, 0, 0x7fff0000))
        program = ctypes.create_string_buffer(struct.pack("<HxxxxxxQ", 1, ctypes.addressof(code)))
        libc.prctl(38, 1, 0, 0, 0)
        if libc.prctl(22, 2, ctypes.byref(program), 0, 0) != 0:
            os._exit(3)

    with App(hook=False, preexec_fn=allow_all) as app:
        app("open", 1, 0, 0)
        app("many", 0, 10)
        equal("seccomp filter" in attach(app.pid, code=REFUSED), True)
        attach(app.pid, "--seccomp")
        app("alloc", 0, "dram", 4096, 2048)
        check(app, [0], "under a filter")
        unharmed(app)


def test_yama():
    """The kernel forbids it, and says by what."""
    scope = pathlib.Path("/proc/sys/kernel/yama/ptrace_scope")
    if not scope.exists():
        raise Skip("no yama in this kernel")
    if scope.read_text().strip() == "0" or os.geteuid() == 0:
        raise Skip("yama forbids nothing to this user")
    with App(hook=False) as app:
        equal("ptrace_scope" in attach(app.pid, code=DENIED), True)
        unharmed(app)


def test_with_a_server():
    """An attached process tells the server that its environment names, and waiting is said there."""
    with tempfile.TemporaryDirectory() as directory, Server(directory) as server, \
            App(hook=False, env={"TTMEM_SOCKET_DIR": directory}) as app:
        app("open", 1, 0, 0)
        app("many", 0, 10)
        attach(app.pid)

        def known():
            return process_of(server.get("/v1/snapshot"), app.pid)

        process = wait_until("registration", known)
        equal(before(process), ("unknown", "waiting for its next allocation"))
        equal(server.get("/v1/buffers")["incomplete"][0]["pid"], app.pid)
        app("alloc", 0, "dram", 4096, 2048)
        equal(len(server.get("/v1/buffers")["buffers"]), 11)
        detach(app.pid)
        equal(server.get("/v1/buffers")["buffers"], [])
        unharmed(app)


def cases():
    partial = "partial: only what was allocated since"
    for generation, state, reason in (("66", "present", ""), ("70", "present", ""),
                                      ("79", "present", ""), ("60", "missing", partial),
                                      ("64", "missing", partial),
                                      ("79-no-live", "missing", partial)):
        yield (f"generation {generation}",
               lambda g=generation, s=state, r=reason: every_generation(g, s, r))


if __name__ == "__main__":
    sys.exit(run_tests(globals(), list(cases())))
