#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""ttmem doctor: everything that is not seen is said, with what to do; what is wrong is found.

Reason: a tool that shows nothing of a process, or something wrong, must not look like one that
shows all there is.
"""
import contextlib
import json
import os
import pathlib
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "lib"), str(HERE.parent / "hosts")]
sys.dont_write_bytecode = True

import hosts
from server import Server, app, as_user, directory, need_other_users
from standin import App
from testing import BUILD, HOOK, TTMEM, Skip, equal, run_tests, ttmem, wait_until

NOWHERE = {"TTMEM_SOCKET_DIR": "/nonexistent"}
STATES = {"ok", "warning", "error", "unknown"}
TOTALS, TOTALS_BYTES, GEOMETRY = 0x4000, 64, 0x24000 + 88  # docs/region.md
FINDINGS = 66


def doctor(*options, env=None, prefix=()):
    """Runs it; gives (exit code, findings), after checking what every document must be."""
    done = subprocess.run([*prefix, str(TTMEM), "doctor", "--format=json", *map(str, options)],
                          capture_output=True, text=True, timeout=240,
                          env={**os.environ, **NOWHERE, **(env or {})})
    if not done.stdout:
        raise AssertionError(f"no document: exit {done.returncode}: {done.stderr}")
    document = json.loads(done.stdout)
    equal(document["schema"], "ttmem.doctor/1", "schema")
    for row in document["findings"]:
        equal(set(row), {"subject", "check", "state", "message", "hint"}, "members")
        equal(row["state"] in STATES, True, row["state"])
        equal(bool(row["subject"] and row["check"] and row["message"]), True, f"a sentence: {row}")
        equal(row["hint"] is None, row["state"] == "ok", f"what to do: {row}")
    wrong = sum(row["state"] in ("warning", "error") for row in document["findings"])
    equal(document["wrong"], wrong, "wrong")
    equal(done.returncode, FINDINGS if wrong else 0, f"exit code; {document['findings']}")
    return done.returncode, document["findings"]


def of(findings, subject, check=None):
    return [r for r in findings if r["subject"] == subject and check in (None, r["check"])]


def one(findings, subject, check):
    rows = of(findings, subject, check)
    equal(len(rows), 1, f"findings {check} of {subject} in {findings}")
    return rows[0]


def says(row, state, message, hint=None):
    equal(row["state"], state, str(row))
    equal(message in row["message"], True, f"{message!r} in {row}")
    if hint:
        equal(hint in row["hint"], True, f"{hint!r} in {row}")


@contextlib.contextmanager
def busy(program):
    """A program that allocates and frees now and then, so that it answers what it is asked."""
    stop = threading.Event()

    def work():
        while not stop.wait(0.3):  # often enough to be asked, seldom enough to be seen at rest
            program("loop", 0, 1)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


@contextlib.contextmanager
def host(name, *pids):
    """A fake machine whose first card is opened by real processes as well."""
    with tempfile.TemporaryDirectory(prefix="ttmem-doctor.") as path:
        os.chmod(path, 0o755)
        root = pathlib.Path(path)
        hosts.build(name, root)
        if pids:
            hosts.set_pids(root, 0, pids)
        for pid in pids:
            (root / f"proc/{pid}").symlink_to(f"/proc/{pid}")
        yield root


def test_empty():
    """Without driver and processes nothing is wrong, and that is said."""
    with host("empty") as root:
        code, findings = doctor("--root", root)
        equal(code, 0, "exit code")
        says(one(findings, "driver", "driver"), "ok", "no Tenstorrent card")
        says(one(findings, "processes", "seen"), "ok", "none of")
        says(one(findings, "hook", "hook"), "ok", str(HOOK))
        text = ttmem("doctor", "--root", root, env=NOWHERE).stdout
        equal(text.splitlines()[-1], "nothing is wrong; 3 ok, 1 not checked", "the last line")


def test_all_right():
    """A process with a right table: books and its allocators agree, with and without a server."""
    with directory() as d, Server(d), app(d) as program:
        program("open", 1, 0, 0)
        program("submesh", 0)
        program("many", 0, 50)
        program("alloc", 0, "l1", 65536, 2048)
        me = f"process {program.pid}"
        with busy(program):
            for options, where in ((["--no-server"], [me]), ([], [me, me + " at the server"])):
                code, findings = doctor(*options, env={"TTMEM_SOCKET_DIR": str(d)})
                equal(code, 0, f"exit code; {findings}")
                for subject in where:
                    says(one(findings, subject, "books"), "ok", "figures and sums over buffers")
                says(one(findings, me, "verify"), "ok", "4 figures are equal")
                says(one(findings, me, "seen"), "ok", "standin-app")
        says(one(findings, f"server at {d}", "server"), "ok", "knows 1 live")


def test_idle():
    """A process that allocates nothing cannot answer; that is no fault."""
    with App() as program:
        program("open", 1, 0, 0)
        program("many", 0, 3)
        code, findings = doctor()
        equal(code, 0, "exit code")
        says(one(findings, f"process {program.pid}", "verify"), "unknown", "no allocation")


def test_no_hook():
    """Whoever has TT-Metal loaded and not the hook is found, and told how to start."""
    with App(hook=False) as program:
        _, findings = doctor()
        says(one(findings, f"process {program.pid}", "hook"), "warning", "libtt_metal.so is loaded",
             "ttmem run")
        equal(len(of(findings, f"process {program.pid}")), 1, "findings")


def test_nothing_yet():
    """With the hook and without a device there is nothing to see, and nothing wrong."""
    with App() as program:
        code, findings = doctor()
        equal(code, 0, "exit code")
        says(one(findings, f"process {program.pid}", "hook"), "unknown", "nothing so far")


def test_off():
    """Switched off is not the same as not there."""
    with App(env={"TTMEM": "off"}) as program:
        _, findings = doctor(env={"TTMEM": "off"})
        says(one(findings, f"process {program.pid}", "off"), "warning", "TTMEM=off", "without")
        says(one(findings, "hook", "off"), "warning", "TTMEM=off", "unset")


def test_missing_preload():
    """A container without the hook: LD_PRELOAD names a file that is only outside of it."""
    with directory() as d:
        shutil.copy(HOOK, d / HOOK.name)
        inside = ["unshare", "--mount", "sh", "-c", f"mount -t tmpfs none {d} && exec \"$@\"", "-"]
        if subprocess.run([*inside, "true"], capture_output=True).returncode:
            raise Skip("no mount namespace can be made here")
        with App(hook=False, prefix=inside, env={"LD_PRELOAD": str(d / HOOK.name)}) as program:
            _, findings = doctor()
            says(one(findings, f"process {program.pid}", "preload"), "warning",
                 "does not exist in its file system", "mount the hook's directory")
        with App(hook=False, prefix=inside) as program:
            _, findings = doctor()
            says(one(findings, f"process {program.pid}", "hook"), "warning", "in a container",
                 "mount the hook into its container")


def test_raised_privileges():
    """The loader drops LD_PRELOAD in a setuid program."""
    need_other_users()
    with directory() as d:
        program = d / "standin-app"
        shutil.copy(BUILD / "tests/standin/standin-app", program)
        os.chown(program, 1234, 1234)
        os.chmod(program, 0o4755)
        library = str(BUILD / "tests/standin/gen79/libtt_metal.so")
        with subprocess.Popen([program, library], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                              env={**os.environ, **NOWHERE, "LD_PRELOAD": str(HOOK)}) as process:
            if not process.stdout.readline():
                raise Skip("no setuid program runs here")
            _, findings = doctor()
            process.stdin.close()
            says(one(findings, f"process {process.pid}", "hook"), "warning", "raised privileges",
                 "without setuid")


def test_static():
    """Nothing can be loaded into a static program; only the driver knows of it."""
    with directory() as d:
        (d / "a.c").write_text("#include <unistd.h>\nint main(void){pause();}\n")
        if subprocess.run(["cc", "-static", "-o", d / "a", d / "a.c"],
                          capture_output=True).returncode:
            raise Skip("no static C library")
        with subprocess.Popen([d / "a"]) as process:
            with host("n150", process.pid) as root:
                _, findings = doctor("--root", root)
            process.kill()
            says(one(findings, f"process {process.pid}", "static"), "warning", "statically")


def test_users_of_a_card():
    """Who has a card open and is not seen: no hook, no TT-Metal, no permission."""
    need_other_users()
    with App(hook=False) as program, subprocess.Popen(["sleep", "100"]) as other:
        with host("n150", program.pid, other.pid) as root:
            _, findings = doctor("--root", root)
            says(one(findings, f"process {program.pid}", "hook"), "warning", "without the hook")
            says(one(findings, f"process {other.pid}", "hook"), "unknown", "no library of TT-Metal")
            _, findings = doctor("--root", root, prefix=as_user(1234, []))
            for process in (program, other):
                says(one(findings, f"process {process.pid}", "permission"), "warning",
                     "may not look", "root")
            says(one(findings, "processes", "permission"), "unknown", "belong to others")
        other.kill()


def table_of(pid):
    for fd in pathlib.Path(f"/proc/{pid}/fd").iterdir():
        if os.readlink(fd).startswith("/memfd:ttmem ("):
            return os.open(fd, os.O_RDWR)
    raise AssertionError("no table")


@contextlib.contextmanager
def changed(table, at, add, layout="<Q"):
    """One number of a table as a liar would have it."""
    size = struct.calcsize(layout)
    honest = os.pread(table, size, at)
    value = struct.unpack(layout, honest)[0] + add
    os.pwrite(table, struct.pack(layout, value % (1 << 8 * size)), at)
    try:
        yield
    finally:
        os.pwrite(table, honest, at)


def test_lying_table():
    """Every total of a table, one byte off, is found; so is a bank that is too small."""
    with App() as program:
        program("open", 1, 0, 0)
        program("many", 0, 5)
        program("alloc", 0, "l1", 65536, 2048)
        me = f"process {program.pid}"
        try:
            table = table_of(program.pid)
        except PermissionError:
            raise Skip("the table of a process cannot be written by others") from None
        for kind, name in ((0, "DRAM"), (1, "L1")):
            row = TOTALS + kind * TOTALS_BYTES
            # requested_bytes, bank_bytes, allocs, frees; both peaks below what is held
            for field, add in ((8, 1), (16, 1), (40, 1), (48, 1), (24, -1), (32, -1), (8, -1)):
                with changed(table, row + field, add):
                    code, findings = doctor()
                    equal(code, FINDINGS, f"{name} {field}")
                    wrong = [r for r in of(findings, me, "books") if r["state"] == "error"]
                    equal(bool(wrong), True, f"{name} {field}: {findings}")
                    equal(f"allocator 0, {name}: " in wrong[0]["message"], True, str(wrong))
        with changed(table, TOTALS + 16, 1 << 40):
            says(of(doctor()[1], me, "books")[0], "error", "bytes occupied", "do not trust")
        equal(doctor()[0], 0, "exit code of the honest table again")
        os.close(table)


def test_lie_about_allocator():
    """A table that agrees with itself and not with the allocator is found by asking."""
    with App() as program:
        program("open", 1, 0, 0)
        program("alloc", 0, "dram", 4096, 2048)
        table = table_of(program.pid)
        with changed(table, TOTALS + 16, 64), busy(program):
            _, findings = doctor()
        os.close(table)
        says(one(findings, f"process {program.pid}", "verify"), "error",
             "allocator 0, DRAM: we count", "do not trust")


def test_lost_buffers():
    """What a table could not record is said with its reason."""
    with App() as program:
        program("open", 1, 0, 0)
        table = table_of(program.pid)
        with changed(table, 1088, 7), changed(table, 1104, 3):
            _, findings = doctor()
        os.close(table)
        texts = [r["message"] for r in of(findings, f"process {program.pid}", "losses")]
        equal(texts, ["7 buffers not recorded: its table is full",
                      "3 buffers not recorded: the geometry of their allocator is not known"])


def test_old_releases():
    """What a release does not export is named, with the function that is not there."""
    with App("60") as program:
        program("open", 1, 0, 0)
        program("many", 0, 3)
        code, findings = doctor()
        equal(code, 0, f"exit code; {findings}")
        row = one(findings, f"process {program.pid}", "capabilities")
        says(row, "unknown", "not told by this TT-Metal: ", "newer TT-Metal")
        texts = row["message"]
        shown = json.loads(ttmem("--format=json", env=NOWHERE).stdout)["processes"]
        lacks = {name: c for p in shown if p["pid"] == program.pid
                 for name, c in p["capabilities"].items() if c["state"] == "missing"}
        equal(len(lacks) > 2, True, "an old release lacks something")
        for name, capability in lacks.items():
            equal(name in texts and capability["reason"] in texts, True, f"{name} in {texts}")


def test_servers():
    """A server that is not there, does not answer, or does not know a process."""
    with directory() as d:
        dead = socket.socket(socket.AF_UNIX)
        dead.bind(str(d / "api.sock"))
        dead.close()
        _, findings = doctor(env={"TTMEM_SOCKET_DIR": str(d)})
        says(one(findings, f"server at {d}", "server"), "warning", "nobody serves it", "start ttmemd")
    with directory() as d, Server(d), App() as program:  # which looks for servers elsewhere
        program("open", 1, 0, 0)
        _, findings = doctor(env={"TTMEM_SOCKET_DIR": str(d)})
        says(one(findings, f"process {program.pid}", "registration"), "warning",
             "the server does not know it", "ttmem adopt")
        _, findings = doctor(env={"TTMEM_SOCKET_DIR": f"/nonexistent:{d}"})
        says(one(findings, f"server at {d}", "server"), "ok", "answers")
        os.chmod(d, 0o777)
        _, findings = doctor(env={"TTMEM_SOCKET_DIR": str(d)})
        says(one(findings, f"server at {d}", "socket"), "warning", "everybody may write")
        # garbage on its socket is counted
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as s:
            s.connect(str(d / "register.sock"))
            s.send(b"garbage")
        wait_until("it is refused", lambda: of(doctor(env={"TTMEM_SOCKET_DIR": str(d)})[1],
                                               f"server at {d}", "refusals"))


def stranger(path, facts):
    """A server of another version: it says these facts of itself and knows no other path."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path / "api.sock"))
    listener.listen()

    def serve():
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                known = b" /v1/server " in connection.recv(4096)
                body = json.dumps(facts).encode() if known else b"{}"
                connection.sendall(b"HTTP/1.0 %d X\r\nContent-Length: %d\r\n\r\n%s" % (
                    200 if known else 500, len(body), body))

    threading.Thread(target=serve, daemon=True).start()
    return listener


