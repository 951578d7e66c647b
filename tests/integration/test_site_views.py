#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Who owns it: sites, growth, explain and failures, through a real server and the real tool.

The process is tests/writer: it has a table and allocates at the sites it is told. That real
programs get such sites is tested where they are made.
"""
import csv
import io
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "lib")]

from server import Server, as_user, directory, need_other_users
from standin import App
from testing import (HOOK, PATIENCE_S, ROOT, TTMEM, Skip, equal, run_tests, ttmem, ttmem_json,
                     wait_until)
from writer import MODEL, Writer

HURRY = ("--sample", "0.05", "--growth-every", "50ms")
HOSTILE = (b"\x1b]0;title\x07\x1b[2J", b"a\nb\tc,\"d\" <script>alert(1)</script>", b"\xff\xfe\xc2\x9b",
           "\u202e right to left".encode(), b"%s%n%x", b"x" * 3000)


def where(server):
    return {"TTMEM_SOCKET_DIR": str(server.directory)}


def site(line, function, file=MODEL):
    return {"file": file, "line": line, "function": function}


def mine(document, key, writer):
    return [row for row in document[key] if row["pid"] == writer.pid]


def fill(writer):
    for _ in range(4):
        writer.alloc(1 << 20, op="ttnn.as_tensor", line=88, function="Model.load")
    for _ in range(3):
        writer.alloc(64 << 10, "l1", op="ttnn.matmul", line=214, function="Attention.forward")
    writer.alloc(1 << 10, op="ttnn.matmul", line=215, function="Attention.forward")
    writer.alloc(2 << 10, op="", file="", line=0, function="")
    writer("before", 10000, 4096, "l1")


def test_sites_both_ways():
    """With a server and without one the rows are the same but for age and growth."""
    with directory() as d, Server(d) as server, Writer(server, chips=2) as writer:
        fill(writer)
        for by in ("site", "op", "file", "tag", "type", "thread"):
            rows = []
            for arguments in ((), ("--no-server",)):
                document = ttmem_json("sites", "--by", by, *arguments, env=where(server))
                equal((document["schema"], document["by"]), ("ttmem.sites/1", by))
                rows.append([{k: v for k, v in row.items()
                              if k not in ("oldest_ns", "growth_bytes", "unavailable")}
                             for row in mine(document, "sites", writer)])
            equal(rows[0], rows[1], by)
        rows = mine(ttmem_json("sites", env=where(server)), "sites", writer)
        equal([(r["type"], r["buffers"], r["requested_bytes"], r["op"], r["site"]) for r in rows], [
            ("dram", 4, 4 << 20, "ttnn.as_tensor", site(88, "Model.load")),
            ("l1", 3, 192 << 10, "ttnn.matmul", site(214, "Attention.forward")),
            ("l1", 1, 4096, None, None),
            ("dram", 1, 2048, None, None),
            ("dram", 1, 1024, "ttnn.matmul", site(215, "Attention.forward"))])
        equal(rows[2]["unavailable"]["site"], "before attach")
        equal(rows[0]["chips"], ["1000000000000000001", "1000000000000000002"])


def test_sums_are_totals():
    """However they are grouped, the rows of a type hold what the process's chip holds."""
    with directory() as d, Server(d) as server, Writer(server) as writer:
        fill(writer)
        writer("many", 20000, 3000, 700, 4096)
        memory = server.process_of(writer.pid)["devices"][0]["memory"]
        for by in ("site", "op", "file", "tag", "type", "thread"):
            rows = mine(server.get("/v1/sites?by=" + by), "sites", writer)
            for kind in ("dram", "l1"):
                for figure in ("buffers", "requested_bytes", "occupied_bytes"):
                    equal(sum(r[figure] for r in rows if r["type"] == kind), memory[kind][figure],
                          f"{by} {kind} {figure}")


