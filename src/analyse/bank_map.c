/* SPDX-License-Identifier: Apache-2.0 */
#include "analyse/bank_map.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define BUFFERS_MAX (UINT32_C(1) << 30)

static uint64_t length(struct range range)
{
	return range.end - range.start;
}

/*
 * The order of the buffers by one of their ends, equal ones as they came. A radix sort of ranges,
 * with the number of the buffer in place of the other end. Return: to be freed; NULL: no memory.
 */
static struct range *order_of(const struct bank_buffer *buffers, uint32_t count, bool by_end)
{
	struct range *order = malloc(((size_t)count + 1) * sizeof *order);

	for (uint32_t i = 0; order && i < count; i++)
		order[i] = (struct range){by_end ? buffers[i].range.end : buffers[i].range.start, i};
	if (order && ranges_sort(order, count) == 0)
		return order;
	free(order);
	return NULL;
}

static bool is_sorted(const struct bank_buffer *buffers, uint32_t count, bool by_end)
{
	for (uint32_t i = 1; i < count; i++)
		if (by_end ? buffers[i - 1].range.end > buffers[i].range.end
			   : buffers[i - 1].range.start > buffers[i].range.start)
			return false;
	return true;
}

/* In place, circle by circle; a place that is done names itself. */
static void put_in_order(struct bank_buffer *buffers, struct range *order, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		struct bank_buffer moving = buffers[i];
		uint32_t at = i;

		while (order[at].end != i) {
			uint32_t from = (uint32_t)order[at].end;

			buffers[at] = buffers[from];
			order[at].end = at;
			at = from;
		}
		buffers[at] = moving;
		order[at].end = at;
	}
}

static int sort_by_start(struct bank_buffer *buffers, uint32_t count)
{
	if (is_sorted(buffers, count, false))
		return 0;
	struct range *order = order_of(buffers, count, false);

	if (!order)
		return -ENOMEM;
	put_in_order(buffers, order, count);
	free(order);
	return 0;
}

static void add_hole(struct bank_map *map, uint64_t start, uint64_t end)
{
	if (start == end)
		return;
	map->pieces[map->count++] =
		(struct bank_piece){.range = {start, end}, .owner = BANK_NONE, .index = BANK_NONE};
	map->holes++;
	map->free_bytes += end - start;
	if (end - start > map->largest_bytes)
		map->largest_bytes = end - start;
}

/*
 * Pieces and holes, from clipped buffers in order. A buffer that begins below where the last piece
 * ends overlaps just that one, or one that is marked already: pieces are only ever cut by overlap.
 */
static void add_pieces(struct bank_map *map, const struct bank_buffer *buffers, uint32_t count)
{
	uint64_t reach = map->bank.start;

	for (uint32_t i = 0; i < count; i++) {
		struct range range = buffers[i].range;
		bool overlaps = i > 0 && range.start < reach;

		if (overlaps)
			map->pieces[map->count - 1].is_shared = true;
		else
			add_hole(map, reach, range.start);
		if (range.end <= reach)
			continue;
		if (overlaps)
			range.start = reach;
		map->pieces[map->count++] = (struct bank_piece){
			.range = range,
			.owner = buffers[i].owner,
			.index = buffers[i].index,
			.buffers = 1,
		};
		map->used_bytes += length(range);
		reach = range.end;
	}
	add_hole(map, reach, map->bank.end);
}

/* Buffers in the order of their starts, as a list that they leave in the order of their ends. */
struct sweep {
	const struct bank_buffer *buffers;
	struct range *by_end;	   /* end of a buffer, and its number; NULL: the order they are in */
	uint32_t *next, *previous; /* count: the list's ends */
	uint32_t count;
};

static int sweep_start(struct sweep *sweep, const struct bank_buffer *buffers, uint32_t count)
{
	*sweep = (struct sweep){
		.buffers = buffers,
		.next = malloc(((size_t)count + 1) * sizeof *sweep->next),
		.previous = malloc(((size_t)count + 1) * sizeof *sweep->previous),
		.count = count,
	};
	if (!is_sorted(buffers, count, true)) {
		sweep->by_end = order_of(buffers, count, true);
		if (!sweep->by_end)
			return -ENOMEM;
	}
	if (!sweep->next || !sweep->previous)
		return -ENOMEM;
	for (uint32_t i = 0; i <= count; i++) {
		sweep->next[i] = i == count ? 0 : i + 1;
		sweep->previous[i] = i == 0 ? count : i - 1;
	}
	return 0;
}

static void sweep_end(struct sweep *sweep)
{
	free(sweep->by_end);
	free(sweep->next);
	free(sweep->previous);
}

/* The i-th to end. */
static uint32_t sweep_at(const struct sweep *sweep, uint32_t i)
{
	return sweep->by_end ? (uint32_t)sweep->by_end[i].end : i;
}

static void sweep_leave(struct sweep *sweep, uint32_t i)
{
	sweep->next[sweep->previous[i]] = sweep->next[i];
	sweep->previous[sweep->next[i]] = sweep->previous[i];
}

/* A longer hole, or the same for fewer bytes; addresses only grow, so the lowest stays. */
static bool is_better(const struct bank_release *best, struct range hole, uint64_t bytes)
{
	if (length(hole) != length(best->hole))
		return length(hole) > length(best->hole);
	return bytes < best->bytes;
}

/* Every hole that begins at `edge`: with the first k of those gone that end behind it. */
static void try_edge(const struct sweep *sweep, struct bank_map *map, uint64_t edge)
{
	struct bank_release now = {.hole = {edge, edge}};
	uint32_t at = sweep->next[sweep->count];

	for (uint32_t k = 0; k <= BANK_RELEASES_MAX; k++) {
		bool last = at == sweep->count;

		now.hole.end = last ? map->bank.end : sweep->buffers[at].range.start;
		if (now.hole.end > edge && is_better(&map->releases[k], now.hole, now.bytes))
			map->releases[k] = now;
		if (last || k == BANK_RELEASES_MAX)
			return;
		now.indices[now.count++] = sweep->buffers[at].index;
		now.bytes += length(sweep->buffers[at].range);
		at = sweep->next[at];
	}
}