def test_strange_server():
    """Another version, refusals, no snapshot: each is said, and nothing of it is trusted."""
    facts = {"schema": "ttmem.server/1", "version": "9.9\x1b[31m", "tables": {"live": -3},
             "refused": {"limit": 4, "uid_limit": 2**64 - 1, "table": 5, "message": "many"},
             "at_start": {"processes_denied": 6}}
    with directory() as d, stranger(d, facts) as listener:
        _, findings = doctor(env={"TTMEM_SOCKET_DIR": str(d)})
        rows = of(findings, f"server at {d}")
        equal([(r["check"], r["state"]) for r in rows],
              [("server", "warning"), ("refusals", "warning"), ("refusals", "warning"),
               ("refusals", "unknown")], "findings of the server")
        equal("9.9" in rows[0]["message"], True, rows[0]["message"])
        equal(str(2**64 - 1) in rows[1]["message"], True, rows[1]["message"])
        equal("tables 5, messages 0" in rows[2]["message"], True, rows[2]["message"])
        equal(": 6" in rows[3]["message"], True, rows[3]["message"])
        says(one(findings, f"server at {d}/api.sock", "server"), "error", "does not show the machine")
        text = ttmem("doctor", env={"TTMEM_SOCKET_DIR": str(d)}, check=False).stdout
        equal("\x1b" in text, False, "clean text")
        listener.shutdown(socket.SHUT_RDWR)
    with directory() as d, stranger(d, ["no", "object"]) as listener:
        _, findings = doctor(env={"TTMEM_SOCKET_DIR": str(d)})
        says(one(findings, f"server at {d}", "server"), "warning", "does not answer")
        listener.shutdown(socket.SHUT_RDWR)


