/* SPDX-License-Identifier: Apache-2.0 */
#include "analyse/residency.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "analyse/ranges.h"

/* Looks at cores for one process: all programs of a full table on a large chip many times over. */
#define BUDGET (UINT64_C(64) << 20)

bool program_runs_on(const struct snapshot *snapshot, const struct program *program,
		     uint32_t chip_id)
{
	const struct allocator *a = &snapshot->allocators[program->allocator];

	for (uint32_t i = 0; i < a->chips.count && i < 64; i++)
		if (program->chips >> i & 1 &&
		    snapshot->chips[a->chips.first + i].chip_id == chip_id)
			return true;
	return false;
}

static void paint(const struct snapshot *snapshot, uint32_t index,
		  const struct program_range *range, struct residency *r)
{
	uint64_t number = snapshot->programs[index].last_dispatch;

	for (uint32_t y = range->y0; y <= range->y1 && y < PROGRAM_CORE_MAX; y++)
		for (uint32_t x = range->x0; x <= range->x1 && x < PROGRAM_CORE_MAX; x++) {
			uint32_t *cell = &r->program[y][x];

			if (*cell == SNAPSHOT_NONE ||
			    snapshot->programs[*cell].last_dispatch < number)
				*cell = index;
		}
}

int residency_of_chip(const struct snapshot *snapshot, uint32_t process, uint32_t chip_id,
		      uint64_t *budget, struct residency *ret_residency)
{
	struct span programs = snapshot->processes[process].programs;

	memset(ret_residency, 0xff, sizeof *ret_residency);
	for (uint32_t i = programs.first; i < programs.first + programs.count; i++) {
		const struct program *program = &snapshot->programs[i];

		if (!program_runs_on(snapshot, program, chip_id))
			continue;
		for (uint32_t k = 0; k < program->range_count; k++) {
			const struct program_range *range =
				&snapshot->program_ranges[program->first_range + k];
			uint64_t looks = (uint64_t)(range->x1 - range->x0 + 1) *
					 (uint64_t)(range->y1 - range->y0 + 1);

			if (range->kind != RANGE_KERNEL)
				continue;
			if (looks > *budget)
				return -E2BIG;
			*budget -= looks;
			paint(snapshot, i, range, ret_residency);
		}
	}
	return 0;
}

static void count_cores(struct snapshot *snapshot, const struct residency *r)
{
	for (uint32_t y = 0; y < PROGRAM_CORE_MAX; y++)
		for (uint32_t x = 0; x < PROGRAM_CORE_MAX; x++)
			if (r->program[y][x] != SNAPSHOT_NONE)
				snapshot->programs[r->program[y][x]].resident_cores.value++;
}

/* Has this chip been looked at already, under another allocator of the process? */
static bool seen_before(const struct snapshot *snapshot, struct span allocators, uint32_t a,
			uint32_t chip)
{
	uint32_t id = snapshot->chips[chip].chip_id;

	for (uint32_t i = allocators.first; i <= a; i++) {
		struct span chips = snapshot->allocators[i].chips;

		for (uint32_t c = chips.first; c < chips.first + chips.count; c++) {
			if (i == a && c == chip)
				return false;
			if (snapshot->chips[c].chip_id == id)
				return true;
		}
	}
	return false;
}

int residency_fill(struct snapshot *snapshot, uint32_t process)
{
	struct span allocators = snapshot->processes[process].allocators;
	struct span programs = snapshot->processes[process].programs;
	struct residency *residency;
	uint64_t budget = BUDGET;
	int r = 0;

	if (programs.count == 0)
		return 0;
	residency = malloc(sizeof *residency);
	if (!residency)
		return -ENOMEM;
	for (uint32_t i = 0; i < programs.count; i++)
		snapshot->programs[programs.first + i].resident_cores = fact_of(0);
	for (uint32_t a = allocators.first; r == 0 && a < allocators.first + allocators.count; a++) {
		struct span chips = snapshot->allocators[a].chips;

		for (uint32_t c = chips.first; r == 0 && c < chips.first + chips.count; c++) {
			if (seen_before(snapshot, allocators, a, c))
				continue;
			r = residency_of_chip(snapshot, process, snapshot->chips[c].chip_id, &budget,
					      residency);
			if (r == 0)
				count_cores(snapshot, residency);
		}
	}
	for (uint32_t i = 0; r < 0 && i < programs.count; i++)
		snapshot->programs[programs.first + i].resident_cores =
			fact_absent(REASON_MOVING);
	free(residency);
	return r == -ENOMEM ? r : 0;
}

static bool covers(const struct program_range *range, uint32_t x, uint32_t y)
{
	return x >= range->x0 && x <= range->x1 && y >= range->y0 && y <= range->y1;
}

/* The program's own memory on a core is appended. Return: 0 or -EAGAIN. */
static int add_ranges(const struct snapshot *snapshot, const struct program *program, uint32_t x,
		      uint32_t y, struct range *ranges, size_t *count)
{
	for (uint32_t k = 0; k < program->range_count; k++) {
		const struct program_range *range =
			&snapshot->program_ranges[program->first_range + k];

		if (!program_range_counts(range) || !covers(range, x, y) || range->bytes == 0)
			continue;
		if (!fact_is_known(range->address))
			return -EAGAIN;
		ranges[(*count)++] = (struct range){range->address.value,
						    range->address.value + range->bytes};
	}
	return 0;
}

/* Union of what was gathered; the ends of it are where the highest range ends. */
static int unite(struct range *ranges, size_t count, uint64_t *ret_bytes, uint64_t *ret_end)
{
	int r = ranges_sort(ranges, count);

	if (r < 0)
		return r;
	count = ranges_union(ranges, count);
	*ret_bytes = ranges_bytes(ranges, count, 0, UINT64_MAX);
	*ret_end = count ? ranges[count - 1].end : 0;
	return 0;
}

int residency_core_bytes(const struct snapshot *snapshot, uint32_t process, uint32_t chip_id,
			 uint32_t resident, uint32_t x, uint32_t y,
			 struct core_program_bytes *ret_bytes)
{
	struct span programs = snapshot->processes[process].programs;
	struct core_program_bytes bytes = {0};
	size_t total = 0, count = 0;
	uint64_t end;
	int r = 0;

	for (uint32_t i = programs.first; i < programs.first + programs.count; i++)
		total += snapshot->programs[i].range_count;
	struct range *ranges = malloc((total + 1) * sizeof *ranges);

	if (!ranges)
		return -ENOMEM;
	if (resident != SNAPSHOT_NONE)
		r = add_ranges(snapshot, &snapshot->programs[resident], x, y, ranges, &count);
	if (r == 0)
		r = unite(ranges, count, &bytes.resident, &bytes.end);
	count = 0;
	for (uint32_t i = programs.first; r == 0 && i < programs.first + programs.count; i++)
		if (program_runs_on(snapshot, &snapshot->programs[i], chip_id))
			r = add_ranges(snapshot, &snapshot->programs[i], x, y, ranges, &count);
	if (r == 0)
		r = unite(ranges, count, &bytes.cached, &end);
	free(ranges);
	if (r == 0)
		*ret_bytes = bytes;
	return r;
}
