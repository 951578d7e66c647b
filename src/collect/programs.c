/* SPDX-License-Identifier: Apache-2.0 */
/* Programs of one table, with their kernels and ranges, and the terms of L1. */
#include <errno.h>
#include <string.h>

#include "analyse/residency.h"
#include "collect/collect.h"

static struct fact known32(uint32_t value)
{
	return value == REGION_NONE ? fact_absent(REASON_NOT_EXPORTED) : fact_of(value);
}

void l1_of_allocator(const struct region_allocator *row, struct l1_terms *ret_terms)
{
	const struct fact unknown = fact_absent(REASON_NOT_EXPORTED);
	bool has_ring = row->l1_source == REGION_L1_DISPATCHER || row->l1_source == REGION_L1_HAL;
	bool has_base = row->unreserved_base != 0;
	struct l1_terms terms = {
		.reserved_bytes = has_ring ? fact_of(row->ring_base) : unknown,
		.ring_bytes = has_ring ? fact_of(row->ring_bytes) : unknown,
		.unreserved_base = has_base ? fact_of(row->unreserved_base) : unknown,
		.small_bytes = has_base ? fact_of(row->l1_small_bytes) : unknown,
		.program_peak_bytes = fact_of(row->program_peak_bytes),
		.dispatch_cores = has_base ? known32(row->dispatch_cores) : unknown,
		.dispatch_cores_used = has_base ? known32(row->dispatch_cores_used) : unknown,
		.worker_x = row->worker_x,
		.worker_y = row->worker_y,
		.source = has_ring ? (uint8_t)row->l1_source : L1_SOURCE_UNKNOWN,
	};

	for (unsigned i = 0; i < L1_PIECES; i++)
		terms.pieces[i] =
			(struct l1_extent){row->pieces[i].base, row->pieces[i].bytes};
	memcpy(terms.dispatch_at, row->dispatch_at, sizeof terms.dispatch_at);
	*ret_terms = terms;
}

static int add_kernel(struct snapshot *snapshot, const struct region_kernel *from)
{
	uint32_t index;
	int r = snapshot_add_program_kernel(snapshot, &index);

	if (r < 0)
		return r;
	struct program_kernel *to = &snapshot->program_kernels[index];

	to->kind = from->kind <= KERNEL_ETHERNET ? (uint8_t)from->kind : KERNEL_OTHER;
	to->riscs = (uint8_t)(from->riscs & 0x1f);
	to->binaries = from->binaries < KERNEL_BINARIES_MAX ? from->binaries : KERNEL_BINARIES_MAX;
	for (unsigned i = 0; i < KERNEL_BINARIES_MAX; i++) {
		to->packed_bytes[i] = known32(from->packed_bytes[i]);
		to->text_bytes[i] = known32(from->text_bytes[i]);
	}
	return snapshot_string(snapshot, from->name, strnlen(from->name, sizeof from->name),
			       &to->name);
}

/*
 * What lies in a buffer of the program's caller moves with that buffer, and nothing tells us: after
 * the first dispatch its address is only history.
 */
static struct fact address_of(const struct region_program *program,
			      const struct region_program_range *range)
{
	if (range->kind == REGION_RANGE_KERNEL)
		return fact_absent(REASON_NONE);
	if (range->flags & REGION_RANGE_ALIAS && range->address == 0)
		return fact_absent(REASON_FIELDS);
	if (range->flags & REGION_RANGE_BORROWED && program->dispatches > 1)
		return (struct fact){range->address, FACT_STALE, REASON_MOVING};
	return fact_of(range->address);
}

static int add_range(struct snapshot *snapshot, const struct region_program *program,
		     const struct region_program_range *from)
{
	uint32_t index;

	if (!range_kind_name(from->kind) || from->x0 > from->x1 || from->y0 > from->y1 ||
	    from->x1 >= PROGRAM_CORE_MAX || from->y1 >= PROGRAM_CORE_MAX)
		return 0;
	int r = snapshot_add_program_range(snapshot, &index);

	if (r < 0)
		return r;
	snapshot->program_ranges[index] = (struct program_range){
		.kind = (uint8_t)from->kind,
		.is_borrowed = (from->flags & REGION_RANGE_BORROWED) != 0,
		.is_alias = (from->flags & REGION_RANGE_ALIAS) != 0,
		.object = from->object,
		.x0 = from->x0,
		.y0 = from->y0,
		.x1 = from->x1,
		.y1 = from->y1,
		.address = address_of(program, from),
		.bytes = from->bytes,
	};
	return 0;
}

