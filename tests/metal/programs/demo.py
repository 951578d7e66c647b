# SPDX-License-Identifier: Apache-2.0
"""A small model's worth of memory and a leak, until standard input is closed: for make run."""
import select
import sys

import ttnn

from truth import open_device

DRAM, L1 = ttnn.DRAM_MEMORY_CONFIG, ttnn.L1_MEMORY_CONFIG
device = open_device(l1_small_size=16384)


def load_weights():
    return [ttnn.empty((1, 1, 4096, 4096), ttnn.bfloat8_b, ttnn.TILE_LAYOUT, device, DRAM)
            for _ in range(12)]


def make_cache():
    return [ttnn.zeros((1, 8, 2048, 128), ttnn.bfloat16, ttnn.TILE_LAYOUT, device, DRAM)
            for _ in range(24)]


def activation(heads=1, rows=512):
    return ttnn.empty((1, heads, rows, 1024), ttnn.bfloat16, ttnn.TILE_LAYOUT, device, L1)


weights, cache, activations = load_weights(), make_cache(), [activation() for _ in range(6)]
try:
    activation(64, 1024)
except RuntimeError:
    pass
cores = ttnn.CoreRangeSet({ttnn.CoreRange(ttnn.CoreCoord(0, 0), ttnn.CoreCoord(3, 3))})
semaphores = []


def prefill():
    """The leak that ttmem growth finds: a semaphore for each prompt, never given back."""
    semaphores.append(ttnn.create_global_semaphore(device, cores, 0))
    ttnn.deallocate(activation())


prefill()
print("holding", flush=True)
while not select.select([sys.stdin], [], [], 0.5)[0]:
    prefill()
ttnn.close_device(device)
