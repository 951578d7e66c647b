/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A table without its slots: allocators with their figures, failures, capabilities, what closings left.
 * Each row is copied under its sequence word. One that never stands still is not hidden: what is there is
 * copied, and said to be torn.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "region/reader_internal.h"
#include "region/words.h"

/* Some microseconds: a writer on a processor of its own is through with a row long before. */
#define LOOKS 1000

/*
 * A writer may lose its processor in the middle of a row. It gets it back within some milliseconds,
 * sooner if we sleep; a stopped or killed one never does. So many naps for all rows of a table.
 */
#define NAPS   16
#define NAP_NS 200000

/*
 * A row whose first word is its sequence word. Return: true with a whole copy
 * (seq 0: the row was never used); false if it never stood still: then the copy
 * is what was there at the last look, words of one state and of the next.
 */
static bool copy_row(void *to, const void *from, size_t bytes)
{
	const uint64_t *shared = from;
	uint64_t *copy = to;

	for (int look = 0; look < LOOKS; look++) {
		copy[0] = word_load(&shared[0]);
		if (copy[0] & 1 && look < LOOKS - 1) /* being written: a copy would be for nothing */
			continue;
		reader_copy_words(copy + 1, shared + 1, bytes / sizeof *copy - 1);
		/* ordered after the loads above, which are acquire */
		if (seq_is_stable(copy[0], word_load(&shared[0])))
			return true;
	}
	return false;
}

/* Rows are read one after another; what waiting for one has used up is not there for the next. */
struct patience {
	int naps;
};

/* Return: false: none is left. */
static bool take_nap(struct patience *patience)
{
	static const struct timespec nap = {.tv_nsec = NAP_NS};

	if (patience->naps == 0)
		return false;
	patience->naps--;
	(void)nanosleep(&nap, NULL);
	return true;
}

static bool read_part_row(const struct region_map *map, enum region_part_id part, uint64_t index,
			  void *to, struct patience *patience)
{
	const void *shared = reader_row_at(map, part, index);

	memset(to, 0, reader_known_bytes(part));
	if (!shared) /* a hole reads as a row never used */
		return true;
	while (!copy_row(to, shared, reader_row_bytes(map, part)))
		if (!take_nap(patience))
			return false;
	return true;
}

/*
 * An allocator is counted only when its row is whole, so a half written one is being closed, or was
 * when its process ended: what is there still says more than nothing.
 */
static void read_row(const struct region_map *map, uint32_t id, struct region_image *image,
		     struct patience *patience)
{
	struct region_row *row = &image->rows[image->row_count];
	bool whole = read_part_row(map, REGION_PART_ALLOCATORS, id, &row->allocator, patience);

	if (row->allocator.seq == 0)
		return;
	for (uint32_t type = 0; type < REGION_MEMORY_TYPES; type++) {
		uint64_t at = (uint64_t)id * REGION_MEMORY_TYPES + type;

		row->torn[type] = !read_part_row(map, REGION_PART_TOTALS, at, &row->totals[type],
						 patience);
		whole = whole && !row->torn[type];
		/* an answer of which only half is there is none */
		if (!read_part_row(map, REGION_PART_VERIFY, at, &row->verify[type], patience))
			memset(&row->verify[type], 0, sizeof row->verify[type]);
	}
	image->torn += !whole;
	row->id = id;
	if (row->allocator.chip_count > REGION_CHIPS_MAX)
		row->allocator.chip_count = REGION_CHIPS_MAX;
	image->row_count++;
}

/* Newest first. A row is written before it is counted: one newer than the last is in an old one's place. */
static void read_failures(const struct region_map *map, struct region_image *image,
			  struct patience *patience)
{
	uint64_t rows = map->parts[REGION_PART_FAILURES].count;
	uint64_t total = image->head.failures_count;
	uint64_t newest = UINT64_MAX;

	for (uint64_t i = 0; i < rows && i < total; i++) {
		struct region_failure *failure = &image->failures[image->failure_count];

		if (!read_part_row(map, REGION_PART_FAILURES, (total - 1 - i) % rows, failure,
				   patience) ||
		    failure->seq == 0 || failure->seq > newest)
			continue;
		newest = failure->seq;
		image->failure_count++;
	}
}

/*
 * Twice the same and not marked: it is of one state. Return: false if it never was: that of a process
 * which ended in the middle of one is as good as not told.
 */
