#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The hook in a program that does unkind things, on the stand-in of every generation."""
import mmap
import os
import pathlib
import random
import re
import resource
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import threading

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "lib")]

from compare import check_allocator, check_devices, open_allocators, process_of
from standin import GENERATIONS, App, library
from testing import HOOK, Skip, equal, run_tests, ttmem, ttmem_json, wait_until


def look(pid):
    """The process as ttmem shows it, and its buffers; (None, []) when it is not seen."""
    buffers = [b for b in ttmem_json("buffers")["buffers"] if b["pid"] == pid]
    return process_of(ttmem_json(), pid), buffers


def check(app, meshes, what):
    """The table against the allocators' own figures, address by address."""
    views = [app("stats", m) for m in meshes]
    process, buffers = look(app.pid)
    allocators = open_allocators(process)
    equal(len(allocators), len(meshes), what + " allocators")
    for allocator, view in zip(allocators, views):
        check_allocator(allocator, view, buffers, what, absolute=True)
    check_devices(process, views, what)
    return process


def every_generation(generation):
    """Each release's names and layouts lead to the same truth."""
    with App(generation) as app:
        app("open", 2, 16384, 1 << 20)
        app("random", 0, 3000, 7)
        app("alloc", 0, "l1_small", 2048, 2048, 1)
        app("alloc", 0, "trace", 65536, 2048)
        process = check(app, [0], "random")
        equal(process["failures"]["count"], 0)
        capabilities = process["capabilities"]
        equal(capabilities["buffers"]["state"], "present")
        known = generation in ("70", "79")
        equal(capabilities["unique_ids"]["state"], "present" if known else "missing")
        equal(bool(capabilities["unique_ids"]["reason"]), not known, "a reason with its name")
        ids = [d["unique_id"] for d in process["devices"]]
        equal(ids, ["1000000000000000001", "1000000000000000002"] if known else [None, None])
        app("freeall")
        check(app, [0], "all freed")


def test_unknown_layout():
    """A future build keeps its fields elsewhere: said, and no figure is made up."""
    with App("99") as app:
        app("open", 1, 0, 0)
        app("alloc", 0, "dram", 4096, 2048)
        process, buffers = look(app.pid)
        equal(process["capabilities"]["buffers"]["state"], "failed")
        equal(process["devices"][0]["memory"]["dram"]["requested_bytes"], None)
        equal(buffers, [])
        equal(app.end(), (0, ""))


def test_fields_that_changed_places():
    """Size and page size the wrong way round: a first buffer of one page cannot show it, so it
    must not settle the question."""
    with App("98") as app:
        app("open", 1, 0, 0)
        app("alloc", 0, "dram", 4096, 4096)
        equal(len(look(app.pid)[1]), 1, "right in any case")
        app("alloc", 0, "dram", 65536, 2048)
        app("alloc", 0, "dram", 65536, 2048)
        process, _ = look(app.pid)
        equal(process["capabilities"]["buffers"]["state"], "failed")
        equal(process["devices"][0]["memory"]["dram"]["requested_bytes"], None)
        equal(app.end(), (0, ""))


def test_missing_functions():
    """What a release does not export is a missing capability with its name, not a zero."""
    with App("79-no-statistics") as app:
        app("open", 1, 0, 0)
        app("alloc", 0, "dram", 1 << 20, 2048)
        process, buffers = look(app.pid)
        for name in ("geometry", "verify"):
            equal(process["capabilities"][name]["state"], "missing", name)
            equal("get_statistics" in process["capabilities"][name]["reason"], True, name)
        memory = process["devices"][0]["memory"]["dram"]
        equal((memory["requested_bytes"], memory["buffers"], len(buffers)), (1 << 20, 1, 1))
        for field in ("allocatable_bytes", "occupied_bytes", "free_bytes", "banks"):
            equal(memory[field], None, field)
            equal(memory["unavailable"][field], "this TT-Metal does not export it", field)
    with App("79-no-failures") as app:
        app("open", 1, 0, 0)
        app("alloc", 0, "dram", 1 << 20, 2048)
        app("alloc", 0, "l1", 1 << 40, 2048)
        process = check(app, [0], "without the function that fails")
        equal(process["capabilities"]["failures"]["state"], "missing")
        equal("allocate_buffer" in process["capabilities"]["failures"]["reason"], True)
        equal(process["failures"]["count"], 0)


def test_views_and_captures():
    """A buffer at a given address and a capture that dispatches nothing hold no memory."""
    with App() as app:
        app("open", 1, 0, 0)
        app("alloc", 0, "dram", 4096, 2048)
        for _ in range(5):
            app("view", 0)
            app("capture", 0, 1 << 20)
        check(app, [0], "views")


