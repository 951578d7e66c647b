/* SPDX-License-Identifier: Apache-2.0 */
#include "region/slot_map.h"

#define FULL UINT64_MAX

static uint32_t first_zero(uint64_t word)
{
	return (uint32_t)__builtin_ctzll(~word);
}

bool slot_map_is_taken(const struct slot_map *map, uint32_t slot)
{
	return map->level0[slot >> 6] >> (slot & 63) & 1;
}

uint32_t slot_map_lowest(const struct slot_map *map)
{
	if (map->floor < SLOT_MAP_SLOTS && !slot_map_is_taken(map, map->floor))
		return map->floor;
	uint32_t a = first_zero(map->top);

	if (a >= SLOT_MAP_SLOTS >> 18)
		return SLOT_MAP_SLOTS;
	uint32_t b = a << 6 | first_zero(map->level2[a]);
	uint32_t c = b << 6 | first_zero(map->level1[b]);

	return c << 6 | first_zero(map->level0[c]);
}

void slot_map_take(struct slot_map *map, uint32_t slot)
{
	uint32_t c = slot >> 6, b = slot >> 12, a = slot >> 18;

	if (slot == map->floor)
		map->floor++;
	map->level0[c] |= UINT64_C(1) << (slot & 63);
	if (map->level0[c] != FULL)
		return;
	map->level1[b] |= UINT64_C(1) << (c & 63);
	if (map->level1[b] != FULL)
		return;
	map->level2[a] |= UINT64_C(1) << (b & 63);
	if (map->level2[a] == FULL)
		map->top |= UINT64_C(1) << a;
}

void slot_map_give(struct slot_map *map, uint32_t slot)
{
	uint32_t c = slot >> 6, b = slot >> 12, a = slot >> 18;
	bool was_full = map->level0[c] == FULL;

	if (slot < map->floor)
		map->floor = slot;
	map->level0[c] &= ~(UINT64_C(1) << (slot & 63));
	if (!was_full)
		return;
	map->level1[b] &= ~(UINT64_C(1) << (c & 63));
	map->level2[a] &= ~(UINT64_C(1) << (b & 63));
	map->top &= ~(UINT64_C(1) << a);
}

bool slot_map_is_valid(const struct slot_map *map)
{
	for (uint32_t slot = 0; slot < map->floor; slot++)
		if (!slot_map_is_taken(map, slot))
			return false;
	for (uint32_t c = 0; c < SLOT_MAP_SLOTS >> 6; c++)
		if ((map->level0[c] == FULL) != (map->level1[c >> 6] >> (c & 63) & 1))
			return false;
	for (uint32_t b = 0; b < SLOT_MAP_SLOTS >> 12; b++)
		if ((map->level1[b] == FULL) != (map->level2[b >> 6] >> (b & 63) & 1))
			return false;
	for (uint32_t a = 0; a < SLOT_MAP_SLOTS >> 18; a++)
		if ((map->level2[a] == FULL) != (map->top >> a & 1))
			return false;
	return true;
}
