#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The Python package: what it shows is what the tool shows, on every Python it is for.

Real ttnn is in tests/metal/test_python.py; here a runtime reports by itself, so that it runs on
Pythons for which there is no ttnn.
"""
import dataclasses
import importlib
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "lib"), str(HERE.parent / "integration"),
                str(HERE.parent / "hosts"), str(HERE.parents[1] / "python")]
sys.dont_write_bytecode = True

from testing import BUILD, ROOT, TTMEM, Skip, equal, run_tests, ttmem_json, wait_until

os.environ.update({"TTMEM_LIBRARY": str(BUILD / "src/lib/libttmem.so.0"),
                   "TTMEM_SOCKET_DIR": "/nonexistent"})

import hosts
import ttmem
from server import Server, app, directory
from standin import App

ENV = {**os.environ, "PYTHONPATH": f"{ROOT / 'python'}:{HERE}", "PYTHONDONTWRITEBYTECODE": "1"}
MINORS = ("3.8", "3.9", "3.10", "3.11", "3.12", "3.13")


def pythons():
    """(minor, path) of those that are here."""
    for minor in MINORS:
        found = sorted(pathlib.Path.home().glob(f".pyenv/versions/{minor}.*/bin/python3"))
        if found:
            yield minor, str(found[-1])


def test_every_python():
    """Its own figures on each Python that is here, by programs that check themselves."""
    tried = []
    for minor, python in pythons():
        # 3.12 warns of a fork when a thread that was joined has not quite gone yet
        done = subprocess.run([python, "-W", "ignore::DeprecationWarning",
                               str(HERE / "own_figures.py")], capture_output=True, text=True,
                              env=ENV, timeout=240)
        equal((done.stdout, done.stderr[-300:], done.returncode), ("good\n", "", 0), minor)
        tried.append(minor)
    missing = sorted(set(MINORS) - set(tried))
    if not tried:
        done = subprocess.run([sys.executable, str(HERE / "own_figures.py")], capture_output=True,
                              text=True, env=ENV, timeout=240)
        equal((done.stdout, done.returncode), ("good\n", 0), done.stderr[-300:])
    if missing:
        raise Skip(f"passed on {tried or sys.version.split()[0]}; not here: {missing}")


def test_for_people():
    """str() of what is seen is what one would say of it; strings of strangers do no harm in it."""
    words = importlib.import_module("ttmem._words")
    # as tests/unit/test_view.c has them
    for number, text in ((None, "-"), (0, "0 B"), (999, "999 B"), (1000, "0.98 KiB"),
                         (1023, "1.00 KiB"), (1023 << 10, "1.00 MiB"), (1280 << 20, "1.25 GiB"),
                         (2**64 - 1, "16.0 EiB"), (12872318976, "12.0 GiB"), (10234, "9.99 KiB"),
                         (10235, "10.0 KiB"), (102348, "99.9 KiB"), (102350, "100 KiB")):
        equal(words.size_text(number), text)
    with App() as app:
        app("open", 1, 0, 0)
        app("alloc", 0, "dram", 17825792, 1088)
        app("alloc", 0, "l1", 1048576, 2048)
        shot = ttmem.snapshot(buffers=True, server=False, pid=app.pid)
    equal(repr(shot), "<ttmem.Snapshot: 1 device, 1 process, 2 buffers>")
    memory = shot.devices[0].memory
    total = words.size_text(memory["dram"].allocatable_bytes)
    equal(str(memory["dram"]), f"dram {words.size_text(memory['dram'].occupied_bytes)} of {total} "
                               "in 1 buffer")
    lines = str(shot).splitlines()
    equal(len(lines), 2, str(shot))
    equal(lines[0].startswith(f"device {shot.devices[0].number} wormhole_b0: dram "), True, lines)
    equal(lines[1].startswith(f"process {app.pid} "), True, lines)
    equal(lines[1].endswith(f": {memory['dram']}, {memory['l1']}"), True, lines)
    buffer = dataclasses.replace(shot.buffers[1], op="ttnn.\x1b[2J", site_file="/srv/m\nodel.py",
                                 site_line=7, site_function="f", tag="k")
    equal(str(buffer), f"l1 1.00 MiB of ttnn.\\x1b[2J [k] at /srv/m\\nodel.py:7 (f), pid {app.pid}")
    equal(buffer.site, ttmem.Site("/srv/m\nodel.py", 7, "f"))
    equal(dataclasses.replace(buffer, site_file=None, site_line=None, site_function=None).site, None)


def test_snapshot():
    """Devices, processes and buffers as the tool's JSON has them, of a machine with a program."""
    with tempfile.TemporaryDirectory() as there:
        hosts.build("mixed", there)
        with App() as app:
            app("open", 1, 16384, 1048576)
            app("alloc", 0, "dram", 17825792, 1088)
            app("alloc", 0, "l1", 1048576, 2048)
            app("alloc", 0, "l1_small", 2048, 2048, 1)
            shot = ttmem.snapshot(buffers=True, server=False, root=there)
            view = ttmem_json("--no-server", f"--root={there}")
            listing = ttmem_json("buffers", "--no-server")
    cards = {card["number"]: card for card in view["cards"]}
    equal([d.number for d in shot.devices], [d["number"] for d in view["devices"]])
    for ours, theirs in zip(shot.devices, view["devices"]):
        for kind, memory in ours.memory.items():
            for field in dataclasses.fields(memory):
                if field.name.endswith("_bytes") and field.name in theirs["memory"][kind]:
                    equal(getattr(memory, field.name), theirs["memory"][kind][field.name],
                          f"device {ours.number} {kind} {field.name}")
            equal({name.replace("bank_", "bank.", 1) if name.startswith("bank_") else name
                   for name in memory.estimates}, set(theirs["memory"][kind].get("estimates", ())))
        if theirs["card"] is not None:
            equal(ours.board, cards[theirs["card"]]["board"])
            equal(ours.pci_address, cards[theirs["card"]]["pci_address"])
    process = next(p for p in shot.processes if p.pid == app.pid)
    equal((process.state, process.entry, process.live_buffers), ("live", "preload", 3))
    equal(sum(of["dram"].requested_bytes for of in process.memory.values()), 17825792)
    wanted = [b for b in listing["buffers"] if b["pid"] == app.pid]
    ours = [b for b in shot.buffers if b.pid == app.pid]
    equal([(b.type, b.address, b.requested_bytes, b.page_bytes, b.layout) for b in ours],
          [(b["type"], b["address"], b["requested_bytes"], b["page_bytes"], b["layout"])
           for b in wanted])
    equal(len({dataclasses.astuple(b) for b in ours}), 3, "immutable, so they can be in a set")