/* Distinct cores of its kernels. */
static uint32_t cores_of(const struct snapshot *snapshot, const struct program *program)
{
	uint64_t rows[PROGRAM_CORE_MAX] = {0};
	uint32_t cores = 0;

	for (uint32_t i = 0; i < program->range_count; i++) {
		const struct program_range *r = &snapshot->program_ranges[program->first_range + i];

		if (r->kind != RANGE_KERNEL)
			continue;
		for (uint32_t y = r->y0; y <= r->y1; y++)
			rows[y] |= UINT64_MAX >> (63 - (r->x1 - r->x0)) << r->x0;
	}
	for (uint32_t y = 0; y < PROGRAM_CORE_MAX; y++)
		cores += (uint32_t)__builtin_popcountll(rows[y]);
	return cores;
}

static uint64_t age(const struct collection *collection, uint64_t time_ns)
{
	return collection->now_monotonic_ns > time_ns ? collection->now_monotonic_ns - time_ns : 0;
}

static int add_parts(struct snapshot *snapshot, const struct region_programs *all,
		     const struct region_program *from, uint32_t index)
{
	uint32_t first_kernel = snapshot->program_kernel_count;
	uint32_t first_range = snapshot->program_range_count;
	int r = 0;

	for (uint32_t i = 0; r == 0 && i < from->kernel_count; i++)
		r = add_kernel(snapshot, &all->kernels[from->first_kernel + i]);
	for (uint32_t i = 0; r == 0 && i < from->range_count; i++)
		r = add_range(snapshot, from, &all->ranges[from->first_range + i]);
	if (r < 0)
		return r;
	struct program *to = &snapshot->programs[index];

	to->first_kernel = first_kernel;
	to->kernel_count = snapshot->program_kernel_count - first_kernel;
	to->first_range = first_range;
	to->range_count = snapshot->program_range_count - first_range;
	to->cores = cores_of(snapshot, to);
	return snapshot_string(snapshot, from->op, strnlen(from->op, sizeof from->op), &to->op);
}

static int add_program(struct collection *collection, const struct region_programs *all,
		       const struct region_program *from, uint32_t process, uint32_t allocator)
{
	struct snapshot *snapshot = &collection->snapshot;
	uint32_t index;
	int r = snapshot_add_program(snapshot, &index);

	if (r < 0)
		return r;
	snapshot->programs[index] = (struct program){
		.process = process,
		.allocator = allocator,
		.id = from->program_id,
		.chips = from->chips,
		.last_dispatch = from->last_dispatch,
		.dispatches = from->dispatches,
		.age_ns = age(collection, from->first_ns),
		.last_age_ns = age(collection, from->last_ns),
		.dram_bytes = from->dram_bytes == UINT64_MAX ? fact_absent(REASON_NOT_EXPORTED)
							     : fact_of(from->dram_bytes),
		.dram_address = from->dram_address,
		.ring_bytes = known32(from->ring_bytes),
		.text_bytes = known32(from->text_bytes),
		.runtime_args_bytes = known32(from->runtime_args_bytes),
		.semaphore_bytes = known32(from->semaphore_bytes),
		.cb_config_bytes = known32(from->cb_config_bytes),
		.dfb_config_bytes = known32(from->dfb_config_bytes),
		.core_bytes = from->core_bytes,
		.is_cut = (from->flags & REGION_PROGRAM_CUT) != 0,
		.lacks_dataflow = (from->flags & REGION_PROGRAM_NO_DFB) != 0,
	};
	return add_parts(snapshot, all, from, index);
}

/* The allocator with that row among a process's, or SNAPSHOT_NONE. */
static uint32_t allocator_of(const struct snapshot *snapshot, uint32_t process, uint32_t row)
{
	struct span allocators = snapshot->processes[process].allocators;

	for (uint32_t i = allocators.first; i < allocators.first + allocators.count; i++)
		if (snapshot->allocators[i].id == row)
			return i;
	return SNAPSHOT_NONE;
}

int programs_of_process(struct collection *collection, const struct region_map *map,
			uint32_t process)
{
	struct snapshot *snapshot = &collection->snapshot;
	struct span programs = {.first = snapshot->program_count};
	struct region_programs all;
	int r;

	if (!collection->options.programs)
		return 0;
	r = region_read_programs(map, &all);
	if (r < 0)
		return r;
	if (!all.consistent)
		snapshot->consistent = 0;
	for (uint32_t i = 0; r == 0 && i < all.count; i++) {
		uint32_t allocator =
			allocator_of(snapshot, process, all.programs[i].allocator);

		if (allocator != SNAPSHOT_NONE)
			r = add_program(collection, &all, &all.programs[i], process, allocator);
	}
	region_programs_clear(&all);
	if (r < 0)
		return r;
	programs.count = snapshot->program_count - programs.first;
	snapshot->processes[process].programs = programs;
	return residency_fill(snapshot, process);
}
