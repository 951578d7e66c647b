#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every single call on sysfs and procfs fails once, in each way a kernel can make it fail.

Reason: one attribute that cannot be read must cost that attribute and nothing else, and must
be told with its reason. A card that does not answer must not keep the others waiting.
"""
import concurrent.futures
import contextlib
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

TESTS = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS / part) for part in ("lib", "hosts", "faults", "integration")]
sys.dont_write_bytecode = True

import dataclasses

import faults
import healthy
import hosts
from fake import Fake, card_of
from machine import Host
from server import Server, directory
from test_cards import FAILED, FIGURES, RESET
from testing import TTMEM, TTMEMD, Skip, equal, run_tests, wait_until

DENIED = "not shown to this user"
REASONS = {"EIO": FAILED, "ENODEV": FAILED, "ENODATA": RESET, "EACCES": DENIED}
AT_ONCE = 2
HANG_S = 8  # longer than what comes meanwhile takes on a loaded machine
# the smallest machine with everything: a card, a user of it, a lock
SMALL = Host("small", "", "2.10.0", (dataclasses.replace(
    healthy.P150.cards[0], pids=(4242, 4242), started_by=(4251, 4242), fan=1500),),
    (healthy.demo(cgroup="0::/system.slice/docker-" + "0123456789abcdef" * 4 + ".scope",
                  pinned_kb=4096),))
# what of the document a file may take away, by the end of its path
LINK = {"current_link_speed": "generation", "max_link_speed": "generation_max",
        "current_link_width": "width", "max_link_width": "width_max", "numa_node": "numa_node"}
FILES = {
    **{file: {f"card.telemetry.{name}"} for name, (file, _, _, _) in FIGURES.items()},
    **{file: {f"card.pcie.{name}"} for file, name in LINK.items()},
    "tt_serial": {"card.serial"}, "tt_asic_id": {"card.asic_id"},
    "tt_fw_bundle_ver": {"card.firmware"}, "module/tenstorrent/version": {"driver.version"},
    # there is a second source for these
    "tt_card_type": set(), "/device": set(), "subsystem_device": set(),
    "proc/4242/status": {f"process.{name}" for name in (
        "uid", "user", "inner_pid", "host_memory_bytes", "pinned_memory_bytes")},
    "proc/4242/cmdline": {"process.command"}, "proc/4242/comm": set(),
    "proc/4242/stat": {"process.started"}, "proc/stat": {"process.started"},
    "proc/4242/cgroup": {"process.container"}, "CHIP_IN_USE_0_PCIe": {"card.started_by"},
}
HWMON = {f"card.telemetry.{name}" for name, row in FIGURES.items() if row[1] == "hwmon"}
PCI = {f"card.pcie.{name}" for name in LINK.values()}
# calls on these paths, each its own count: tool and worker count for themselves
PATTERNS = ("/sys/", "/proc/driver", "/proc/4242", "/proc/stat", "/dev/shm")


def skip_sanitized():
    if os.environ.get("TTMEM_SANITIZED"):
        raise Skip("a sanitizer's runtime is in front of any preloaded library")


def leaves(value, path):
    """path -> value of everything but reasons, which are looked up for what is null."""
    if isinstance(value, dict):
        for name, inner in value.items():
            if name not in ("unavailable", "estimates", "age_ns", "event"):
                yield from leaves(inner, f"{path}.{name}")
    else:
        yield path, value


def told(document):
    """Of the card, its user and the driver: (leaves, reasons)."""
    parts = {"driver": document["driver"],
             "card": document["cards"][0] if document["cards"] else {},
             "process": next((p for p in document["processes"] if p["pid"] == 4242), {})}
    flat, reasons = {}, {}
    for name, part in parts.items():
        flat.update(leaves(part, name))
        reasons.update({f"{name}.{path}": text
                        for path, text in part.get("unavailable", {}).items()})
    return flat, reasons


def allowed(call):
    """What may be lost with one call: a set of leaves, or None for the whole card or process."""
    kind, path = call.split(" ", 1)
    for end, names in FILES.items():
        if path.endswith(end) and kind != "readlinkat" and f"/{end}" != "/tenstorrent":
            if end != "/device" or kind == "read":
                return names
    if kind == "readlinkat":
        return {"card.pci_address"}
    if path.endswith("/device"):  # the attribute of that name, or the directory
        return PCI
    if "hwmon" in path:
        return HWMON
    if path.endswith("/pids"):
        return {"card.handles", "card.foreign_handles", "card.users"}
    return None  # a directory of all of them


def check(base, document, call, kind, once=True):
    """Only what the call could tell is missing, and it says why."""
    (want, _), (got, reasons) = told(base), told(document)
    what = f"{kind} at {call}"
    changed = {path for path in want if got.get(path) != want[path]}
    lost = allowed(call)
    if kind == "short" and call.startswith("readlinkat"):  # a cut link is none
        equal({path: got[path] for path in changed}, {"card.pci_address": None}, what)
        return
    if kind in ("EINTR", "short"):
        equal(changed, set(), what)
        return
    if kind == "ENODATA":
        changed -= {"card.state"}
    if lost is None:
        return
    if "card.users" in lost:  # nobody is a user then
        changed -= {path for path in changed if path.startswith("process.")}
    if call.endswith("/device") and "open" in call:  # file and directory have the same name
        lost = lost | PCI
    equal(changed - lost, set(), what)
    for path in changed:
        if path not in ("process.command", "process.uid", "process.user", "card.users",
                        "process.inner_pid"):
            equal(got[path], None, f"{what}: {path}")
        if path in ("card.pci_address", "card.firmware"):  # a text keeps no reason of its own
            equal(reasons[path], "unknown", f"{what}: {path}")
        elif path in reasons and path.startswith("card."):
            # only attributes of the card itself can say that it is being reset
            reset_elsewhere = kind == "ENODATA" and call.endswith("/pids")
            equal(reasons[path], FAILED if reset_elsewhere else REASONS[kind], f"{what}: {path}")
    missed = {path for path in lost if path.startswith(("card.telemetry", "card.serial"))}
    if once and len(missed) == 1:
        equal(changed & missed, missed, f"{what}: had no effect")


def tool(fake):
    return [TTMEM, "--no-server", "--root", fake.path, "--format=json"]


def document_of(met, what):
    equal((met.process.returncode, met.process.stderr), (0, b""), what)
    return json.loads(met.process.stdout)


def each_call_of_the_tool(kind):
    """The tool once for every call it makes, with the fault at that one."""
    skip_sanitized()
    with Fake(SMALL) as fake, concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        base, jobs = fake.look(), []
        for part in PATTERNS:
            pattern = f"{fake.path}{part}"
            calls = faults.run(tool(fake), f"{pattern}:EIO:1000000").calls
            equal(len(calls) > 0, True, f"no call on {part}")
            for n, call in enumerate(calls, 1):
                jobs.append((call, pool.submit(faults.run, tool(fake), f"{pattern}:{kind}:{n}")))
        equal(len(jobs) > 70, True, f"{len(jobs)} calls")
        for call, job in jobs:
            check(base, document_of(job.result(), f"{kind} at {call}"), call, kind)


def each_call_of_the_server(kind):
    """A server for every third call, which is enough to meet each sort of attribute."""
    skip_sanitized()
    with Fake(SMALL) as fake, directory() as d:
        base = fake.look()
        trace = d / "calls"

        def ask(n):
            where = d / str(n)
            where.mkdir()
            environment = {**os.environ, "LD_PRELOAD": str(faults.LIBRARY),
                           "TTMEM_FAULT": f"{fake.path}/sys/:{kind}:{n}"}
            if n == 1000000:
                environment["TTMEM_FAULT_COUNT"] = str(trace)
            with Server(where, "--root", str(fake.path), "--sample", "3600",
                        env=environment) as server:
                return server.get("/v1/snapshot")
        ask(1000000)
        calls = trace.read_text().splitlines()
        first = calls[:next(i for i, c in enumerate(calls) if i > 3 and c == calls[0])] \
            if calls.count(calls[0]) > 1 else calls
        with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
            numbers = range(1 + len(kind) % 3, len(first) + 1, 3)
            for n, document in zip(numbers, pool.map(ask, numbers)):
                # its second look is over, too: what moves may be there again
                check(base, document, first[n - 1], kind, once=False)


def test_reset_of_all_attributes():
    """A driver in reset refuses every attribute; the card keeps its place and its users."""
    skip_sanitized()
    with Fake(SMALL) as fake:
        document = document_of(faults.run(tool(fake), f"{fake.path}/sys/devices:read.ENODATA:1:0"),
                               "reset")
        card = card_of(document)
        equal((card["state"], card["handles"], card["pci_address"]),
              ("reset", 2, "0000:01:00.0"), "card")
        for name, value in card["telemetry"].items():
            equal((value, card["unavailable"]["telemetry." + name]), (None, RESET), name)


def processes_of(root):
    """Processes that were started with this root: (pid, state)."""
    for directory_ in pathlib.Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if directory_.name.isdigit() and str(root).encode() in (
                    directory_ / "cmdline").read_bytes():
                yield int(directory_.name)


def check_others(base, document, but):
    """All cards but one are as ever, to the last figure."""
    for card in base["cards"]:
        if card["number"] != but:
            got = card_of(document, card["number"])
            equal({**got, "age_ns": 0}, {**card, "age_ns": 0}, f"card {card['number']}")


def test_stuck_card_and_the_tool():
    """A read that hangs: the others are complete, and what hangs is left to end by itself."""
    skip_sanitized()
    with Fake("p150x4") as fake:
        base = fake.look()
        command = [*tool(fake)]
        met = faults.run(command, f"tenstorrent!2/tt_aiclk:read.hang={HANG_S}:1")
        document = document_of(met, "stuck")
        equal(list(processes_of(fake.path)) != [], True, "the worker hangs, and was not waited for")
        check_others(base, document, 2)
        card = card_of(document, 2)
        equal((card["state"], set(card["telemetry"].values())), ("stuck", {None}), "the stuck one")
        for name in ("telemetry.aiclk_mhz", "serial", "handles"):
            equal(card["unavailable"][name], "the driver does not answer", name)
        # the bus answers for it: which card it is can be told
        known = card_of(base, 2)
        for name in ("pci_address", "board", "arch", "pcie"):
            equal(card[name], known[name], name)
        wait_until("the worker ends by itself", lambda: not list(processes_of(fake.path)))


def test_starved_worker():
    """A worker that has lost its processor on the way is waited for: the card is none that does not
    answer, and no second worker takes its place."""
    skip_sanitized()
    with Fake("p150x4") as fake:
        base = fake.look()
        met = faults.run(tool(fake), "tenstorrent!2/tt_aiclk:read.spin=0.4:1")
        check_others(base, document_of(met, "starved"), None)


def test_all_cards_stuck():
    """Nothing answers at all: still an answer, with every card listed."""
    skip_sanitized()
    with Fake("p150x4") as fake:
        met = faults.run(tool(fake), f"/tt_aiclk:read.hang={HANG_S}:1:0")
        document = document_of(met, "all stuck")
        equal([card["state"] for card in document["cards"]], ["stuck"] * 4, "states")
        wait_until("the workers end", lambda: not list(processes_of(fake.path)))


def test_stuck_card_and_the_server():
    """Its last figures stay, with an age that grows; then it is fresh, and read as a new one."""
    skip_sanitized()
    with Fake("p150x4") as fake, directory() as d:
        base, card = fake.look(), fake.card(2)
        environment = {**os.environ, "LD_PRELOAD": str(faults.LIBRARY),
                       "TTMEM_FAULT": f"tenstorrent!2/tt_aiclk:read.hang={HANG_S}:4"}
        with Server(d, "--root", str(fake.path), "--sample", "0.1", env=environment) as server:
            def look():
                document = server.get("/v1/snapshot")
                return document, card_of(document, 2)
            document, first = wait_until("it is stuck", lambda: (
                pair := look()) and pair[1]["state"] == "stuck" and pair)
            fake.put(f"{card.home}/tt_fw_bundle_ver", "20.1.0.0")
            check_others(base, document, 2)
            equal(first["telemetry"], card_of(base, 2)["telemetry"], "its last figures")
            equal(first["stale"]["telemetry.aiclk_mhz"], "the driver does not answer", "stale")
            later = wait_until("its age", lambda: (
                card := look()[1])["age_ns"] > first["age_ns"] + 200_000_000 and card)
            equal(later["state"], "stuck", "it still is")
            screen = subprocess.run([str(TTMEM), "--root", str(fake.path)], capture_output=True,
                                    env={**os.environ, "TTMEM_SOCKET_DIR": str(d)}, text=True)
            equal("! the driver does not answer: telemetry is " in screen.stdout, True,
                  screen.stdout)
            _, back = wait_until("it is back", lambda: (
                pair := look()) and pair[1]["state"] == "ok" and pair)
            equal(back["age_ns"] < later["age_ns"], True, "fresh")
            wait_until("its firmware is asked again",
                       lambda: look()[1]["firmware"] == "20.1.0.0")
            wait_until("no thread is left", lambda: len(
                os.listdir(f"/proc/{server.process.pid}/task")) == 1)
            equal(server.stop(), 0, "exit")


def test_server_ends_with_a_stuck_card():
    """A card that hangs does not keep the server from ending when it is told to."""
    skip_sanitized()
    with Fake("p150x4") as fake, directory() as d:
        environment = {**os.environ, "LD_PRELOAD": str(faults.LIBRARY),
                       "TTMEM_FAULT": "tenstorrent!2/tt_aiclk:read.hang=30:2"}
        with Server(d, "--root", str(fake.path), "--sample", "0.1", env=environment) as server:
            wait_until("stuck", lambda: card_of(
                server.get("/v1/snapshot"), 2)["state"] == "stuck")
            equal(server.stop(), 0, "exit")


def test_no_device_is_opened():
    """Opening a card wakes it, joins its list of users and can block: never, on any machine."""
    skip_sanitized()
    with directory() as d:
        for name in hosts.HOSTS:
            with Fake(name) as fake:
                met = faults.run(tool(fake))
                equal((met.process.returncode, met.opened_below("dev/tenstorrent")), (0, []), name)
                equal(len(met.opened) > 5, True, "opens are seen")
                where, trace = d / name, d / f"{name}.trace"
                where.mkdir()
                with Server(where, "--root", str(fake.path), "--sample", "0.05", env={
                        **os.environ, "LD_PRELOAD": str(faults.LIBRARY),
                        "TTMEM_TRACE_OPEN": str(trace)}) as server:
                    server.get("/v1/snapshot")
                    equal(server.stop(), 0, name)
                lines = [line.split("\t") for line in trace.read_text().splitlines()]
                met = faults.Met(None, [], lines)
                equal((met.opened_below("dev/tenstorrent"), len(lines) > 5), ([], True), name)


def test_no_device_is_opened_by_system_calls():
    """The same, as the kernel sees it."""
    strace = shutil.which("strace")
    if not strace:
        raise Skip("strace is not installed")
    with Fake("p150x4") as fake, tempfile.TemporaryDirectory() as scratch:
        log = pathlib.Path(scratch, "log")
        done = subprocess.run([strace, "-f", "-y", "-e", "trace=open,openat,openat2", "-o", log,
                               *map(str, tool(fake))], capture_output=True, text=True)
        if done.returncode and "ptrace" in done.stderr:
            raise Skip("tracing is not allowed here")
        lines = log.read_text().splitlines()
        equal(done.returncode, 0, done.stderr)
        equal(any("tt_aiclk" in line for line in lines), True, "the worker is traced")
        equal([line for line in lines if "dev/tenstorrent" in line], [], "opens")


def cases():
    for kind in (*REASONS, "EINTR", "short"):
        yield f"each call of the tool {kind}", lambda k=kind: each_call_of_the_tool(k)
    for kind in ("EIO", "ENODATA", "EINTR", "short"):
        yield f"each call of the server {kind}", lambda k=kind: each_call_of_the_server(k)


if __name__ == "__main__":
    sys.exit(run_tests(globals(), cases()))
