#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Options that fingers know from nvidia-smi, on fake machines and on one live process."""
import csv
import io
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "lib"), str(HERE.parent / "hosts")]

import hosts
from server import Server, app, directory
from testing import TTMEM, equal, run_tests, ttmem

_built = {}
_keep = tempfile.TemporaryDirectory()


def host(name):
    if name not in _built:
        _built[name] = pathlib.Path(_keep.name) / name
        hosts.build(name, _built[name])
    return str(_built[name])


def on(name, *arguments, **more):
    return ttmem("--no-server", "--root", host(name), *arguments, check=False, **more)


def rows(text):
    return list(csv.reader(io.StringIO(text), skipinitialspace=True))


def test_a_script_for_nvidia_smi():
    """Reason: with the program's name changed, a script goes on: no header, no units, an index."""
    done = on("n150", "--query-gpu=index,name,memory.total,memory.used",
              "--format=csv,noheader,nounits")
    equal((done.returncode, done.stdout, done.stderr), (0, "0, n150, 12276, 0\n", ""))
    done = on("t3k", "--query-gpu=index,name", "--format=csv,noheader")
    equal([r[0] for r in rows(done.stdout)], [str(i) for i in range(8)])
    equal([r[1] for r in rows(done.stdout)], ["n300 L"] * 4 + ["n300 R"] * 4)


def test_headers_and_units():
    """The header names the unit, cells carry it, and an alias is called what nvidia-smi calls it."""
    done = on("n150", "--query-gpu=memory.total,temperature.gpu,power.draw,utilization.gpu",
              "--format=csv")
    equal(done.stdout, "memory.total [MiB], temperature.gpu [C], power.draw [W], utilization.gpu\n"
                       "12276 MiB, 34 C, 22.00 W, [N/A]\n")
    done = on("n300", "--query-compute-apps=pid,name,used_memory", "--format=csv")
    equal(done.stdout.splitlines()[0], "pid, process_name, used_gpu_memory [MiB]")


def test_used_and_free_make_total():
    """Reason: nvidia-smi's figures did not add up, in public."""
    cells = rows(on("p150x4", "--query-device=dram.allocatable_bytes,dram.occupied_bytes,"
                    "dram.free_bytes", "--format=csv,noheader,nounits").stdout)
    known = [list(map(int, r)) for r in cells if r[1] != "[N/A]"]
    equal(len(known), 2)
    equal([r[0] - r[1] - r[2] for r in known], [0, 0])


def test_every_name_of_the_help_is_a_column():
    """Help and parser read the same list."""
    for kind in ("device", "processes", "buffers"):
        names = [line.split()[0] for line in on("n300", f"--help-query-{kind}").stdout.splitlines()
                 if line and not line.startswith("Names of")]
        equal(len(names) > 10, True, kind)
        for at in range(0, len(names), 40):
            done = on("n300", f"--query-{kind}=" + ",".join(names[at:at + 40]), "--format=jsonl")
            equal(done.returncode, 0, done.stderr)


def test_bad_names():
    """A name nobody knows: which, where the others are, exit code 2; nothing on standard output."""
    for bad in ("memory.usedd", "", "index,,name", "x" * 200):
        done = on("n150", f"--query-gpu={bad}", "--format=csv")
        equal((done.returncode, done.stdout), (2, ""), bad)
        equal("--help-query-device" in done.stderr, True, done.stderr)
    done = on("n150", "--query-gpu=" + ",".join(["index"] * 65), "--format=csv")
    equal((done.returncode, "64" in done.stderr), (2, True))
    for bad in ("cvs", "csv,nohead", "json,noheader", ""):
        equal(on("n150", "--query-gpu=index", f"--format={bad}").returncode, 2, bad)
    equal(on("n150", "--format=csv").returncode, 2)
    equal(on("n150", "-d", "MEMORY").returncode, 2)
    equal(on("n150", "-q", "-d", "FANS").returncode, 2)
    equal(on("n150", "-q", "-L").returncode, 2)


