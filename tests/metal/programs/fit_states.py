# SPDX-License-Identifier: Apache-2.0
"""Random states, and at each the allocations that it is told to try: fit_states.py SEED STATES

A question is a line of JSON: {"kind", "pages", "page_bytes", "cores", "free": [addresses]}; the
tensors at those addresses are freed first. The answer is whether the allocation succeeded; what was
allocated is freed again.
"""
import json
import random
import sys

import ttnn

from truth import open_device

TILE = 32
TILE_PAGES = {2048: "bfloat16", 4096: "float32", 1088: "bfloat8_b"}


def sharded(cores, tiles):
    """Height sharded over the first cores: so many tiles on each."""
    full, rest = divmod(cores, 8)
    ranges = set()
    if full:
        ranges.add(ttnn.CoreRange(ttnn.CoreCoord(0, 0), ttnn.CoreCoord(7, full - 1)))
    if rest:
        ranges.add(ttnn.CoreRange(ttnn.CoreCoord(0, full), ttnn.CoreCoord(rest - 1, full)))
    spec = ttnn.ShardSpec(ttnn.CoreRangeSet(ranges), (TILE * tiles, TILE),
                          ttnn.ShardOrientation.ROW_MAJOR)
    return ttnn.MemoryConfig(ttnn.TensorMemoryLayout.HEIGHT_SHARDED, ttnn.BufferType.L1, spec)


def allocate(device, kind, pages, page_bytes, cores=0):
    """A tensor of exactly so many pages of that size."""
    config = ttnn.L1_MEMORY_CONFIG if kind == "l1" else ttnn.DRAM_MEMORY_CONFIG
    if page_bytes not in TILE_PAGES:  # a row of bfloat16 is a page
        return ttnn.empty((1, 1, pages, page_bytes // 2), dtype=ttnn.bfloat16,
                          layout=ttnn.ROW_MAJOR_LAYOUT, device=device, memory_config=config)
    shape = (1, 1, TILE * pages, TILE)
    if cores:
        config = sharded(cores, pages // cores)
    return ttnn.empty(shape, dtype=getattr(ttnn, TILE_PAGES[page_bytes]), layout=ttnn.TILE_LAYOUT,
                      device=device, memory_config=config)


def change(device, rng, live):
    """Some steps of a history that leaves holes; DRAM in large pieces, so that it gets full."""
    for _ in range(rng.randint(1, 12)):
        if live and rng.random() < 0.45:
            ttnn.deallocate(live.pop(rng.randrange(len(live)))[1])
            continue
        kind = rng.choice(("dram", "l1"))
        page = rng.choice((2048, 4096, 1088, 100, 514))
        top = (20_000_000 if kind == "dram" else 100_000) // 16
        try:
            pages = rng.randint(1, top * 2048 // page // 4 + 1)
            live.append((kind, allocate(device, kind, pages, page)))
        except RuntimeError:
            pass


def attempt(device, live, question):
    for at in reversed(range(len(live))):  # by place: == of tensors is an operation
        kind, tensor = live[at]
        if kind == question["kind"] and tensor.buffer_address() in question.get("free", ()):
            ttnn.deallocate(live.pop(at)[1])
    try:
        tensor = allocate(device, question["kind"], question["pages"], question["page_bytes"],
                          question.get("cores", 0))
    except RuntimeError as error:
        return {"fits": False, "text": str(error)[:300]}
    ttnn.deallocate(tensor)
    return {"fits": True}


def main():
    seed, states = int(sys.argv[1]), int(sys.argv[2])
    rng, device, live = random.Random(seed), open_device(), []
    for state in range(states):
        change(device, rng, live)
        print(json.dumps({"event": "state", "state": state, "live": len(live)}), flush=True)
        while (line := sys.stdin.readline().strip()) != "":
            print(json.dumps(attempt(device, live, json.loads(line))), flush=True)
    ttnn.close_device(device)


main()
