/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From the sites of one table to those of the snapshot. The table's are read
 * when the first one is asked for, and only those that somebody names are added.
 */
#ifndef TTMEM_COLLECT_SITES_H
#define TTMEM_COLLECT_SITES_H

#include "collect/stacks.h"
#include "model/snapshot.h"
#include "region/reader.h"

struct table_sites {
	struct region_map *map;
	struct region_sites raw;
	uint32_t *numbers; /* by the table's number; 0: not asked for yet */
	uint32_t reads; /* how often they were read */
	bool wants_stacks;
	struct table_stacks stacks;
};

/*
 * table_sites_init - of one table; nothing is read yet. `pid`: of the process while it lives, else 0.
 * `wants_stacks`: sites get their native stacks; without it, only what these say of op and caller.
 */
void table_sites_init(struct table_sites *sites, struct region_map *map, uint32_t pid,
		      bool wants_stacks);
void table_sites_clear(struct table_sites *sites);
/*
 * table_sites_number - the snapshot's number of a site; 0 where the table knows none of it.
 * Return: 0; -ENOMEM; -errno of looking at the table.
 */
int table_sites_number(struct table_sites *sites, struct snapshot *snapshot, uint32_t site,
		       uint32_t *ret_number);

#endif
