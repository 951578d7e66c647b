/* SPDX-License-Identifier: Apache-2.0 */
/* What was live when its device closed, from the sums that a table keeps of it. */
#include <stdlib.h>

#include "collect/collect.h"

static int by_bytes(const void *a, const void *b)
{
	const struct leftover *x = a, *y = b;

	if (x->requested_bytes != y->requested_bytes)
		return x->requested_bytes > y->requested_bytes ? -1 : 1;
	if (x->site != y->site)
		return x->site < y->site ? -1 : 1;
	return x->type < y->type ? -1 : x->type > y->type;
}

/* Sites of a table may be the same in a snapshot; then their rows are one. NULL: a new one. */
static struct leftover *find(struct snapshot *snapshot, struct span span, uint32_t site,
			     uint32_t type)
{
	for (uint32_t i = span.first; i < span.first + span.count; i++)
		if (snapshot->leftovers[i].site == site && snapshot->leftovers[i].type == type)
			return &snapshot->leftovers[i];
	return NULL;
}

static int add_row(struct collection *collection, struct table_sites *sites, uint32_t process,
		   const struct region_left *from, struct span *span)
{
	struct snapshot *snapshot = &collection->snapshot;
	uint32_t site, index = 0;
	int r = table_sites_number(sites, snapshot, from->site, &site);

	if (r < 0)
		return r;
	struct leftover *to = find(snapshot, *span, site, from->type);

	if (!to) {
		r = snapshot_add_leftover(snapshot, &index);
		if (r < 0)
			return r;
		to = &snapshot->leftovers[index];
		*to = (struct leftover){
			.process = process, .site = site, .type = (uint8_t)from->type};
		span->count++;
	}
	to->buffers += from->buffers;
	to->requested_bytes += from->requested_bytes;
	to->occupied_bytes += from->occupied_bytes;
	return 0;
}

int leftovers_add(struct collection *collection, struct region_map *map, struct table_sites *sites,
		  uint32_t process)
{
	struct snapshot *snapshot = &collection->snapshot;
	struct span span = {.first = snapshot->leftover_count};
	struct region_lefts lefts;
	int r = region_read_left(map, &lefts);

	if (r < 0)
		return r;
	for (uint32_t i = 0; r == 0 && i < lefts.count; i++)
		r = add_row(collection, sites, process, &lefts.rows[i], &span);
	region_lefts_clear(&lefts);
	if (r < 0)
		return r;
	if (span.count)
		qsort(&snapshot->leftovers[span.first], span.count, sizeof *snapshot->leftovers,
		      by_bytes);
	snapshot->processes[process].leftovers = span;
	return 0;
}
