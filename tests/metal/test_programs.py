#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Are the programs in the table those that TT-Metal itself tells of?

Reason: a program's memory has no allocator to compare with. What there is: the nodes of a
graph capture (address, size, cores and number of each circular buffer; of dataflow buffers
size and cores), the end of a program's memory in the text of a clash, the bytes that the
dispatcher reserves in its ring (a second preload writes them down), and the size of an L1
bank. All of it must agree, exactly.
"""
import os
import re
import sys
import tempfile

from test_truth import installed

from compare import open_allocators, process_of
from mock import Mock
from testing import BUILD, TTMEM, equal, run_tests, ttmem_json

PROBE = BUILD / "tests/metal/libreserve-probe.so"
END = re.compile(r"buffer region ends at (\d+)")
LOWEST = re.compile(r"L1 buffer allocated at (\d+)")


def buffers_of(programs):
    """Circular and dataflow buffers as a capture lists them: one entry with all its rectangles."""
    out = []
    for program in programs:
        objects = {}
        for r in program["ranges"]:
            if r["kind"] in ("circular_buffer", "dataflow_buffer"):
                key = (r["kind"], r["object"])
                one = objects.setdefault(key, [r["kind"], r["address"], r["bytes"], [],
                                               r["borrowed"], r["alias"]])
                one[3].append(r["start"] + r["end"])
        out += objects.values()
    for one in out:
        one[3].sort()
    return out


def counting(program):
    return [r for r in program["ranges"]
            if r["kind"] != "kernel" and not r["borrowed"] and not r["alias"]]


def end_of(programs):
    return max(r["address"] + r["bytes"] for p in programs for r in counting(p))


class Check:
    """One run: what was true at the last pause, and what must have become of it."""

    def __init__(self, version, log, slow, chips):
        self.version, self.log, self.slow, self.chips = version, log, slow, chips
        self.dispatches, self.known, self.ends = 0, {}, {}
        self.lines = self.exact = 0
        self.pending = None

    def look(self, line):
        document = ttmem_json("programs")
        process = process_of(document, line["pid"])
        equal(document["consistent"], True, line["event"] + " consistent")
        equal((process["dropped"], process["unknown"]), (0, 0), line["event"] + " losses")
        return process

    def pause(self, line):
        event = line["event"]
        process = self.look(line)
        programs = {p["id"]: p for p in process["programs"]}
        new = sorted((p for p in programs.values() if p["last_dispatch"] > self.dispatches),
                     key=lambda p: p["last_dispatch"])
        if line["views"]:
            self.terms(process, line, event)
        for program in new:
            self.program(program, event)
        self.ring(new, process["dispatches"] - self.dispatches, event)
        verb, _, name = event.partition(" ")
        method = getattr(self, "on_" + verb, None)
        if method:
            method(line, name, process, programs, new)
        self.dispatches, self.known = process["dispatches"], programs

    def terms(self, process, line, event):
        """The L1 of a core, from its bottom, against the bank that ttnn gives."""
        l1 = [a for a in process["allocators"] if a["open"]][0]["l1"]
        bank = line["views"][0]
        equal(l1["source"], "hal" if self.slow else "dispatcher", event + " source")
        equal(l1["reserved_bytes"] + l1["ring_bytes"], l1["unreserved_base"], event + " ring")
        equal(l1["unreserved_base"] + bank["l1"]["size_bytes"] + bank["l1_small"]["size_bytes"],
              l1["core_bytes"], event + " L1 size")
        equal(l1["l1_small_bytes"], bank["l1_small"]["size_bytes"], event + " L1_SMALL")
        x, y = l1["compute_grid"]
        equal(x * y, bank["l1"]["banks"], event + " compute grid")
        workers = l1["worker_grid"][0] * l1["worker_grid"][1]
        equal(x * y + (l1["dispatch_cores"] or 0), workers, event + " worker cores")
        for name, (base, size) in l1["pieces"].items():
            if not 0 <= base < base + size <= l1["reserved_bytes"]:
                raise AssertionError(f"{event}: {name} at {base} is not in the reserved area")

    def program(self, program, event):
        """What must hold for each program by itself."""
        what = f"{event}, program {program['id']}"
        ring = program["ring"]
        equal(program["complete"], True, what + " complete")
        equal(len(program["chip_ids"]), self.chips, what + " chips")
        equal(program["dram_bytes"], 0, what + " binaries, on a mock")
        cores = {}
        for r in program["ranges"]:
            for x in range(r["start"][0], r["end"][0] + 1):
                for y in range(r["start"][1], r["end"][1] + 1):
                    core = cores.setdefault((x, y), {"code": 0, "ranges": []})
                    if r["kind"] == "kernel":
                        core["code"] += r["bytes"]
                    elif r in counting(program):
                        core["ranges"].append((r["address"], r["address"] + r["bytes"]))
        equal(len(cores), program["cores"], what + " cores")
        if ring["text_bytes"]:  # 0 in releases where a mock loads no kernels
            equal(max(c["code"] for c in cores.values()), ring["text_bytes"], what + " code")
        parts = sum(ring[k] for k in ("runtime_args_bytes", "semaphore_bytes", "cb_config_bytes",
                                      "dfb_config_bytes", "text_bytes"))
        # between them there is only what aligns the text to 16 bytes, or local memory of both
        if not 0 <= ring["bytes"] - parts < 64:
            raise AssertionError(f"{what}: ring entry {ring}")
        most = 0
        for core in cores.values():
            total, end = 0, 0
            for low, high in sorted(core["ranges"]):
                total += max(0, high - max(low, end))
                end = max(end, high)
            most = max(most, total)
        equal(program["core_bytes"], most, what + " bytes of a core")

    def ring(self, new, dispatched, event):
        """What the dispatcher reserved since the last pause, in the order of dispatches."""
        if self.slow:
            return
        with open(self.log) as log:
            lines = [int(line.split()[0]) for line in log]
        since, self.lines = lines[self.lines:], len(lines)
        for program in new:
            entry = program["ring"]["bytes"]
            if len(since) == dispatched:
                at = program["last_dispatch"] - self.dispatches - 1
                equal(entry, since[at], f"{event}: ring entry of dispatch {at}")
            elif entry not in since:  # a full ring is asked again, until there is room
                raise AssertionError(f"{event}: nobody reserved {entry}: {since}")
        if new:
            equal(new[-1]["ring"]["bytes"], since[-1], event + ": last ring entry")
        if dispatched and len(since) == dispatched:
            self.exact += 1

    def resident(self, programs, event):
        """By the rule, core by core, once more and without cleverness."""
        owner = {}
        for program in programs.values():
            for r in program["ranges"]:
                if r["kind"] != "kernel":
                    continue
                for x in range(r["start"][0], r["end"][0] + 1):
                    for y in range(r["start"][1], r["end"][1] + 1):
                        last = owner.get((x, y))
                        if last is None or last["last_dispatch"] < program["last_dispatch"]:
                            owner[x, y] = program
        for program in programs.values():
            mine = sum(o is program for o in owner.values())
            equal(program["resident_cores"], mine * self.chips, f"{event}: resident cores")

    def on_first(self, line, name, process, programs, new):
        self.resident(programs, line["event"])
        # of a program that comes from the cache a capture says nothing
        fresh = [p for p in new if p["dispatches"] == 1]
        mine = [b[:5] for b in buffers_of(fresh) if b[0] == "circular_buffer"]
        want = [n for n in line["graph"] if n[0] == "circular_buffer"]
        equal(sorted(b for b in mine if not b[4]), sorted(n for n in want if not n[4]),
              name + ": circular buffers")
        # of those that lie in a buffer a capture leaves some out, newer releases most
        for node in (n for n in want if n[4]):
            if node not in mine:
                raise AssertionError(f"{name}: {node} is not among {mine}")
            mine.remove(node)
        self.pending = new

    def on_again(self, line, name, process, programs, new):
        """From the cache: no program more, each of them once more."""
        equal(set(programs), set(self.known), name + ": programs")
        equal([p["id"] for p in new], [p["id"] for p in self.pending], name + ": the same ones")
        for program in new:
            before = self.known[program["id"]]
            equal(program["dispatches"], before["dispatches"] + 1, name + ": dispatches")
            equal(program["ring"], before["ring"], name + ": ring entry")
        self.resident(programs, line["event"])

    def on_nothing(self, line, name, process, programs, new):
        """A capture that dispatches nothing changes nothing, and lists dataflow buffers as well."""
        equal(process["dispatches"], self.dispatches, name + ": dispatches of nothing")
        # an alias takes no memory, and is no node; what lies in a buffer is not always one
        mine = [[b[0], b[2], b[3]] for b in buffers_of(self.pending) if not b[4] and not b[5]]
        want = [[n[0], n[2], n[3]] for n in line["graph"] if not n[4]]
        equal(sorted(mine), sorted(want), name + ": buffers by the capture")

    def on_perceptron(self, line, name, process, programs, new):
        if name == "1":
            self.pending = len(programs)
        else:
            equal(len(programs), self.pending, "programs after many turns")
            equal(max(p["dispatches"] for p in programs.values()), int(name) + 1, "turns")

    def on_cleared(self, line, name, process, programs, new):
        equal(programs, {}, "programs after the cache was cleared")
        self.peak = process["allocators"][0]["l1"]["program_peak_bytes"]

    def on_room(self, line, name, process, programs, new):
        self.ends[name] = end_of(new)
        if process["allocators"][0]["l1"]["program_peak_bytes"] < self.peak:
            raise AssertionError("a peak went down")

    def on_full(self, line, name, process, programs, new):
        buffers = [b["address"] for b in ttmem_json("buffers")["buffers"]
                   if b["pid"] == line["pid"] and b["type"] == "l1"]
        self.lowest = min(buffers)

    def on_clash(self, line, name, process, programs, new):
        """A program that never ran is not there; what it said of its end is what we saw before."""
        name = name.removeprefix("of ")
        equal(process["dispatches"], self.dispatches, "dispatches of a clash")
        equal(programs, {}, "programs of a clash")
        found = END.search(line["text"])
        if not found:
            raise AssertionError("no clash: " + line["text"][:200])
        equal(int(found.group(1)), self.ends["for " + name], "end of the program's memory")
        equal(int(LOWEST.search(line["text"]).group(1)), self.lowest, "lowest buffer")

    def on_closed(self, line, name, process, programs, new):
        equal(programs, {}, "programs of a closed device")
        equal(open_allocators(process), [], "allocators of a closed device")


def run(version, cluster, *arguments, slow=False):
    python = installed(version)
    chips = 1
    for argument in arguments:
        chips *= int(argument)
    with tempfile.NamedTemporaryFile() as log:
        env = {"TTMEM_PROBE_LOG": log.name, "LD_PRELOAD": str(PROBE)}
        check = Check(version, log.name, slow, chips)
        with Mock(python, "programs.py", *arguments, cluster=cluster, slow=slow, env=env,
                  prefix=[str(TTMEM), "run", "--"]) as mock:
            pauses = 0
            for line in mock.pauses():
                check.pause(line)
                pauses += 1
            code, err = mock.end()
            equal(code, 0, "exit code; " + err[-500:])
            equal(pauses, 47, "pauses: " + err[-500:])
            if not slow and check.exact < 15:
                raise AssertionError(f"only {check.exact} pauses had a ring entry a dispatch")


MATRIX = [
    ("0.81.1", "n150", [], False),
    ("0.81.1", "n150", [], True),
    ("0.81.1", "n300", ["1", "2"], False),
    ("0.81.1", "p150", [], False),
    ("0.80.0", "n150", [], False),
    ("0.76.0", "n150", [], False),
]


def cases():
    for version, cluster, arguments, slow in MATRIX:
        name = " ".join([version, cluster, *arguments, *["slow"] * slow])
        yield ("programs " + name,
               lambda v=version, c=cluster, a=arguments, s=slow: run(v, c, *a, slow=s))


if __name__ == "__main__":
    sys.exit(run_tests({}, list(cases())))