def test_failures():
    """An exception that passes is counted and changes nothing: no lock stays held."""
    with App() as app:
        app("open", 1, 0, 0)
        app("alloc", 0, "l1", 65536, 2048)
        text = app("alloc", 0, "l1", 1 << 40, 2048)["error"]
        equal(text, f"Out of Memory: Not enough space to allocate {1 << 40} B")
        app("alloc", 0, "l1_small", 2048, 2048)
        equal("error" in app("alloc", 0, "dram", 0, 2048), True, "refused before it is tried")
        app("alloc", 0, "l1", 4096, 2048)
        process = check(app, [0], "after failures")
        failures = process["failures"]
        equal(failures["count"], 2)
        equal([f["type"] for f in failures["last"]], ["l1_small", "l1"], "newest first")
        equal(failures["last"][1]["requested_bytes"], 1 << 40)
        view = app("stats", 0)["l1"]
        equal(failures["last"][1]["bank_free_bytes"], view["free_bytes"] + 2048, "as it was then")
        equal(process["allocators"][0]["counts"]["l1"]["failures"], 1)


def test_failures_ring():
    """Many failures: all counted, the last ones kept."""
    with App() as app:
        app("open", 1, 0, 0)
        for i in range(150):
            app("alloc", 0, "l1", (1 << 40) + 2048 * i, 2048)
        failures = look(app.pid)[0]["failures"]
        equal(failures["count"], 150)
        equal([f["number"] for f in failures["last"]], list(range(150, 150 - len(failures["last"]), -1)))
        equal(failures["last"][0]["requested_bytes"], (1 << 40) + 2048 * 149)


def test_first_event_is_a_failure():
    """Without any successful allocation before, the failing buffer alone must be understood."""
    for generation in GENERATIONS:
        with App(generation) as app:
            app("open", 1, 0, 0)
            app("alloc", 0, "l1", 1 << 40, 2048)
            last = look(app.pid)[0]["failures"]["last"]
            equal((last[0]["type"], last[0]["requested_bytes"]), ("l1", 1 << 40), generation)


def test_close_and_reopen():
    """What lives when its device closes gets no event, and must not stay listed."""
    with App() as app:
        for turn in range(3):
            app("open", 2, 0, 0)
            app("random", turn, 200, turn)
            check(app, [turn], "open")
            app("close", turn)
            process, buffers = look(app.pid)
            equal((open_allocators(process), buffers, process["devices"]), ([], [], []))
        equal(process["losses"]["left_at_close"] > 0, True)
        equal(process["losses"]["replaced"], 0)


def test_many_reopenings():
    """More devices opened than there are rows: old rows are used again."""
    with App() as app:
        for turn in range(400):
            app("open", 1, 0, 0)
            app("alloc", turn, "dram", 4096, 2048)
            app("close", turn)
        app("open", 1, 0, 0)
        app("alloc", 400, "dram", 4096, 2048)
        check(app, [400], "the 401st")
        equal(look(app.pid)[0]["losses"]["allocator"], 0)


def test_submeshes():
    """Parent and submeshes hand out the same addresses on the same chip: a union, not a sum."""
    with App() as app:
        app("open", 4, 0, 0)
        app("random", 0, 300, 1)
        app("submesh", 0, 1)
        app("submesh", 0, 2)
        app("random", 1, 300, 2)
        process = check(app, [0, 1, 2], "submeshes")
        equal([a["parent"] for a in open_allocators(process)], [None, 0, 0])
        both = process["devices"][1]["memory"]["dram"]
        alone = process["devices"][3]["memory"]["dram"]
        equal("peak_occupied_bytes" in both["estimates"], True, "a bound is called one")
        equal("estimates" in alone, False)
        app("close", 1)
        app("close", 2)
        check(app, [0], "parent alone")


def test_threads():
    """Four threads at once on one allocator."""
    with App() as app:
        app("open", 1, 0, 0)
        app("threads", 0, 4000, 4)
        check(app, [0], "threads")
        equal(len({b["thread"] for b in look(app.pid)[1]}), 4)


def test_fork():
    """A child starts clean: frees of its parent's buffers and its own allocations stay its own."""
    with App() as app:
        app("open", 1, 0, 0)
        app("many", 0, 100)
        before = app("stats", 0)
        child = app("fork", 0, 3)["child"]
        equal(len(look(child)[1]), 3, "of the child")
        equal(app("stats", 0), before)
        check(app, [0], "of the parent")
        app("many", 0, 5000)
        check(app, [0], "parent goes on")
        equal(len(look(child)[1]), 3, "of the child, later")


