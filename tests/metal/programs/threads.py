# SPDX-License-Identifier: Apache-2.0
"""Two threads that allocate and free at the same time."""
import random
import threading

import ttnn

from truth import empty, open_device, pause

device = open_device()
held = {0: [], 1: []}
lock = threading.Lock()


def work(number, steps):
    rng = random.Random(number)
    for _ in range(steps):
        if held[number] and rng.random() < 0.45:
            ttnn.deallocate(held[number].pop(rng.randrange(len(held[number]))))
        else:
            held[number].append(empty(device, (1, 1, 32 * rng.randint(1, 8), 32 * rng.randint(1, 8)),
                                      rng.choice(("dram", "l1"))))


for round_number in range(3):
    threads = [threading.Thread(target=work, args=(n, 200)) for n in held]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    # thread ids are only easy to tell in the first round: later ones leave buffers behind
    pause("joined", [device], **({"threads": 2} if round_number == 0 else {}))
for n in held:
    for tensor in held[n]:
        ttnn.deallocate(tensor)
pause("freed", [device])
ttnn.close_device(device)
