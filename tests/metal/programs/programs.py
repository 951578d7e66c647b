# SPDX-License-Identifier: Apache-2.0
"""Operations, what TT-Metal's own graph capture says of their programs, and a clash.

programs.py [ROWS COLUMNS]: the mesh to open, 1 x 1 without.
"""
import re
import sys

import ttnn

from truth import dispatch, empty, open_device, pause

CORES = re.compile(r"(\d+)\D+?(\d+)\D+?(\d+)\D+?(\d+)")
NODES = ("circular_buffer_allocate", "dataflow_buffer_allocate")


def nodes_of(graph):
    """Per node: kind, address, bytes, rectangles, lies in a buffer; of the first chip only."""
    found = [n for n in graph if n["node_type"] in NODES]
    chips = {n["params"]["device_id"] for n in found}
    out = []
    for node in found:
        p = node["params"]
        if p["device_id"] != min(chips):
            continue
        rectangles = [[int(g) for g in m] for m in CORES.findall(str(p["core_range_set"]))]
        borrowed = str(p.get("globally_allocated", p.get("borrows_memory"))) == "1"
        out.append([node["node_type"].removesuffix("_allocate"), int(p["address"]),
                    int(p["size"]), sorted(rectangles), borrowed])
    return out


def captured(mode, operation):
    ttnn.graph._cpp_begin_graph_capture(mode)
    try:
        result = operation()
    finally:
        graph = ttnn.graph._cpp_end_graph_capture()
    return result, nodes_of(graph)


def operations(device):
    wide, square = empty(device, (1, 1, 1024, 1024), "dram"), empty(device, (1, 1, 256, 256), "l1")
    sharded = ttnn.create_sharded_memory_config(
        (1, 1, 1024, 1024), core_grid=ttnn.CoreGrid(y=4, x=8), strategy=ttnn.ShardStrategy.HEIGHT)
    pixels = ttnn.zeros((1, 1, 256, 32), dtype=ttnn.bfloat16, layout=ttnn.ROW_MAJOR_LAYOUT,
                        device=device)
    weight = ttnn.zeros((32, 32, 3, 3), dtype=ttnn.float32, layout=ttnn.ROW_MAJOR_LAYOUT)
    shards = ttnn.to_memory_config(wide, sharded)
    yield "add", lambda: ttnn.add(wide, wide)
    yield "matmul", lambda: ttnn.matmul(wide, wide)
    yield "small matmul", lambda: ttnn.matmul(square, square)
    yield "softmax", lambda: ttnn.softmax(wide, dim=-1)
    yield "layer norm", lambda: ttnn.layer_norm(wide)
    yield "to row major", lambda: ttnn.to_layout(wide, ttnn.ROW_MAJOR_LAYOUT)
    yield "shard", lambda: ttnn.to_memory_config(wide, sharded)
    yield "sharded add", lambda: ttnn.add(shards, shards)
    yield "conv2d", lambda: ttnn.conv2d(
        input_tensor=pixels, weight_tensor=weight, device=device, in_channels=32,
        out_channels=32, batch_size=1, input_height=16, input_width=16, kernel_size=(3, 3),
        stride=(1, 1), padding=(1, 1))


def open_mesh(arguments):
    if not arguments:
        return open_device(l1_small_size=32768), ttnn.close_device
    shape = ttnn.MeshShape(*map(int, arguments))
    return ttnn.open_mesh_device(shape, l1_small_size=32768, **dispatch()), ttnn.close_mesh_device


def perceptron(device, turns):
    """A loop over the same two layers: after turn 1 (turn 0 begins with another kind of input)
    every program is in the cache."""
    x = empty(device, (1, 1, 128, 256), "l1")
    left, right = empty(device, (1, 1, 256, 512), "dram"), empty(device, (1, 1, 512, 256), "dram")
    for turn in range(turns):
        x = ttnn.matmul(ttnn.relu(ttnn.matmul(x, left)), right)
        if turn in (1, turns - 1):
            pause(f"perceptron {turn}", [device], programs=device.num_program_cache_entries())


def fresh_cache(device):
    device.disable_and_clear_program_cache()
    device.enable_program_cache()


def clash(device):
    """The same operation with room, and without: what it says of its end must be what we saw."""
    a = empty(device, (1, 1, 1024, 1024), "dram")
    # matmul and layer norm lay themselves out by what is free, and would end elsewhere
    for name, operation in (("add", lambda: ttnn.add(a, a)),
                            ("softmax", lambda: ttnn.softmax(a, dim=-1))):
        fresh_cache(device)
        operation()
        pause(f"room for {name}", [device])
        fresh_cache(device)
        held, text = [], ""
        for bank_bytes in (1 << 14, 1 << 11):
            banks = ttnn.get_memory_view(device, ttnn.BufferType.L1).num_banks
            try:
                while True:
                    held.append(empty(device, (1, 1, 32 * banks, 32 * (bank_bytes // 2048)), "l1"))
            except RuntimeError:
                pass
        pause(f"full for {name}", [device])
        try:
            operation()
        except RuntimeError as error:
            text = str(error)
        pause(f"clash of {name}", [device], text=text)
        held.clear()


def main():
    device, close = open_mesh(sys.argv[1:])
    pause("open", [device])
    kept = []
    for name, operation in operations(device):
        pause("before " + name, [device])
        result, graph = captured(ttnn.graph.RunMode.NORMAL, operation)
        kept.append(result)
        pause("first " + name, [device], graph=graph)
        kept.append(operation())
        pause("again " + name, [device])
        _, shape = captured(ttnn.graph.RunMode.NO_DISPATCH, operation)
        pause("nothing " + name, [device], graph=shape)
        kept.clear()
    perceptron(device, 10)
    device.disable_and_clear_program_cache()
    pause("cleared", [device])
    device.enable_program_cache()
    clash(device)
    close(device)
    pause("closed", [])


main()
