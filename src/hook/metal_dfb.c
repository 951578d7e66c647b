/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Dataflow buffers and scratchpads: what most operations of 2026 use, and what
 * no function describes. Fields are read by the layout of the release; every
 * read is checked, and a buffer whose fields cannot be true is left out and
 * the program marked, rather than shown wrong.
 */
#include <string.h>

#include "hook/metal_program.h"
#include "hook/safe_read.h"
#include "metal/program_layouts.h"

#define BUFFERS_MAX 4096
#define CORES_MAX   1024

/* One dataflow buffer, as its fields say. */
struct dfb {
	uint64_t object;
	uint64_t cores[2]; /* begin and end of its CoreRanges */
	uint32_t size[2];  /* of an entry, number of entries */
	uint32_t address;
	uint32_t flags;
};

static bool in_l1(const struct metal_program_place *place, uint64_t address, uint64_t bytes)
{
	return place->l1_high != 0 && address >= place->l1_low && address < place->l1_high &&
	       bytes <= place->l1_high - address;
}

static bool in_ranges(const struct dfb *dfb, uint64_t x, uint64_t y)
{
	uint64_t range[4];

	for (uint64_t at = dfb->cores[0]; at < dfb->cores[1]; at += sizeof range)
		if (safe_read(at, range, sizeof range) == 0 && x >= range[0] && x <= range[2] &&
		    y >= range[1] && y <= range[3])
			return true;
	return false;
}

struct dfb_core {
	uint64_t x, y;
	uint32_t address, padding;
};

_Static_assert(sizeof(struct dfb_core) == METAL_DFB_CORE_BYTES, "a core of a group");

/* The entries of one group, some at a time: each read of doubtful memory is a system call. */
static bool read_group(const uint64_t cores[2], struct dfb *dfb, uint32_t *seen)
{
	struct dfb_core some[64];
	uint64_t left = (cores[1] - cores[0]) / sizeof some[0];

	for (uint64_t at = cores[0]; left > 0; at += sizeof some) {
		uint64_t n = left < 64 ? left : 64;

		if (safe_read(at, some, n * sizeof some[0]) < 0)
			return false;
		/* the first and the last are enough to tell a wrong place */
		if ((at == cores[0] && !in_ranges(dfb, some[0].x, some[0].y)) ||
		    (left == n && !in_ranges(dfb, some[n - 1].x, some[n - 1].y)))
			return false;
		for (uint64_t i = 0; i < n; i++) {
			if ((*seen)++ > 0 && some[i].address != dfb->address)
				return false;
			dfb->address = some[i].address;
		}
		left -= n;
	}
	return true;
}

/* Each core of each group has an entry with the address; all are the same, and all are cores of ours. */
static bool read_address(const struct metal_program_layout *layout, struct dfb *dfb)
{
	uint64_t groups[2], cores[2];
	uint32_t seen = 0;

	if (safe_read(dfb->object + layout->dfb_groups, groups, sizeof groups) < 0 ||
	    groups[1] <= groups[0] || (groups[1] - groups[0]) % METAL_DFB_GROUP_BYTES != 0 ||
	    groups[1] - groups[0] > CORES_MAX * METAL_DFB_GROUP_BYTES)
		return false;
	for (uint64_t g = groups[0]; g < groups[1]; g += METAL_DFB_GROUP_BYTES)
		if (safe_read(g + METAL_DFB_GROUP_CORES, cores, sizeof cores) < 0 ||
		    cores[1] < cores[0] || (cores[1] - cores[0]) % METAL_DFB_CORE_BYTES != 0 ||
		    cores[1] - cores[0] > CORES_MAX * METAL_DFB_CORE_BYTES ||
		    !read_group(cores, dfb, &seen))
			return false;
	return seen != 0;
}

static bool flag_at(uint64_t object, uint16_t offset, bool *ret_flag)
{
	uint8_t byte = 0;

	if (offset && (safe_read(object + offset, &byte, 1) < 0 || byte > 1))
		return false;
	*ret_flag = byte;
	return true;
}