def test_server():
    """The same from a server: named by its directory, or found where servers are looked for."""
    with directory() as d, Server(d) as s, app(d) as program:
        program("open", 1, 16384, 1048576)
        program("alloc", 0, "dram", 17825792, 1088)
        wait_until("it is known", lambda: s.get("/v1/server")["tables"]["live"] == 1)
        shot = ttmem.snapshot(buffers=True, server=str(d))
        equal(shot.server, str(d))
        equal([(p.pid, p.state) for p in shot.processes], [(program.pid, "live")])
        equal([(b.pid, b.type, b.requested_bytes) for b in shot.buffers],
              [(program.pid, "dram", 17825792)])
        equal(shot.devices[0].memory["dram"].requested_bytes, 17825792)
        found = subprocess.run([sys.executable, "-c", "import ttmem; print(ttmem.snapshot().server)"],
                               capture_output=True, text=True, timeout=240,
                               env={**ENV, "TTMEM_SOCKET_DIR": str(d)})
        equal(found.stdout, f"{d}\n", found.stderr)
    gone = ttmem.snapshot(server=False)
    equal(gone.server, None)


def test_errors():
    """What fails says what and does not crash; a wrong library is an error of the import system."""
    try:
        ttmem.snapshot(server=True)
    except ttmem.TtmemError as error:
        equal((error.code, str(error)), (7, "no server answers"))
    else:
        raise AssertionError("there is a server")
    code = "import ttmem; print(sorted(ttmem.__all__) == ttmem.__all__); ttmem.snapshot()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True,
                          env={**ENV, "TTMEM_LIBRARY": "/nonexistent.so"}, timeout=240)
    equal(done.stdout, "True\n", "the import alone needs no library")
    equal("OSError" in done.stderr and "/nonexistent.so" in done.stderr, True, done.stderr)


def test_documented():
    """Everything public has a docstring; the version is the project's."""
    for name in ttmem.__all__:
        equal(bool((getattr(ttmem, name).__doc__ or "").strip()), True, name)
    version = re.search(r"(?m)^  version: '(.*)',$", (ROOT / "meson.build").read_text())[1]
    equal(ttmem.__version__, version)
    equal((ROOT / "python/ttmem/py.typed").exists(), True)


