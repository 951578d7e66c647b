# SPDX-License-Identifier: Apache-2.0
"""Random allocations and frees: random_history.py SEED STEPS PAUSES"""
import random
import sys

import ttnn

from truth import empty, open_device, pause, tile_bytes

seed, steps, pauses = (int(a) for a in sys.argv[1:4])
rng = random.Random(seed)
device = open_device()
requested = {"dram": 0, "l1": 0, "l1_small": 0, "trace": 0}
live = []
for step in range(steps):
    if live and rng.random() < 0.45:
        kind, size, tensor = live.pop(rng.randrange(len(live)))
        ttnn.deallocate(tensor)
        requested[kind] -= size
    else:
        kind = rng.choice(("dram", "l1"))
        top = 40 if kind == "dram" else 6
        shape = (1, 1, 32 * rng.randint(1, top), 32 * rng.randint(1, top))
        dtype = rng.choice(("bfloat16", "float32", "bfloat8_b"))
        live.append((kind, tile_bytes(shape, dtype), empty(device, shape, kind, dtype)))
        requested[kind] += live[-1][1]
    if step % max(1, steps // pauses) == 0:
        pause("step", [device], requested, step=step)
pause("end", [device], requested, step=steps)
ttnn.close_device(device)
