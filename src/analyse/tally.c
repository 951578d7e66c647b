/* SPDX-License-Identifier: Apache-2.0 */
#include "analyse/tally.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static uint32_t hash_of(const struct tally *tally)
{
	uint64_t hash = ((uint64_t)tally->site << 32 | tally->thread) ^
			((uint64_t)tally->allocator << 3 | tally->type) << 20;

	hash *= UINT64_C(0x9e3779b97f4a7c15);
	return (uint32_t)(hash >> 32);
}

static bool is_same(const struct tally *a, const struct tally *b)
{
	return a->site == b->site && a->allocator == b->allocator && a->type == b->type &&
	       a->thread == b->thread;
}

/* Where the group of a buffer is, or the free bucket in which its row number belongs. */
static uint32_t *bucket_of(const struct tallies *tallies, const struct tally *wanted)
{
	uint32_t at = hash_of(wanted) & (tallies->bucket_count - 1);

	while (tallies->buckets[at] &&
	       !is_same(&tallies->rows[tallies->buckets[at] - 1], wanted))
		at = (at + 1) & (tallies->bucket_count - 1);
	return &tallies->buckets[at];
}

/* Twice as many as rows of this table, and they all find their places anew. */
static int grow_buckets(struct tallies *tallies)
{
	uint32_t count = tallies->bucket_count ? tallies->bucket_count * 2 : 256;
	uint32_t *buckets = calloc(count, sizeof *buckets);

	if (!buckets)
		return -ENOMEM;
	free(tallies->buckets);
	tallies->buckets = buckets;
	tallies->bucket_count = count;
	for (uint32_t i = tallies->table_first; i < tallies->count; i++)
		*bucket_of(tallies, &tallies->rows[i]) = i + 1;
	return 0;
}

static int grow_rows(struct tallies *tallies)
{
	uint32_t capacity = tallies->capacity ? tallies->capacity * 2 : 64;
	struct tally *rows = realloc(tallies->rows, capacity * sizeof *rows);

	if (!rows)
		return -ENOMEM;
	tallies->rows = rows;
	tallies->capacity = capacity;
	return 0;
}

int tallies_add(struct tallies *tallies, const struct buffer *buffer)
{
	struct tally tally = {.process = buffer->process,
			      .allocator = buffer->allocator,
			      .site = buffer->site,
			      .thread = tallies->by_thread ? buffer->thread : 0,
			      .type = buffer->type};
	uint64_t born_ns = tallies->now_ns - buffer->age_ns;
	int r = 0;

	if (2 * (tallies->count - tallies->table_first) >= tallies->bucket_count)
		r = grow_buckets(tallies);
	if (r == 0 && tallies->count == tallies->capacity)
		r = grow_rows(tallies);
	if (r < 0)
		return r;
	uint32_t *bucket = bucket_of(tallies, &tally);

	if (*bucket == 0) {
		tallies->rows[tallies->count] = tally;
		*bucket = ++tallies->count;
	}
	struct tally *row = &tallies->rows[*bucket - 1];

	row->buffers++;
	row->requested_bytes += buffer->requested_bytes;
	row->bank_bytes += buffer->bank_bytes;
	row->old_bank_bytes += born_ns <= tallies->cut.old_ns ? buffer->bank_bytes : 0;
	row->kept_bank_bytes += born_ns <= tallies->cut.kept_ns ? buffer->bank_bytes : 0;
	if (buffer->age_ns > row->oldest_ns)
		row->oldest_ns = buffer->age_ns;
	return 0;
}

static void empty_buckets(struct tallies *tallies)
{
	if (tallies->bucket_count)
		memset(tallies->buckets, 0, tallies->bucket_count * sizeof *tallies->buckets);
}

void tallies_restart(struct tallies *tallies)
{
	tallies->count = tallies->table_first;
	empty_buckets(tallies);
}

void tallies_table_done(struct tallies *tallies)
{
	tallies->table_first = tallies->count;
	empty_buckets(tallies);
}

void tallies_clear(struct tallies *tallies)
{
	free(tallies->rows);
	free(tallies->buckets);
	*tallies = (struct tallies){.by_thread = tallies->by_thread};
}
