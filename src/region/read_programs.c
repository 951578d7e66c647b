/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The programs of a table, each copied with its kernels and ranges under one
 * sequence word. A row that says more than its parts can hold, or rows that
 * share their runs, are lies: what is copied never exceeds what there is room
 * for.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "region/reader_internal.h"
#include "region/words.h"

#define WORDS(type) (sizeof(type) / sizeof(uint64_t))

/* What one more program may still bring along, so that liars cannot make us copy for ever. */
static bool runs_fit(const struct region_map *map, const struct region_program *row,
		     const struct region_programs *all)
{
	uint32_t kernels = map->parts[REGION_PART_KERNELS].count;
	uint32_t ranges = map->parts[REGION_PART_PROGRAM_RANGES].count;

	return row->kernel_count <= kernels - all->kernel_count &&
	       row->range_count <= ranges - all->range_count &&
	       row->first_kernel <= kernels - row->kernel_count &&
	       row->first_range <= ranges - row->range_count;
}

/* Return: false if some of it lies on a page that had no data when the map was last refreshed. */
static bool copy_run(const struct region_map *map, enum region_part_id part, uint32_t first,
		     uint32_t count, size_t bytes, void *to)
{
	for (uint32_t i = 0; i < count; i++) {
		uint64_t *copy = (uint64_t *)(void *)((uint8_t *)to + i * bytes);
		const void *shared = reader_row_at(map, part, (uint64_t)first + i);

		if (!shared)
			return false;
		reader_copy_words(copy, shared, bytes / sizeof *copy);
	}
	return true;
}

/* Return: 1 copied; 0 not a program, or no longer; -1 half written or a lie. */
static int copy_program(const struct region_map *map, const struct region_program *shared,
			struct region_programs *all)
{
	struct region_program *row = &all->programs[all->count];
	struct region_kernel *kernels = &all->kernels[all->kernel_count];
	struct region_program_range *ranges = &all->ranges[all->range_count];
	uint64_t first = word_load(&shared->seq);

	if (first == 0)
		return 0;
	if (first & 1)
		return -1;
	reader_copy_words((uint64_t *)(void *)row + 1, (const uint64_t *)(const void *)shared + 1,
			  WORDS(*row) - 1);
	row->seq = first;
	if (!runs_fit(map, row, all)) /* a row that was used anew meanwhile is no lie */
		return word_load(&shared->seq) == first ? -1 : 0;
	bool seen = copy_run(map, REGION_PART_KERNELS, row->first_kernel, row->kernel_count,
			     sizeof *kernels, kernels) &&
		    copy_run(map, REGION_PART_PROGRAM_RANGES, row->first_range, row->range_count,
			     sizeof *ranges, ranges);

	if (word_load(&shared->seq) != first)
		return 0;
	if (!seen) { /* whole in the table, but not before us */
		all->unseen++;
		return 0;
	}
	for (uint32_t i = 0; i < row->kernel_count; i++)
		kernels[i].name[sizeof kernels[i].name - 1] = '\0';
	row->op[sizeof row->op - 1] = '\0';
	row->first_kernel = all->kernel_count;
	row->first_range = all->range_count;
	return 1;
}

static void scan(const struct region_map *map, uint32_t rows, struct region_programs *all)
{
	all->count = all->kernel_count = all->range_count = all->torn = all->unseen = 0;
	for (uint32_t i = 0; i < rows; i++) {
		const struct region_program *shared = reader_row_at(map, REGION_PART_PROGRAMS, i);
		int r = shared ? copy_program(map, shared, all) : 0;

		if (r < 0)
			all->torn++;
		if (r <= 0)
			continue;
		all->kernel_count += all->programs[all->count].kernel_count;
		all->range_count += all->programs[all->count].range_count;
		all->count++;
	}
}

int region_read_programs(const struct region_map *map, struct region_programs *ret_programs)
{
	const struct region_head *head = reader_head(map);
	struct region_programs all = {0};
	uint32_t rows = word_load32(&head->programs_high_water);

	*ret_programs = (struct region_programs){.consistent = true};
	if (rows > map->parts[REGION_PART_PROGRAMS].count)
		rows = map->parts[REGION_PART_PROGRAMS].count;
	if (rows == 0)
		return 0;
	/* one more, so that no pointer above is ever out of its array */
	all.programs = calloc(rows + 1, sizeof *all.programs);
	all.kernels = calloc((size_t)map->parts[REGION_PART_KERNELS].count + 1,
			     sizeof *all.kernels);
	all.ranges = calloc((size_t)map->parts[REGION_PART_PROGRAM_RANGES].count + 1,
			    sizeof *all.ranges);
	if (!all.programs || !all.kernels || !all.ranges) {
		region_programs_clear(&all);
		return -ENOMEM;
	}
	for (int attempt = 0; attempt < CUT_ATTEMPTS && !all.consistent; attempt++) {
		uint64_t event = word_load(&head->seq), dispatch = word_load(&head->dispatches);

		scan(map, rows, &all);
		all.event = event / 2;
		all.dispatches = dispatch;
		all.consistent = all.torn == 0 && all.unseen == 0 &&
				 dispatch == word_load(&head->dispatches) &&
				 seq_is_stable(event, word_load(&head->seq));
	}
	*ret_programs = all;
	return 0;
}

void region_programs_clear(struct region_programs *programs)
{
	free(programs->programs);
	free(programs->kernels);
	free(programs->ranges);
	*programs = (struct region_programs){0};
}
