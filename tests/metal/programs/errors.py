# SPDX-License-Identifier: Apache-2.0
"""Every memory error that a mock cluster can be made to give; at each pause the error just caught.

"want" is what the program's own figures say: verdict and short_bytes; None where only
TT-Metal's text has the figures.
"""
import ttnn

from truth import empty, open_device, pause

TILE = 32
# of a bfloat16 tile
PAGE = 2048


def shard(kind, tiles):
    """Height sharded on one core: so many tiles of one bank."""
    core = ttnn.CoreCoord(0, 0)
    spec = ttnn.ShardSpec(ttnn.CoreRangeSet({ttnn.CoreRange(core, core)}), (TILE, TILE * tiles),
                          ttnn.ShardOrientation.ROW_MAJOR)
    return ttnn.MemoryConfig(ttnn.TensorMemoryLayout.HEIGHT_SHARDED, kind, spec)


class Errors:
    def __init__(self, device):
        self.device = device

    def view(self, kind):
        return ttnn.get_memory_view(self.device, kind)

    def fails(self, name, verdict, short, action):
        try:
            action()
        except RuntimeError as error:
            pause(name, [self.device], text=str(error), want=verdict, short=short)
            return
        pause(name, [self.device], text=None, want=verdict, short=short)

    def tiles(self, count, kind):
        """A tensor of so many tiles in each bank."""
        banks = self.view(ttnn.BufferType.L1 if kind == "l1" else ttnn.BufferType.DRAM).num_banks
        return empty(self.device, (1, 1, TILE * banks, TILE * count), kind)

    def fill(self, kind, tiles):
        held = []
        try:
            while True:
                held.append(self.tiles(tiles, kind))
        except RuntimeError:
            return held


def l1(errors):
    view = errors.view(ttnn.BufferType.L1)
    size = view.total_bytes_per_bank
    tiles = size // PAGE + 1
    errors.fails("l1 too large", "too_large", tiles * PAGE - size, lambda: errors.tiles(tiles, "l1"))
    source = empty(errors.device, (1, 1, 1024, 1024), "dram")
    held = errors.fill("l1", 8) + errors.fill("l1", 1)
    view = errors.view(ttnn.BufferType.L1)
    free = view.total_bytes_free_per_bank
    errors.fails("l1 full", "full", PAGE - free, lambda: errors.tiles(1, "l1"))
    errors.fails("clash in add", "clash", None, lambda: ttnn.add(source, source))
    errors.fails("clash in matmul", "clash", None, lambda: ttnn.matmul(source, source))
    for tensor in held[0:60:2]:
        ttnn.deallocate(tensor)
    view = errors.view(ttnn.BufferType.L1)
    hole = view.largest_contiguous_bytes_free_per_bank
    errors.fails("l1 fragmented", "fragmented", 16 * PAGE - hole, lambda: errors.tiles(16, "l1"))
    for tensor in [*held[1:60:2], *held[60:]]:
        ttnn.deallocate(tensor)


def dram(errors):
    size = errors.view(ttnn.BufferType.DRAM).total_bytes_per_bank
    tiles = size // PAGE + 1
    errors.fails("dram too large", "too_large", tiles * PAGE - size,
                 lambda: errors.tiles(tiles, "dram"))
    large = 1 << 14
    held = errors.fill("dram", large)
    view = errors.view(ttnn.BufferType.DRAM)
    errors.fails("dram full", "full", large * PAGE - view.total_bytes_free_per_bank,
                 lambda: errors.tiles(large, "dram"))
    for tensor in held:
        ttnn.deallocate(tensor)


def beyond(errors):
    left = empty(errors.device, (1, 1, 32 * TILE, 512 * TILE), "dram")
    right = empty(errors.device, (1, 1, 512 * TILE, 256 * TILE), "dram")
    config = ttnn.MatmulMultiCoreReuseMultiCast1DProgramConfig(
        compute_with_storage_grid_size=(8, 8), in0_block_w=64, out_subblock_h=1, out_subblock_w=1,
        per_core_M=32, per_core_N=4, fuse_batch=True, fused_activation=None, mcast_in0=True)
    errors.fails("beyond L1", "beyond_l1", None,
                 lambda: ttnn.matmul(left, right, program_config=config))


def regions(errors, small, trace):
    """Sizes per bank of the two regions that are sized at open."""
    for kind, name, size in ((ttnn.BufferType.L1_SMALL, "l1_small", small),
                             (ttnn.BufferType.TRACE, "trace", trace)):
        tiles = size // PAGE + 1
        config = (shard(kind, tiles) if name == "l1_small" else
                  ttnn.MemoryConfig(ttnn.TensorMemoryLayout.INTERLEAVED, kind))
        rows = 1 if name == "l1_small" else errors.view(kind).num_banks
        errors.fails(f"{name} region of {size}", "region", tiles * PAGE - size,
                     lambda: empty(errors.device, (1, 1, TILE * rows, TILE * tiles), name,
                                   config=config))
    if small:
        held = empty(errors.device, (1, 1, TILE, TILE), "l1_small",
                     config=shard(ttnn.BufferType.L1_SMALL, 1))
        errors.fails("l1_small full", "full", 2 * PAGE - (small - PAGE),
                     lambda: empty(errors.device, (1, 1, TILE, 2 * TILE), "l1_small",
                                   config=shard(ttnn.BufferType.L1_SMALL, 2)))
        ttnn.deallocate(held)


def main():
    device = open_device()
    errors = Errors(device)
    regions(errors, 0, 0)
    l1(errors)
    dram(errors)
    beyond(errors)
    ttnn.close_device(device)
    device = open_device(l1_small_size=4096, trace_region_size=1 << 14)
    errors = Errors(device)
    trace = errors.view(ttnn.BufferType.TRACE).total_bytes_per_bank
    regions(errors, 4096, trace)
    ttnn.close_device(device)


main()
