# SPDX-License-Identifier: Apache-2.0
"""A program with two leaks and all that is usual beside them, until it gets a line.

For each new shape it makes a semaphore and forgets to give it back, as programs of collectives do,
and keeps the tensor that it made for it in a cache without a limit. Everything else comes and
goes: activations of a round, a list that is emptied now and then, weights at the start.
"""
import json
import os
import sys
import threading

import ttnn

from truth import open_device

DRAM, L1 = ttnn.DRAM_MEMORY_CONFIG, ttnn.L1_MEMORY_CONFIG

device = open_device()
cores = ttnn.CoreRangeSet({ttnn.CoreRange(ttnn.CoreCoord(0, 0), ttnn.CoreCoord(3, 3))})
semaphores, cache, batch = [], {}, []


def zeros(rows, place):
    return ttnn.zeros((1, 1, rows, 64), ttnn.bfloat16, ttnn.TILE_LAYOUT, device, place)


def semaphore_for(_shape):
    semaphores.append(ttnn.create_global_semaphore(device, cores, 0))  # leak: a semaphore


def tensor_for(shape):
    if shape not in cache:
        cache[shape] = ttnn.ones(shape, ttnn.bfloat16, ttnn.TILE_LAYOUT, device, DRAM)  # leak: a tensor
    return cache[shape]


def step(number):
    shape = (1, 1, 32 * (1 + number % 7), 32 * (1 + number // 7))
    semaphore_for(shape)
    tensor_for(shape)
    activation = zeros(32 * (1 + number % 3), DRAM)
    batch.append(zeros(32, L1))
    if len(batch) == 7:
        batch.clear()
    ttnn.deallocate(ttnn.add(activation, activation))


def line_of(words):
    with open(__file__, encoding="utf-8") as source:
        return next(number for number, line in enumerate(source, 1) if line.endswith(words + "\n"))


weights = [zeros(1024, DRAM) for _ in range(8)]
stop = threading.Event()
threading.Thread(target=lambda: (sys.stdin.readline(), stop.set())).start()
print(json.dumps({"pid": os.getpid(), "file": __file__, "tensor": line_of("# leak: a tensor"),
                  "semaphore": line_of("# leak: a semaphore")}), flush=True)
step_number = 0
while not stop.wait(0.05):
    step(step_number)
    step_number += 1
ttnn.close_device(device)