def test_other_user_at_server():
    """Of others a server shows totals: their sums are not checked, and that is said."""
    need_other_users()
    with directory() as d, Server(d), app(d) as program:
        program("open", 1, 0, 0)
        program("many", 0, 3)
        _, findings = doctor(env={"TTMEM_SOCKET_DIR": str(d)}, prefix=as_user(1234, []))
        says(one(findings, f"process {program.pid} at the server", "sums"), "unknown",
             "another user", "root")


def test_other_namespace():
    """A process in a PID namespace below is seen from outside; from inside, what is outside is not."""
    inside = ["unshare", "--fork", "--pid", "--mount-proc", "--kill-child"]
    if subprocess.run([*inside, "true"], capture_output=True).returncode:
        raise Skip("no PID namespace can be made here")
    with App() as program:
        program("open", 1, 0, 0)
        _, findings = doctor(prefix=inside)
        equal([r for r in findings if r["subject"].startswith("process ")], [], "seen from inside")
        with App(prefix=inside) as nested:
            nested("open", 1, 0, 0)
            _, findings = doctor()
            seen = [r for r in findings if r["check"] == "seen" and r["subject"] != "processes"]
            equal(len(seen), 2, f"processes that are seen: {seen}")


def test_server_outside():
    """In a container the server numbers processes in its own way: it knows them all the same."""
    inside = ["unshare", "--fork", "--pid", "--mount-proc", "--kill-child"]
    if subprocess.run([*inside, "true"], capture_output=True).returncode:
        raise Skip("no PID namespace can be made here")
    with directory() as d, Server(d) as server, app(d, prefix=inside) as program:
        program("open", 1, 0, 0)
        program("many", 0, 3)
        children = f"/proc/{program.process.pid}/task/{program.process.pid}/children"
        outer = int(pathlib.Path(children).read_text())
        wait_until("it reports", lambda: server.process_of(outer))
        equal(program.pid == outer, False, "two numbers of one process")
        with busy(program):
            code, findings = doctor(env={"TTMEM_SOCKET_DIR": str(d)},
                                    prefix=["nsenter", f"--target={outer}", "--pid", "--mount"])
        equal(code, 0, f"exit code; {findings}")
        equal([r["subject"] for r in findings if r["check"] == "seen"], [f"process {program.pid}"],
              "seen once, by its number in here")
        says(one(findings, f"process {program.pid}", "verify"), "ok", "4 figures are equal")
        says(one(findings, f"process {outer} at the server", "books"), "ok", "sums over buffers")