def test_filters():
    """Each option narrows the tool's list and the server's, and says when there is no such thing."""
    with directory() as d, Server(d) as server, Writer(server) as writer, Writer(server) as other:
        fill(writer)
        other.alloc(4096, op="ttnn.other", line=5, function="other")
        for arguments, lines in ((("--pid", writer.pid), [88, 214, None, None, 215]),
                                 (("--pid", writer.pid, "--type=L1"), [214, None]),
                                 (("--op=matmul",), [214, 215]), (("--op", "ttnn.other"), [5]),
                                 (("--site=Attention",), [214, 215]), (("--site=model.py:214",), [214]),
                                 (("--site=del.py:21",), []), (("--site", MODEL + ":88"), [88]),
                                 (("--chip=1000000000000000001", "--op=as_"), [88])):
            for more in ((), ("--no-server",)):
                document = ttmem_json("sites", *arguments, *more, env=where(server))
                rows = [r for r in document["sites"] if r["pid"] in (writer.pid, other.pid)]
                equal([r["site"] and r["site"]["line"] for r in rows], lines, str(arguments + more))
        rows = ttmem_json("buffers", "--op=matmul", "--site=model.py:214", env=where(server))
        equal(len(rows["buffers"]), 3)
        equal(len(server.get("/v1/buffers?op=matmul&sort=size")["buffers"]), 4)
        equal(len(server.get("/v1/buffers?site=model.py:88&limit=3")["buffers"]), 3)
        for command in ("sites", "growth"):
            equal(ttmem(command, "--chip=7", env=where(server), check=False).returncode, 6)
            equal(ttmem(command, "--pid=4194304", env=where(server), check=False).returncode, 6)
        for bad in (["sites", "--by=mood"], ["sites", "--type=L3"], ["growth", "--window=0"],
                    ["growth", "--window=soon"], ["growth", "--window=inf"], ["sites", "x"],
                    ["sites", "--format=jsonl"], ["sites", "--op="]):
            equal(ttmem(*bad, env=where(server), check=False).returncode, 2, str(bad))


def test_csv():
    """A line for each row, whatever is in the names."""
    with directory() as d, Server(d) as server, Writer(server) as writer:
        writer.alloc(1 << 20, op='a, "b"', line=3, function="f")
        text = ttmem("sites", "--format=csv,nounits", env=where(server)).stdout
        rows = list(csv.DictReader(io.StringIO(text), skipinitialspace=True))
        row = next(r for r in rows if r["pid"] == str(writer.pid))
        equal((row["op"], row["file"], row["line"], row["requested_bytes [bytes]"], row["type"]),
              ('a, "b"', MODEL, "3", str(1 << 20), "dram"))


def test_hostile_names():
    """Operations, files and functions are bytes from strangers, in every view."""
    with directory() as d, Server(d, *HURRY) as server, Writer(server) as writer:
        server.get("/v1/growth")
        def all_grow():
            for bytes_ in HOSTILE:
                writer.alloc(4096, op=bytes_, file=bytes_, line=7, function=bytes_, tag=bytes_)
            time.sleep(0.06)
            grown = ttmem_json("growth", "--window=2s", env=where(server))
            return len(mine(grown, "growing", writer)) == len(HOSTILE)
        wait_until("all grow", all_grow)
        for bytes_ in HOSTILE:
            writer.fail(1 << 30, op=bytes_, file=bytes_, line=7, function=bytes_)
        for command in (["sites"], ["sites", "--by=op"], ["sites", "--by=tag"], ["sites", "--format=csv"], ["buffers"],
                        ["growth", "--window=2s"], ["growth", "--window=2s", "--format=csv"],
                        ["failures"], ["explain", "--last"]):
            for width in (80, 200):
                more = [] if "--format=csv" in command or command == ["failures"] else [f"--width={width}"]
                out = ttmem(*command, *more, env=where(server)).stdout
                bad = [c for c in out if (ord(c) < 0x20 and c != "\n") or c in "\x7f\x9b\u202e"]
                equal(bad, [], str(command))
        for command in (["sites"], ["buffers"], ["failures"], ["explain", "--last"]):
            equal("\x1b" in json.dumps(ttmem_json(*command, env=where(server)),
                                       ensure_ascii=True), False)


def churn(writer, kept, i):
    """One round of a program: a leak, a cache that fills, a buffer that lives for a round, one that
    comes and goes between looks, a sawtooth."""
    writer.alloc(64, "l1", op="ttnn.create_semaphore", line=33, function="new_shape")
    if i < 8:
        writer.alloc(4096, op="ttnn.as_tensor", line=44, function="Cache.get")
    kept.setdefault("round", []).append(writer.alloc(8192, op="ttnn.add", line=55, function="step"))
    if len(kept["round"]) > 1:
        writer.free(kept["round"].pop(0))
    kept.setdefault("saw", []).append(writer.alloc(2048, "l1", op="ttnn.mul", line=66, function="saw"))
    if len(kept["saw"]) == 7:
        for key in kept.pop("saw"):
            writer.free(key)


