/* SPDX-License-Identifier: Apache-2.0 */
#include "collect/sites.h"

#include <errno.h>
#include <stdlib.h>

/*
 * Slots that are listed were there before the first read, and so were their sites; a failure's may
 * have come since. A liar's slots name sites that never come.
 */
#define READS_MAX 8u

void table_sites_init(struct table_sites *sites, struct region_map *map, uint32_t pid,
		      bool wants_stacks)
{
	*sites = (struct table_sites){.map = map, .wants_stacks = wants_stacks};
	table_stacks_init(&sites->stacks, pid);
}

void table_sites_clear(struct table_sites *sites)
{
	table_stacks_clear(&sites->stacks);
	region_sites_clear(&sites->raw);
	free(sites->numbers);
	sites->numbers = NULL;
	sites->reads = 0;
}

/* Sites may have been added since: then the numbers that are known stay. */
static int read_sites(struct table_sites *sites)
{
	uint32_t known = sites->raw.count;
	struct region_sites raw;

	if (sites->reads == READS_MAX)
		return 0;
	sites->reads++;
	int r = region_read_sites(sites->map, &raw);

	if (r < 0)
		return r;
	uint32_t *numbers = realloc(sites->numbers, ((size_t)raw.count + 1) * sizeof *numbers);

	if (!numbers) {
		region_sites_clear(&raw);
		return -ENOMEM;
	}
	for (uint32_t i = known; i < raw.count; i++)
		numbers[i] = 0;
	region_sites_clear(&sites->raw);
	sites->raw = raw;
	sites->numbers = numbers;
	return 0;
}

int table_sites_number(struct table_sites *sites, struct snapshot *snapshot, uint32_t site,
		       uint32_t *ret_number)
{
	struct site_texts texts = {.op = "", .file = "", .function = ""};

	*ret_number = 0;
	if (site == REGION_SITE_UNKNOWN)
		return 0;
	if (site == REGION_SITE_BEFORE_ATTACH) {
		texts.before_attach = true;
		return snapshot_intern_site(snapshot, &texts, ret_number);
	}
	int r = site >= sites->raw.count ? read_sites(sites) : 0;

	if (r < 0 || site >= sites->raw.count)
		return r;
	if (sites->numbers[site] == 0) {
		const struct region_site *raw = &sites->raw.sites[site];

		texts.op = region_sites_string(&sites->raw, raw->op);
		texts.file = region_sites_string(&sites->raw, raw->file);
		texts.function = region_sites_string(&sites->raw, raw->function);
		texts.tag = region_sites_string(&sites->raw, raw->tag);
		texts.line = raw->line;
		if (sites->wants_stacks || !*texts.op || (!*texts.file && !*texts.function))
			table_stacks_add(&sites->stacks, &sites->raw, raw, sites->wants_stacks,
					 &texts);
		if (!sites->wants_stacks)
			texts.frame_count = 0;
		r = snapshot_intern_site(snapshot, &texts, &sites->numbers[site]);
	}
	*ret_number = sites->numbers[site];
	return r;
}
