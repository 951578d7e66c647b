/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The map of a bank and the best buffers to release, against a bank too simple to be wrong: a count
 * of buffers for each byte, and every set of buffers tried. Several allocators hand out the same
 * addresses, so buffers overlap in half of the 10,000 random histories.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyse/bank_map.h"

#define HISTORIES  10000
#define SPACE	   192u
#define BUFFERS	   9u
#define ALLOCATORS 3u

#define CHECK(condition)                                                                           \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			printf("not ok %s: history %u, line %d: %s\n", __func__, history,          \
			       __LINE__, #condition);                                              \
			exit(1);                                                                   \
		}                                                                                  \
	} while (0)

static uint64_t state = 7;
static unsigned history;

static uint32_t below(uint32_t n)
{
	state = state * UINT64_C(6364136223846793005) + 1442695040888963407;
	return (uint32_t)((state >> 33) % n);
}

struct naive {
	struct range bank;
	struct bank_buffer buffers[BUFFERS];
	uint32_t count;
	uint32_t next;
};

static void cover(const struct naive *naive, uint32_t gone, uint8_t *users)
{
	memset(users, 0, SPACE);
	for (uint32_t i = 0; i < naive->count; i++)
		for (uint64_t at = naive->buffers[i].range.start;
		     !(gone & 1u << i) && at < naive->buffers[i].range.end; at++)
			users[at]++;
}

static struct range longest(const struct naive *naive, uint32_t gone)
{
	uint8_t users[SPACE];
	struct range best = {0, 0};
	uint64_t from = naive->bank.start;

	cover(naive, gone, users);
	for (uint64_t at = naive->bank.start; at < naive->bank.end; at++) {
		if (users[at])
			from = at + 1;
		else if (at + 1 - from > best.end - best.start)
			best = (struct range){from, at + 1};
	}
	return best;
}

/* First fit of one allocator, which does not see the others' buffers. */
static void allocate(struct naive *naive, uint32_t owner, uint64_t bytes)
{
	uint64_t at = naive->bank.start + below(8);

	for (uint32_t i = 0; i < naive->count;) {
		const struct bank_buffer *one = &naive->buffers[i];

		if (one->owner == owner && one->range.start < at + bytes && at < one->range.end) {
			at = one->range.end;
			i = 0;
		} else {
			i++;
		}
	}
	if (at + bytes <= naive->bank.end)
		naive->buffers[naive->count++] =
			(struct bank_buffer){{at, at + bytes}, owner, naive->next++};
}

static void play(struct naive *naive)
{
	uint32_t owners = 1 + below(2) * below(ALLOCATORS);

	*naive = (struct naive){.bank = {below(16), SPACE - below(16)}};
	for (uint32_t step = below(60); step > 0; step--) {
		if (naive->count && (naive->count == BUFFERS || below(5) < 2))
			naive->buffers[below(naive->count)] = naive->buffers[naive->count - 1],
			naive->count--;
		else
			allocate(naive, below(owners), 1 + below(40));
	}
}

/* Pieces and holes are the bank, byte for byte, and a shared one is marked. */
static void check_pieces(const struct naive *naive, const struct bank_map *map)
{
	uint8_t users[SPACE];
	uint64_t at = naive->bank.start, used = 0;
	uint32_t holes = 0;

	cover(naive, 0, users);
	for (uint32_t i = 0; i < map->count; i++) {
		const struct bank_piece *piece = &map->pieces[i];
		bool shared = false;

		CHECK(piece->range.start == at && piece->range.end > at);
		for (; at < piece->range.end; at++) {
			CHECK((users[at] == 0) == (piece->buffers == 0));
			shared |= users[at] > 1;
			used += users[at] != 0;
		}
		CHECK(!shared || piece->is_shared);
		holes += piece->buffers == 0;
		for (uint32_t b = 0; piece->buffers && b < naive->count; b++)
			if (naive->buffers[b].index == piece->index)
				CHECK(naive->buffers[b].owner == piece->owner &&
				      naive->buffers[b].range.start <= piece->range.start &&
				      naive->buffers[b].range.end >= piece->range.end);
	}
	struct range hole = longest(naive, 0);

	CHECK(at == naive->bank.end && map->holes == holes && map->buffers == naive->count);
	CHECK(map->used_bytes == used && map->free_bytes == at - naive->bank.start - used);
	CHECK(map->largest_bytes == hole.end - hole.start);
}