def run_rounds(writer, rounds, pause=0.06):
    kept = {}
    for i in range(rounds):
        churn(writer, kept, i)
        time.sleep(pause)


def test_growth():
    """A leak of one 64-byte semaphore for each new shape is named, with its line, and nothing of
    what is usual is; another process that does the same without the leak is left alone."""
    with directory() as d, Server(d, *HURRY) as server, Writer(server) as writer:
        equal(server.get("/v1/growth")["growing"], [])
        run_rounds(writer, 40)
        document = server.get("/v1/growth?window=3s")
        rows = mine(document, "growing", writer)
        equal([(r["op"], r["site"], r["type"]) for r in rows],
              [("ttnn.create_semaphore", site(33, "new_shape"), "l1")])
        row = rows[0]
        equal(row["occupied_bytes"], 40 * 32 * 64)
        equal(row["rises"] >= 3 and 0 < row["growth_bytes"] <= 40 * 32 * 64, True, str(row))
        equal("full_ns" in row["estimates"], True)
        equal((document["slowed"], document["left_out"]), (False, 0))
        text = ttmem("growth", "--window=3s", env=where(server)).stdout
        equal("model.py:33" in text and "model.py:44" not in text, True, text)


def test_growth_without_a_server():
    """The tool looks itself for the window, and says so; Ctrl-C gives what is known."""
    with Writer() as writer:
        for how in ("whole", "interrupted"):
            tool = subprocess.Popen(
                [str(TTMEM), "growth", "--no-server", "--format=json",
                 "--window", "2s" if how == "whole" else "1h", f"--pid={writer.pid}"],
                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                env={**os.environ, "TTMEM_SOCKET_DIR": "/nonexistent"})
            kept, rounds = {}, 0
            while tool.poll() is None:
                churn(writer, kept, rounds)
                rounds += 1
                time.sleep(0.1)
                if how == "interrupted" and rounds == 22:
                    tool.send_signal(signal.SIGINT)
            out, err = tool.communicate(timeout=PATIENCE_S)
            equal((tool.returncode, err), (0, ""), how)
            document = json.loads(out)
            equal(document["server"], None)
            lines = [r["site"]["line"] for r in document["growing"]]
            # an hour's looks are ten seconds apart: too few to tell, and it says how long it was
            equal(lines, [33] if how == "whole" else [], how)
            equal(document["watched_ns"] > 100_000_000, True, str(document["watched_ns"]))


class Churning:
    """Two lines whose buffers come and go all the time; one of them forgets one now and then."""
    def __init__(self, writer):
        self.writer, self.passing, self.rounds = writer, [], 0

    def round(self, pause=0.06):
        for key in self.passing:
            self.writer.free(key)
        self.passing = [self.writer.alloc(12 * 4096, line=line, function="step")
                        for _ in range(1 + self.rounds * 7 % 5) for line in (71, 72)]
        if self.rounds % 3 == 0:
            self.writer.alloc(12 * 64, line=72, function="step")
        self.rounds += 1
        time.sleep(pause)


def test_leak_on_a_line_of_churn():
    """What a line that allocates and frees much leaks is told by age, where the line beside it that
    only allocates and frees is not; asked again when the machine stood still and lives were long."""
    def grown():
        for _ in range(15):
            churning.round()
        return mine(server.get("/v1/growth?window=3s"), "growing", writer)

    with directory() as d, Server(d, *HURRY) as server, Writer(server) as writer:
        churning = Churning(writer)
        server.get("/v1/growth")
        wait_until("it is named", lambda: [r["site"]["line"] for r in grown()] == [72])
        row = grown()[0]
        equal((row["found_by"], row["rises"] >= 6), ("age", True), str(row))
        equal(row["growth_bytes"] % (12 * 64), 0, "of what is old")
        text = ttmem("growth", "--window=3s", env=where(server)).stdout
        equal(" age " in text and "model.py:72" in text and "age: some is freed, but what is older than"
              in text, True, text)