def test_hostile_names():
    """A command made to break a terminal is escaped; JSON carries it."""
    evil = "\x1b[31m\n\u202e[ok]"
    with directory() as d:
        place = d / evil
        place.mkdir()
        shutil.copy(BUILD / "tests/standin/gen79/libtt_metal.so", place)
        with subprocess.Popen([BUILD / "tests/standin/standin-app", place / "libtt_metal.so"],
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                              env={**os.environ, **NOWHERE}) as process:
            process.stdout.readline()
            text = ttmem("doctor", env=NOWHERE, check=False).stdout
            _, findings = doctor()
            process.stdin.close()
        equal(any(ord(c) < 32 and c != "\n" or c == "\u202e" for c in text), False, "clean text")
        equal(f"[!!] process {process.pid}:" in text, True, text)
        equal(len(of(findings, f"process {process.pid}", "hook")), 1, "found")


# name of a fake machine -> (subject, check, state, part of the message)
EXPECTED = {
    "n150": [("driver", "driver", "ok", "2.9.0"), ("card 0 (n150)", "telemetry", "ok", "known")],
    "old-driver": [("driver", "driver_users", "warning", "1.34"),
                   ("driver", "driver_reset", "warning", "1.34"),
                   ("card 0 (n150)", "users", "warning", "not known who")],
    "old-firmware": [("card 0 (n150)", "telemetry", "warning", "clock")],
    "late-telemetry": [("card 0 (n150)", "telemetry", "warning", "temperature")],
    "driver-2.8-reset": [("card 0 (n150)", "card", "error", "nothing of it can be read")],
    "no-pids": [("card 0 (n150)", "users", "warning", "not known who")],
    "pids-dead": [("card 0 (p150b)", "namespace", "warning", "3 of 5 descriptors"),
                  ("process 999999", "process", "warning", "it has ended")],
    "unplugged": [("card 1 (unknown board)", "card", "error", "nothing of it can be read")],
    "garbage": [("card 0 (p150b)", "telemetry", "warning", "cannot be")],
    "containers": [("process 6001", "process", "warning", "keeps no table")],
}


