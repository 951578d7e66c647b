/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which of a million slots are taken, and which is the lowest free one.
 *
 * A bit per slot and three summary levels above it, 64 to 1: a summary bit is
 * set when all 64 below are. All zeros is the empty map, so fresh anonymous
 * memory needs no initialisation and untouched parts cost nothing. The lowest
 * free slot is four find-first-zero steps away, or none when it is the one given
 * back last; taking it keeps the table dense, which is what lets blocks at the
 * end be given back.
 */
#ifndef TTMEM_REGION_SLOT_MAP_H
#define TTMEM_REGION_SLOT_MAP_H

#include <stdbool.h>
#include <stdint.h>

#define SLOT_MAP_SLOTS (1u << 20)

struct slot_map {
	uint32_t floor;			       /* every slot below is taken */
	uint32_t reserved;
	uint64_t top;			       /* 4 bits used, one per word of level2 */
	uint64_t level2[SLOT_MAP_SLOTS >> 18]; /* 4 words */
	uint64_t level1[SLOT_MAP_SLOTS >> 12]; /* 256 words */
	uint64_t level0[SLOT_MAP_SLOTS >> 6];  /* 16384 words */
};

/* slot_map_lowest - the lowest free slot, or SLOT_MAP_SLOTS when all are taken */
uint32_t slot_map_lowest(const struct slot_map *map);
void slot_map_take(struct slot_map *map, uint32_t slot);
void slot_map_give(struct slot_map *map, uint32_t slot);
bool slot_map_is_taken(const struct slot_map *map, uint32_t slot);
/* slot_map_is_valid - for tests: every summary bit agrees with what it sums up */
bool slot_map_is_valid(const struct slot_map *map);

#endif
