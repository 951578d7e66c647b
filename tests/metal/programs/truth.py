# SPDX-License-Identifier: Apache-2.0
"""What TT-Metal itself says of its memory, one JSON line at each pause."""
import json
import os
import sys

import ttnn

TYPES = ("DRAM", "L1", "L1_SMALL", "TRACE")
TILE_BYTES = {"bfloat16": 2048, "float32": 4096, "uint32": 4096, "bfloat8_b": 1088}


def dispatch():
    """Worker dispatch cores: on mock n300 and t3k chips the default ones do not work."""
    return {"dispatch_core_config": ttnn.DispatchCoreConfig(ttnn.DispatchCoreType.WORKER)}


def open_device(**more):
    return ttnn.open_device(device_id=0, **dispatch(), **more)


def number(value):
    return int(value) if not isinstance(value, str) else int(value, 0)


def blocks(view):
    """Allocated blocks of one bank as [address, size], relative to its allocatable range.

    None where a release cannot hand its table to Python (0.70.1).
    """
    out = []
    try:
        table = view.block_table
    except TypeError:
        return None
    for row in table:
        allocated = str(row.get("allocated", row.get("Allocated", ""))).lower()
        if allocated in ("yes", "true", "1"):
            out.append([number(row["address"]), number(row["size"])])
    return sorted(out)


def view(device):
    """Of one device: per memory type the figures of its allocator, per bank."""
    out = {}
    for name in TYPES:
        v = ttnn.get_memory_view(device, getattr(ttnn.BufferType, name))
        out[name.lower()] = {
            "banks": v.num_banks,
            "size_bytes": v.total_bytes_per_bank,
            "allocated_bytes": v.total_bytes_allocated_per_bank,
            "free_bytes": v.total_bytes_free_per_bank,
            "largest_free_bytes": v.largest_contiguous_bytes_free_per_bank,
            "blocks": blocks(v),
        }
    return out


def pause(event, devices, requested=None, **more):
    """Says what is true now and waits until the test has looked from outside.

    devices: the open (mesh) devices, each with an allocator of its own.
    requested: bytes by memory type, counted from shapes, when the program keeps count.
    """
    line = {"event": event, "pid": os.getpid(), "views": [view(d) for d in devices],
            "requested": requested}
    line.update(more)
    print(json.dumps(line), flush=True)
    sys.stdin.readline()


def tile_bytes(shape, dtype):
    h, w = (-(-n // 32) for n in shape[-2:])
    outer = 1
    for n in shape[:-2]:
        outer *= n
    return outer * h * w * TILE_BYTES[dtype]


def memory(kind):
    return ttnn.L1_MEMORY_CONFIG if kind == "l1" else ttnn.DRAM_MEMORY_CONFIG


def empty(device, shape, kind, dtype="bfloat16", config=None):
    return ttnn.empty(shape, dtype=getattr(ttnn, dtype), layout=ttnn.TILE_LAYOUT, device=device,
                      memory_config=config or memory(kind))
