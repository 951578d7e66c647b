/* SPDX-License-Identifier: Apache-2.0 */
/* Releases 0.66 to 0.81 and public reports since 2024. Where several rows fit, the first counts. */
#include "analyse/error_forms.h"

typedef const struct error_label labels[];

static labels of_bank = {
	{FIGURE_REQUESTED, "allocate #"},
	{FIGURE_REQUESTED, "place #"},
	{FIGURE_BANKS, "across # bank*"},
	{FIGURE_NEED, "store #"},
	{FIGURE_NEED, "# per bank"},
	{FIGURE_NEED, "need* #"},
	{FIGURE_BANK_SIZE, "bank size #"},
	{FIGURE_ALLOCATED, "allocated #"},
	{FIGURE_FREE, "free #"},
	{FIGURE_LARGEST, "largest free|contiguous block|range|region #"},
	{FIGURE_LARGEST, "largest free|block #"},
	{FIGURE_PLACEABLE, "# remained|placeable"},
	{FIGURE_WINDOW, "largest #"},
	{0},
};

static labels of_clash = {
	{FIGURE_PROGRAM, "program #"},
	{FIGURE_LOWEST, "buffer allocated at #"},
	{FIGURE_LOWEST, "allocat* at #"},
	{FIGURE_END, "end* at #"},
	{0},
};

static labels of_overlap = {
	{FIGURE_END, "region ? #"},
	{FIGURE_LOWEST, "allocation at #"},
	{0},
};

static labels of_trace_overlap = {
	{FIGURE_LOWEST, "address #"},
	{FIGURE_END, "allocation high water mark #"},
	{FIGURE_END, "high water mark #"},
	{0},
};

static labels of_growth = {
	{FIGURE_PROGRAM, "program #"},
	{FIGURE_ASKED, "grow* to #"},
	{FIGURE_AVAILABLE, "l1 size #"},
	{FIGURE_AVAILABLE, "beyond #"},
	{0},
};

static labels of_ring = {
	{FIGURE_ASKED, "program size #"},
	{FIGURE_AVAILABLE, "config buffer #"},
	{0},
};

static labels of_prefetcher_cache = {
	{FIGURE_ASKED, "cache size #"},
	{FIGURE_AVAILABLE, "cache size ? #"},
	{0},
};

static labels of_prefetch_command = {
	{FIGURE_ASKED, "# prefetch* command"},
	{FIGURE_AVAILABLE, "command size #"},
	{0},
};

static labels of_trace_region = {
	{FIGURE_ASKED, "size #"},
	{FIGURE_AVAILABLE, "but #"},
	{FIGURE_AVAILABLE, "# allocated"},
	{0},
};

static labels of_circular_on_buffer = {
	{FIGURE_ASKED, "circular buffer size to #"},
	{FIGURE_ASKED, "circular buffer size #"},
	{FIGURE_AVAILABLE, "bank size #"},
	{FIGURE_AVAILABLE, "l1 buffer size #"},
	{FIGURE_AVAILABLE, "buffer bank #"},
	{0},
};

static labels of_borrowed = {
	{FIGURE_ASKED, "total size #"},
	{FIGURE_AVAILABLE, "per bank size #"},
	{0},
};

static labels of_offset = {
	{FIGURE_ASKED, "address_offset #"},
	{FIGURE_MORE, "total_size #"},
	{FIGURE_AVAILABLE, "bank size #"},
	{0},
};

static labels of_dataflow_ring = {
	{FIGURE_ASKED, "ring size #"},
	{FIGURE_AVAILABLE, "l1 size #"},
	{0},
};

static labels of_worker_l1 = {
	{FIGURE_ASKED, "l1 size #"},
	{FIGURE_AVAILABLE, "max size #"},
	{0},
};

static labels of_memory_map = {
	{FIGURE_ASKED, "map end address #"},
	{FIGURE_AVAILABLE, "l1 end address #"},
	{0},
};