/* What a release says of itself is so, and no set of as many buffers does better. */
static void check_releases(const struct naive *naive, const struct bank_map *map)
{
	uint64_t best[BANK_RELEASES_MAX + 1] = {0}, cheapest[BANK_RELEASES_MAX + 1];

	memset(cheapest, 0xff, sizeof cheapest);
	for (uint32_t gone = 0; gone < 1u << naive->count; gone++) {
		struct range hole = longest(naive, gone);
		uint64_t bytes = 0, length = hole.end - hole.start;

		for (uint32_t i = 0; i < naive->count; i++)
			if (gone & 1u << i)
				bytes += naive->buffers[i].range.end - naive->buffers[i].range.start;
		for (uint32_t k = (uint32_t)__builtin_popcount(gone); k <= BANK_RELEASES_MAX; k++)
			if (length > best[k] || (length == best[k] && bytes < cheapest[k])) {
				best[k] = length;
				cheapest[k] = bytes;
			}
	}
	for (uint32_t k = 0; k <= BANK_RELEASES_MAX; k++) {
		const struct bank_release *release = &map->releases[k];
		uint32_t gone = 0;
		uint64_t bytes = 0;

		CHECK(release->count <= k);
		for (uint32_t i = 0; i < release->count; i++)
			for (uint32_t b = 0; b < naive->count; b++)
				if (naive->buffers[b].index == release->indices[i]) {
					CHECK(!(gone & 1u << b));
					gone |= 1u << b;
					bytes += naive->buffers[b].range.end -
						 naive->buffers[b].range.start;
				}
		CHECK((uint32_t)__builtin_popcount(gone) == release->count);
		CHECK(release->hole.end - release->hole.start == best[k]);
		CHECK(release->bytes == bytes && bytes == cheapest[k]);

		struct range hole = longest(naive, gone);

		CHECK(hole.end - hole.start == best[k]);
	}
}

/* Folded or not, it is the same bank: no gap, and nothing is lost of buffers and free bytes. */
static void check_fold(const struct naive *naive, const struct bank_map *map)
{
	struct bank_piece pieces[2 * BUFFERS + 1];
	uint32_t most = 3 + below(2 * BUFFERS - 2);
	uint32_t count = bank_map_fold(map, most, pieces), buffers = 0, holes = 0, whole = 0;
	uint64_t at = naive->bank.start, free_bytes = 0;

	CHECK(count >= 1 && count <= most);
	for (uint32_t i = 0; i < count; i++) {
		const struct bank_piece *piece = &pieces[i];

		CHECK(piece->range.start == at && piece->range.end > at);
		at = piece->range.end;
		buffers += piece->buffers;
		holes += piece->buffers ? piece->holes : 1;
		free_bytes += piece->buffers ? piece->free_bytes : at - piece->range.start;
	}
	for (uint32_t i = 0; i < map->count; i++)
		whole += map->pieces[i].buffers;
	CHECK(at == naive->bank.end && buffers == whole && holes == map->holes);
	CHECK(free_bytes == map->free_bytes);
}

int main(void)
{
	for (history = 0; history < HISTORIES; history++) {
		struct bank_buffer sorted[BUFFERS];
		struct bank_map map;
		struct naive naive;

		play(&naive);
		memcpy(sorted, naive.buffers, sizeof sorted);
		int r = bank_map_make(naive.bank, sorted, naive.count, &map);

		CHECK(r == 0);
		check_pieces(&naive, &map);
		check_releases(&naive, &map);
		check_fold(&naive, &map);
		bank_map_clear(&map);
	}
	printf("ok property_bank_map: %d histories\n", HISTORIES);
	return 0;
}