def test_exec():
    """exec ends a table: the process lives on as another program."""
    with App() as app:
        app("open", 1, 0, 0)
        app("many", 0, 10)
        equal(len(look(app.pid)[1]), 10)
        app.tell("exec")
        equal(app.answer()["pid"], app.pid)
        equal(look(app.pid), (None, []))
        app("open", 1, 0, 0)
        app("many", 0, 4)
        equal(len(look(app.pid)[1]), 4)


def test_closed_descriptors():
    """After closefrom our number is somebody else's file: it must not be touched, ever."""
    with tempfile.TemporaryDirectory() as directory:
        foreign = pathlib.Path(directory, "foreign")
        foreign.write_bytes(b"x" * 100)
        with App() as app:
            app("open", 1, 0, 0)
            app("many", 0, 500)
            app("closefrom", 3, foreign)
            app("many", 0, 5000)  # grows: here a write into the foreign file would happen
            app("freeall")
            app("many", 0, 100)
            check(app, [0], "after closefrom")
            equal(foreign.read_bytes(), b"x" * 100)
            equal(look(app.pid)[0]["losses"]["moves"] >= 1, True)
            equal(app.end(), (0, ""))


def test_closed_descriptors_without_growth():
    """Nothing grows after the close: a later event still brings the table back into sight."""
    with App() as app:
        app("open", 1, 0, 0)
        app("many", 0, 10)
        app("closefrom", 3, "-")

        def visible():
            app("alloc", 0, "dram", 32, 32)
            return look(app.pid)[0]
        wait_until("the table under a new descriptor", visible)
        check(app, [0], "seen again")


def test_lock_lost():
    """Between the moment in which a writer loses its lock and that in which it has it again it is
    not dead: a program that looks into its own files, or one that hands its table to a server and
    has no processor for a while. Nor does a child that holds its descriptor make it alive."""
    with App() as app:
        app("open", 1, 0, 0)
        app("many", 0, 10)
        equal(app("look_into_files")["looked"] >= 2, True, "the table was among them")
        equal(check(app, [0], "without its lock")["state"], "live")
        child = app("fork", 0, 3)["child"]
        app("look_into_files")
        os.kill(child, signal.SIGSTOP)  # else it ends with its parent
        try:
            app.process.kill()
            app.process.wait()
            states = sorted(p["state"] for p in ttmem_json()["processes"])
            equal(states, ["exited", "live"], "the parent's table in the child's hands, and the child's")
        finally:
            os.kill(child, signal.SIGKILL)


def limited(what, value, count):
    with App() as app:
        app("limit", what, value)
        app("open", 1, 0, 0)
        equal(app("many", 0, count)["made"], count, "the program goes on")
        equal(app.end(), (0, ""))


def test_file_size_limit():
    """RLIMIT_FSIZE: growing beyond it would be SIGXFSZ, and that kills the program."""
    for value in (0, 4096, 100000, 1 << 20, 3 << 20):
        limited("fsize", value, 20000)


def test_file_size_limit_later():
    """The limit comes when the table exists already."""
    with App() as app:
        app("open", 1, 0, 0)
        app("many", 0, 10)
        app("limit", "fsize", 4096)
        equal(app("many", 0, 20000)["made"], 20000)
        check(app, [0], "under the limit")


def test_file_size_limit_and_everything_else():
    """Under a limit that came later, what would need a new file is left undone: no copy for a
    failed allocation, no new table after closefrom. The program lives on."""
    with App() as app:
        app("open", 1, 0, 0)
        app("many", 0, 10)
        app("limit", "fsize", 4096)
        app("alloc", 0, "l1", 1 << 40, 2048)
        app("closefrom", 3, "-")
        equal(app("many", 0, 5000)["made"], 5000)
        app("freeall")
        equal(app.end(), (0, ""))


def test_circumstances_of_a_failure():
    """A failed allocation leaves a copy of the table as it was then, in reach of readers."""
    with App() as app:
        app("open", 1, 0, 0)
        app("many", 0, 3000)
        app("alloc", 0, "l1", 1 << 40, 2048)
        app("freeall")
        copies = [f for f in pathlib.Path(f"/proc/{app.pid}/fd").iterdir()
                  if os.readlink(f).startswith("/memfd:ttmem-failure (")]
        equal(len(copies), 1)
        data = open(copies[0], "rb").read(1100)
        equal(struct.unpack_from("<I", data, 1036)[0], 3000, "live slots then")
        equal(look(app.pid)[1], [], "live buffers now")
        for _ in range(20):
            app("alloc", 0, "l1", 1 << 40, 2048)
        equal(len(os.listdir(f"/proc/{app.pid}/fd")) < 12, True, "one copy is kept, not twenty")


