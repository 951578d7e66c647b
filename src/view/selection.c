/* SPDX-License-Identifier: Apache-2.0 */
#include "view/selection.h"

#include <errno.h>
#include <stdlib.h>

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

static bool passes(const struct snapshot *snapshot, const struct buffer *b,
		   const struct buffer_filter *filter)
{
	if (filter->pid && snapshot->processes[b->process].pid != filter->pid)
		return false;
	if (filter->type >= 0 && b->type != filter->type)
		return false;
	if (b->requested_bytes < filter->min_bytes)
		return false;
	return !filter->by_chip ||
	       on_chip(snapshot, &snapshot->allocators[b->allocator], filter->unique_id);
}

static uint64_t key_of(const struct snapshot *snapshot, const struct buffer *b,
		       enum buffer_order order)
{
	switch (order) {
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
		if (passes(snapshot, &snapshot->buffers[i], filter))
			keys[count++] = (struct key){
				key_of(snapshot, &snapshot->buffers[i], filter->order), i};
	if (filter->order != ORDER_SLOT)
		qsort(keys, count, sizeof *keys, compare);
	if (filter->top && count > filter->top)
		count = filter->top;
	for (uint32_t i = 0; i < count; i++)
		indices[i] = keys[i].index;
	free(keys);
	*ret_indices = indices;
	*ret_count = count;
	return 0;
}
