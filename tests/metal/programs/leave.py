# SPDX-License-Identifier: Apache-2.0
"""Closes its device twice, and keeps tensors both times that it never freed."""
import json
import os
import sys

import ttnn


def keep(device):
    return ttnn.ones((1, 1, 64, 64), ttnn.bfloat16, ttnn.TILE_LAYOUT, device)


def freed(device):
    ttnn.deallocate(ttnn.zeros((1, 1, 256, 256), ttnn.bfloat16, ttnn.TILE_LAYOUT, device))


kept = []
for turn in range(2):
    device = ttnn.open_device(device_id=0)
    for i in range(3):
        kept.append(keep(device))
    freed(device)
    ttnn.close_device(device)
print(json.dumps({"file": os.path.abspath(__file__), "line": keep.__code__.co_firstlineno + 1}))
sys.stdout.flush()
os._exit(0)