static bool read_dfb(const struct metal_program_layout *layout,
		     const struct metal_program_place *place, uint64_t object, struct dfb *ret_dfb)
{
	struct dfb dfb = {.object = object};
	bool borrowed, alias;

	if (safe_read(object + layout->dfb_cores, dfb.cores, sizeof dfb.cores) < 0 ||
	    dfb.cores[1] <= dfb.cores[0] || (dfb.cores[1] - dfb.cores[0]) % 32 != 0 ||
	    dfb.cores[1] - dfb.cores[0] > CORES_MAX * 32 ||
	    safe_read(object + layout->dfb_size, dfb.size, sizeof dfb.size) < 0 ||
	    !flag_at(object, layout->dfb_borrowed, &borrowed) ||
	    !flag_at(object, layout->dfb_alias, &alias))
		return false;
	dfb.flags = (borrowed ? REGION_RANGE_BORROWED : 0) | (alias ? REGION_RANGE_ALIAS : 0);
	uint64_t bytes = (uint64_t)dfb.size[0] * dfb.size[1];

	if (bytes == 0 || bytes > place->l1_high)
		return false;
	/* an alias takes no memory of its own, so that its address is no matter */
	if (!read_address(layout, &dfb) && !alias)
		return false;
	if (!alias && !in_l1(place, dfb.address, bytes))
		return false;
	*ret_dfb = dfb;
	return true;
}

static bool same(const struct dfb *a, const struct dfb *b)
{
	return a->cores[0] == b->cores[0] && a->cores[1] == b->cores[1] && a->size[0] == b->size[0] &&
	       a->size[1] == b->size[1] && a->address == b->address && a->flags == b->flags;
}

/*
 * By the layout of this build. Of an unknown build every layout is tried, and what more than one of
 * them makes sense of must be the same in all: two that differ in the place of a flag alone would
 * otherwise turn borrowed memory into the program's own.
 */
static bool find_dfb(const struct metal *metal, const struct metal_program_place *place,
		     uint64_t object, struct dfb *ret_dfb)
{
	const struct metal_program_layout *layout = metal->program_layout;
	struct dfb found = {0}, other;

	if (metal->version)
		return layout && layout->dfb_groups && read_dfb(layout, place, object, ret_dfb);
	for (size_t i = 0; (layout = metal_program_layout_at(i)) != NULL; i++) {
		if (!layout->dfb_groups || !read_dfb(layout, place, object, &other))
			continue;
		if (found.object && !same(&found, &other))
			return false;
		found = other;
	}
	*ret_dfb = found;
	return found.object != 0;
}

void metal_dfb_describe(const struct metal *metal, const struct metal_program_place *place,
			struct metal_program_scratch *scratch)
{
	metal_function buffers = metal->symbol[METAL_SYMBOL_program_dfbs];
	uint64_t vector[2], object;

	if (!buffers || safe_read(((uint64_t(*)(uint64_t))buffers)(place->program), vector,
				  sizeof vector) < 0)
		return;
	for (uint64_t i = 0; vector[0] + i * 16 < vector[1] && i < BUFFERS_MAX; i++) {
		struct dfb dfb;

		if (safe_read_word(vector[0] + i * 16, &object) < 0 || object == 0)
			return;
		if (!find_dfb(metal, place, object, &dfb)) {
			scratch->found.row.flags |= REGION_PROGRAM_NO_DFB;
			continue;
		}
		const struct region_program_range range = {
			.kind = REGION_RANGE_DATAFLOW_BUFFER,
			.object = (uint16_t)i,
			.flags = (uint16_t)dfb.flags,
			.address = dfb.address,
			.bytes = dfb.size[0] * dfb.size[1],
		};

		program_ranges_of(scratch, dfb.cores[0], dfb.cores[1], &range);
	}
}

void metal_scratchpads_describe(const struct metal *metal, const struct metal_program_place *place,
				struct metal_program_scratch *scratch, uint64_t kernel,
				uint16_t number)
{
	const struct metal_program_layout *layout = metal->program_layout;
	struct region_program *row = &scratch->found.row;
	uint64_t vector[2];
	uint32_t size, address;
	uint32_t first = row->range_count;

	if (!layout || !layout->scratch_vector || !metal->symbol[METAL_SYMBOL_program_scratchpads] ||
	    safe_read(kernel + layout->scratch_vector, vector, sizeof vector) < 0 ||
	    vector[1] < vector[0] || (vector[1] - vector[0]) % layout->scratch_element != 0 ||
	    (vector[1] - vector[0]) / layout->scratch_element > BUFFERS_MAX)
		return;
	for (uint64_t at = vector[0]; at < vector[1]; at += layout->scratch_element) {
		if (safe_read(at + METAL_SCRATCH_SIZE, &size, sizeof size) < 0 ||
		    safe_read(at + METAL_SCRATCH_ADDRESS, &address, sizeof address) < 0 ||
		    !in_l1(place, address, size))
			return;
		/* on the cores of its kernel, which were listed just before */
		for (uint32_t i = first; i-- > 0;) {
			struct region_program_range range = scratch->ranges[i];

			if (range.kind != REGION_RANGE_KERNEL || range.object != number)
				break;
			range.kind = REGION_RANGE_SCRATCHPAD;
			range.address = address;
			range.bytes = size;
			program_range(scratch, &range);
		}
	}
}