def test_address_space_limit():
    """RLIMIT_AS: what we map is missing to the program's malloc; then we take less."""
    with App() as app:
        used = int(pathlib.Path(f"/proc/{app.pid}/statm").read_text().split()[0]) * 4096
        app("limit", "as", used + (48 << 20))
        app("open", 1, 0, 0)
        app("many", 0, 5000)
        grown = int(pathlib.Path(f"/proc/{app.pid}/statm").read_text().split()[0]) * 4096 - used
        equal(grown < 24 << 20, True, f"took {grown} bytes")
        equal(app.end(), (0, ""))


def test_a_million_and_one():
    """More buffers than slots: the rest is counted, and room given back is used again."""
    with App() as app:
        app("open", 1, 0, 0)
        app("many", 0, (1 << 20) + 1)
        process = process_of(ttmem_json(), app.pid)
        equal(process["losses"]["full"], 1)
        equal(process["devices"][0]["memory"]["dram"]["buffers"], 1 << 20)
        # all of them are gone through; as JSON they would be 400 MB
        equal(f"1 of {1 << 20} live buffers" in ttmem("buffers", "--top=1").stdout, True, "listed")
        app("freeall")
        app("many", 0, 1000)
        check(app, [0], "after the flood")
        table = next(f for f in pathlib.Path(f"/proc/{app.pid}/fd").iterdir()
                     if os.readlink(f).startswith("/memfd:ttmem ("))
        equal(os.stat(table).st_blocks * 512 < 2 << 20, True, "memory was given back")


def test_memory_after_close():
    """A device that closes with many live buffers gives the table's memory back at once."""
    with App() as app:
        app("open", 1, 0, 0)
        app("many", 0, 200000)
        app("close", 0)
        table = next(f for f in pathlib.Path(f"/proc/{app.pid}/fd").iterdir()
                     if os.readlink(f).startswith("/memfd:ttmem ("))
        kept = os.stat(table).st_blocks * 512
        equal(kept < 1 << 20, True, f"{kept} bytes kept")


def test_killed():
    """Killed with -9: nothing is left behind, neither table nor process."""
    with App() as app:
        app("open", 1, 0, 0)
        app("many", 0, 1000)
        app.process.kill()
        app.process.wait()
        equal(look(app.pid), (None, []))


def test_switched_off():
    """TTMEM=off: the handlers only pass on."""
    with App(env={"TTMEM": "off"}) as app:
        app("open", 1, 0, 0)
        app("many", 0, 10)
        equal(look(app.pid)[0], None)
        equal(app.end(), (0, ""))


def test_descriptor_numbers():
    """The program's own descriptors keep the numbers they would have without us."""
    numbers = []
    for hook in (False, True):
        with App(hook=hook) as app:
            app("open", 1, 0, 0)
            app("many", 0, 10)
            numbers.append(app("fd"))
    equal(numbers[1], numbers[0])


def test_no_system_calls():
    """In steady state an event makes no system call; growth makes at most one per 1,024 slots."""
    if not shutil.which("strace"):
        raise Skip("strace is not installed")
    with tempfile.TemporaryDirectory() as directory:
        log = pathlib.Path(directory, "log")
        with App(prefix=["strace", "-f", "-o", str(log)]) as app:
            app("open", 1, 0, 0)
            app("many", 0, 2000)
            app("fd")
            app("loop", 0, 200000)
            app("fd")
            app("many", 0, 100000)
            app("fd")
            app.end()
        parts = log.read_text().split("/dev/null")
        ours = [[line for line in part.splitlines()
                 if re.search(r" (fallocate|fstat|newfstatat|fcntl|memfd|futex|gettid|clock_gettime|"
                              r"getrlimit|prlimit|socket|connect|openat)", line)
                 and "NULL, AT_EMPTY_PATH" not in line] for part in parts]
        # once a second descriptors are looked at and servers are looked for; that is no event
        steady = [line for line in ours[1] if not re.search(r"socket|connect|fstat|fcntl|openat", line)]
        equal(steady, [], "in 200,000 pairs")
        growth = [line for line in ours[2] if "fallocate" in line or "fstat" in line]
        seconds = sum("F_SETLK" in line for line in ours[2])  # each looks at both descriptors
        equal(len(growth) - 2 * seconds <= 100000 / 1024 + 20, True,
              f"{len(growth)} calls for 100,000 new slots in {seconds} s")