def test_leak_on_a_line_of_churn_without_a_server():
    """The tool finds it as well within its window."""
    with Writer() as writer:
        churning = Churning(writer)

        def look():
            tool = subprocess.Popen(
                [str(TTMEM), "growth", "--no-server", "--format=json", "--window=3s",
                 f"--pid={writer.pid}"], stdout=subprocess.PIPE, text=True)
            while tool.poll() is None:
                churning.round()
            return [(r["site"]["line"], r["found_by"])
                    for r in json.loads(tool.stdout.read())["growing"]]

        wait_until("it is named", lambda: look() == [(72, "age")])


def test_growth_ends_with_its_process():
    """A program that is started again does not go on where the last one was."""
    with directory() as d, Server(d, *HURRY) as server:
        server.get("/v1/growth")
        for _ in range(2):
            with Writer(server) as writer:
                run_rounds(writer, 25)
                equal(len(mine(server.get("/v1/growth?window=3s"), "growing", writer)), 1)
            wait_until("it has ended", lambda: server.state_of(writer.pid) == "exited")
            equal(server.get("/v1/growth?window=3s")["growing"], [])
            equal(mine(server.get("/v1/sites"), "sites", writer), [])
            # of one that has ended what it held is told to who names it
            equal(len(server.get(f"/v1/sites?pid={writer.pid}&site=new_shape")["sites"]), 1)


def test_last_minute():
    """What a minute has added and taken, by site and by file; the server at its usual pace."""
    if not os.environ.get("GROWTH_MINUTE"):
        raise Skip("takes over a minute; GROWTH_MINUTE=1 runs it (unit/test_growth has the arithmetic)")
    with directory() as d, Server(d, "--growth") as server, Writer(server) as writer:
        keys = [writer.alloc(32 * 64, "l1", line=1) for _ in range(10)]
        writer.alloc(32 * 12, line=2, function="load")
        time.sleep(75)
        for key in keys[:4]:
            writer.free(key)
        for _ in range(7):
            writer.alloc(32 * 12, line=3, function="later")
        rows = {r["site"]["line"]: r["growth_bytes"] for r in server.get("/v1/sites")["sites"]}
        equal(rows, {1: -4 * 32 * 64, 2: 0, 3: 7 * 32 * 12})
        rows = {r["type"]: r["growth_bytes"] for r in server.get("/v1/sites?by=file")["sites"]}
        equal(rows, {"l1": -4 * 32 * 64, "dram": 7 * 32 * 12})
        rows = {(r["type"], r["thread"]): r["growth_bytes"]
                for r in server.get("/v1/sites?by=thread")["sites"]}
        equal(rows, {("l1", writer.pid): -4 * 32 * 64, ("dram", writer.pid): 7 * 32 * 12})
        equal("-8.00 KiB" in ttmem("sites", env=where(server)).stdout, True)


def test_nobody_asked():
    """The server does not look before somebody asks, unless it was started so."""
    for options, watched in (((), False), (("--growth",), True)):
        with directory() as d, Server(d, *HURRY, *options) as server, Writer(server) as writer:
            run_rounds(writer, 20)
            growing = mine(server.get("/v1/growth?window=3s"), "growing", writer)
            equal(bool(growing), watched, str(options))


def test_others_are_hidden():
    """Places in other people's programs are theirs."""
    need_other_users()
    with directory() as d, Server(d, *HURRY) as server, Writer(server) as writer:
        os.chmod(d, 0o755)
        fill(writer)
        for command, key in (("sites", "sites"), ("growth", "growing")):
            done = subprocess.run(as_user(1234, [str(TTMEM), command, "--format=json"]), text=True,
                                  capture_output=True, env={**os.environ, **where(server)}, cwd="/")
            document = json.loads(done.stdout)
            equal((document["server"], document[key]), (str(d), []), command)