def test_json_forms():
    """json: one document; jsonl: an object a line; numbers are numbers, what is unknown is null."""
    names = "--query-gpu=index,uuid,temperature.gpu,memory.used"
    document = json.loads(on("n300", names, "--format=json").stdout)
    equal(document["schema"], "ttmem.query/1")
    equal(document["rows"][0], {"index": 0, "uuid": None, "temperature.gpu": 61,
                                "memory.used": None})
    lines = [json.loads(x) for x in on("n300", names, "--format=jsonl").stdout.splitlines()]
    equal(lines, document["rows"])


def test_quotes():
    """Reason: a command with a comma must not become two columns; a plain one needs no quotes."""
    done = on("hostile", "--query-processes=pid,command,state", "--format=csv,noheader")
    for row in rows(done.stdout):
        equal(len(row), 3, str(row))
    equal("\x1b" in done.stdout, False)
    equal(any("," in r[1] for r in rows(done.stdout)), True)
    plain = on("n300", "--query-processes=command", "--format=csv,noheader").stdout
    equal('"' in plain, False)


def test_hostile_strings_in_every_view():
    """Reason: a command line is a stranger's; no view may hand its control bytes to a terminal."""
    root = host("hostile")
    views = [[], ["--width", "200"], ["--ascii"], ["-q"], ["-L"], ["--format=json"],
             ["--query-processes=pid,command,user", "--format=csv"],
             ["--query-processes=command", "--format=json"],
             ["--query-processes=command", "--format=jsonl"],
             ["pmon", "-c", "1"], ["pmon", "-c", "1", "--format=csv"], ["dmon", "-c", "1"],
             ["doctor"], ["doctor", "--format=json"]]
    for view in views:
        done = subprocess.run([str(TTMEM), *view, "--no-server", "--root", root],
                              capture_output=True, timeout=240,
                              env={**os.environ, "LC_ALL": "C.UTF-8"})
        equal(done.returncode in (0, 66), True, f"{view}: {done.stderr}")
        text = (done.stdout + done.stderr).decode()  # it is UTF-8, whatever came in
        bad = {c for c in text if ord(c) < 32 and c != "\n" or 127 <= ord(c) < 160 or
               0x202a <= ord(c) <= 0x202e}
        if "--format=json" in view or "--format=jsonl" in view:
            # JSON escapes what is below a blank; what is above it is data, for programs
            bad = {c for c in bad if ord(c) < 32}
        equal(bad, set(), str(view))


def test_select():
    """-i takes numbers, unique ids, serial numbers and PCI addresses in several spellings."""
    def numbers(*arguments):
        done = on(*arguments, "--query-gpu=index", "--format=csv,noheader")
        return [int(x) for x in done.stdout.split()] if done.returncode == 0 else done.returncode
    equal(numbers("p150x4", "-i", "2"), [2])
    equal(numbers("p150x4", "-i", "3,0"), [0, 3])
    equal(numbers("p150x4", "-i", "0000:c1:00.0"), [0])
    equal(numbers("p150x4", "-i", "00000000:C1:00.0"), [0])
    equal(numbers("p150x4", "-i", "c1:00.0"), [0])
    equal(numbers("n300", "-i", "0000:41:00.0"), [0, 1])
    equal(numbers("n300", "-i", "010001451170c0c4"), [0, 1])
    equal(numbers("mixed", "-i", "7"), [7])
    for nobody in ("1", "0000:02:00.0", "zz", "4,0", "99999999999999999999"):
        equal(numbers("mixed", "-i", nobody), 6, nobody)
    done = on("p150x4", "-i", "1")
    equal("7001" in done.stdout and "0000:01:00.0" in done.stdout, True)
    equal("0000:c1:00.0" in done.stdout, False)
    done = on("p150x4", "-i", "0")
    equal("7001" in done.stdout, False)


def test_exit_codes():
    """Who asks for devices of a machine that can have none is told by the code; a look is not."""
    for arguments in (["-q"], ["-L"], ["--query-device=number", "--format=csv"]):
        equal(on("empty", *arguments).returncode, 9, str(arguments))
        equal(on("driver-only", *arguments).returncode, 6, str(arguments))
        equal(on("n150", *arguments).returncode, 0, str(arguments))
    equal(on("empty").returncode, 0)
    equal(on("empty", "--query-compute-apps=pid", "--format=csv").stdout, "pid\n")
    error = json.loads(on("empty", "-q", "--format=json").stdout)["error"]
    equal((error["code"], bool(error["hint"])), ("no_driver", True))


