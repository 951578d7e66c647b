# SPDX-License-Identifier: Apache-2.0
"""A small model's worth of memory and a leak, until standard input is closed: for make run."""
import select
import sys

import ttnn

from truth import empty, open_device

device = open_device(l1_small_size=16384)
weights = [empty(device, (1, 1, 4096, 4096), "dram", "bfloat8_b") for _ in range(12)]
cache = [empty(device, (1, 8, 2048, 128), "dram") for _ in range(24)]
activations = [empty(device, (1, 1, 512, 1024), "l1") for _ in range(6)]
try:
    empty(device, (1, 64, 1024, 1024), "l1")
except RuntimeError:
    pass
cores = ttnn.CoreRangeSet({ttnn.CoreRange(ttnn.CoreCoord(0, 0), ttnn.CoreCoord(3, 3))})
semaphores = []


def prefill():
    """The leak that ttmem growth finds: a semaphore for each prompt, never given back."""
    semaphores.append(ttnn.create_global_semaphore(device, cores, 0))
    ttnn.deallocate(empty(device, (1, 1, 512, 1024), "l1"))


prefill()
print("holding", flush=True)
while not select.select([sys.stdin], [], [], 0.5)[0]:
    prefill()
ttnn.close_device(device)
