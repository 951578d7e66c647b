/* SPDX-License-Identifier: Apache-2.0 */
#include "view/selection.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What a row is ordered by, and its place, which keeps equal rows in slot order. */
struct key {
	uint64_t value;
	uint32_t index;
};

static bool on_chip(const struct snapshot *snapshot, const struct allocator *allocator,
		    uint64_t unique_id)
{
	for (uint32_t i = 0; i < allocator->chips.count; i++) {
		struct fact id = snapshot->chips[allocator->chips.first + i].unique_id;

		if (fact_is_known(id) && id.value == unique_id)
			return true;
	}
	return false;
}

/* "model.py:214": behind the file's name the line, whole. */
static bool is_line_of(const char *file, uint32_t line, const char *wanted)
{
	const char *colon = strrchr(wanted, ':');
	size_t length = strlen(file), name = colon ? (size_t)(colon - wanted) : 0;
	char number[16];

	(void)snprintf(number, sizeof number, "%" PRIu32, line);
	return colon && name <= length && strcmp(colon + 1, number) == 0 &&
	       memcmp(file + length - name, wanted, name) == 0;
}

static bool site_passes(const struct buffer_filter *filter, const struct snapshot *snapshot,
			const struct site *site)
{
	if (!site)
		return false;
	const char *file = snapshot_text(snapshot, site->file);

	if (filter->op && !strstr(snapshot_text(snapshot, site->op), filter->op))
		return false;
	if (filter->tag && !strstr(snapshot_text(snapshot, site->tag), filter->tag))
		return false;
	return !filter->site || strstr(file, filter->site) ||
	       strstr(snapshot_text(snapshot, site->function), filter->site) ||
	       is_line_of(file, site->line, filter->site);
}

bool buffer_passes(const struct buffer_filter *filter, const struct snapshot *snapshot,
		   const struct buffer *b)
{
	if (filter->pid && snapshot->processes[b->process].pid != filter->pid)
		return false;
	if (filter->type >= 0 && b->type != filter->type)
		return false;
	if (b->requested_bytes < filter->min_bytes)
		return false;
	if ((filter->op || filter->site || filter->tag) &&
	    !site_passes(filter, snapshot, snapshot_site(snapshot, b->site)))
		return false;
	return !filter->by_chip ||
	       on_chip(snapshot, &snapshot->allocators[b->allocator], filter->unique_id);
}

uint64_t buffer_key(const struct buffer_filter *filter, const struct snapshot *snapshot,
		    const struct buffer *b)
{
	switch (filter->order) {
	case ORDER_SIZE:
		return UINT64_MAX - b->requested_bytes;
	case ORDER_BANK:
		return UINT64_MAX - b->bank_bytes;
	case ORDER_AGE:
		return UINT64_MAX - b->age_ns;
	case ORDER_ADDRESS:
		return b->address;
	case ORDER_PID:
		return snapshot->processes[b->process].pid;
	case ORDER_SLOT:
		break;
	}
	return 0;
}

static int compare(const void *a, const void *b)
{
	const struct key *x = a, *y = b;

	if (x->value != y->value)
		return x->value < y->value ? -1 : 1;
	return x->index < y->index ? -1 : x->index > y->index;
}

/* The middle one of first, middle and last, so that sorted input is no worst case. */
static struct key pivot_of(const struct key *keys, size_t count)
{
	struct key three[3] = {keys[0], keys[count / 2], keys[count - 1]};

	qsort(three, 3, sizeof three[0], compare);
	return three[1];
}

/* Moves the `wanted` smallest keys to the front, in any order. */
static void select_smallest(struct key *keys, size_t count, size_t wanted)
{
	while (count > 1 && wanted > 0 && wanted < count) {
		const struct key pivot = pivot_of(keys, count);
		size_t low = 0, high = count - 1;

		/* no two keys are equal, so the pivot stops both walks */
		for (;;) {
			while (compare(&keys[low], &pivot) < 0)
				low++;
			while (compare(&keys[high], &pivot) > 0)
				high--;
			if (low >= high)
				break;
			struct key swap = keys[low];

			keys[low] = keys[high];
			keys[high] = swap;
		}
		/* keys[low] is the pivot: everything before it is smaller */
		if (wanted <= low) {
			count = low;
		} else {
			keys += low + 1;
			count -= low + 1;
			wanted -= low + 1;
		}
	}
}

/* A page of a million buffers does not need the million in order. */
static void sort_keys(struct key *keys, size_t count, size_t wanted)
{
	if (wanted == 0 || wanted >= count)
		wanted = count;
	else
		select_smallest(keys, count, wanted);
	qsort(keys, wanted, sizeof *keys, compare);
}

int buffers_select(const struct snapshot *snapshot, const struct buffer_filter *filter,
		   uint32_t **ret_indices, uint32_t *ret_count)
{
	size_t room = (size_t)snapshot->buffer_count + 1;
	struct key *keys = malloc(room * sizeof *keys);
	uint32_t *indices = malloc(room * sizeof *indices), count = 0;

	if (!keys || !indices) {
		free(keys);
		free(indices);
		return -ENOMEM;
	}
	for (uint32_t i = 0; i < snapshot->buffer_count; i++)
		if (buffer_passes(filter, snapshot, &snapshot->buffers[i]))
			keys[count++] = (struct key){
				buffer_key(filter, snapshot, &snapshot->buffers[i]), i};
	if (filter->order != ORDER_SLOT)
		sort_keys(keys, count, filter->top ? filter->top : filter->sorted);
	if (filter->top && count > filter->top)
		count = filter->top;
	for (uint32_t i = 0; i < count; i++)
		indices[i] = keys[i].index;
	free(keys);
	*ret_indices = indices;
	*ret_count = count;
	return 0;
}
