/* SPDX-License-Identifier: Apache-2.0 */
#include "region/index.h"

#define NEXT_BITS 20
#define NEXT_MASK ((UINT64_C(1) << NEXT_BITS) - 1)

static uint32_t bucket_of(uint32_t hashed, uint32_t buckets_used)
{
	/* `half` is the largest power of two below or equal: buckets [half, used) are split off. */
	uint32_t half = UINT32_C(1) << (31 - __builtin_clz(buckets_used));
	uint32_t bucket = hashed & (2 * half - 1);

	return bucket < buckets_used ? bucket : bucket & (half - 1);
}

static uint64_t entry_make(uint64_t object, uint32_t next)
{
	return object >> 3 << NEXT_BITS | next;
}

static uint64_t entry_object(uint64_t entry)
{
	return entry >> NEXT_BITS << 3;
}

static uint32_t entry_next(uint64_t entry)
{
	return (uint32_t)(entry & NEXT_MASK);
}

static void chain_push(struct region_index *index, uint32_t bucket, uint64_t object, uint32_t slot)
{
	uint32_t head = index->buckets[bucket];

	index->entries[slot] = entry_make(object, head ? head - 1 : slot);
	index->buckets[bucket] = slot + 1;
}

/* Deals the entries of one chain out again, now that `buckets_used` has changed. */
static void chain_redistribute(struct region_index *index, uint32_t bucket)
{
	uint32_t link = index->buckets[bucket];

	index->buckets[bucket] = 0;
	while (link) {
		uint32_t slot = link - 1;
		uint64_t entry = index->entries[slot];
		uint64_t object = entry_object(entry);

		link = entry_next(entry) == slot ? 0 : entry_next(entry) + 1;
		chain_push(index, bucket_of(region_index_hash(object), index->buckets_used), object, slot);
	}
}

void region_index_init(struct region_index *index, uint64_t *entries, uint32_t *buckets,
		       uint32_t slots)
{
	*index = (struct region_index){
		.entries = entries,
		.buckets = buckets,
		.buckets_used = slots < REGION_INDEX_BUCKETS_MIN ? slots : REGION_INDEX_BUCKETS_MIN,
		.buckets_max = slots,
	};
}

uint32_t region_index_find(const struct region_index *index, uint64_t object, uint32_t hash)
{
	uint32_t link = index->buckets[bucket_of(hash, index->buckets_used)];

	while (link) {
		uint32_t slot = link - 1;
		uint64_t entry = index->entries[slot];

		if (entry_object(entry) == object)
			return slot;
		link = entry_next(entry) == slot ? 0 : entry_next(entry) + 1;
	}
	return REGION_INDEX_NONE;
}

void region_index_insert(struct region_index *index, uint64_t object, uint32_t hash, uint32_t slot)
{
	chain_push(index, bucket_of(hash, index->buckets_used), object, slot);
	index->live++;
	if (index->live > index->buckets_used && index->buckets_used < index->buckets_max) {
		uint32_t fresh = index->buckets_used++;
		uint32_t half = UINT32_C(1) << (31 - __builtin_clz(fresh));

		if (index->buckets_touched < index->buckets_used)
			index->buckets_touched = index->buckets_used;
		index->buckets[fresh] = 0;
		chain_redistribute(index, fresh - half);
	}
}

/* Half the load before it shrinks: a loop of one alloc and one free moves no bucket. */
static void shrink_by_one(struct region_index *index)
{
	if (index->buckets_used <= REGION_INDEX_BUCKETS_MIN ||
	    index->live >= index->buckets_used / 2)
		return;
	uint32_t last = --index->buckets_used;

	chain_redistribute(index, last);
}

uint32_t region_index_remove(struct region_index *index, uint64_t object, uint32_t hash)
{
	uint32_t bucket = bucket_of(hash, index->buckets_used);
	uint32_t link = index->buckets[bucket];
	uint32_t previous = REGION_INDEX_NONE;

	while (link) {
		uint32_t slot = link - 1;
		uint64_t entry = index->entries[slot];
		bool last = entry_next(entry) == slot;

		if (entry_object(entry) == object) {
			if (previous == REGION_INDEX_NONE) {
				index->buckets[bucket] = last ? 0 : entry_next(entry) + 1;
			} else {
				uint64_t before = entry_object(index->entries[previous]);

				index->entries[previous] =
					entry_make(before, last ? previous : entry_next(entry));
			}
			index->entries[slot] = 0;
			index->live--;
			shrink_by_one(index);
			return slot;
		}
		previous = slot;
		link = last ? 0 : entry_next(entry) + 1;
	}
	return REGION_INDEX_NONE;
}

uint64_t region_index_object(const struct region_index *index, uint32_t slot)
{
	return entry_object(index->entries[slot]);
}

void region_index_prefetch(const struct region_index *index, uint32_t hash)
{
	__builtin_prefetch(&index->buckets[bucket_of(hash, index->buckets_used)], 1);
}

bool region_index_is_valid(const struct region_index *index)
{
	uint32_t seen = 0;

	for (uint32_t bucket = 0; bucket < index->buckets_used; bucket++) {
		uint32_t link = index->buckets[bucket];

		while (link) {
			uint32_t slot = link - 1;

			if (slot >= index->buckets_max || seen++ > index->live)
				return false;
			uint64_t entry = index->entries[slot];

			if (bucket_of(region_index_hash(entry_object(entry)), index->buckets_used) != bucket)
				return false;
			link = entry_next(entry) == slot ? 0 : entry_next(entry) + 1;
		}
	}
	return seen == index->live;
}