def test_explain_names_sites():
    """Who asked, and who holds that memory: by a record, by a text, and as JSON."""
    with directory() as d, Server(d) as server, Writer(server) as writer:
        fill(writer)
        writer.fail(128 << 20, op="ttnn.softmax", line=301, function="Head.forward")
        wait_until("it is known", lambda: server.get("/v1/failures")["processes"])
        failed = server.get("/v1/failures")["processes"][0]["failures"]["last"][0]
        equal((failed["op"], failed["site"]), ("ttnn.softmax", site(301, "Head.forward")))
        text = ttmem("explain", "--last", "--pid", writer.pid, env=where(server)).stdout
        for words in ("Asked for by ttnn.softmax at model.py:301 (Head.forward).",
                      "ttnn.matmul at model.py:214 (Attention.forward) holds 192 KiB in 3 buffers",
                      "what was there before attach holds 4.00 KiB in 1 buffer,"):
            equal(words in text, True, f"{words!r} in {text}")
        document = ttmem_json("explain", "--last", "--pid", writer.pid, env=where(server))
        equal((document["op"], document["site"]), ("ttnn.softmax", site(301, "Head.forward")))
        equal([(o["buffers"], o["site"]) for o in document["owners"]],
              [(3, site(214, "Attention.forward")), (1, None)])
        listed = ttmem("failures", env=where(server)).stdout
        equal("128 MiB of L1 ttnn.softmax at model.py:301 (Head.forward)" in " ".join(listed.split()),
              True, listed)


def test_capability():
    """What a process says of its sites is passed on, and doctor tells it."""
    with directory() as d, Server(d) as server, Writer(server) as writer:
        writer("capability", "sites", 3, "a Python that is not known: 3.14")
        writer.alloc(4096, op="", file="", line=0, function="")
        told = server.process_of(writer.pid)["capabilities"]["sites"]
        equal(told["reason"], "a Python that is not known: 3.14")
        found = json.loads(ttmem("doctor", "--format=json", env=where(server), check=False).stdout)
        rows = {r["check"]: r for r in found["findings"] if r["subject"] == f"process {writer.pid}"}
        equal((rows["sites"]["state"], rows["sites"]["message"]),
              ("warning", "which line of Python allocates cannot be told: "
                          "a Python that is not known: 3.14"))
        equal("Python" in rows["sites"]["hint"], True, rows["sites"]["hint"])
        equal("TT-Metal" in str([r for c, r in rows.items() if c == "capabilities"]), False, str(rows))
        for how in ((), ("--no-server",)):
            for command in (("sites",), ("buffers",)):
                out = ttmem(*command, *how, env=where(server)).stdout
                equal(f"Process {writer.pid}, lines of Python: a Python that is not known: 3.14\n"
                      in out, True, out)
                document = ttmem_json(*command, *how, env=where(server))
                equal([(r["pid"], r["state"]) for r in document["siteless"]],
                      [(writer.pid, "failed")], str(command))
        writer("capability", "sites", 1, "TTMEM_SITES is none of off, python, native, all: python")
        found = json.loads(ttmem("doctor", "--format=json", env=where(server), check=False).stdout)
        equal([(r["state"], r["hint"]) for r in found["findings"] if r["check"] == "sites"],
              [("warning", "TTMEM_SITES is off, python, native or all")])
        writer("capability", "sites", 3, "a Python that is not known: 3.14")
        details = ttmem("-q", env=where(server)).stdout
        equal("Sites                         : failed (a Python that is not known: 3.14)\n" in details,
              True, details)


LISTS_WITH_LACKS = (("sites",), ("buffers",), ("growth", "--window=1s"), ("map", "--type=dram"),
                    ("fit", "1KiB"), ("fit", "11GiB", "--type=dram"))


def documented_members(schema):
    """First column of the first table under a heading of docs/api.md."""
    section = (ROOT / "docs/api.md").read_text().split(f"\n## {schema}\n")[1].split("\n#")[0]
    table = section[section.index("\n| field |"):].strip().split("\n\n")[0]
    return {name for line in table.splitlines() if line.startswith("| `")
            for name in re.findall("`([a-z0-9_]+)`", line.split("|")[1])}


def test_documented_members():
    """Documents that no example shows have the members that the text tells of, and no others; one
    that is there only now and then may be missing."""
    with Writer() as writer:
        writer.alloc(1 << 20)
        writer.alloc(1 << 20)
        for command in (*LISTS_WITH_LACKS[3:], ("l1",)):
            document = json.loads(ttmem(*command, "--format=json", "--no-server", check=False).stdout)
            told = documented_members(document["schema"])
            equal(set(document) <= told and told - set(document) <= {"estimates"}, True,
                  f"{command}: has {sorted(document)}, told {sorted(told)}")
            equal(document["incomplete"], [], str(command))


