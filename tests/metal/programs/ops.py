# SPDX-License-Identifier: Apache-2.0
"""A few operations, then the same ones again: this time their programs come from the cache."""
import ttnn

from truth import empty, open_device, pause


def model(left, right):
    """What is kept of each step; what lies between is freed at once."""
    total = ttnn.add(left, right)
    product = ttnn.matmul(total, right)
    return [product, ttnn.softmax(ttnn.relu(product), dim=-1)]


device = open_device()
inputs = [empty(device, (1, 1, 128, 128), kind) for kind in ("dram", "l1")]
pause("open", [device])
kept = []
for turn in ("first", "again"):
    kept += model(*inputs)
    pause(turn, [device], programs=device.num_program_cache_entries())
inputs.clear()
pause("inputs freed", [device])
kept.clear()
pause("freed", [device])
ttnn.close_device(device)
