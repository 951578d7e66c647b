# SPDX-License-Identifier: Apache-2.0
"""ns for ttnn.empty of one tile and its end, in a loop: tight_loop.py COUNT"""
import sys
import time

import ttnn

from truth import open_device

count = int(sys.argv[1])
device = open_device()
arguments = dict(dtype=ttnn.bfloat16, layout=ttnn.TILE_LAYOUT, device=device,
                 memory_config=ttnn.DRAM_MEMORY_CONFIG)
best = 1e9
for _ in range(5):
    start = time.perf_counter_ns()
    for _ in range(count):
        ttnn.empty((1, 1, 32, 32), **arguments)
    best = min(best, (time.perf_counter_ns() - start) / count)
print(best)
ttnn.close_device(device)