def test_late_and_siteless():
    """A list that lacks both says both, from a server as well: waiting, and switched off."""
    with directory() as d, Server(d) as server, Writer(server) as writer:
        writer.alloc(4096, op="", file="", line=0, function="")
        writer("capability", "before_attach", 0, "waiting for its next allocation")
        writer("capability", "sites", 4, "TTMEM_SITES=off")
        for how in ((), ("--no-server",)):
            for command in (("sites",), ("buffers",), ("growth", "--window=1s"), ("map", "--type=dram"),
                            ("fit", "1KiB")):
                out = ttmem(*command, *how, env=where(server), check=False).stdout
                equal(f"Process {writer.pid}, before the attach: waiting for its next allocation\n"
                      in out, True, f"{command} {how}: {out}")
            for command in (("sites",), ("buffers",)):
                out = ttmem(*command, *how, env=where(server)).stdout
                equal(f"Process {writer.pid}, who allocates: TTMEM_SITES=off\n" in out, True, out)
            for command in (*LISTS_WITH_LACKS, ("l1",)):
                document = json.loads(ttmem(*command, "--format=json", *how, env=where(server),
                                            check=False).stdout)
                equal(document["incomplete"], [{"pid": writer.pid, "state": "unknown",
                                                "reason": "waiting for its next allocation"}],
                      f"{command} {how}: {document}")
        found = json.loads(ttmem("doctor", "--format=json", env=where(server), check=False).stdout)
        row = next(r for r in found["findings"] if r["check"] == "sites")
        equal((row["state"], row["message"]), ("warning", "who allocates is switched off: "
                                                          "TTMEM_SITES=off"))


def test_report():
    """What a program leaves behind and what it was refused, with their places, once: the copy that
    is made at a failure is no second process."""
    with tempfile.TemporaryDirectory() as there:
        report = pathlib.Path(there) / "report"
        with App(hook=False, prefix=[str(TTMEM), "run", f"--report={report}", "--"],
                 env={"TTMEM_HOOK": str(HOOK)}) as program:
            program("open", 1, 16384, 0)
            program("alloc", 0, "dram", 8192, 2048)
            equal("error" in program("alloc", 0, "l1", 1 << 40, 2048), True)
            equal(program.end()[0], 0)
        text = report.read_text()
    equal(text.count("process "), 1, text)
    equal("  failed allocations: 1\n    1.00 TiB of L1: standin-app (" in text, True, text)
    equal("  buffers never freed: 1 at the end\n    DRAM       8.00 KiB at 0x" in text
          and ": standin-app (" in text.split("never freed")[1], True, text)


def report_of(*steps):
    """What `ttmem run --report` says of a writer that is told to do so."""
    with tempfile.TemporaryDirectory() as there:
        report = pathlib.Path(there) / "report"
        with Writer(prefix=[str(TTMEM), "run", f"--report={report}", "--"]) as writer:
            for step in steps:
                step(writer)
            writer.process.stdin.close()
            equal(writer.process.wait(), 0)
            writer.process.stdin = None
        return report.read_text()


def test_report_of_a_closing():
    """Buffers that live when their device closes are named by place and type, the most bytes first,
    all closings together; what is live at the end, and what was freed, is not among them."""
    def fill(writer):
        for _ in range(3):
            writer.alloc(1 << 20, op="ttnn.empty", line=9, function="Cache.grow", tag="kv-cache")
        writer.alloc(4096, "l1", op="ttnn.add", line=12, function="step")
        writer.alloc(4096, op="ttnn.add", line=12, function="step")
        writer.alloc(100, op="", file="", line=0, function="")
        writer.free(writer.alloc(1 << 30, op="ttnn.mul", line=7, function="freed"))

    text = report_of(fill, lambda w: w("close"), fill, lambda w: w("close"),
                     lambda w: w("before", 900, 64, "dram"), lambda w: w("close"),
                     lambda w: w.alloc(2048, op="ttnn.sub", line=3, function="end"))
    equal(re.sub("0x[0-9a-f]+", "ADDRESS", text[text.index("  buffers never freed"):]), """\
  buffers never freed: 1 at the end
    DRAM       2.00 KiB at ADDRESS: ttnn.sub at model.py:3 (end)
  buffers left when their device was closed: 13
    DRAM       6.00 MiB in 6 buffers: ttnn.empty [kv-cache] at model.py:9 (Cache.grow)
    DRAM       8.00 KiB in 2 buffers: ttnn.add at model.py:12 (step)
    L1         8.00 KiB in 2 buffers: ttnn.add at model.py:12 (step)
    DRAM          200 B in 2 buffers
    DRAM           64 B in 1 buffer: before attach
""", text)


