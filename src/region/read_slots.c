/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The live buffers of a table. A slot is born and dies in place, so one is either whole or not there; what
 * takes more than one look is a list of them that is one cut in time.
 */
#include <errno.h>
#include <stdlib.h>

#include "region/reader_internal.h"
#include "region/words.h"

/* The size up to which a cut in time is likely to succeed. */
#define CUT_SLOTS_MAX 65536u

/* Return: 1 copied; 0 not a live slot; -1 half written. */
static int copy_slot(struct region_slot *copy, const struct region_slot *shared)
{
	uint64_t first = word_load(&shared->seq);

	if (first == 0)
		return 0;
	if (first & 1)
		return -1;
	reader_copy_words((uint64_t *)(void *)copy + 1, (const uint64_t *)(const void *)shared + 1,
		   sizeof *copy / sizeof(uint64_t) - 1);
	copy->seq = first;
	/* it was freed, or freed and taken again, while we looked: not live any more */
	return word_load(&shared->seq) == first;
}

/* One attempt. Return: 0, or what the visitor ended it with. */
static int scan(const struct region_map *map, const struct region_slot_visitor *visitor,
		uint32_t high_water, struct region_slots *cut)
{
	const struct region_part *part = &map->parts[REGION_PART_SLOTS];
	uint32_t per_page = REGION_PAGE_BYTES / part->element_bytes;
	uint64_t good_page = UINT64_MAX; /* the last one that was found to hold data */

	for (uint32_t i = 0; i < high_water; i++) {
		uint64_t offset = part->offset + (uint64_t)i * part->element_bytes;
		uint64_t page = offset / REGION_PAGE_BYTES;

		if (offset % REGION_PAGE_BYTES == 0 && per_page > 0 && !reader_page_holds_data(map, page)) {
			i += per_page - 1;
			continue;
		}
		uint64_t last = (offset + sizeof(struct region_slot) - 1) / REGION_PAGE_BYTES;

		if ((page != good_page || last != page) &&
		    !reader_range(map, offset, sizeof(struct region_slot)))
			continue;
		good_page = page;

		struct region_slot copy;
		int r = copy_slot(&copy, (const void *)(map->base + offset));

		if (r < 0)
			cut->torn++;
		if (r <= 0 || copy.seq / 2 > cut->event)
			continue;
		cut->count++;
		r = visitor->visit(visitor->argument, &copy);
		if (r != 0)
			return r;
	}
	return 0;
}

int region_visit_slots(struct region_map *map, const struct region_slot_visitor *visitor,
		       struct region_slots *ret_cut)
{
	const struct region_head *head = reader_head(map);
	const struct region_part *part = &map->parts[REGION_PART_SLOTS];
	struct region_slots cut = {0};
	int r = reader_refresh_slots(map);

	for (int attempt = 0; r == 0 && attempt < CUT_ATTEMPTS && !cut.consistent; attempt++) {
		uint64_t before = word_load(&head->seq);
		uint32_t high_water = word_load32(&head->slots_high_water);

		visitor->restart(visitor->argument);
		if (high_water > part->count)
			high_water = part->count;
		cut = (struct region_slots){.event = before / 2};
		r = scan(map, visitor, high_water, &cut);
		if (r < 0)
			return r;
		r = 0; /* enough is as good as all */
		cut.consistent = seq_is_stable(before, word_load(&head->seq)) && cut.torn == 0;
		if (cut.count > CUT_SLOTS_MAX)
			break;
	}
	if (r == 0)
		*ret_cut = cut;
	return r;
}

/* The visitor that copies. */
struct copies {
	struct region_slot *slots;
	uint32_t count, capacity, limit;
};

static void restart_copies(void *argument)
{
	struct copies *copies = argument;

	copies->count = 0;
}

static int append(void *argument, const struct region_slot *slot)
{
	struct copies *copies = argument;

	if (copies->count == copies->capacity) {
		uint32_t larger = copies->capacity ? copies->capacity * 2 : 1024;
		struct region_slot *memory = realloc(copies->slots, larger * sizeof *memory);

		if (!memory)
			return -ENOMEM;
		copies->slots = memory;
		copies->capacity = larger;
	}
	copies->slots[copies->count++] = *slot;
	return copies->count >= copies->limit;
}

int region_read_slots(struct region_map *map, uint32_t limit, struct region_slots *ret_slots)
{
	struct copies copies = {.limit = limit};
	const struct region_slot_visitor visitor = {restart_copies, append, &copies};
	struct region_slots slots = {.consistent = true, .event = region_event(map)};
	int r = limit == 0 ? 0 : region_visit_slots(map, &visitor, &slots);

	if (r < 0) {
		free(copies.slots);
		return r;
	}
	slots.slots = copies.slots;
	*ret_slots = slots;
	return 0;
}

void region_slots_clear(struct region_slots *slots)
{
	free(slots->slots);
	*slots = (struct region_slots){0};
}