def test_chroot_without_the_hook():
    """In a root without the preloaded file the loader complains, but the command runs."""
    if os.geteuid() != 0:
        raise Skip("chroot needs root")
    with tempfile.TemporaryDirectory() as directory:
        root = pathlib.Path(directory)
        listing = subprocess.run(["ldd", "/bin/true"], capture_output=True, text=True).stdout
        for file in ["/bin/true", *re.findall(r"(/\S+)", listing)]:
            target = root / file.lstrip("/")
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(file, target)
        done = subprocess.run(["chroot", directory, "/bin/true"],
                              env={**os.environ, "LD_PRELOAD": str(HOOK)})
        equal(done.returncode, 0)


def test_verify():
    """Asked over the control page, the hook writes the allocator's own figures beside ours."""
    with App() as app:
        app("open", 1, 0, 0)
        app("random", 0, 500, 3)
        page = next(f for f in pathlib.Path(f"/proc/{app.pid}/fd").iterdir()
                    if os.readlink(f).startswith("/memfd:ttmem-control"))
        with open(page, "r+b") as file, mmap.mmap(file.fileno(), 4096) as control:
            struct.pack_into("<Q", control, 64 + 6 * 64 + 16, 4711)  # line 6: verify_request
            struct.pack_into("<Q", control, 8, 1)  # the doorbell
            app("alloc", 0, "dram", 4096, 2048)
        view = app("stats", 0)
        table = next(f for f in pathlib.Path(f"/proc/{app.pid}/fd").iterdir()
                     if os.readlink(f).startswith("/memfd:ttmem ("))
        data = open(table, "rb").read(0x24000)
        for index, kind in enumerate(("dram", "l1")):
            row = struct.unpack_from("<8Q", data, 0x14000 + 64 * index)
            equal(row[1], 4711, "request")
            equal(row[2:6], tuple(view[kind][f] for f in ("size_bytes", "allocated_bytes",
                                                          "free_bytes", "largest_free_bytes")), kind)
            equal(row[6], view[kind]["allocated_bytes"], "ours")
            equal(row[7] != 0, True, "taken together")


def test_read_only():
    """Nobody but the writer may change a table: the mode says so, the seals keep its size."""
    with App() as app:
        app("open", 1, 0, 0)
        app("many", 0, 10)
        table = next(f for f in pathlib.Path(f"/proc/{app.pid}/fd").iterdir()
                     if os.readlink(f).startswith("/memfd:ttmem ("))
        equal(os.stat(table).st_mode & 0o777, 0o400)
        fd = os.open(table, os.O_RDONLY)
        import fcntl
        seals = fcntl.fcntl(fd, 1034)  # F_GET_SEALS
        equal(seals & 0x7, 0x7, "SEAL, SHRINK, GROW")
        os.close(fd)


def test_what_the_hook_links():
    """In every process of a shell: it needs libc and nothing else, exports TT-Metal's names, the
    way in and what our Python package calls, and uses nothing that allocates, prints or starts
    threads."""
    dynamic = subprocess.run(["readelf", "-d", str(HOOK)], capture_output=True, text=True).stdout
    equal(re.findall(r"NEEDED.*\[(.*)\]", dynamic), ["libc.so.6"])
    equal("INIT_ARRAY" in dynamic and "constructor" in dynamic, False)
    names = subprocess.run(["nm", "-D", str(HOOK)], capture_output=True, text=True).stdout
    exported = re.findall(r" [TDBW] (\S+)", names)
    equal(sorted(n for n in exported if not n.startswith("_ZN2tt8tt_metal")),
          ["ttmem_hook_attach", "ttmem_hook_detach", "ttmem_hook_status", "ttmem_hook_tag",
           "ttmem_hook_take_peaks"])
    used = re.findall(r" U ([^@\s]+)", names)
    forbidden = {"malloc", "calloc", "realloc", "free", "printf", "fprintf", "vfprintf", "puts",
                 "fopen", "pthread_create", "pthread_atfork", "__register_atfork", "setenv", "syslog"}
    equal(forbidden & set(used), set())
    if "snprintf" in used:
        pass  # into a buffer of our own, at registration only


def cases():
    for generation in GENERATIONS:
        yield f"generation {generation}", lambda g=generation: every_generation(g)


if __name__ == "__main__":
    sys.exit(run_tests(globals(), list(cases())))
