# SPDX-License-Identifier: Apache-2.0
"""Holds buffers and lets threads allocate and free: attach.py BUFFERS THREADS ROUNDS [LIBRARY]

Each round: a pause with the threads at work, and one with everything at rest. With LIBRARY the
program itself loads the hook at the first pause, in the manner of a .pth file.
"""
import ctypes
import random
import sys
import threading

import ttnn

from truth import dispatch, empty, pause

count, thread_count, rounds = (int(a) for a in sys.argv[1:4])
device = ttnn.open_device(device_id=0, l1_small_size=16384, trace_region_size=1 << 20, **dispatch())
held = [empty(device, (1, 1, 32, 32 * (1 + n % 3)), "dram") for n in range(count)]
held += [empty(device, (1, 1, 32, 32), "l1") for _ in range(50)]
at_work = threading.Event()
begun = threading.Barrier(thread_count + 1)  # nobody may still be waiting when it is over again
at_rest = threading.Barrier(thread_count + 1)
failed = []


def work(number):
    """Allocates and frees, its own and some of those that were there from the start."""
    rng = random.Random(number)
    mine = []
    for _ in range(rounds):
        at_work.wait()
        begun.wait()
        while at_work.is_set():
            try:
                if mine and rng.random() < 0.5:
                    ttnn.deallocate(mine.pop(rng.randrange(len(mine))))
                elif len(mine) < 200:
                    mine.append(empty(device, (1, 1, 32, 32 * rng.randint(1, 4)),
                                      rng.choice(("dram", "dram", "l1"))))
                if rng.random() < 0.05:
                    try:
                        ttnn.deallocate(held.pop())
                    except IndexError:
                        pass
                    held.append(empty(device, (1, 1, 32, 32), "dram"))
            except Exception as error:
                failed.append(repr(error))
                break
        at_rest.wait()
        at_rest.wait()


threads = [threading.Thread(target=work, args=(n,)) for n in range(thread_count)]
for t in threads:
    t.start()
if len(sys.argv) > 4:
    hook = ctypes.CDLL(sys.argv[4])
    print(hook.ttmem_hook_attach(b"python"), file=sys.stderr, flush=True)
for number in range(rounds):
    at_work.set()
    begun.wait()
    pause("at work", [device], round=number)
    at_work.clear()
    at_rest.wait()
    # an event that lets the hook look again at what it took over
    held.append(empty(device, (1, 1, 32, 32), "dram"))
    pause("at rest", [device], round=number, failed=failed)
    at_rest.wait()
for t in threads:
    t.join()
ttnn.close_device(device)
print("finished", file=sys.stderr)
sys.exit(7)