/*
 * A hole that is as long as can be begins where the bank or a buffer does not go on. From left to
 * right over these edges, those that end before leave the list, so it begins with what is next.
 */
static int find_releases(struct bank_map *map, const struct bank_buffer *buffers, uint32_t count)
{
	struct sweep sweep;
	int r = sweep_start(&sweep, buffers, count);

	if (r == 0)
		try_edge(&sweep, map, map->bank.start);
	for (uint32_t i = 0; r == 0 && i < count;) {
		uint64_t edge = buffers[sweep_at(&sweep, i)].range.end;

		for (; i < count && buffers[sweep_at(&sweep, i)].range.end == edge; i++)
			sweep_leave(&sweep, sweep_at(&sweep, i));
		try_edge(&sweep, map, edge);
	}
	sweep_end(&sweep);
	/* fewer may do just as well: near an end of the bank, or when there are no more */
	for (uint32_t k = 1; k <= BANK_RELEASES_MAX; k++)
		if (length(map->releases[k].hole) <= length(map->releases[k - 1].hole))
			map->releases[k] = map->releases[k - 1];
	return r;
}

/* Only what lies in the bank, cut to it. Return: how many. */
static uint32_t clip(struct range bank, struct bank_buffer *buffers, size_t count)
{
	uint32_t kept = 0;

	for (size_t i = 0; i < count; i++) {
		struct bank_buffer one = buffers[i];

		if (one.range.start < bank.start)
			one.range.start = bank.start;
		if (one.range.end > bank.end)
			one.range.end = bank.end;
		if (one.range.start < one.range.end)
			buffers[kept++] = one;
	}
	return kept;
}

int bank_map_make(struct range bank, struct bank_buffer *buffers, size_t count,
		  struct bank_map *ret_map)
{
	struct bank_map map = {.bank = bank};

	if (bank.start >= bank.end)
		return -EINVAL;
	if (count > BUFFERS_MAX)
		return -E2BIG;
	map.buffers = clip(bank, buffers, count);
	map.pieces = malloc((2 * (size_t)map.buffers + 1) * sizeof *map.pieces);
	if (!map.pieces)
		return -ENOMEM;
	int r = sort_by_start(buffers, map.buffers);

	if (r == 0) {
		add_pieces(&map, buffers, map.buffers);
		r = find_releases(&map, buffers, map.buffers);
	}
	if (r < 0) {
		bank_map_clear(&map);
		return r;
	}
	*ret_map = map;
	return 0;
}

void bank_map_clear(struct bank_map *map)
{
	free(map->pieces);
	*map = (struct bank_map){0};
}

/* So many pieces are at least so long. */
static uint32_t count_long(const struct bank_map *map, uint64_t bytes)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < map->count; i++)
		count += length(map->pieces[i].range) >= bytes;
	return count;
}

/* The shortest length that at most `most` pieces have; a power of two is near enough. */
static uint64_t long_enough(const struct bank_map *map, uint32_t most)
{
	unsigned bit = 0;

	while (bit < 63 && count_long(map, UINT64_C(1) << bit) > most)
		bit++;
	return UINT64_C(1) << bit;
}

static bool is_hole(const struct bank_piece *piece)
{
	return piece->buffers == 0;
}

/* May a short piece become a part of what is before it? A hole belongs to both sides. */
static bool joins(const struct bank_piece *before, const struct bank_piece *piece, bool by_owner)
{
	return !by_owner || is_hole(piece) || is_hole(before) || before->owner == piece->owner;
}

static void join(struct bank_piece *to, const struct bank_piece *piece)
{
	/* a hole that becomes a part is one between buffers */
	if (is_hole(to) && to->holes == 0) {
		to->holes = 1;
		to->free_bytes = length(to->range);
		to->owner = piece->owner;
		to->index = piece->index;
	} else if (!is_hole(piece) && to->owner != piece->owner) {
		to->owner = BANK_NONE;
	}
	to->range.end = piece->range.end;
	to->buffers += piece->buffers;
	to->holes += is_hole(piece);
	to->free_bytes += is_hole(piece) ? length(piece->range) : 0;
	to->is_shared |= piece->is_shared;
}

/* Return: how many there would be; no more than `most` are written. */
static uint32_t fold(const struct bank_map *map, uint64_t bytes, bool by_owner, uint32_t most,
		     struct bank_piece *pieces)
{
	struct bank_piece now = {0};
	bool was_short = false;
	uint32_t count = 0;

	for (uint32_t i = 0; i < map->count; i++) {
		const struct bank_piece *piece = &map->pieces[i];
		bool is_short = length(piece->range) < bytes;

		if (is_short && was_short && joins(&now, piece, by_owner)) {
			join(&now, piece);
		} else {
			if (i > 0 && ++count <= most)
				pieces[count - 1] = now;
			now = *piece;
		}
		was_short = is_short;
	}
	if (++count <= most)
		pieces[count - 1] = now;
	return count;
}

uint32_t bank_map_fold(const struct bank_map *map, uint32_t most, struct bank_piece *ret_pieces)
{
	/* between n long ones there is room for n + 1 others */
	uint64_t bytes = map->count <= most ? 0 : long_enough(map, (most - 1) / 2);
	uint32_t count = fold(map, bytes, true, most, ret_pieces);

	return count <= most ? count : fold(map, bytes, false, most, ret_pieces);
}