static labels of_local_region = {
	{FIGURE_ASKED, "region ? #"},
	{FIGURE_AVAILABLE, "limit #"},
	{0},
};

/* Operations of ttnn: each in its own words, most of them end with what there is. */
static labels of_operation = {
	{FIGURE_ASKED, "scratch #"},
	{FIGURE_ASKED, "# exceed*"},
	{FIGURE_ASKED, "# for ? tile*"},
	{FIGURE_ASKED, "at least #"},
	{FIGURE_ASKED, "aligned_input_stick_nbytes #"},
	{FIGURE_ASKED, "row #"},
	{FIGURE_ASKED, "hold #"},
	{FIGURE_ASKED, "gcb size #"},
	{FIGURE_ASKED, "need* #"},
	{FIGURE_ASKED, "require* #"},
	{FIGURE_MORE, "cbs #"},
	{FIGURE_MORE, "# source"},
	{FIGURE_AVAILABLE, "l1_for_cb #"},
	{FIGURE_AVAILABLE, "l1 capacity|budget #"},
	{FIGURE_AVAILABLE, "available|free l1 #"},
	{FIGURE_AVAILABLE, "cap #"},
	{FIGURE_AVAILABLE, "have #"},
	{FIGURE_AVAILABLE, "# l1 above"},
	{FIGURE_AVAILABLE, "but #"},
	{0},
};

static labels of_nothing = {{0}};

