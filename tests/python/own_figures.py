# SPDX-License-Identifier: Apache-2.0
"""Run by test_package.py in a process of its own: figures of that process, asserted inside."""
import os
import sys
import threading

import ttmem
from runtime import Runtime

KIB, MIB = 2**10, 2**20


def equal(got, want, what):
    if got != want:
        sys.exit(f"{what}: got {got!r}, want {want!r}")


def refuses(error, call, *arguments):
    try:
        call(*arguments)
    except error:
        return
    sys.exit(f"{call.__name__}{arguments} was accepted")


equal((ttmem.is_recorded(), ttmem.memory_allocated(), ttmem.last_event()), (False, 0, 0), "nothing")
with ttmem.peak() as early:
    runtime = Runtime(chip_ids=(4, 5))
    first = runtime.allocate("dram", 4 * MIB)
equal((early.dram, early.bytes("dram", 4)), (2 * 8 * 4 * MIB, 8 * 4 * MIB), "from before the table")
equal(ttmem.is_recorded(), True, "recorded")
equal(ttmem.memory_allocated(), 2 * 8 * 4 * MIB, "both chips")
equal(ttmem.memory_allocated(5), 8 * 4 * MIB, "one chip")
equal(ttmem.memory_allocated(6), 0, "a chip that is not there")
stats = ttmem.memory_stats(4)
equal(stats, {"bytes_in_use": 32 * MIB, "bytes_limit": 512 * MIB, "peak_bytes_in_use": 32 * MIB,
              "largest_free_block_bytes": 8 * 60 * MIB}, "stats")
refuses(ValueError, ttmem.memory_allocated, None, "sram")
refuses(TypeError, ttmem.memory_allocated, "0")


class Device:
    """What a ttnn device has."""

    def get_device_ids(self):
        return [5]


equal(ttmem.memory_allocated(Device()), 32 * MIB, "a device")

# regions that overlap without being nested
one, two = ttmem.peak(), ttmem.peak()
p = one.__enter__()
a = runtime.allocate("dram", 10 * MIB, 8 * MIB)
q = two.__enter__()
runtime.free(a)
b = runtime.allocate("dram", 2 * MIB, 8 * MIB)
one.__exit__(None, None, None)
c = runtime.allocate("dram", 5 * MIB, 16 * MIB)
two.__exit__(None, None, None)
equal(p.bytes("dram", 4), 8 * 14 * MIB, "the first")
# it began with both there
equal(q.bytes("dram", 4), 8 * 14 * MIB, "the second")
for key in (b, c):
    runtime.free(key)

# from several threads at once: nobody's peak is lost to another's question
found = []


def work():
    for _ in range(10):
        with ttmem.peak() as mine:
            inside = runtime_lock_allocate(KIB * 64)
            found.append(mine.bytes("l1", 4) >= 64 * 64 * KIB)
            with lock:
                runtime.free(inside)


lock = threading.Lock()


def runtime_lock_allocate(size):
    with lock:
        return runtime.allocate("l1", size)


threads = [threading.Thread(target=work) for _ in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
equal(found, [True] * 40, "threads")
equal(64 * 64 * KIB <= ttmem.max_memory_allocated(4, "l1") <= 4 * 64 * 64 * KIB, True, "all of them")
equal(ttmem.memory_allocated(4, "l1"), 0, "none left")

before = ttmem.max_memory_allocated(5)
ttmem.reset_peak(4)
equal((ttmem.max_memory_allocated(4), ttmem.max_memory_allocated(5) == before > 32 * MIB),
      (32 * MIB, True), "reset of one chip")
ttmem.reset_peak()
equal((ttmem.max_memory_allocated(4), ttmem.max_memory_allocated(5)), (32 * MIB, 32 * MIB),
      "reset to what is there")

# whoever begins or resets asks twice: what comes between the two is in everybody's peak
take_peaks = ttmem._native.take_peaks


def take_and_allocate():
    rows = take_peaks()
    runtime.free(runtime.allocate("dram", 7 * MIB, 8 * MIB))
    return rows


for act in (ttmem.reset_peak, lambda: ttmem.peak().__enter__()):
    with ttmem.peak() as p:
        ttmem._native.take_peaks = take_and_allocate
        act()
        ttmem._native.take_peaks = take_peaks
    equal(p.bytes("dram", 4), 8 * 11 * MIB, "a peak between two questions")
ttmem.reset_peak()
with ttmem.tag("cache"), ttmem.tag("inner"):
    mine = ttmem.own_buffers()
equal([(b.type, b.requested_bytes, b.address) for b in mine], [("dram", 32 * MIB, 0)], "buffers")
equal(mine[0].event < ttmem.last_event(), True, "events")

# generators and tasks leave in another order than they came; a wrong name leaves nothing behind
outer, inner = ttmem.tag("outer"), ttmem.tag("inner")
outer.__enter__()
inner.__enter__()
outer.__exit__(None, None, None)
equal(ttmem._own._tags.stack, [(b"inner",)], "what is left of the tags")
inner.__exit__(None, None, None)
try:
    with ttmem.tag(5):
        pass
    raise AssertionError("a tag that is no text")
except TypeError:
    equal(ttmem._own._tags.stack, [], "no tag")

# a child has none of it, whatever its parent was waiting for
with ttmem.peak() as p:
    child = os.fork()
    if child == 0:
        wrong = ttmem.memory_allocated() != 0 or ttmem.max_memory_allocated() != 0
        with ttmem.peak() as nothing:
            pass
        os._exit(wrong or nothing.dram != 0)
    equal(os.waitpid(child, 0)[1], 0, "a child")
runtime.free(first)
runtime.close()
equal(ttmem.memory_allocated(), 0, "closed")
print("good")
