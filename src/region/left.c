/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is live when its device closes leaves the table; what it was stays, added
 * up by site and memory type.
 *
 * A closing is one event that may add to a row many times. So a row is opened at
 * the first of them and closed at the end: a sequence word that was even in
 * between would be equal before and after the next one. Rows are never given
 * back. Whose they are is kept in private memory, never read back.
 */
#include "region/writer_internal.h"

#include "region/memfd.h"

static struct region_left *left_at(const struct region_writer *writer, uint32_t row)
{
	return (struct region_left *)(void *)(writer->table + REGION_LEFT_OFFSET) + row;
}

static uint64_t left_key(uint32_t site, uint32_t type)
{
	return (uint64_t)site << 8 | type;
}

/* Where the row of a key is, or the free bucket in which it belongs. */
static uint16_t *left_bucket(struct region_writer_left *left, uint64_t key)
{
	uint32_t mask = 2 * REGION_LEFT_MAX - 1;
	uint32_t at = (uint32_t)(key * UINT64_C(0x9e3779b97f4a7c15) >> 32) & mask;

	while (left->buckets[at] && left->keys[left->buckets[at] - 1] != key)
		at = (at + 1) & mask;
	return &left->buckets[at];
}

/* The table may move. Return: is there a page for the next row? */
static bool left_back(struct region_writer *writer)
{
	struct region_writer_left *left = &writer->private->left;
	uint64_t offset = REGION_LEFT_OFFSET + left->backed * sizeof(struct region_left);

	if (left->used == REGION_LEFT_MAX)
		return false;
	if (left->used < left->backed)
		return true;
	if (writer_check_table(writer) < 0 ||
	    memfd_back(writer->table_fd, offset, REGION_PAGE_BYTES) < 0)
		return false;
	left->backed += REGION_PAGE_BYTES / sizeof(struct region_left);
	return true;
}

/* NULL: there is no room. */
static struct region_left *left_row(struct region_writer *writer, uint32_t site, uint32_t type)
{
	struct region_writer_left *left = &writer->private->left;
	uint64_t key = left_key(site, type);
	uint16_t *bucket = left_bucket(left, key);

	if (*bucket)
		return left_at(writer, *bucket - 1u);
	if (!left_back(writer))
		return NULL;
	struct region_left *row = left_at(writer, left->used);

	seq_begin(&row->seq, writer->event);
	word_store32(&row->site, site);
	word_store32(&row->type, type);
	left->keys[left->used] = key;
	*bucket = (uint16_t)++left->used;
	word_store(&writer_head(writer)->left_rows, left->used);
	return row;
}

void writer_left_add(struct region_writer *writer, uint32_t slot)
{
	const struct region_slot *s = writer_slot(writer, slot);
	uint64_t place = own(&s->place_bank), requested = own(&s->requested_bytes);
	uint32_t site = (uint32_t)(own(&s->origin) >> 32);
	uint32_t type = region_slot_type(place) % REGION_MEMORY_TYPES;
	uint32_t banks =
		writer_allocator(writer, region_slot_allocator(place))->geometry[type].banks;
	struct region_left *row = left_row(writer, site, type);

	if (!row)
		return;
	seq_begin(&row->seq, writer->event);
	add(&row->buffers, 1);
	add(&row->requested_bytes, requested);
	add(&row->occupied_bytes, region_slot_bank_bytes(place) * banks);
}

void writer_left_done(struct region_writer *writer)
{
	for (uint32_t i = 0; i < writer->private->left.used; i++) {
		struct region_left *row = left_at(writer, i);

		if (own(&row->seq) & 1)
			seq_end(&row->seq, writer->event);
	}
}

bool writer_left_is_valid(const struct region_writer *writer)
{
	const struct region_writer_left *left = &writer->private->left;
	uint64_t buffers = 0;

	for (uint32_t i = 0; i < left->used; i++) {
		const struct region_left *row = left_at(writer, i);

		if (row->seq == 0 || row->seq & 1 || row->seq > 2 * writer->event ||
		    left->keys[i] != left_key(row->site, row->type) || row->buffers == 0)
			return false;
		buffers += row->buffers;
	}
	return left->used <= left->backed && left->backed <= REGION_LEFT_MAX &&
	       left->used == writer_head(writer)->left_rows &&
	       buffers <= writer_head(writer)->left_at_close;
}
