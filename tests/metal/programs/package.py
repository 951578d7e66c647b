# SPDX-License-Identifier: Apache-2.0
"""The Python package inside a program of ttnn: its figures beside ttnn's own, one JSON line."""
import json
import sys
import threading

import ttnn
import ttmem

from truth import empty, open_device, view

MIB = 2**20


def figures(device, kind):
    """[ours, theirs] of one memory type, in bytes of all banks."""
    theirs = view(device)[kind]
    stats = ttmem.memory_stats(device, kind)
    banks = theirs["banks"]
    return {
        "in_use": [ttmem.memory_allocated(device, kind), theirs["allocated_bytes"] * banks],
        "stats_in_use": [stats["bytes_in_use"], theirs["allocated_bytes"] * banks],
        "limit": [stats["bytes_limit"], theirs["size_bytes"] * banks],
        "largest": [stats["largest_free_block_bytes"], theirs["largest_free_bytes"] * banks],
    }


def occupied(device, kind="dram"):
    v = view(device)[kind]
    return v["allocated_bytes"] * v["banks"]


out = {"before": [ttmem.is_recorded(), ttmem.memory_allocated(), ttmem.max_memory_allocated()]}
device = open_device(l1_small_size=16384)
keep = [empty(device, (1, 1, 1024, 1024), "dram"), empty(device, (1, 1, 256, 256), "l1")]
out["figures"] = {kind: figures(device, kind) for kind in ("dram", "l1", "l1_small", "trace")}
out["by_chip"] = [ttmem.memory_allocated(device.get_device_ids()[0]), occupied(device)]
out["all_chips"] = [ttmem.memory_allocated(), occupied(device)]

# nested regions: each has its own highest point, counted by ttnn at that very moment
start = occupied(device)
with ttmem.peak() as outer:
    a = empty(device, (1, 1, 2048, 2048), "dram")
    highest_outer = occupied(device)
    ttnn.deallocate(a)
    with ttmem.peak() as inner:
        b = empty(device, (1, 1, 512, 512), "dram")
        c = empty(device, (1, 1, 512, 512), "l1")
        highest_inner, highest_l1 = occupied(device), occupied(device, "l1")
        out["inside"] = [inner.dram, highest_inner]
        ttnn.deallocate(b)
        ttnn.deallocate(c)
out["inner"] = [inner.dram, highest_inner]
out["inner_l1"] = [inner.bytes("l1", device), highest_l1]
out["outer"] = [outer.dram, highest_outer]
out["exact"] = [outer.is_exact and inner.is_exact, True]
d = empty(device, (1, 1, 4096, 4096), "dram")
ttnn.deallocate(d)
out["outer_is_over"] = [outer.dram, highest_outer]
with ttmem.peak() as nothing:
    pass
out["nothing"] = [nothing.dram, start]

# what another thread allocates meanwhile is the process's as well
def other():
    ttnn.deallocate(empty(device, (1, 1, 1024, 2048), "dram"))

with ttmem.peak() as p:
    thread = threading.Thread(target=other)
    thread.start()
    thread.join()
out["thread"] = [p.dram > start, True]

out["max"] = [ttmem.max_memory_allocated(device) > highest_outer, True]
ttmem.reset_peak()
out["max_after_reset"] = [ttmem.max_memory_allocated(device), occupied(device)]
e = empty(device, (1, 1, 512, 512), "dram")
out["max_then"] = [ttmem.max_memory_allocated(device), occupied(device)]
ttnn.deallocate(e)
out["stats_peak"] = [ttmem.memory_stats()["peak_bytes_in_use"],
                     ttmem.max_memory_allocated(device)]

with ttmem.tag("kv-cache"), ttmem.tag("layer 3"):
    keep.append(empty(device, (1, 1, 32, 32), "dram"))
mine = ttmem.own_buffers()
# the innermost one
out["tag"] = [[b.tag for b in mine if b.tag], ["layer 3"]]
out["where"] = [[[b.op, b.site_file, b.site_function] for b in mine if b.tag],
                [["ttnn.empty", empty.__code__.co_filename, "empty"]]]
out["buffers"] = [len(mine), sum(len(v["blocks"]) for v in view(device).values())]
out["addresses"] = [sorted(b.address for b in mine if b.type == "dram"),
                    sorted(b.address for b in ttmem.buffers() if b.type == "dram")]
first, second = ttmem.tag("first"), ttmem.tag("second")
first.__enter__(), second.__enter__(), first.__exit__(None, None, None)
keep.append(empty(device, (1, 1, 32, 32), "dram"))
second.__exit__(None, None, None)
keep.append(empty(device, (1, 1, 32, 32), "dram"))
out["tag_order"] = [[b.tag for b in sorted(ttmem.own_buffers(), key=lambda b: b.event)[-2:]],
                    ["second", None]]
try:
    empty(device, (1, 64, 1024, 1024), "l1")
except RuntimeError as error:
    explanation = ttmem.explain(error)
    out["explain"] = [str(explanation), explanation.data]
# looking at itself must not make others believe that it is dead
print(json.dumps(out), flush=True)
sys.stdin.readline()
ttnn.close_device(device)
print(json.dumps({"closed": [ttmem.memory_allocated(), 0]}), flush=True)
