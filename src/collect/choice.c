/* SPDX-License-Identifier: Apache-2.0 */
#include "collect/choice.h"

#include <errno.h>
#include <stdlib.h>

static bool comes_before(const struct choice_rank *a, const struct choice_rank *b)
{
	return a->key != b->key ? a->key < b->key : a->place < b->place;
}

static void swap(struct choice_rank *a, struct choice_rank *b)
{
	struct choice_rank kept = *a;

	*a = *b;
	*b = kept;
}

static void sift_up(struct choice_rank *ranks, uint32_t at)
{
	while (at > 0 && comes_before(&ranks[(at - 1) / 2], &ranks[at])) {
		swap(&ranks[(at - 1) / 2], &ranks[at]);
		at = (at - 1) / 2;
	}
}

static void sift_down(struct choice_rank *ranks, uint32_t count)
{
	uint64_t at = 0;

	for (;;) {
		uint64_t child = 2 * at + 1;

		if (child >= count)
			return;
		if (child + 1 < count && comes_before(&ranks[child], &ranks[child + 1]))
			child++;
		if (!comes_before(&ranks[at], &ranks[child]))
			return;
		swap(&ranks[at], &ranks[child]);
		at = child;
	}
}

static int grow(struct choice_heap *heap, uint32_t limit)
{
	uint64_t larger = heap->capacity ? (uint64_t)heap->capacity * 2 : 128;
	uint32_t capacity = larger < limit ? (uint32_t)larger : limit;
	struct choice_rank *ranks = realloc(heap->ranks, capacity * sizeof *ranks);

	if (!ranks)
		return -ENOMEM;
	heap->ranks = ranks;
	struct buffer *rows = realloc(heap->rows, capacity * sizeof *rows);

	if (!rows)
		return -ENOMEM;
	heap->rows = rows;
	heap->capacity = capacity;
	return 0;
}

/* Would it be among the first `limit`? */
static bool has_room_for(const struct choice_heap *heap, uint32_t limit,
			 const struct choice_rank *rank)
{
	return heap->count < limit || (limit > 0 && comes_before(rank, &heap->ranks[0]));
}

static int insert(struct choice_heap *heap, uint32_t limit, struct choice_rank rank,
		  const struct buffer *buffer)
{
	if (!has_room_for(heap, limit, &rank))
		return 0;
	if (heap->count == limit) { /* the last one goes, and its row is used again */
		rank.row = heap->ranks[0].row;
		heap->rows[rank.row] = *buffer;
		heap->ranks[0] = rank;
		sift_down(heap->ranks, heap->count);
		return 0;
	}
	int r = heap->count == heap->capacity ? grow(heap, limit) : 0;

	if (r < 0)
		return r;
	rank.row = heap->count;
	heap->rows[rank.row] = *buffer;
	heap->ranks[heap->count] = rank;
	sift_up(heap->ranks, heap->count++);
	return 0;
}

void choice_restart(struct choice *choice)
{
	choice->table.count = 0;
	choice->table_seen = choice->table_passing = 0;
}

int choice_offer(struct choice *choice, const struct collect_choice *wanted,
		 const struct snapshot *snapshot, const struct buffer *buffer)
{
	struct choice_rank rank = {.place = choice->seen + choice->table_seen++};

	if (!wanted->passes(wanted->argument, snapshot, buffer))
		return 0;
	choice->table_passing++;
	rank.key = wanted->key(wanted->argument, snapshot, buffer);
	/* the tables before this one may have filled all the places already */
	if (!has_room_for(&choice->all, wanted->count, &rank))
		return 0;
	return insert(&choice->table, wanted->count, rank, buffer);
}

int choice_table_done(struct choice *choice, const struct collect_choice *wanted)
{
	const struct choice_heap *table = &choice->table;
	int r = 0;

	for (uint32_t i = 0; r == 0 && i < table->count; i++)
		r = insert(&choice->all, wanted->count, table->ranks[i],
			   &table->rows[table->ranks[i].row]);
	choice->seen += choice->table_seen;
	choice->passing += choice->table_passing;
	choice_restart(choice);
	return r;
}

static int by_place(const void *a, const void *b)
{
	const struct choice_rank *x = a, *y = b;

	return x->place < y->place ? -1 : x->place > y->place;
}

int choice_finish(struct choice *choice, struct snapshot *snapshot)
{
	struct choice_heap *all = &choice->all;
	uint32_t index;

	if (all->count)
		qsort(all->ranks, all->count, sizeof *all->ranks, by_place);
	for (uint32_t i = 0; i < all->count; i++) {
		int r = snapshot_add_buffer(snapshot, &index);

		if (r < 0)
			return r;
		snapshot->buffers[index] = all->rows[all->ranks[i].row];
	}
	snapshot->is_counted = 1;
	snapshot->buffers_seen = choice->seen;
	snapshot->buffers_passing = choice->passing;
	return 0;
}

static void heap_clear(struct choice_heap *heap)
{
	free(heap->ranks);
	free(heap->rows);
	*heap = (struct choice_heap){0};
}

void choice_clear(struct choice *choice)
{
	heap_clear(&choice->all);
	heap_clear(&choice->table);
}
