/* SPDX-License-Identifier: Apache-2.0 */
#include "collect/sites.h"

#include <errno.h>
#include <stdlib.h>

void table_sites_init(struct table_sites *sites, struct region_map *map)
{
	*sites = (struct table_sites){.map = map};
}

void table_sites_clear(struct table_sites *sites)
{
	region_sites_clear(&sites->raw);
	free(sites->numbers);
	sites->numbers = NULL;
	sites->is_read = false;
}

/* Sites may have been added since: then the numbers that are known stay. */
static int read_sites(struct table_sites *sites)
{
	uint32_t known = sites->raw.count;
	struct region_sites raw;
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
	sites->is_read = true;
	return 0;
}

static void add_frames(const struct region_sites *raw, const struct region_site *site,
		       struct site_texts *texts)
{
	const uint64_t *frames;
	uint32_t depth = region_sites_stack(raw, site, &frames);

	texts->frame_count = depth < SITE_DEPTH_MAX ? depth : SITE_DEPTH_MAX;
	for (uint32_t i = 0; i < texts->frame_count; i++) {
		uint32_t module = region_stack_module(frames[i]);

		texts->frames[i].module =
			module < raw->module_count
				? region_sites_string(raw, raw->modules[module].path)
				: "";
		texts->frames[i].symbol = "";
		texts->frames[i].offset = region_stack_offset(frames[i]);
	}
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
	int r = !sites->is_read || site >= sites->raw.count ? read_sites(sites) : 0;

	if (r < 0 || site >= sites->raw.count)
		return r;
	if (sites->numbers[site] == 0) {
		const struct region_site *raw = &sites->raw.sites[site];

		texts.op = region_sites_string(&sites->raw, raw->op);
		texts.file = region_sites_string(&sites->raw, raw->file);
		texts.function = region_sites_string(&sites->raw, raw->function);
		texts.line = raw->line;
		add_frames(&sites->raw, raw, &texts);
		r = snapshot_intern_site(snapshot, &texts, &sites->numbers[site]);
	}
	*ret_number = sites->numbers[site];
	return r;
}