def fake_host(name):
    with host(name) as root:
        code, findings = doctor("--root", root)
        for subject, check, state, message in EXPECTED.get(name, ()):
            says(one(findings, subject, check), state, message)
        equal([r for r in findings if r["check"] == "books" and r["state"] != "ok"], [], "books")
        for style in (["--ascii"], ["--width=200"]):
            done = ttmem("doctor", "--root", root, *style, env=NOWHERE, check=False)
            equal(done.returncode, code, "exit code of the text")
            equal(any(ord(c) < 32 and c != "\n" for c in done.stdout), False, "clean text")
            marks = [line[:4] for line in done.stdout.splitlines() if line.startswith("[")]
            equal(len(marks), len(findings), "a mark for each finding")
            equal(marks.count("[!!]"), sum(r["state"] in ("warning", "error") for r in findings),
                  "marks of findings")


def test_no_driver():
    """A card on the PCI bus and no driver is the commonest reason to see nothing."""
    with host("n150") as root:
        shutil.rmtree(root / "sys/module/tenstorrent")
        shutil.rmtree(root / "sys/class/tenstorrent")
        _, findings = doctor("--root", root)
        says(one(findings, "driver", "driver"), "error", "1 Tenstorrent cards", "modprobe")


def test_no_hook_file():
    """Without its library ttmem can start nothing."""
    _, findings = doctor(env={"TTMEM_HOOK": "/nonexistent/hook.so"})
    says(one(findings, "hook", "hook"), "error", "/nonexistent/hook.so", "install")
    _, findings = doctor(env={"TTMEM_HOOK": "/etc/passwd"})
    says(one(findings, "hook", "hook"), "error", "/etc/passwd cannot be loaded")


def cases():
    for name in hosts.HOSTS:
        yield f"host {name}", lambda n=name: fake_host(n)


if __name__ == "__main__":
    sys.exit(run_tests(globals(), list(cases())))
