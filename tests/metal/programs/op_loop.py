# SPDX-License-Identifier: Apache-2.0
"""Operations whose programs are cached, in turn, so that caches are cold: op_loop.py COUNT"""
import sys

import ttnn

from truth import empty, open_device

device = open_device()
a, b = (empty(device, (1, 1, 128, 128), kind) for kind in ("dram", "l1"))


def layer(x):
    x = ttnn.matmul(x, a)
    x = ttnn.add(x, b)
    x = ttnn.relu(x)
    return ttnn.softmax(
        x, dim=-1)


for _ in range(int(sys.argv[1])):
    layer(b)
ttnn.close_device(device)
