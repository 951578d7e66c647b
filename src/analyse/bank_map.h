/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The address range of one bank, from end to end: who has what, where the holes are, and which few
 * buffers stand between the holes. Pure functions.
 *
 * Several allocators may cover a chip (a mesh and its submeshes, two processes) and hand out the
 * same addresses, so ranges may overlap: the pieces of a map never do, and together with the holes
 * they are the bank. What is released is released whole, so a range under two buffers is free only
 * when both have gone.
 */
#ifndef TTMEM_ANALYSE_BANK_MAP_H
#define TTMEM_ANALYSE_BANK_MAP_H

#include <stdbool.h>

#include "analyse/ranges.h"

#define BANK_NONE	  UINT32_MAX
#define BANK_RELEASES_MAX 8u

/* One buffer. Owner and index are the caller's numbers, BANK_NONE excluded. */
struct bank_buffer {
	struct range range;
	uint32_t owner;
	uint32_t index;
};

/* A run of addresses: a hole, a buffer's, or what has been folded into one. */
struct bank_piece {
	struct range range;
	uint32_t owner;	  /* BANK_NONE: a hole, or several owners */
	uint32_t index;	  /* of the buffer; of several, of the first one */
	uint32_t buffers; /* 0: a hole */
	uint32_t holes;	  /* between the buffers */
	uint64_t free_bytes; /* of these holes */
	bool is_shared; /* another buffer lies over a part of it */
};

/* The hole that the end of so many buffers would open at the best, and which ones. */
struct bank_release {
	struct range hole;
	uint64_t bytes; /* sum of the buffers' lengths */
	uint32_t count; /* may be fewer than asked for: then more do not help */
	uint32_t indices[BANK_RELEASES_MAX];
};

struct bank_map {
	struct range bank;
	struct bank_piece *pieces; /* in the order of addresses, no gap between */
	uint32_t count;
	uint32_t buffers; /* that lie in the bank, at least in part */
	uint32_t holes;
	uint64_t used_bytes, free_bytes, largest_bytes;
	/* [k]: with k buffers gone; [0] is the largest hole there is */
	struct bank_release releases[BANK_RELEASES_MAX + 1];
};

/*
 * bank_map_make - `buffers` are put in order in place; what lies outside of the bank is left out.
 * Return: 0; -EINVAL: no bank; -E2BIG: more than 2^30 buffers; -ENOMEM. Free with bank_map_clear.
 */
int bank_map_make(struct range bank, struct bank_buffer *buffers, size_t count,
		  struct bank_map *ret_map);
void bank_map_clear(struct bank_map *map);

/*
 * bank_map_fold - the same in at most `most` pieces (3 at least): the longest stay, neighbouring
 * short ones become one, of one owner where that is enough. `ret_pieces` has room for `most`.
 * Return: how many.
 */
uint32_t bank_map_fold(const struct bank_map *map, uint32_t most, struct bank_piece *ret_pieces);

#endif
