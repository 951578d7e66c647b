# SPDX-License-Identifier: Apache-2.0
"""Allocations that fail on purpose, and one that is refused before it is tried."""
import ttnn

from truth import empty, open_device, pause

device = open_device()
held = [empty(device, (1, 1, 1024, 1024), "l1")]
pause("open", [device], failures=0)
failures, texts = 0, []
for kind, shape in (("l1", (1, 1, 8192, 8192)), ("l1", (1, 64, 1024, 1024)), ("dram", (1, 64, 16384, 16384))):
    try:
        held.append(empty(device, shape, kind))
    except RuntimeError as error:
        failures += 1
        texts.append(str(error))
pause("failed", [device], failures=failures, texts=texts)
try:
    # no such shape: refused before the allocator is asked, so it is no failed allocation
    held.append(empty(device, (1, 1, 32, 32), "l1", config=ttnn.MemoryConfig(
        ttnn.TensorMemoryLayout.HEIGHT_SHARDED, ttnn.BufferType.L1, None)))
except Exception as error:
    texts.append(str(error))
pause("refused", [device], failures=failures, texts=texts)
held.append(empty(device, (1, 1, 32, 32), "l1"))
pause("goes on", [device], failures=failures)
ttnn.close_device(device)
