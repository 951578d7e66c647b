# SPDX-License-Identifier: Apache-2.0
"""Comparing what ttmem says with what an allocator says of itself."""
from testing import equal

TYPES = ("dram", "l1", "l1_small", "trace")
FIGURES = ("size_bytes", "allocated_bytes", "free_bytes", "largest_free_bytes")


def process_of(document, pid):
    found = [p for p in document["processes"] if p["pid"] == pid]
    return found[0] if found else None


def open_allocators(process):
    return [a for a in process["allocators"] if a["open"]]


def check_allocator(allocator, view, buffers, what, absolute=False):
    """One allocator against its own statistics and blocks, per memory type."""
    for kind in TYPES:
        memory, truth = allocator["memory"][kind], view[kind]
        equal(memory["banks"], truth["banks"], f"{what} {kind} banks")
        for figure in FIGURES:
            equal(memory["bank"][figure], truth[figure], f"{what} {kind} {figure}")
        equal(memory["occupied_bytes"] + memory["free_bytes"], memory["allocatable_bytes"],
              f"{what} {kind} occupied + free")
        base = 0 if absolute else allocator["counts"][kind]["base_address"]
        mine = sorted([b["address"] - base, b["bank_bytes"]] for b in buffers
                      if b["allocator"] == allocator["id"] and b["type"] == kind)
        if truth["blocks"] is None:  # this release does not tell: at least the sum must agree
            truth["blocks"] = mine
            equal(sum(size for _, size in mine), truth["allocated_bytes"], f"{what} {kind} sum")
        equal(mine, truth["blocks"], f"{what} {kind} address ranges")
        equal(memory["buffers"], len(mine), f"{what} {kind} buffers")


def union_bytes(blocks):
    total, end = 0, 0
    for address, size in sorted(blocks):
        total += max(0, address + size - max(end, address))
        end = max(end, address + size)
    return total


def check_devices(process, views, what):
    """Each chip: the union of the ranges of all open allocators that cover it."""
    allocators = open_allocators(process)
    for device in process["devices"]:
        covering = [view for a, view in zip(allocators, views)
                    if device["chip_id"] in a["chip_ids"]]
        for kind in TYPES:
            memory = device["memory"][kind]
            blocks = [b for view in covering for b in view[kind]["blocks"]]
            equal(memory["bank"]["allocated_bytes"], union_bytes(blocks), f"{what} chip {kind}")
            equal(memory["buffers"], len(blocks), f"{what} chip {kind} buffers")
            equal(memory["bank"]["allocated_bytes"] + memory["bank"]["free_bytes"],
                  memory["bank"]["size_bytes"], f"{what} chip {kind} allocated + free")
