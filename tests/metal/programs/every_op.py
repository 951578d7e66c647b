# SPDX-License-Identifier: Apache-2.0
"""Forty operations, each twice, with all that they return kept: which buffer is which one's.

One pause with "buffers": [[operation, address in DRAM], ...].
"""
import array

import ttnn

from truth import open_device, pause

device = open_device()
common = dict(dtype=ttnn.bfloat16, layout=ttnn.TILE_LAYOUT, device=device)
x, y = (ttnn.empty((1, 1, 64, 64), **common) for _ in range(2))
rows = ttnn.empty((1, 1, 64, 64), dtype=ttnn.bfloat16, layout=ttnn.ROW_MAJOR_LAYOUT, device=device)
weights = ttnn.empty((1, 1, 32, 64), **common)
table = ttnn.empty((64, 64), dtype=ttnn.bfloat16, layout=ttnn.ROW_MAJOR_LAYOUT, device=device)
ids = ttnn.empty((1, 32), dtype=ttnn.uint32, layout=ttnn.ROW_MAJOR_LAYOUT, device=device)
heads = [ttnn.empty((1, 2, 64, 64), **common) for _ in range(3)]
where = ttnn.MemoryConfig(ttnn.TensorMemoryLayout.INTERLEAVED, ttnn.BufferType.DRAM)
host = ttnn.zeros((1, 1, 32, 32), dtype=ttnn.bfloat16, layout=ttnn.TILE_LAYOUT)


def from_buffer():
    return ttnn.from_buffer(array.array("f", [0.0] * 1024).tolist(), (1, 1, 32, 32), ttnn.float32,
                            device=device)


# name as ttnn registered it, and a call; "?" before those that bindings call directly
OPS = {
    "ttnn.empty": lambda: ttnn.empty((1, 1, 32, 32), **common),
    "ttnn.zeros": lambda: ttnn.zeros((1, 1, 32, 32), **common),
    "ttnn.ones": lambda: ttnn.ones((1, 1, 32, 32), **common),
    "ttnn.full": lambda: ttnn.full((1, 1, 32, 32), 2.0, **common),
    "ttnn.rand": lambda: ttnn.rand((1, 1, 32, 32), device=device, dtype=ttnn.bfloat16,
                                   layout=ttnn.TILE_LAYOUT),
    "ttnn.arange": lambda: ttnn.arange(0, 64, 1, dtype=ttnn.bfloat16, device=device),
    "ttnn.matmul": lambda: ttnn.matmul(x, y),
    "ttnn.linear": lambda: ttnn.linear(x, y),
    "ttnn.add": lambda: ttnn.add(x, y),
    "ttnn.add (+)": lambda: x + y,
    "ttnn.multiply": lambda: ttnn.multiply(x, y),
    "ttnn.relu": lambda: ttnn.relu(x),
    "ttnn.gelu": lambda: ttnn.gelu(x),
    "ttnn.softmax": lambda: ttnn.softmax(x, dim=-1),
    "ttnn.layer_norm": lambda: ttnn.layer_norm(x),
    "ttnn.rms_norm": lambda: ttnn.rms_norm(x),
    "ttnn.to_layout": lambda: ttnn.to_layout(rows, ttnn.TILE_LAYOUT),
    "ttnn.to_layout (back)": lambda: ttnn.to_layout(x, ttnn.ROW_MAJOR_LAYOUT),
    "ttnn.to_memory_config": lambda: ttnn.to_memory_config(
        ttnn.to_memory_config(x, ttnn.L1_MEMORY_CONFIG), where),
    "ttnn.typecast": lambda: ttnn.typecast(x, ttnn.float32),
    "ttnn.permute": lambda: ttnn.permute(x, (0, 1, 3, 2)),
    "ttnn.transpose": lambda: ttnn.transpose(x, -2, -1),
    "ttnn.concat": lambda: ttnn.concat([x, y], dim=-1),
    "ttnn.slice": lambda: ttnn.slice(x, (0, 0, 0, 0), (1, 1, 32, 32)),
    "ttnn.sum": lambda: ttnn.sum(x, dim=-1),
    "ttnn.mean": lambda: ttnn.mean(x, dim=-1),
    "ttnn.embedding": lambda: ttnn.embedding(ids, table),
    "ttnn.argmax": lambda: ttnn.argmax(rows, dim=-1),
    "ttnn.reshape": lambda: ttnn.reshape(x, (1, 1, 32, 128)),
    "ttnn.pad": lambda: ttnn.pad(x, [(0, 0), (0, 0), (0, 32), (0, 32)], 0.0),
    "ttnn.transformer.scaled_dot_product_attention":
        lambda: ttnn.transformer.scaled_dot_product_attention(*heads, is_causal=True),
    "ttnn.from_buffer": from_buffer,
    "ttnn.to_device": lambda: ttnn.to_device(host, device),
    "ttnn.clone": lambda: ttnn.clone(x),
    "ttnn.where": lambda: ttnn.where(x, x, y),
    "ttnn.allocate_tensor_on_device": lambda: ttnn.allocate_tensor_on_device(
        ttnn.Shape([1, 1, 32, 32]), ttnn.bfloat16, ttnn.TILE_LAYOUT, device, where),
    "ttnn.topk": lambda: ttnn.topk(x, 32)[0],
    "ttnn.cumsum": lambda: ttnn.cumsum(x, dim=0),
    "ttnn.zeros_like": lambda: ttnn.zeros_like(x),
    "ttnn.subtract": lambda: ttnn.subtract(x, y),
}
kept, found, failed = [], [], {}
for turn in range(2):
    for name, call in OPS.items():
        try:
            result = call()
            kept.append(result)
            found.append([name.split(" ")[0], result.buffer_address()])
        except Exception as error:  # it does not run here
            failed[name] = str(error)[:200]
pause("done", [device], buffers=found, failed=failed)
ttnn.close_device(device)
