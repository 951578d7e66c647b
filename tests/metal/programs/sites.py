# SPDX-License-Identifier: Apache-2.0
"""One buffer from each of the operations below, kept, with the line that made it.

What ttmem must say of it is what the code object of that line says: file, line, function
(with its class from Python 3.11 on), and the operation's name.
"""
import array
import sys

import ttnn

from truth import open_device, pause

TILE, ROWS = ttnn.TILE_LAYOUT, ttnn.ROW_MAJOR_LAYOUT
BF16, U32 = ttnn.bfloat16, ttnn.uint32
DRAM, L1 = ttnn.DRAM_MEMORY_CONFIG, ttnn.L1_MEMORY_CONFIG

device = open_device()


def tile(shape=(1, 1, 64, 64), layout=TILE, dtype=BF16):
    return ttnn.empty(shape, dtype=dtype, layout=layout, device=device, memory_config=DRAM)


a, b, rows = tile(), tile(), tile(layout=ROWS)
index = tile((1, 32), ROWS, U32)
heads = tile((1, 2, 64, 64))

OPS = (
    ("ttnn.empty", lambda: ttnn.empty((1, 1, 64, 64), dtype=BF16, layout=TILE, device=device, memory_config=DRAM)),
    ("ttnn.zeros", lambda: ttnn.zeros((1, 1, 64, 64), dtype=BF16, layout=TILE, device=device)),
    ("ttnn.ones", lambda: ttnn.ones((1, 1, 64, 64), dtype=BF16, layout=TILE, device=device)),
    ("ttnn.full", lambda: ttnn.full((1, 1, 64, 64), 2.0, dtype=BF16, layout=TILE, device=device)),
    ("ttnn.rand", lambda: ttnn.rand((1, 1, 64, 64), device, dtype=BF16)),
    ("ttnn.arange", lambda: ttnn.arange(0, 64, 1, dtype=BF16, device=device)),
    ("ttnn.matmul", lambda: ttnn.matmul(a, b)),
    ("ttnn.linear", lambda: ttnn.linear(a, b)),
    ("ttnn.add", lambda: ttnn.add(a, b)),
    ("ttnn.add", lambda: a + b),
    ("ttnn.multiply", lambda: ttnn.multiply(a, b)),
    ("ttnn.relu", lambda: ttnn.relu(a)),
    ("ttnn.gelu", lambda: ttnn.gelu(a)),
    ("ttnn.softmax", lambda: ttnn.softmax(a, dim=-1)),
    ("ttnn.layer_norm", lambda: ttnn.layer_norm(a)),
    ("ttnn.rms_norm", lambda: ttnn.rms_norm(a)),
    ("ttnn.to_layout", lambda: ttnn.to_layout(a, ROWS)),
    ("ttnn.to_layout", lambda: ttnn.to_layout(rows, TILE)),
    ("ttnn.to_memory_config", lambda: ttnn.to_memory_config(a, L1)),
    ("ttnn.to_memory_config", lambda: ttnn.to_memory_config(rows, L1)),
    ("ttnn.typecast", lambda: ttnn.typecast(a, ttnn.float32)),
    ("ttnn.permute", lambda: ttnn.permute(a, (0, 2, 1, 3))),
    ("ttnn.transpose", lambda: ttnn.transpose(a, -2, -1)),
    ("ttnn.concat", lambda: ttnn.concat([a, b], dim=-1)),
    ("ttnn.slice", lambda: a[:, :, :32, :32]),
    ("ttnn.sum", lambda: ttnn.sum(a, dim=-1)),
    ("ttnn.mean", lambda: ttnn.mean(a, dim=-1)),
    ("ttnn.embedding", lambda: ttnn.embedding(index, rows)),
    ("ttnn.argmax", lambda: ttnn.argmax(rows, dim=-1)),
    ("ttnn.reshape", lambda: ttnn.reshape(a, (1, 1, 32, 128))),
    ("ttnn.pad", lambda: ttnn.pad(a, ((0, 0), (0, 0), (0, 32), (0, 32)), 0.0)),
    ("ttnn.transformer.scaled_dot_product_attention",
     lambda: ttnn.transformer.scaled_dot_product_attention(heads, heads, heads, is_causal=True)),
    ("ttnn.from_buffer", lambda: ttnn.from_buffer(array.array("f", [0.0] * 4096), (1, 1, 64, 64), ttnn.float32, device)),
    ("ttnn.to_device", lambda: ttnn.to_device(ttnn.zeros((1, 1, 64, 64), dtype=BF16, layout=TILE), device)),
    ("ttnn.clone", lambda: ttnn.clone(a)),
    ("ttnn.where", lambda: ttnn.where(a, a, b)),
    ("ttnn.allocate_tensor_on_device", lambda: ttnn.allocate_tensor_on_device(ttnn.Shape((1, 1, 64, 64)), BF16, TILE, device, DRAM)),
    ("ttnn.topk", lambda: ttnn.topk(a, 32)[0]),
    ("ttnn.cumsum", lambda: ttnn.cumsum(a, dim=-1)),
    ("ttnn.zeros_like", lambda: ttnn.zeros_like(a)),
)


class Model:
    """The same from a method, and through frames of the framework and of nobody."""

    def forward(self, x):
        return ttnn.matmul(x, x)

    @staticmethod
    def several():
        return [ttnn.relu(x) for x in (a, b)]


def where(code, line, op):
    return {"file": code.co_filename, "line": line, "op": op,
            "function": getattr(code, "co_qualname", code.co_name)}


kept, sites, refused = [], [], []


def keep(tensor, site):
    kept.append(tensor)
    sites.append({"address": tensor.buffer_address(),
                  "type": "l1" if tensor.memory_config().buffer_type == ttnn.BufferType.L1
                  else "dram", **site})


for op, make in OPS:
    code = make.__code__
    for _ in range(2):  # the second time its program comes from the cache
        try:
            keep(make(), where(code, code.co_firstlineno, op))
        except Exception as error:  # a release without it
            refused.append(f"{op}: {str(error)[:200]}")
            break
forward = Model.forward.__code__
keep(Model().forward(a), where(forward, forward.co_firstlineno + 1, "ttnn.matmul"))
for tensor in Model.several():
    inner = Model.several.__code__
    for constant in inner.co_consts:  # before 3.12 a comprehension is a function of its own
        inner = constant if hasattr(constant, "co_code") else inner
    keep(tensor, where(inner, Model.several.__code__.co_firstlineno + 2, "ttnn.relu"))


def too_large():
    return ttnn.empty((1, 1 << 14, 1 << 10, 1 << 10), dtype=BF16, layout=TILE, device=device,
                      memory_config=DRAM)


try:
    too_large()
except RuntimeError:
    pass
refusal = where(too_large.__code__, too_large.__code__.co_firstlineno + 1, "ttnn.empty")
pause("kept", [device], refusal=refusal, sites=sites, refused=refused, python=sys.version_info[:2])
ttnn.close_device(device)