def test_explain():
    """An exception's text goes to `ttmem explain`, whose words and document come back."""
    texts = (ROOT / "tests/unit/error_texts.txt").read_text()
    text = next(line for line in texts.splitlines() if "Out of Memory" in line)
    environ = dict(os.environ)
    os.environ["PATH"] = f"{TTMEM.parent}:{os.environ['PATH']}"
    try:
        said = ttmem.explain(RuntimeError(text.replace("\\n", "\n")))
    finally:
        os.environ.clear()
        os.environ.update(environ)
    equal(said.data["schema"].split("/")[0], "ttmem.explain")
    equal(str(said) == said.text and len(said.text) > 40, True, said.text)


PYTEST = '''
import pytest
from runtime import Runtime

@pytest.fixture(scope="session")
def runtime():
    return Runtime()

@pytest.fixture
def weights(runtime):
    """Of a fixture: neither in the peak of the call alone nor a leak of it."""
    key = runtime.allocate("dram", 1 << 20)
    yield key
    runtime.free(key)

kept = []

@pytest.mark.ttmem_limit(dram="16 MiB", l1_per_core="600 KiB")
def test_within(runtime, weights):
    runtime.free(runtime.allocate("dram", 1 << 20))
    runtime.free(runtime.allocate("l1", 600 << 10))

@pytest.mark.ttmem_limit(dram="16 MiB")
def test_over(runtime, weights):
    runtime.free(runtime.allocate("dram", (1 << 20) + 64))

@pytest.mark.ttmem_limit(l1_per_core="600 KiB")
def test_over_per_core(runtime):
    runtime.free(runtime.allocate("l1", (600 << 10) + 16))

def test_leaks(runtime, weights):
    here = runtime.site(b"ttnn.create_semaphore", b"/srv/model.py", 77, b"prefill", b"prompt")
    kept.append(runtime.allocate("l1", 64, 0x1000, here))

def test_frees_what_leaked(runtime):
    runtime.free(kept.pop())

def test_fails_and_leaks(runtime):
    kept.append(runtime.allocate("l1", 64))
    assert False, "its own failure is enough"

@pytest.mark.ttmem_limit(dram=5, l2=3)
def test_unknown_limit(): pass
'''


def run_pytest(*options):
    """Outcomes by test, and all that was printed."""
    candidates = [python for _, python in [*pythons(), ("", "/usr/bin/python3"),
                                           ("", sys.executable)]]
    python = next((p for p in reversed(candidates)
                   if subprocess.run([p, "-c", "import pytest"], capture_output=True,
                                     check=False).returncode == 0), None)
    if not python:
        raise Skip("no Python with pytest here (apt-get install python3-pytest)")
    with tempfile.TemporaryDirectory() as there:
        (pathlib.Path(there) / "test_it.py").write_text(PYTEST)
        done = subprocess.run(
            [python, "-m", "pytest", "-p", "ttmem.pytest_plugin", "-p", "no:cacheprovider", "-v",
             "--rootdir", there, *options, there], capture_output=True, text=True, env=ENV,
            cwd=there, timeout=240)
    outcomes = {}
    for name, outcome in re.findall(r"test_it.py::(\w+) (\w+)", done.stdout):
        outcomes.setdefault(name, []).append(outcome)
    return outcomes, done.stdout + done.stderr


def test_pytest_plugin():
    """Limits to the byte, and leaks of the test itself, each told from what fixtures hold."""
    outcomes, said = run_pytest("--ttmem-leaks")
    equal(outcomes.get("test_within"), ["PASSED"], said[-1500:])
    equal(outcomes["test_over"], ["FAILED"])
    equal("dram peaked at 16.00 MiB (16777728 bytes), over the limit of 16.00 MiB" in said, True,
          said)
    equal(outcomes["test_over_per_core"], ["FAILED"])
    equal(outcomes["test_leaks"], ["PASSED", "ERROR"], "the call passed, its teardown did not")
    equal("a buffer of this test lives on after it (4096 bytes):\n  4096 bytes of l1 at 0x1000, "
          "ttnn.create_semaphore [prompt] at /srv/model.py:77 (prefill)\n"
          in said.replace("E   ", ""), True, said)
    equal(outcomes["test_frees_what_leaked"], ["PASSED"])
    equal(re.findall(r"\S*Warning\b", said), [], said)
    equal(outcomes["test_fails_and_leaks"], ["FAILED"])
    equal("ttmem_limit takes dram, l1, l1_small, trace, l1_per_core, not l2" in said, True, said)


def test_pytest_plugin_quiet():
    """Without the option nothing is said of leaks."""
    outcomes, said = run_pytest("-k", "leaks")
    equal(outcomes["test_leaks"], ["PASSED"], said[-800:])


if __name__ == "__main__":
    sys.exit(run_tests(globals()))
