/* SPDX-License-Identifier: Apache-2.0 */
/* From sums by allocator and site to the groups that are shown. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "analyse/tally.h"

struct folding {
	struct snapshot *snapshot;
	enum group_by by;
	uint32_t *places; /* of an allocator: the first of its process with the same chips */
	uint32_t *sites;  /* of a site: the number of what its group is named by, + 1; 0: not asked yet */
	uint32_t  site_count;
	uint32_t *buckets; /* row + 1 */
	uint32_t  bucket_count;
	struct site_list list;
};

static bool has_same_chips(const struct snapshot *s, const struct allocator *a,
			   const struct allocator *b)
{
	if (a->process != b->process || a->chips.count != b->chips.count)
		return false;
	for (uint32_t i = 0; i < a->chips.count; i++) {
		const struct chip *x = &s->chips[a->chips.first + i];
		const struct chip *y = &s->chips[b->chips.first + i];

		if (x->chip_id != y->chip_id || x->unique_id.value != y->unique_id.value)
			return false;
	}
	return true;
}

static void find_places(struct folding *folding)
{
	const struct snapshot *s = folding->snapshot;

	/* those of one process lie together */
	for (uint32_t i = 0, first = 0; i < s->allocator_count; i++) {
		if (s->allocators[first].process != s->allocators[i].process)
			first = i;
		uint32_t place = first;

		while (!has_same_chips(s, &s->allocators[place], &s->allocators[i]))
			place++;
		folding->places[i] = place;
	}
}

/* The site that a group is named by: of the whole one only what its members have in common. */
static int name_group(struct folding *folding, uint32_t number, uint32_t *ret_number)
{
	const struct site *site = snapshot_site(folding->snapshot, number);
	struct site_texts texts = {.op = "", .file = "", .function = ""};

	*ret_number = folding->by == GROUP_SITE ? number : 0;
	if (!site || folding->by == GROUP_SITE || folding->by == GROUP_TYPE ||
	    folding->by == GROUP_THREAD)
		return 0;
	texts.before_attach = site->before_attach;
	/* a copy: the pool of strings moves when something is added */
	char *text = strdup(snapshot_text(folding->snapshot,
					  folding->by == GROUP_OP    ? site->op
					  : folding->by == GROUP_TAG ? site->tag
								     : site->file));

	if (!text)
		return -ENOMEM;
	if (folding->by == GROUP_OP)
		texts.op = text;
	else if (folding->by == GROUP_TAG)
		texts.tag = text;
	else
		texts.file = text;
	int r = snapshot_intern_site(folding->snapshot, &texts, ret_number);

	free(text);
	return r;
}

static int group_site(struct folding *folding, uint32_t number, uint32_t *ret_number)
{
	if (number >= folding->site_count)
		number = 0;
	if (folding->sites[number] == 0) {
		uint32_t named;
		int r = name_group(folding, number, &named);

		if (r < 0)
			return r;
		folding->sites[number] = named + 1;
	}
	*ret_number = folding->sites[number] - 1;
	return 0;
}

/* The row with these keys; a new one has no bytes yet. There is room for as many as there are tallies. */
static struct site_row *find_row(struct folding *folding, const struct tally *tally, uint32_t place,
				 uint32_t site)
{
	uint32_t thread = folding->by == GROUP_THREAD ? tally->thread : 0;
	uint64_t hash = ((uint64_t)site << 32 | thread) ^
			((uint64_t)place << 3 | tally->type) << 20;
	uint32_t at = (uint32_t)(hash * UINT64_C(0x9e3779b97f4a7c15) >> 32) &
		      (folding->bucket_count - 1);

	for (; folding->buckets[at]; at = (at + 1) & (folding->bucket_count - 1)) {
		struct site_row *row = &folding->list.rows[folding->buckets[at] - 1];

		if (row->allocator == place && row->type == tally->type && row->site == site &&
		    row->thread == thread)
			return row;
	}
	struct site_row *row = &folding->list.rows[folding->list.count++];

	folding->buckets[at] = folding->list.count;
	*row = (struct site_row){.process = tally->process,
				 .allocator = place,
				 .site = site,
				 .thread = thread,
				 .type = tally->type,
				 .occupied_bytes = fact_of(0),
				 .growth_bytes = fact_absent(REASON_NO_SERVER)};
	return row;
}

static struct fact sum_of(struct fact a, struct fact b)
{
	if (!fact_is_known(a))
		return a;
	if (!fact_is_known(b))
		return b;
	return fact_of(a.value + b.value);
}

static int fold_one(struct folding *folding, const struct tally *tally)
{
	const struct snapshot *s = folding->snapshot;
	uint32_t site;
	int r = group_site(folding, tally->site, &site);

	if (r < 0)
		return r;
	struct site_row *row = find_row(folding, tally, folding->places[tally->allocator], site);

	row->buffers += tally->buffers;
	row->requested_bytes += tally->requested_bytes;
	row->bank_bytes += tally->bank_bytes;
	row->old_bank_bytes += tally->old_bank_bytes;
	row->kept_bank_bytes += tally->kept_bank_bytes;
	row->occupied_bytes =
		sum_of(row->occupied_bytes,
		       fact_times(fact_of(tally->bank_bytes),
				  s->allocators[tally->allocator].memory[tally->type].banks));
	if (tally->oldest_ns > row->oldest_ns)
		row->oldest_ns = tally->oldest_ns;
	return 0;
}

static uint64_t weight_of(const struct site_row *row)
{
	return fact_is_known(row->occupied_bytes) ? row->occupied_bytes.value : row->bank_bytes;
}

static int by_weight(const void *a, const void *b)
{
	const struct site_row *x = a, *y = b;

	if (weight_of(x) != weight_of(y))
		return weight_of(x) > weight_of(y) ? -1 : 1;
	if (x->allocator != y->allocator)
		return x->allocator < y->allocator ? -1 : 1;
	if (x->type != y->type)
		return x->type < y->type ? -1 : 1;
	if (x->site != y->site)
		return x->site < y->site ? -1 : 1;
	return x->thread < y->thread ? -1 : x->thread > y->thread;
}

static int allocate(struct folding *folding, uint32_t tally_count)
{
	folding->site_count = folding->snapshot->site_count + 1;
	folding->bucket_count = 64;
	while (folding->bucket_count < 2 * tally_count)
		folding->bucket_count *= 2;
	folding->places = calloc((size_t)folding->snapshot->allocator_count + 1, sizeof(uint32_t));
	folding->sites = calloc(folding->site_count, sizeof(uint32_t));
	folding->buckets = calloc(folding->bucket_count, sizeof(uint32_t));
	folding->list.rows = malloc(((size_t)tally_count + 1) * sizeof *folding->list.rows);
	return folding->places && folding->sites && folding->buckets && folding->list.rows
		       ? 0
		       : -ENOMEM;
}

int tallies_fold(const struct tallies *tallies, struct snapshot *snapshot, enum group_by by,
		 struct site_list *ret_list)
{
	struct folding folding = {.snapshot = snapshot, .by = by, .list.by = by};
	int r = allocate(&folding, tallies->count);

	if (r == 0)
		find_places(&folding);
	for (uint32_t i = 0; r == 0 && i < tallies->count; i++)
		r = fold_one(&folding, &tallies->rows[i]);
	free(folding.places);
	free(folding.sites);
	free(folding.buckets);
	if (r < 0) {
		site_list_clear(&folding.list);
		return r;
	}
	qsort(folding.list.rows, folding.list.count, sizeof *folding.list.rows, by_weight);
	*ret_list = folding.list;
	return 0;
}