const struct error_form error_forms[] = {
	{ERROR_NO_SPACE, 0, false, "out of memory not enough space", "an allocation", of_bank},
	{ERROR_NO_SPACE, 0, false, "not enough space .. allocate", "an allocation", of_bank},
	{ERROR_NO_SPACE, 0, false, "not enough user allocatable l1", "the real-time profiler",
	 of_bank},
	{ERROR_NOT_BYTES, 0, false, "out of memory killed process",
	 "the host ran out of memory, not the device", of_nothing},
	{ERROR_GAVE_UP, 0, false, "out of memory cannot allocate at",
	 "an allocation at a chosen address", of_nothing},
	{ERROR_NO_SPACE, 0, false, "out of memory", "an allocation", of_bank},
	{ERROR_GAVE_UP, 0, false, "allocator failed to place", "an allocation at a chosen address",
	 of_nothing},

	{ERROR_CLASH, 0, false, "circular buffers .. clash*", "the circular buffers of a program",
	 of_clash},
	{ERROR_CLASH, 0, false, "dataflow buffers .. clash*", "the dataflow buffers of a program",
	 of_clash},
	{ERROR_BEYOND_L1, 0, false, "circular buffers .. grow*", "the circular buffers of a program",
	 of_growth},
	{ERROR_BEYOND_L1, 0, false, "dataflow buffers .. grow*", "the dataflow buffers of a program",
	 of_growth},
	{ERROR_TRACE_OVERLAP, 0, false, "trace buffer* .. overlap*", "a trace", of_trace_overlap},
	{ERROR_CLASH, 0, false, "l1 region .. overlap*", "a persistent L1 region", of_overlap},

	{ERROR_CONFIG_RING, 0, false, "program size .. too large .. kernel config",
	 "the code and arguments of a program", of_ring},
	{ERROR_CONFIG_RING, 0, false, "kernel binary size exceed* prefetcher cache",
	 "the code of a program, in the prefetcher's cache", of_prefetcher_cache},
	{ERROR_CONFIG_RING, 0, false, "runtime args .. prefetch* command",
	 "the runtime arguments of one core", of_prefetch_command},
	{ERROR_CONFIG_RING, 0, false, "runtime args .. too large", "the runtime arguments of a kernel",
	 of_nothing},
	{ERROR_CONFIG_RING, 0, false, "needs the device opened .. worker_l1_size",
	 "an operation that needs a larger kernel-config ring", of_nothing},

	{ERROR_REGION, 0, false, "creating trace buffer*", "a trace", of_trace_region},

	{ERROR_BUFFER_TOO_SMALL, 0, false, "set circular buffer size .. larger",
	 "a circular buffer on top of a buffer", of_circular_on_buffer},
	{ERROR_BUFFER_TOO_SMALL, 0, false, "circular buffer size .. exceed* .. buffer",
	 "a circular buffer on top of a buffer", of_circular_on_buffer},
	{ERROR_BUFFER_TOO_SMALL, 0, false, "borrowed memory .. exceed*",
	 "a dataflow buffer on top of a buffer", of_borrowed},
	{ERROR_BUFFER_TOO_SMALL, 0, false, "address_offset .. exceed* .. bank size",
	 "a circular buffer on top of a buffer", of_offset},

	{ERROR_BEYOND_L1, 0, false, "ring size .. exceed* .. l1 size", "a dataflow buffer",
	 of_dataflow_ring},
	{ERROR_BEYOND_L1, 0, false, "worker l1 size .. larger than max", "worker_l1_size",
	 of_worker_l1},
	{ERROR_BEYOND_L1, 0, false, "memory map end address .. exceed*",
	 "the memory map of a fabric core", of_memory_map},
	{ERROR_BEYOND_L1, 0, false, "local l1 region .. exceed*", "the local L1 of a sub-device",
	 of_local_region},

	{ERROR_NO_ROOM, 0, true, "circular buffer* require* .. available",
	 "the circular buffers of an operation", of_operation},
	{ERROR_NO_ROOM, 0, true, "dataflow buffer* require* .. available",
	 "the dataflow buffers of an operation", of_operation},
	{ERROR_NO_ROOM, 0, true, "not fit in l1 .. need", "an operation", of_operation},
	{ERROR_NO_ROOM, 12, true, "not fit in available l1", "an operation", of_operation},
	{ERROR_NO_ROOM, 12, true, "exceed* service core free l1", "a stream service", of_operation},
	{ERROR_NO_ROOM, 0, true, "not enough l1 .. cb page", "an operation", of_operation},
	{ERROR_BEYOND_L1, 12, true, "exceed* per core l1 capacity|budget", "an operation",
	 of_operation},
	{ERROR_BEYOND_L1, 12, true, "not fit in the per core l1 budget", "an operation", of_operation},
	{ERROR_BEYOND_L1, 12, true, "exceed* l1 budget", "an operation", of_operation},
	{ERROR_BEYOND_L1, 0, true, "gcb size .. exceed* .. cap", "a global circular buffer",
	 of_operation},
	{ERROR_BEYOND_L1, 6, true, "l1 above the allocator base cannot hold", "an operation",
	 of_operation},

	{ERROR_GAVE_UP, 0, false, "workload .. exceed* l1 capacity", "an operation", of_nothing},
	{ERROR_GAVE_UP, 0, false, "exceed* per core l1", "an operation", of_nothing},
	{ERROR_GAVE_UP, 0, false, "not fit .. l1", "an operation", of_nothing},
	{ERROR_GAVE_UP, 0, false, "cannot fit .. l1", "an operation", of_nothing},
	{ERROR_GAVE_UP, 0, false, "dram slicing configuration failed", "an operation", of_nothing},
	{ERROR_GAVE_UP, 0, false, "more l1 memory than available", "an operation", of_nothing},
	{ERROR_GAVE_UP, 0, false, "not enough l1", "an operation", of_nothing},
	{ERROR_GAVE_UP, 0, false, "too large to run softmax", "an operation", of_nothing},
	{ERROR_GAVE_UP, 0, false, "single_block_size_limit .. at least",
	 "an operation, most likely because L1 is full", of_nothing},

	{ERROR_NOT_BYTES, 0, false, "buffer index .. exceed* max number",
	 "a program has more circular buffers than a core can have", of_nothing},
	{ERROR_NOT_BYTES, 0, false, "l1_small only supports sharded",
	 "L1_SMALL takes sharded buffers only", of_nothing},
};
const size_t error_form_count = sizeof error_forms / sizeof error_forms[0];
