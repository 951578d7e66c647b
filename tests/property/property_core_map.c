/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The map of a core against a byte map.
 *
 * Reason: it is an interval sweep over three lists with priorities, easy to get
 * nearly right. So: random programs on random cores, random buffers, and a
 * model that paints single bytes (of 16) in the order of what wins.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyse/core_map.h"

#define HISTORIES 10000u
#define GRAIN	  16u
#define SIZE	  (256u * GRAIN)
#define RESERVED  (20u * GRAIN)
#define BASE	  (40u * GRAIN)
#define SMALL	  (230u * GRAIN)
#define GRID	  3u

#define CHECK(condition)                                                                           \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			fprintf(stderr, "%s:%d: %s (seed %u)\n", __FILE__, __LINE__, #condition,   \
				current);                                                          \
			exit(1);                                                                   \
		}                                                                                  \
	} while (0)

static unsigned current;
static uint64_t state;

static uint32_t below(uint32_t limit)
{
	state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)(state >> 33) % limit;
}

static void must(int r)
{
	if (r < 0)
		abort();
}

static void begin(struct snapshot *s)
{
	uint32_t index;

	snapshot_init(s);
	must(snapshot_add_process(s, &index));
	must(snapshot_add_allocator(s, &index));
	must(snapshot_add_chip(s, &index));
	s->chips[0] = (struct chip){fact_of(77), 0};
	s->allocators[0].chips = (struct span){0, 1};
	s->allocators[0].grid_x = s->allocators[0].grid_y = GRID;
	s->allocators[0].l1_bytes_per_core = fact_of(SIZE);
	s->allocators[0].l1 = (struct l1_terms){
		.reserved_bytes = fact_of(RESERVED), .ring_bytes = fact_of(BASE - RESERVED),
		.unreserved_base = fact_of(BASE), .worker_x = GRID, .worker_y = GRID + 1,
		.dispatch_cores = fact_of(GRID),
		.pieces = {{GRAIN, GRAIN}, {3 * GRAIN, 5 * GRAIN}}};
	for (uint8_t x = 0; x < GRID; x++) {
		s->allocators[0].l1.dispatch_at[x][0] = x;
		s->allocators[0].l1.dispatch_at[x][1] = GRID;
	}
	s->allocators[0].memory[MEMORY_L1_SMALL].bank_size_bytes = fact_of(SIZE - SMALL);
	for (int d = 0; d < 2; d++) {
		must(snapshot_add_device(s, &index));
		s->devices[index] = (struct device){.unique_id = fact_of(77), .chip_id = 0};
	}
	s->processes[0].allocators = (struct span){0, 1};
	s->processes[0].devices = (struct span){0, 1};
	s->machine_devices = (struct span){1, 1};
}

static void add_program(struct snapshot *s, uint64_t dispatch)
{
	uint32_t program, range, count = 1 + below(5);

	must(snapshot_add_program(s, &program));
	s->programs[program] = (struct program){
		.id = program, .chips = 1, .last_dispatch = dispatch, .dispatches = 1,
		.first_range = s->program_range_count, .range_count = count + 1};
	uint16_t x0 = (uint16_t)below(GRID), y0 = (uint16_t)below(GRID);
	uint16_t x1 = (uint16_t)(x0 + below(GRID - x0)), y1 = (uint16_t)(y0 + below(GRID - y0));

	must(snapshot_add_program_range(s, &range));
	s->program_ranges[range] =
		(struct program_range){.kind = RANGE_KERNEL, .x0 = x0, .y0 = y0, .x1 = x1, .y1 = y1};
	for (uint32_t i = 0; i < count; i++) {
		must(snapshot_add_program_range(s, &range));
		s->program_ranges[range] = (struct program_range){
			.kind = (uint8_t)(RANGE_CIRCULAR_BUFFER + below(3)),
			.is_borrowed = below(8) == 0, .is_alias = below(8) == 0,
			.x0 = x0, .y0 = y0, .x1 = x1, .y1 = y1,
			.address = fact_of(BASE + (uint64_t)below(200) * GRAIN),
			.bytes = (1 + below(30)) * GRAIN};
	}
	s->processes[0].programs.count++;
}

static void add_buffer(struct snapshot *s)
{
	uint32_t index;
	bool small = below(4) == 0;

	must(snapshot_add_buffer(s, &index));
	s->buffers[index] = (struct buffer){
		.type = small ? MEMORY_L1_SMALL : MEMORY_L1,
		.address = (small ? SMALL + (uint64_t)below(26) * GRAIN
				  : BASE + (uint64_t)below(190) * GRAIN),
		.bank_bytes = (1 + below(20)) * GRAIN, .event = index};
}

/* What wins a byte, from weak to strong, painted in this order. */
struct byte {
	uint8_t what, state;
};

static bool on_core(const struct program_range *r, uint32_t x, uint32_t y)
{
	return x >= r->x0 && x <= r->x1 && y >= r->y0 && y <= r->y1;
}

static const struct program *resident(const struct snapshot *s, uint32_t x, uint32_t y)
{
	const struct program *best = NULL;

	for (uint32_t i = 0; i < s->program_count; i++)
		if (on_core(&s->program_ranges[s->programs[i].first_range], x, y) &&
		    (!best || s->programs[i].last_dispatch > best->last_dispatch))
			best = &s->programs[i];
	return best;
}

