/* SPDX-License-Identifier: Apache-2.0 */
/* The L1 of a chip's cores: a grid of how full each is, and one core as a column of ranges. */
#ifndef TTMEM_VIEW_L1_H
#define TTMEM_VIEW_L1_H

#include "analyse/core_map.h"
#include "view/style.h"

/* l1_write_grid - one chip. Return: 0 or -ENOMEM. */
int l1_write_grid(struct text *text, const struct style *style, const struct device *device,
		  const struct chip_map *map);
/* l1_write_core - the core at logical x, y. Return: 0 or -ENOMEM. */
int l1_write_core(struct text *text, const struct style *style, const struct device *device,
		  const struct chip_map *map, uint32_t x, uint32_t y);
/* l1_write_json - the members of "cores" of one chip, with commas before all but the first */
int l1_write_json(struct text *text, const struct device *device, const struct chip_map *map,
		  bool *any);

#endif
