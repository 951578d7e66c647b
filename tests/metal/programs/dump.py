# SPDX-License-Identifier: Apache-2.0
"""Lets TT-Metal write its own memory reports at each pause: dump.py ROWS COLUMNS.

Every memory type, interleaved and sharded, before and after frees; at the end also a submesh
with buffers of its own. "prefixes" names the files, one set for each device.
"""
import sys

import ttnn

from truth import dispatch, empty, pause

rows, columns = (int(a) for a in sys.argv[1:3])


def report(event, devices):
    """The library's own files, then a pause for ours."""
    prefixes = []
    for i, device in enumerate(devices):
        prefixes.append(f"{event}_{i}_")
        ttnn.device.dump_device_memory_state(device, prefix=prefixes[-1])
    pause(event, devices, prefixes=prefixes)


def sharded(layout, kind, grid, shape):
    end = ttnn.CoreCoord(grid[0] - 1, grid[1] - 1)
    cores = ttnn.CoreRangeSet({ttnn.CoreRange(ttnn.CoreCoord(0, 0), end)})
    return ttnn.MemoryConfig(layout, kind,
                             ttnn.ShardSpec(cores, shape, ttnn.ShardOrientation.ROW_MAJOR))


def fill(device, with_small):
    height, block = ttnn.TensorMemoryLayout.HEIGHT_SHARDED, ttnn.TensorMemoryLayout.BLOCK_SHARDED
    held = [empty(device, (1, 1, 32 * n, 96), kind, dtype)
            for n in range(1, 24) for kind in ("dram", "l1") for dtype in ("bfloat16", "float32")]
    for size in (1, 2, 4):
        held.append(empty(device, (1, 1, 256, 32 * size), "l1", config=sharded(
            height, ttnn.BufferType.L1, (4, 2), (32, 32 * size))))
        held.append(empty(device, (1, 1, 128, 64 * size), "l1", config=sharded(
            block, ttnn.BufferType.L1, (2, 2), (64, 32 * size))))
        held.append(empty(device, (1, 1, 64, 1024 * size), "dram"))
    if with_small:
        held += [empty(device, (1, 1, 32, 32), "l1_small", config=sharded(
            height, ttnn.BufferType.L1_SMALL, (1, 1), (32, 32))) for _ in range(3)]
        held.append(empty(device, (1, 1, 64, 64), "trace", config=ttnn.MemoryConfig(
            ttnn.TensorMemoryLayout.INTERLEAVED, ttnn.BufferType.TRACE)))
    return held


def open_mesh(**more):
    if rows * columns == 1:
        return ttnn.open_device(device_id=0, **dispatch(), **more)
    return ttnn.open_mesh_device(ttnn.MeshShape(rows, columns), **dispatch(), **more)


def close(device):
    (ttnn.close_device if rows * columns == 1 else ttnn.close_mesh_device)(device)


# without L1_SMALL and trace region: what a device that lacks a type writes
device = open_mesh()
held = [empty(device, (1, 1, 320, 320), kind) for kind in ("dram", "l1")]
report("plain", [device])
held.clear()
close(device)

device = open_mesh(l1_small_size=16384, trace_region_size=1 << 20)
report("open", [device])
held = fill(device, True)
report("full", [device])
for step in (3, 2):
    for tensor in held[::step]:
        ttnn.deallocate(tensor)
    held = [t for i, t in enumerate(held) if i % step]
    report(f"holes{step}", [device])
held += [empty(device, (1, 1, 64, 64), kind) for kind in ("dram", "l1")]
report("again", [device])
devices = [device]
if rows * columns > 1:
    devices.append(device.create_submesh(ttnn.MeshShape(1, 1)))
    held += fill(devices[1], False)
    report("submesh", devices)
held.clear()
report("empty", devices)
close(device)
