/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From the address of a Buffer object to its slot.
 *
 * A linear hash with chains, in 8 + 4 bytes a buffer: it grows and shrinks by
 * one bucket per insertion or removal, so no allocation ever waits for a
 * rehash. A chain is threaded through `entries`, which has one word per slot:
 * the object's address without its three low zero bits (44 bits) and the next
 * slot of the chain (20 bits; itself at the end).
 *
 * Invariant: bucket b holds exactly the entries whose hash selects b among the
 * first `buckets_used` buckets.
 */
#ifndef TTMEM_REGION_INDEX_H
#define TTMEM_REGION_INDEX_H

#include <stdbool.h>
#include <stdint.h>

#define REGION_INDEX_BUCKETS_MIN 1024u
#define REGION_INDEX_NONE	 UINT32_C(0xffffffff)

struct region_index {
	uint64_t *entries; /* one per slot, zero-filled memory of the owner */
	uint32_t *buckets; /* as many as slots; slot + 1, or 0 for an empty chain */
	uint32_t  buckets_used;
	uint32_t  buckets_touched; /* never used above this since the owner last dropped pages */
	uint32_t  buckets_max;
	uint32_t  live;
};

/* region_index_accepts - can this address be a key: 47 bits, 8-aligned, not null */
static inline bool region_index_accepts(uint64_t object)
{
	return object != 0 && (object & 7) == 0 && object >> 47 == 0;
}

void region_index_init(struct region_index *index, uint64_t *entries, uint32_t *buckets,
		       uint32_t slots);
/*
 * region_index_hash - to be computed once per event; every function below takes it. Both halves of
 * the product: with one alone, some strides of a heap fall into few buckets.
 */
static inline uint32_t region_index_hash(uint64_t object)
{
	uint64_t product = (object >> 3) * UINT64_C(0x9e3779b97f4a7c15);

	return (uint32_t)(product ^ product >> 32);
}

/* region_index_find - the slot of an object, or REGION_INDEX_NONE */
uint32_t region_index_find(const struct region_index *index, uint64_t object, uint32_t hash);
/* region_index_insert - the object must be acceptable and not be there yet */
void region_index_insert(struct region_index *index, uint64_t object, uint32_t hash, uint32_t slot);
/* region_index_remove - takes the object out; returns its slot, or REGION_INDEX_NONE */
uint32_t region_index_remove(struct region_index *index, uint64_t object, uint32_t hash);
/* region_index_object - the object in a taken slot */
uint64_t region_index_object(const struct region_index *index, uint32_t slot);
/* region_index_prefetch - start loading the bucket that an operation will need */
void region_index_prefetch(const struct region_index *index, uint32_t hash);
/* region_index_is_valid - for tests: the invariant above, and `live` entries in all */
bool region_index_is_valid(const struct region_index *index);

#endif