static void paint_program(const struct snapshot *s, const struct program *p, uint8_t mark,
			  struct byte *bytes)
{
	for (uint32_t i = 0; i < p->range_count; i++) {
		const struct program_range *r = &s->program_ranges[p->first_range + i];

		if (!program_range_counts(r))
			continue;
		for (uint64_t at = r->address.value / GRAIN;
		     at < (r->address.value + r->bytes) / GRAIN && at < SMALL / GRAIN; at++)
			bytes[at].state = mark;
	}
}

/* Only what matters is modelled: free, cached, of a program, of a buffer, and the fixed parts. */
static void model(const struct snapshot *s, uint32_t x, uint32_t y, struct byte *bytes)
{
	const struct program *own = resident(s, x, y);

	for (uint32_t at = 0; at < SIZE / GRAIN; at++)
		bytes[at] = (struct byte){at < RESERVED / GRAIN ? CORE_RESERVED
					  : at < BASE / GRAIN	? CORE_RING
					  : at < SMALL / GRAIN	? CORE_FREE
								: CORE_L1_SMALL,
					  CORE_STATE_NONE};
	for (uint32_t i = 0; i < s->program_count; i++)
		if (&s->programs[i] != own &&
		    on_core(&s->program_ranges[s->programs[i].first_range], x, y))
			paint_program(s, &s->programs[i], CORE_CACHED, bytes);
	if (own)
		paint_program(s, own, CORE_RESIDENT, bytes);
	for (uint32_t i = 0; i < s->buffer_count; i++) {
		const struct buffer *b = &s->buffers[i];
		bool small = b->type == MEMORY_L1_SMALL;
		uint64_t high = small ? SIZE : SMALL;

		for (uint64_t at = b->address; at < b->address + b->bank_bytes && at < high;
		     at += GRAIN)
			bytes[at / GRAIN] = (struct byte){
				small ? CORE_L1_SMALL : CORE_L1_BUFFER, CORE_LIVE};
	}
}

static void check_range(const struct core_range *range, const struct byte *bytes)
{
	for (uint64_t at = range->start; at < range->end; at += GRAIN) {
		const struct byte *b = &bytes[at / GRAIN];

		if (at < RESERVED) {
			CHECK(range->what <= CORE_FABRIC);
		} else if (range->state == CORE_RESIDENT || range->state == CORE_OVERWRITTEN) {
			CHECK(range->what >= CORE_CIRCULAR_BUFFER &&
			      range->what <= CORE_SCRATCHPAD);
			CHECK(b->what == CORE_FREE && b->state == CORE_RESIDENT);
		} else {
			CHECK(range->what == b->what && range->state == b->state);
		}
	}
}

/* Reason: a sum that cannot fail proves nothing. Each term is moved by one grain. */
static void check_terms(struct core_map *core)
{
	uint64_t *const terms[] = {
		&core->terms.reserved, &core->terms.ring,
		&core->terms.program,  &core->terms.free,
		&core->terms.buffers,  &core->terms.small};

	CHECK(core_terms_difference(&core->terms) == 0);
	for (size_t i = 0; i < sizeof terms / sizeof terms[0]; i++) {
		*terms[i] += GRAIN;
		CHECK(core_terms_difference(&core->terms) == -(int64_t)GRAIN);
		*terms[i] -= GRAIN;
	}
}

static uint64_t buffer_bytes(const struct byte *bytes)
{
	uint64_t sum = 0;

	for (uint32_t at = BASE / GRAIN; at < SMALL / GRAIN; at++)
		sum += bytes[at].what == CORE_L1_BUFFER ? GRAIN : 0;
	return sum;
}

static void check_core(const struct snapshot *s, const struct chip_map *map, uint32_t x, uint32_t y,
		       struct core_map *core)
{
	struct byte bytes[SIZE / GRAIN];

	must(chip_map_core(map, x, y, core));
	CHECK(core_map_is_valid(core));
	check_terms(core);
	if (y == GRID) {
		CHECK(chip_map_kind(map, x, y) == CORE_DISPATCH && core->count == 1);
		return;
	}
	model(s, x, y, bytes);
	for (uint32_t i = 0; i < core->count; i++)
		check_range(&core->ranges[i], bytes);
	CHECK(core->terms.buffers == buffer_bytes(bytes));
	core->terms.bank_free = SMALL - BASE - buffer_bytes(bytes);
	CHECK(core_terms_free_difference(&core->terms) == 0);
	core->terms.bank_free -= GRAIN;
	CHECK(core_terms_free_difference(&core->terms) == -(int64_t)GRAIN);
}

static void history(unsigned seed)
{
	struct core_map core = {0};
	struct chip_map map;
	struct snapshot s;
	uint32_t programs = 0;

	current = seed;
	state = seed;
	programs = below(6);
	begin(&s);
	for (uint32_t i = 0; i < programs; i++)
		add_program(&s, 1 + i * 7 % 5 + i);
	for (uint32_t i = below(12); i > 0; i--)
		add_buffer(&s);
	must(chip_map_init(&map, &s, &s.devices[1]));
	for (uint32_t y = 0; y <= GRID; y++)
		for (uint32_t x = 0; x < GRID; x++)
			check_core(&s, &map, x, y, &core);
	core_map_clear(&core);
	chip_map_clear(&map);
	snapshot_clear(&s);
}

int main(void)
{
	for (unsigned seed = 1; seed <= HISTORIES; seed++)
		history(seed);
	return 0;
}
