/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is made of the slots of one table: the list of buffers, all or chosen,
 * and the address ranges in use, from which holes and unions are computed.
 */
#include "collect/collect.h"

#include <errno.h>
#include <stdlib.h>

/* Index of the allocator with a row id among those of the last process; SNAPSHOT_NONE. */
static uint32_t find_allocator(const struct snapshot *snapshot, struct span allocators, uint32_t id)
{
	for (uint32_t i = 0; i < allocators.count; i++)
		if (snapshot->allocators[allocators.first + i].id == id)
			return allocators.first + i;
	return SNAPSHOT_NONE;
}

/* Row id to allocator index, once for all slots. */
static void index_rows(const struct snapshot *snapshot, struct span allocators,
		       uint32_t index[REGION_ALLOCATORS_MAX])
{
	for (uint32_t id = 0; id < REGION_ALLOCATORS_MAX; id++)
		index[id] = find_allocator(snapshot, allocators, id);
}

static uint32_t slot_allocator(const uint32_t index[REGION_ALLOCATORS_MAX],
			       const struct region_slot *slot)
{
	uint32_t row = region_slot_allocator(slot->place_bank);

	return row < REGION_ALLOCATORS_MAX && region_slot_type(slot->place_bank) < MEMORY_TYPES
		       ? index[row]
		       : SNAPSHOT_NONE;
}

/* Where a slot's range belongs; NULL when the slot names no allocator of this table. */
static struct collect_ranges *slot_ranges(struct collection *collection, const uint32_t *index,
					  const struct region_slot *slot)
{
	uint32_t a = slot_allocator(index, slot);
	uint64_t bytes = region_slot_bank_bytes(slot->place_bank);

	if (a == SNAPSHOT_NONE || bytes == 0 || slot->address > UINT64_MAX - bytes)
		return NULL;
	return &collection->ranges[a][region_slot_type(slot->place_bank)];
}

/* Counted first, so that a table cannot make us allocate more than it has slots. */
static int allocate_ranges(struct collection *collection, const struct region_slots *slots,
			   struct span allocators, const uint32_t *index)
{
	for (uint32_t i = 0; i < slots->count; i++) {
		struct collect_ranges *r = slot_ranges(collection, index, &slots->slots[i]);

		if (r)
			r->count++;
	}
	for (uint32_t a = allocators.first; a < allocators.first + allocators.count; a++)
		for (int type = 0; type < MEMORY_TYPES; type++) {
			struct collect_ranges *r = &collection->ranges[a][type];

			r->ranges = malloc((r->count + 1) * sizeof *r->ranges);
			r->count = 0;
			if (!r->ranges)
				return -ENOMEM;
		}
	return 0;
}

static int add_ranges(struct collection *collection, const struct region_slots *slots,
		      struct span allocators, const uint32_t *index)
{
	int result = allocate_ranges(collection, slots, allocators, index);

	for (uint32_t i = 0; result == 0 && i < slots->count; i++) {
		const struct region_slot *slot = &slots->slots[i];
		struct collect_ranges *r = slot_ranges(collection, index, slot);

		if (r)
			r->ranges[r->count++] = (struct range){
				slot->address,
				slot->address + region_slot_bank_bytes(slot->place_bank)};
	}
	for (uint32_t a = allocators.first; a < allocators.first + allocators.count; a++)
		for (int type = 0; result == 0 && type < MEMORY_TYPES; type++) {
			struct collect_ranges *r = &collection->ranges[a][type];

			result = ranges_sort(r->ranges, r->count);
			if (result == 0)
				r->count = ranges_union(r->ranges, r->count);
		}
	return result;
}

static int buffer_of(struct collection *collection, struct table_sites *sites,
		     const struct region_slot *slot, uint32_t process, uint32_t allocator,
		     struct buffer *ret_buffer)
{
	uint32_t pages = (uint32_t)slot->extent, site;
	int r = table_sites_number(sites, &collection->snapshot, (uint32_t)(slot->origin >> 32),
				   &site);

	if (r < 0)
		return r;
	*ret_buffer = (struct buffer){
		.process = process,
		.allocator = allocator,
		.address = slot->address,
		.requested_bytes = slot->requested_bytes,
		.bank_bytes = region_slot_bank_bytes(slot->place_bank),
		.page_bytes = slot->page_bytes,
		.pages = pages == UINT32_MAX ? UINT64_MAX : pages,
		.age_ns = collection_age(collection, slot->time_ns),
		.event = slot->seq / 2,
		.cores = (uint32_t)(slot->extent >> 32),
		.thread = (uint32_t)slot->origin,
		.site = site,
		.type = (uint8_t)region_slot_type(slot->place_bank),
		.layout = (uint8_t)region_slot_layout(slot->place_bank),
	};
	return 0;
}

static int add_buffers(struct collection *collection, struct table_sites *sites,
		       const struct region_slots *slots, uint32_t process, const uint32_t *index)
{
	struct snapshot *snapshot = &collection->snapshot;
	uint32_t limit = collection->options.slot_limit;

	for (uint32_t i = 0; i < slots->count; i++) {
		const struct region_slot *slot = &slots->slots[i];
		uint32_t a = slot_allocator(index, slot), at = 0;

		if (limit && snapshot->buffer_count >= limit)
			break;
		if (a == SNAPSHOT_NONE)
			continue;
		struct buffer buffer;
		int r = buffer_of(collection, sites, slot, process, a, &buffer);

		if (r == 0)
			r = snapshot_add_buffer(snapshot, &at);
		if (r < 0)
			return r;
		snapshot->buffers[at] = buffer;
	}
	return 0;
}