def test_report_of_many_places():
    """Twenty places are told one by one, the others together; beyond the table's room they are
    counted, so that nothing is lost: the numbers add up."""
    text = report_of(lambda w: w("many", 1, 30, 30, 4096), lambda w: w("close"))
    equal("  buffers left when their device was closed: 30\n" in text, True, text)
    equal(text.count("ttnn.add at many.py:"), 20, text)
    equal("40.0 KiB in 10 buffers of 10 more sites\n" in text, True, text)
    text = report_of(lambda w: w("many", 1, 3000, 3000, 4096), lambda w: w("close"))
    equal("7.92 MiB in 2028 buffers of 2028 more sites\n    952 buffers, and there was no room to "
          "note whose\n" in text, True, text)


def test_tags():
    """What a program says that its memory is for: a group, a filter, and beside the operation."""
    with directory() as d, Server(d) as server, Writer(server) as writer:
        for _ in range(3):
            writer.alloc(1 << 20, op="ttnn.empty", line=9, function="Cache.grow", tag="kv-cache")
        writer.alloc(4096, op="ttnn.empty", line=9, function="Cache.grow")
        writer.alloc(2048, op="ttnn.add", line=12, function="step", tag="a\x1b[31m b")
        writer.alloc(512, op="", file="", line=0, function="", tag="scratch")
        for how in ((), ("--no-server",)):
            rows = mine(ttmem_json("sites", "--by=tag", *how, env=where(server)), "sites", writer)
            equal([(r["tag"], r["buffers"], r["requested_bytes"]) for r in rows],
                  [("kv-cache", 3, 3 << 20), (None, 1, 4096), ("a\x1b[31m b", 1, 2048),
                   ("scratch", 1, 512)], str(how))
            for wanted, count in (("kv", 3), ("kv-cache", 3), ("cache", 3), ("scratch", 1), ("no", 0)):
                for command, key in (("sites", "sites"), ("buffers", "buffers")):
                    rows = mine(ttmem_json(command, f"--tag={wanted}", *how, env=where(server)), key,
                                writer)
                    equal(sum(r.get("buffers", 1) for r in rows), count, f"{command} {wanted} {how}")
                    equal({wanted in r["tag"] for r in rows} <= {True}, True)
            text = ttmem("buffers", "--width=120", *how, env=where(server)).stdout
            for words in ("ttnn.empty [kv-cache]", "ttnn.add [a\\x1b[31m b]", "[scratch]"):
                equal(words in text, True, f"{words} in {text}")
            text = ttmem("sites", "--by=tag", *how, env=where(server)).stdout
            equal(" TAG\n" in text and " kv-cache\n" in text, True, text)
            text = ttmem("--query-buffers=op,site.file,site.line,site.function,tag", "--format=csv",
                         *how, env=where(server)).stdout
            equal(text.splitlines()[:2], ["op, site.file, site.line, site.function, tag",
                                          f"ttnn.empty, {MODEL}, 9, Cache.grow, kv-cache"], text)
        equal(len(server.get("/v1/buffers?tag=kv")["buffers"]), 3)
        writer.fail(1 << 30, "dram", op="ttnn.empty", line=9, function="Cache.grow")
        wait_until("it is known", lambda: server.get("/v1/failures")["processes"])
        text = ttmem("explain", "--last", "--pid", writer.pid, env=where(server)).stdout
        equal("ttnn.empty [kv-cache] at model.py:9 (Cache.grow) holds" in text, True, text)


if __name__ == "__main__":
    sys.exit(run_tests(globals()))
