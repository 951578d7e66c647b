# SPDX-License-Identifier: Apache-2.0
"""A small model's worth of memory, held until standard input is closed: for make run."""
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
print("holding", flush=True)
sys.stdin.read()
ttnn.close_device(device)