def test_list():
    equal(on("n300", "-L").stdout,
          "Device 0: n300 L (Unique ID: N/A, Serial: 010001451170C0C4, PCI: 0000:41:00.0)\n"
          "Device 1: n300 R (Unique ID: N/A, Serial: 010001451170C0C4, PCI: 0000:41:00.0)\n")


def test_details():
    """-q: the colon stands in column 43; -d leaves only what was asked for."""
    text = on("p150x4", "-q").stdout
    for line in text.splitlines():
        if ": " in line:
            equal(line.index(": "), 42, line)
    for wanted in ("Product Name                          : p150b", "Chip                              : 42 C",
                   "Process ID                        : 7001"):
        equal(wanted in text, True, wanted)
    text = on("p150x4", "-q", "-d", "memory", "-i", "1").stdout
    equal("DRAM Usage" in text and "Temperature" not in text and "Process ID" not in text, True)


def test_loop_and_file():
    """-lms and -c repeat; -f takes the output, and leaves standard output empty."""
    done = on("n150", "--query-gpu=index", "--format=csv,noheader", "-lms", "20", "-c", "3")
    equal(done.stdout, "0\n0\n0\n")
    with tempfile.TemporaryDirectory() as d:
        path = pathlib.Path(d) / "out.csv"
        path.write_text("old and longer than what comes\n")
        done = on("n150", "--query-gpu=index", "--format=csv,noheader", "-f", str(path))
        equal((done.stdout, path.read_text()), ("", "0\n"))
        done = on("n150", "-f", d + "/no/such/place")
        equal((done.returncode, done.stdout, "no/such/place" in done.stderr), (1, "", True))


def test_dmon_and_pmon():
    """Two lines of titles that begin with '#', a row for each device, '-' for what is missing."""
    done = ttmem("dmon", "--no-server", "--root", host("p150x4"), "-c", "2", "-d", "0.05")
    lines = done.stdout.splitlines()
    equal([line[0] for line in lines], ["#", "#"] + [" "] * 8)
    equal(lines[2].split()[:4], ["0", "19", "42", "800"])
    equal(lines[3].split(), ["1", "97", "58", "1350"] + ["-"] * 6)
    done = ttmem("pmon", "--no-server", "--root", host("p150x4"), "-c", "1", "-o", "DT")
    equal(bool(re.search(r"(?m)^ +\d{8}  \d\d:\d\d:\d\d +1 +7001 .*api_server$", done.stdout)), True)
    done = ttmem("dmon", "--no-server", "--root", host("n150"), "-c", "1", "--format=csv,noheader",
                 "-s", "p")
    equal(done.stdout, "0, 22, 34\n")
    for bad in (["-s", "z"], ["-o", "Q"], ["--format=json"], ["-d", "0"], ["-c", "0"]):
        equal(ttmem("dmon", *bad, check=False).returncode, 2, str(bad))


def test_live_process():
    """A process's row per device has its own figures; buffers are rows; with a server the same."""
    with directory() as d, Server(d) as server, app(d) as program:
        program("open", 1, 0, 0)
        program("alloc", 0, "dram", 1 << 20, 2048)
        program("alloc", 0, "dram", 1 << 20, 2048)
        for where in ({"TTMEM_SOCKET_DIR": str(d)}, {"TTMEM_SOCKET_DIR": "/nonexistent"}):
            got = rows(ttmem("--query-processes=pid,dram.requested_bytes,dram.buffers",
                             "--format=csv,noheader,nounits", env=where).stdout)
            equal([r for r in got if r[0] == str(program.pid)],
                  [[str(program.pid), str(2 << 20), "2"]], str(where))
            got = rows(ttmem("--query-buffers=pid,type,requested_bytes,command",
                             "--format=csv,noheader,nounits", env=where).stdout)
            mine = [r for r in got if r[0] == str(program.pid)]
            equal([r[1:3] for r in mine], [["dram", str(1 << 20)]] * 2, str(where))
            equal(all("standin" in r[3] for r in mine), True, str(mine))


if __name__ == "__main__":
    sys.exit(run_tests({name: function for name, function in globals().items()
                        if name.startswith("test_")}))