static bool copy_capability(struct region_capability *copy, const struct region_capability *shared)
{
	const uint64_t *from = (const uint64_t *)(const void *)shared;
	uint64_t words[2][sizeof *copy / sizeof(uint64_t)];

	for (int look = 0; look < LOOKS; look++) {
		for (int i = 0; i < 2; i++)
			reader_copy_words(words[i], from, sizeof words[i] / sizeof words[i][0]);
		if (memcmp(words[0], words[1], sizeof words[0]) != 0)
			continue;
		/* by bytes: the row alone need not lie where words may */
		memcpy(copy, words[0], sizeof *copy);
		if (!copy->half_written)
			return true;
	}
	return false;
}

static bool read_capability(struct region_capability *copy, const struct region_capability *shared,
			    struct patience *patience)
{
	while (!copy_capability(copy, shared))
		if (!take_nap(patience))
			return false;
	return true;
}

static void read_capabilities(const struct region_map *map, struct region_image *image,
			      struct patience *patience)
{
	for (uint32_t i = 0; i < map->parts[REGION_PART_CAPABILITIES].count; i++) {
		const struct region_capability *shared = reader_row_at(map, REGION_PART_CAPABILITIES, i);
		struct region_capability *copy = &image->capabilities[image->capability_count];

		if (!shared || !read_capability(copy, shared, patience))
			continue;
		copy->name[sizeof copy->name - 1] = '\0';
		copy->detail[sizeof copy->detail - 1] = '\0';
		if (copy->name[0])
			image->capability_count++;
	}
}

int region_read_left(struct region_map *map, struct region_lefts *ret_lefts)
{
	/* of a process that goes on a row may be open for as long as its device closes: it is not waited for */
	struct patience patience = {.naps = 0};
	uint64_t used = word_load(&reader_head(map)->left_rows);
	uint32_t rows = map->parts[REGION_PART_LEFT].count;

	*ret_lefts = (struct region_lefts){0};
	if (used < rows)
		rows = (uint32_t)used;
	if (rows == 0)
		return 0;
	int r = reader_refresh_part(map, REGION_PART_LEFT,
				    (uint64_t)rows * map->parts[REGION_PART_LEFT].element_bytes);
	struct region_left *memory = r == 0 ? malloc(rows * sizeof *memory) : NULL;

	if (!memory)
		return r < 0 ? r : -ENOMEM;
	ret_lefts->rows = memory;
	for (uint32_t i = 0; i < rows; i++) {
		struct region_left *row = &memory[ret_lefts->count];

		(void)read_part_row(map, REGION_PART_LEFT, i, row, &patience);
		if (row->seq != 0 && row->type < REGION_MEMORY_TYPES)
			ret_lefts->count++;
	}
	return 0;
}

void region_lefts_clear(struct region_lefts *lefts)
{
	free(lefts->rows);
	*lefts = (struct region_lefts){0};
}

static void read_head(const struct region_map *map, struct region_head *head)
{
	reader_copy_words((uint64_t *)(void *)head, (const uint64_t *)(const void *)map->base,
		   sizeof *head / sizeof(uint64_t));
	head->metal_version[sizeof head->metal_version - 1] = '\0';
	head->entry[sizeof head->entry - 1] = '\0';
	if (head->build_id_bytes > sizeof head->build_id)
		head->build_id_bytes = 0;
}

int region_read_image(const struct region_map *map, struct region_image *ret_image)
{
	/* nobody is waited for who will not write again */
	struct patience patience = {.naps = map->fd < 0 ? 0 : NAPS};
	uint64_t used = word_load(&reader_head(map)->allocators_used);
	uint32_t rows = map->parts[REGION_PART_ALLOCATORS].count;

	if (used < rows)
		rows = (uint32_t)used;
	struct region_row *memory = malloc((rows ? rows : 1) * sizeof *memory);

	if (!memory)
		return -ENOMEM;
	/* filled in place: it is large, most of it is the unused end of its arrays */
	ret_image->rows = memory;
	ret_image->torn = 0;
	ret_image->row_count = ret_image->failure_count = ret_image->capability_count = 0;
	read_head(map, &ret_image->head);
	ret_image->event = ret_image->head.seq / 2;
	for (uint32_t id = 0; id < rows; id++)
		read_row(map, id, ret_image, &patience);
	read_failures(map, ret_image, &patience);
	read_capabilities(map, ret_image, &patience);
	return 0;
}

void region_image_clear(struct region_image *image)
{
	free(image->rows);
	image->rows = NULL;
	image->row_count = image->failure_count = image->capability_count = 0;
}