static void fill_largest_free(struct collection *collection, struct span allocators)
{
	for (uint32_t a = allocators.first; a < allocators.first + allocators.count; a++)
		for (int type = 0; type < MEMORY_TYPES; type++) {
			struct allocator *allocator = &collection->snapshot.allocators[a];
			const struct collect_ranges *r = &collection->ranges[a][type];
			struct memory *memory = &allocator->memory[type];
			uint64_t base = allocator->base_address[type], end;

			if (!fact_is_known(memory->bank_size_bytes) ||
			    !fact_is_known(memory->buffers) ||
			    __builtin_add_overflow(base, memory->bank_size_bytes.value, &end))
				continue;
			memory->bank_largest_free_bytes =
				fact_of(ranges_largest_hole(r->ranges, r->count, base, end));
			memory->largest_free_bytes =
				fact_times(memory->bank_largest_free_bytes, memory->banks);
		}
}

/*
 * Are addresses needed? For holes, and where several allocators hold buffers:
 * their sums mean nothing then.
 */
static bool needs_ranges(const struct collection *collection, struct span allocators)
{
	uint32_t holders = 0;

	for (uint32_t i = 0; i < allocators.count; i++) {
		const struct allocator *a = &collection->snapshot.allocators[allocators.first + i];
		bool holds = false;

		for (int type = 0; type < MEMORY_TYPES; type++)
			holds |= a->memory[type].buffers.value != 0;
		holders += holds;
	}
	return collection->options.largest_free || holders > 1;
}

/* How many more buffers may be listed; all of them are read when their addresses are needed. */
static uint32_t slots_wanted(const struct collection *collection, bool ranges)
{
	uint32_t limit = collection->options.slot_limit;

	if (ranges || limit == 0)
		return UINT32_MAX;
	return limit > collection->snapshot.buffer_count ? limit - collection->snapshot.buffer_count
							 : 0;
}

/* A copy of the slots, for all that needs them. */
static int add_copied(struct collection *collection, struct region_map *map,
		      struct table_sites *sites, uint32_t process, const uint32_t *index,
		      bool ranges)
{
	struct span allocators = collection->snapshot.processes[process].allocators;
	struct region_slots slots;
	int r = region_read_slots(map, slots_wanted(collection, ranges), &slots);

	if (r < 0)
		return r;
	if (!slots.consistent)
		collection->snapshot.consistent = 0;
	if (ranges) {
		r = add_ranges(collection, &slots, allocators, index);
		if (r == 0)
			fill_largest_free(collection, allocators);
	}
	if (r == 0 && collection->options.buffers)
		r = add_buffers(collection, sites, &slots, process, index);
	region_slots_clear(&slots);
	return r;
}

/* One table whose buffers are offered to the choice or the tally, slot by slot. */
struct offering {
	struct collection *collection;
	struct table_sites *sites;
	uint32_t process;
	const uint32_t *index;
};

static void restart_offering(void *argument)
{
	const struct offering *offering = argument;

	if (offering->collection->options.tally)
		tallies_restart(offering->collection->options.tally->tallies);
	else
		choice_restart(&offering->collection->choice);
}

/* One buffer for the sums, if it is wanted. */
static int tally(const struct collect_tally *wanted, const struct snapshot *snapshot,
		 const struct buffer *buffer)
{
	return !wanted->passes || wanted->passes(wanted->argument, snapshot, buffer)
		       ? tallies_add(wanted->tallies, buffer)
		       : 0;
}

static int offer(void *argument, const struct region_slot *slot)
{
	const struct offering *offering = argument;
	struct collection *collection = offering->collection;
	uint32_t a = slot_allocator(offering->index, slot);

	if (a == SNAPSHOT_NONE)
		return 0;
	struct buffer buffer;
	int r = buffer_of(collection, offering->sites, slot, offering->process, a, &buffer);

	if (r == 0 && collection->options.tally)
		return tally(collection->options.tally, &collection->snapshot, &buffer);
	return r < 0 ? r : choice_offer(&collection->choice, collection->options.choice,
					&collection->snapshot, &buffer);
}

static int add_offered(struct collection *collection, struct region_map *map,
		      struct table_sites *sites, uint32_t process, const uint32_t *index)
{
	struct offering offering = {collection, sites, process, index};
	const struct region_slot_visitor visitor = {restart_offering, offer, &offering};
	struct region_slots cut;
	if (collection->options.tally)
		collection->options.tally->tallies->now_ns = collection->now_monotonic_ns;
	int r = region_visit_slots(map, &visitor, &cut);

	if (r < 0)
		return r;
	if (!cut.consistent)
		collection->snapshot.consistent = 0;
	if (!collection->options.tally)
		return choice_table_done(&collection->choice, collection->options.choice);
	tallies_table_done(collection->options.tally->tallies);
	return 0;
}

int slots_add(struct collection *collection, struct region_map *map, struct table_sites *sites,
	      uint32_t process)
{
	struct span allocators = collection->snapshot.processes[process].allocators;
	bool ranges = !collection->options.buffers_only && needs_ranges(collection, allocators);
	uint32_t index[REGION_ALLOCATORS_MAX];

	if (!ranges && !collection->options.buffers)
		return 0;
	index_rows(&collection->snapshot, allocators, index);
	return collection->options.choice || collection->options.tally
		       ? add_offered(collection, map, sites, process, index)
		       : add_copied(collection, map, sites, process, index, ranges);
}
