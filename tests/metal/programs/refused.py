# SPDX-License-Identifier: Apache-2.0
"""Programs that do not fit: two that clash with a buffer, and one too long for the ring.

refused.py [WORKER_L1_BYTES]: so much of L1 is left to buffers and programs; the ring gets the rest.
"""
import sys
import time

import ttnn

from truth import empty, open_device, pause


def attempt(name, device, operation, **more):
    try:
        operation()
        text = None
    except RuntimeError as error:
        text = str(error)
    pause(name, [device], text=text, **more)


def fill(device):
    """L1 down to the last tile."""
    held, banks = [], ttnn.get_memory_view(device, ttnn.BufferType.L1).num_banks
    for bank_bytes in (1 << 14, 1 << 11):
        try:
            while True:
                held.append(empty(device, (1, 1, 32 * banks, 32 * (bank_bytes // 2048)), "l1"))
        except RuntimeError:
            pass
    return held


def main():
    sizes = {"worker_l1_size": int(sys.argv[1])} if sys.argv[1:] else {"l1_small_size": 32768}
    device = open_device(**sizes)
    a = empty(device, (1, 1, 1024, 1024), "dram")
    if sys.argv[1:]:
        attempt("too long", device, lambda: ttnn.matmul(a, a))
    else:
        held = fill(device)
        # matmul and layer norm lay themselves out by what is free
        for name, operation in (("add", lambda: ttnn.add(a, a)),
                                ("softmax", lambda: ttnn.softmax(a, dim=-1))):
            # the hook copies its table for a failure at most once a second
            time.sleep(1.5)
            device.disable_and_clear_program_cache()
            device.enable_program_cache()
            attempt(name, device, operation, held=len(held))
        held.clear()
        pause("freed", [device])
    ttnn.close_device(device)


if __name__ == "__main__":
    main()
