# SPDX-License-Identifier: Apache-2.0
"""A device that is closed with live buffers and opened again, three times."""
import ttnn

from truth import empty, open_device, pause

kept = []
for turn in range(3):
    device = open_device()
    pause("open", [device], turn=turn)
    kept.append(empty(device, (1, 1, 256, 256), "dram"))
    kept.append(empty(device, (1, 1, 64, 64), "l1"))
    pause("alive", [device], turn=turn)
    ttnn.close_device(device)
    pause("closed", [], turn=turn)
    kept.clear()
