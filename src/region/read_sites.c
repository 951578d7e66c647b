/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sites of a table. They only grow, and a count in the head is stored after
 * what it counts: so counts are read first, then pages are looked for, then
 * bytes are copied, and nothing has to be read twice.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "region/reader_internal.h"
#include "region/words.h"

static uint32_t at_most(uint32_t value, uint64_t limit)
{
	return value < limit ? value : (uint32_t)limit;
}

static uint64_t room(const struct region_map *map, enum region_part_id id)
{
	return (uint64_t)map->parts[id].count * map->parts[id].element_bytes;
}

/* The four counts, bounded by what the parts have room for. */
static void read_counts(const struct region_map *map, struct region_sites *sites)
{
	const struct region_head *head = reader_head(map);

	/* first: what it counts leads to what the others count */
	sites->count = at_most(word_load32(&head->sites_used),
			       map->parts[REGION_PART_SITES].count);
	sites->string_bytes = at_most(word_load32(&head->site_string_bytes),
				      room(map, REGION_PART_SITE_STRINGS));
	sites->stack_words = at_most(word_load32(&head->site_stack_words),
				     map->parts[REGION_PART_SITE_STACKS].count);
	sites->module_count = at_most(word_load32(&head->site_modules),
				      map->parts[REGION_PART_SITE_MODULES].count);
}

static bool rows_are_ours(const struct region_map *map)
{
	return map->parts[REGION_PART_SITES].element_bytes == sizeof(struct region_site) &&
	       map->parts[REGION_PART_SITE_STACKS].element_bytes == sizeof(uint64_t) &&
	       map->parts[REGION_PART_SITE_MODULES].element_bytes ==
		       sizeof(struct region_site_module);
}

int region_read_sites(struct region_map *map, struct region_sites *ret_sites)
{
	struct region_sites all = {0};

	*ret_sites = all;
	if (!rows_are_ours(map))
		return 0;
	read_counts(map, &all);
	if (all.count < 2)
		return 0;
	const struct {
		enum region_part_id part;
		uint64_t bytes;
	} wanted[] = {
		{REGION_PART_SITES, all.count * sizeof *all.sites},
		{REGION_PART_SITE_STRINGS, all.string_bytes},
		{REGION_PART_SITE_STACKS, all.stack_words * sizeof *all.stacks},
		{REGION_PART_SITE_MODULES, all.module_count * sizeof *all.modules},
	};
	int r = 0;

	for (unsigned i = 0; r == 0 && i < sizeof wanted / sizeof wanted[0]; i++)
		r = reader_refresh_part(map, wanted[i].part, wanted[i].bytes);
	all.sites = malloc(all.count * sizeof *all.sites);
	all.strings = malloc((size_t)all.string_bytes + 1);
	all.stacks = malloc(all.stack_words * sizeof *all.stacks + 1);
	if (r == 0 && (!all.sites || !all.strings || !all.stacks))
		r = -ENOMEM;
	if (r < 0) {
		region_sites_clear(&all);
		return r;
	}
	void *const to[] = {all.sites, all.strings, all.stacks, all.modules};

	for (unsigned i = 0; i < sizeof wanted / sizeof wanted[0]; i++)
		(void)reader_copy_bytes(map, wanted[i].part, wanted[i].bytes, to[i]);
	all.strings[all.string_bytes] = '\0';
	*ret_sites = all;
	return 0;
}

void region_sites_clear(struct region_sites *sites)
{
	free(sites->sites);
	free(sites->strings);
	free(sites->stacks);
	*sites = (struct region_sites){0};
}

const char *region_sites_string(const struct region_sites *sites, uint32_t offset)
{
	return offset && offset < sites->string_bytes ? sites->strings + offset : "";
}

uint32_t region_sites_stack(const struct region_sites *sites, const struct region_site *site,
			    const uint64_t **ret_frames)
{
	if (site->stack == 0 || site->stack >= sites->stack_words)
		return 0;
	uint64_t depth = sites->stacks[site->stack];

	if (depth > REGION_STACK_DEPTH_MAX || depth >= sites->stack_words - site->stack)
		return 0;
	*ret_frames = sites->stacks + site->stack + 1;
	return (uint32_t)depth;
}
