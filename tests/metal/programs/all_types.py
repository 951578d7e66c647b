# SPDX-License-Identifier: Apache-2.0
"""Every memory type, interleaved and sharded, with buffers that come and go."""
import ttnn

from truth import empty, open_device, pause, tile_bytes


def shard(layout, kind, grid, shape):
    cores = ttnn.CoreRangeSet({ttnn.CoreRange(ttnn.CoreCoord(0, 0), ttnn.CoreCoord(grid[0] - 1, grid[1] - 1))})
    spec = ttnn.ShardSpec(cores, shape, ttnn.ShardOrientation.ROW_MAJOR)
    return ttnn.MemoryConfig(layout, kind, spec)


def main():
    device = open_device(l1_small_size=16384, trace_region_size=1 << 20)
    requested = {"dram": 0, "l1": 0, "l1_small": 0, "trace": 0}
    live = []

    def take(kind, shape, dtype="bfloat16", config=None):
        live.append((kind, tile_bytes(shape, dtype), empty(device, shape, kind, dtype, config)))
        requested[kind] += live[-1][1]

    pause("open", [device], requested)
    take("dram", (1, 1, 1024, 1024))
    take("dram", (1, 1, 1000, 333), "float32")
    take("dram", (1, 1, 32, 32), "bfloat8_b")
    take("l1", (1, 1, 512, 512))
    take("l1", (3, 5, 64, 96), "uint32")
    pause("interleaved", [device], requested)
    height, width, block = (ttnn.TensorMemoryLayout.HEIGHT_SHARDED,
                            ttnn.TensorMemoryLayout.WIDTH_SHARDED,
                            ttnn.TensorMemoryLayout.BLOCK_SHARDED)
    take("l1", (1, 1, 256, 64), config=shard(height, ttnn.BufferType.L1, (4, 2), (32, 64)))
    take("l1", (1, 1, 32, 256), config=shard(width, ttnn.BufferType.L1, (4, 1), (32, 64)))
    take("l1", (1, 1, 128, 128), config=shard(block, ttnn.BufferType.L1, (2, 2), (64, 64)))
    take("l1_small", (1, 1, 32, 32), config=shard(height, ttnn.BufferType.L1_SMALL, (1, 1), (32, 32)))
    take("trace", (1, 1, 64, 64), config=ttnn.MemoryConfig(ttnn.TensorMemoryLayout.INTERLEAVED, ttnn.BufferType.TRACE))
    pause("sharded", [device], requested)
    while live:
        for kind, size, tensor in live[::2]:
            ttnn.deallocate(tensor)
            requested[kind] -= size
        live[:] = live[1::2]
        pause("half freed", [device], requested)
    ttnn.close_device(device)
    pause("closed", [], requested)


main()
