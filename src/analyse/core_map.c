/* SPDX-License-Identifier: Apache-2.0 */
#include "analyse/core_map.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Looks at cores for one chip, over all processes: a forged table must not keep us busy. */
#define BUDGET (UINT64_C(64) << 20)

/* Program ranges of one core that are looked at. */
#define CORE_PROGRAM_RANGES 256u

const char *core_what_name(enum core_what what)
{
	static const char *const names[CORE_WHATS] = {
		"reserved",	   "barrier",	      "mailbox",    "fabric", "config_ring",
		"circular_buffer", "dataflow_buffer", "scratchpad", "free",   "l1_buffer",
		"l1_small"};

	return what < CORE_WHATS ? names[what] : NULL;
}

const char *core_state_name(enum core_state state)
{
	static const char *const names[] = {NULL, "resident", "overwritten", "cached", "live"};

	return state <= CORE_LIVE ? names[state] : NULL;
}

const char *core_kind_name(enum core_kind kind)
{
	static const char *const names[] = {"worker", "dispatch", "harvested"};

	return kind <= CORE_HARVESTED ? names[kind] : NULL;
}

int64_t core_terms_difference(const struct core_terms *t)
{
	return (int64_t)(t->size - t->reserved - t->ring - t->program - t->free - t->buffers -
			 t->small);
}

int64_t core_terms_free_difference(const struct core_terms *t)
{
	return (int64_t)(t->bank_free - t->program - t->free);
}

bool core_map_is_valid(const struct core_map *core)
{
	uint64_t at = 0;

	for (uint32_t i = 0; i < core->count; i++) {
		if (core->ranges[i].start != at || core->ranges[i].end <= at)
			return false;
		at = core->ranges[i].end;
	}
	return at == core->terms.size;
}

static int by_start(const void *a, const void *b)
{
	const struct core_range *x = a, *y = b;

	return (x->start > y->start) - (x->start < y->start);
}

/* Where two overlap (allocators of a mesh and its parent) the first one keeps its bytes. */
static uint32_t make_disjoint(struct core_range *ranges, uint32_t count)
{
	uint32_t kept = 0;
	uint64_t at = 0;

	if (count)
		qsort(ranges, count, sizeof *ranges, by_start);
	for (uint32_t i = 0; i < count; i++) {
		struct core_range range = ranges[i];

		if (range.start < at)
			range.start = at;
		if (range.end <= range.start)
			continue;
		at = range.end;
		ranges[kept++] = range;
	}
	return kept;
}

static bool counts(const struct snapshot *snapshot, uint32_t allocator, const struct device *device)
{
	const struct allocator *a = &snapshot->allocators[allocator];

	return !fact_is_known(a->closed_ns) &&
	       snapshot->processes[a->process].state == PROCESS_LIVE &&
	       snapshot_covers(snapshot, a, device);
}

/* The allocator whose terms are taken: one that knows its ring before one that does not. */
static const struct allocator *choose(const struct snapshot *snapshot, const struct device *device)
{
	const struct allocator *best = NULL;

	for (uint32_t i = 0; i < snapshot->allocator_count; i++) {
		const struct allocator *a = &snapshot->allocators[i];

		if (!counts(snapshot, i, device) || !fact_is_known(a->l1_bytes_per_core))
			continue;
		if (!best || (fact_is_known(a->l1.reserved_bytes) &&
			      !fact_is_known(best->l1.reserved_bytes)))
			best = a;
	}
	return best;
}

static int take_terms(struct chip_map *map, const struct device *device)
{
	const struct allocator *a = choose(map->snapshot, device);

	if (!a)
		return -ENODATA;
	const struct memory *l1 = &device->memory[MEMORY_L1];
	const struct memory *small = &a->memory[MEMORY_L1_SMALL];
	uint64_t small_bytes = fact_is_known(small->bank_size_bytes) ? small->bank_size_bytes.value
								     : 0;

	map->allocator = a;
	map->size = a->l1_bytes_per_core.value;
	map->base = fact_is_known(a->l1.unreserved_base) ? a->l1.unreserved_base.value
							 : a->base_address[MEMORY_L1];
	map->is_estimate = !fact_is_known(a->l1.reserved_bytes) || !fact_is_known(a->l1.ring_bytes);
	map->reserved = map->is_estimate ? map->base : a->l1.reserved_bytes.value;
	map->ring = map->is_estimate ? 0 : a->l1.ring_bytes.value;
	if (small_bytes > map->size || map->base > map->size - small_bytes ||
	    map->reserved > map->base)
		return -ENODATA;
	map->small_start = map->size - small_bytes;
	map->bank_free_known = fact_is_known(l1->bank_free_bytes);
	map->bank_free = map->bank_free_known ? l1->bank_free_bytes.value : 0;
	map->compute_x = a->grid_x;
	map->compute_y = a->grid_y;
	map->worker_x = a->l1.worker_x > a->grid_x ? a->l1.worker_x : a->grid_x;
	map->worker_y = a->l1.worker_y > a->grid_y ? a->l1.worker_y : a->grid_y;
	if (map->worker_x > PROGRAM_CORE_MAX || map->worker_y > PROGRAM_CORE_MAX)
		return -ENODATA;
	return 0;
}

/* Of a buffer what lies in its own region; a forged address must not reach into another's. */
static bool clip(struct core_range *range, uint64_t low, uint64_t high)
{
	if (range->start < low)
		range->start = low;
	if (range->end > high)
		range->end = high;
	return range->start < range->end;
}

static int take_buffers(struct chip_map *map, const struct device *device)
{
	const struct snapshot *snapshot = map->snapshot;
	bool *covers = calloc((size_t)snapshot->allocator_count + 1, sizeof *covers);

	map->buffers = malloc(((size_t)snapshot->buffer_count + 1) * sizeof *map->buffers);
	if (!covers || !map->buffers) {
		free(covers);
		return -ENOMEM;
	}
	for (uint32_t i = 0; i < snapshot->allocator_count; i++)
		covers[i] = counts(snapshot, i, device);
	for (uint32_t i = 0; i < snapshot->buffer_count; i++) {
		const struct buffer *buffer = &snapshot->buffers[i];
		bool small = buffer->type == MEMORY_L1_SMALL;
		struct core_range range = {
			.start = buffer->address,
			.end = buffer->address + buffer->bank_bytes,
			.what = small ? CORE_L1_SMALL : CORE_L1_BUFFER,
			.state = CORE_LIVE,
			.program = SNAPSHOT_NONE,
			.buffer = i,
		};

		if (!covers[buffer->allocator] || (buffer->type != MEMORY_L1 && !small) ||
		    range.end < range.start ||
		    !clip(&range, small ? map->small_start : map->base,
			  small ? map->size : map->small_start))
			continue;
		map->buffers[map->buffer_count++] = range;
	}
	free(covers);
	map->buffer_count = make_disjoint(map->buffers, map->buffer_count);
	return 0;
}

/* The number that a process gives the chip; SNAPSHOT_NONE: it does not use it. */
static uint32_t chip_id_of(const struct snapshot *snapshot, const struct process *process,
			   const struct device *device)
{
	for (uint32_t i = 0; i < process->devices.count; i++) {
		const struct device *own = &snapshot->devices[process->devices.first + i];

		if (device_same(own, device))
			return own->chip_id;
	}
	return SNAPSHOT_NONE;
}

static int take_programs(struct chip_map *map, const struct device *device)
{
	const struct snapshot *snapshot = map->snapshot;
	size_t room = (size_t)snapshot->process_count + 1;
	uint64_t budget = BUDGET;

	map->processes = calloc(room, sizeof *map->processes);
	map->chip_ids = calloc(room, sizeof *map->chip_ids);
	map->residencies = NULL;
	if (!map->processes || !map->chip_ids)
		return -ENOMEM;
	for (uint32_t i = 0; i < snapshot->process_count; i++) {
		const struct process *process = &snapshot->processes[i];
		uint32_t chip = chip_id_of(snapshot, process, device);

		if (process->state != PROCESS_LIVE || process->programs.count == 0 ||
		    chip == SNAPSHOT_NONE)
			continue;
		struct residency *memory = realloc(
			map->residencies, (map->process_count + 1) * sizeof *map->residencies);

		if (!memory)
			return -ENOMEM;
		map->residencies = memory;
		map->processes[map->process_count] = i;
		map->chip_ids[map->process_count] = chip;
		int r = residency_of_chip(snapshot, i, chip, &budget,
					  &map->residencies[map->process_count]);

		if (r < 0)
			return r;
		map->process_count++;
	}
	return 0;
}

int chip_map_init(struct chip_map *map, const struct snapshot *snapshot,
		  const struct device *device)
{
	*map = (struct chip_map){.snapshot = snapshot};
	int r = take_terms(map, device);

	if (r == 0)
		r = take_buffers(map, device);
	if (r == 0)
		r = take_programs(map, device);
	if (r < 0)
		chip_map_clear(map);
	return r;
}

void chip_map_clear(struct chip_map *map)
{
	free(map->buffers);
	free(map->processes);
	free(map->chip_ids);
	free(map->residencies);
	*map = (struct chip_map){0};
}

uint32_t chip_map_harvested(const struct chip_map *map)
{
	/* Tensix cores of a whole chip: 8 x 10, and 14 x 10 */
	uint32_t whole = map->allocator->arch == 2 ? 80 : map->allocator->arch == 3 ? 140 : 0;
	uint32_t have = map->allocator->l1.worker_x * map->allocator->l1.worker_y;

	return have && have < whole ? whole - have : 0;
}

enum core_kind chip_map_kind(const struct chip_map *map, uint32_t x, uint32_t y)
{
	const struct l1_terms *l1 = &map->allocator->l1;
	uint64_t count = fact_is_known(l1->dispatch_cores) ? l1->dispatch_cores.value : 0;

	for (uint64_t i = 0; i < count && i < DISPATCH_CORES_MAX; i++)
		if (l1->dispatch_at[i][0] == x && l1->dispatch_at[i][1] == y)
			return CORE_DISPATCH;
	return CORE_WORKER;
}

/* The program ranges of one core: of resident programs, or of all others that are kept. */
struct program_list {
	struct core_range ranges[CORE_PROGRAM_RANGES];
	uint32_t count;
};

static uint8_t what_of(uint8_t kind)
{
	return kind == RANGE_CIRCULAR_BUFFER   ? CORE_CIRCULAR_BUFFER
	       : kind == RANGE_DATAFLOW_BUFFER ? CORE_DATAFLOW_BUFFER
					       : CORE_SCRATCHPAD;
}

static void add_program(const struct chip_map *map, uint32_t index, uint32_t x, uint32_t y,
			struct program_list *list)
{
	const struct program *program = &map->snapshot->programs[index];

	for (uint32_t i = 0; i < program->range_count; i++) {
		const struct program_range *from =
			&map->snapshot->program_ranges[program->first_range + i];

		if (!program_range_counts(from) || !fact_is_known(from->address) || x < from->x0 ||
		    x > from->x1 || y < from->y0 || y > from->y1 ||
		    list->count == CORE_PROGRAM_RANGES)
			continue;
		struct core_range range = {
			.start = from->address.value,
			.end = from->address.value + from->bytes,
			.what = what_of(from->kind),
			.state = CORE_RESIDENT,
			.program = index,
			.buffer = SNAPSHOT_NONE,
		};

		if (clip(&range, map->base, map->small_start))
			list->ranges[list->count++] = range;
	}
}

static void gather(const struct chip_map *map, uint32_t x, uint32_t y, bool resident,
		   struct program_list *list)
{
	list->count = 0;
	for (uint32_t p = 0; p < map->process_count; p++) {
		struct span programs = map->snapshot->processes[map->processes[p]].programs;
		uint32_t own = map->residencies[p].program[y][x];

		if (resident && own != SNAPSHOT_NONE)
			add_program(map, own, x, y, list);
		for (uint32_t i = programs.first; !resident && i < programs.first + programs.count;
		     i++)
			if (i != own && program_runs_on(map->snapshot, &map->snapshot->programs[i],
							map->chip_ids[p]))
				add_program(map, i, x, y, list);
	}
	list->count = make_disjoint(list->ranges, list->count);
}

static int append(struct core_map *core, struct core_range range)
{
	struct core_range *last = core->count ? &core->ranges[core->count - 1] : NULL;

	if (range.start >= range.end)
		return 0;
	if (last && last->end == range.start && last->what == range.what &&
	    last->state == range.state && last->program == range.program &&
	    last->buffer == range.buffer) {
		last->end = range.end;
		return 0;
	}
	if (core->count == core->capacity) {
		uint32_t larger = core->capacity ? 2 * core->capacity : 64;
		void *memory = realloc(core->ranges, larger * sizeof *core->ranges);

		if (!memory)
			return -ENOMEM;
		core->ranges = memory;
		core->capacity = larger;
	}
	core->ranges[core->count++] = range;
	return 0;
}

static int append_plain(struct core_map *core, uint64_t start, uint64_t end, enum core_what what)
{
	return append(core, (struct core_range){start, end, (uint8_t)what, CORE_STATE_NONE,
						SNAPSHOT_NONE, SNAPSHOT_NONE});
}

/* Named pieces of the reserved part in their order, and what lies between them. */
static int append_reserved(const struct chip_map *map, struct core_map *core)
{
	static const uint8_t whats[L1_PIECES] = {CORE_BARRIER, CORE_MAILBOX, CORE_FABRIC,
						 CORE_FABRIC, CORE_FABRIC};
	struct core_range pieces[L1_PIECES];
	uint32_t count = 0;
	uint64_t at = 0;

	for (int i = 0; i < L1_PIECES; i++) {
		const struct l1_extent *piece = &map->allocator->l1.pieces[i];
		struct core_range range = {piece->base, (uint64_t)piece->base + piece->bytes,
					   whats[i], CORE_STATE_NONE, SNAPSHOT_NONE, SNAPSHOT_NONE};

		if (clip(&range, 0, map->reserved))
			pieces[count++] = range;
	}
	count = make_disjoint(pieces, count);
	for (uint32_t i = 0; i < count; i++) {
		int r = append_plain(core, at, pieces[i].start, CORE_RESERVED);

		if (r == 0)
			r = append(core, pieces[i]);
		if (r < 0)
			return r;
		at = pieces[i].end;
	}
	return append_plain(core, at, map->reserved, CORE_RESERVED);
}

/* A list of ranges that is walked once, upwards. */
struct walk {
	const struct core_range *ranges;
	uint32_t count, at;
};

/* The range at a position, NULL for none; *limit comes down to where that changes. */
static const struct core_range *range_at(struct walk *walk, uint64_t position, uint64_t *limit)
{
	while (walk->at < walk->count && walk->ranges[walk->at].end <= position)
		walk->at++;
	if (walk->at == walk->count)
		return NULL;
	const struct core_range *range = &walk->ranges[walk->at];
	bool inside = range->start <= position;
	uint64_t change = inside ? range->end : range->start;

	if (change < *limit)
		*limit = change;
	return inside ? range : NULL;
}

static bool is_under_buffer(const struct chip_map *map, const struct core_range *range)
{
	uint32_t low = 0, high = map->buffer_count;

	/* the first buffer that ends behind the range's start */
	while (low < high) {
		uint32_t middle = (low + high) / 2;

		if (map->buffers[middle].end <= range->start)
			low = middle + 1;
		else
			high = middle;
	}
	return low < map->buffer_count && map->buffers[low].start < range->end;
}

/* From the end of the ring to the start of L1_SMALL: buffers, then programs, then nothing. */
static int append_bank(const struct chip_map *map, struct program_list *resident,
		       const struct program_list *cached, struct core_map *core)
{
	struct walk buffers = {map->buffers, map->buffer_count, 0};
	struct walk programs = {resident->ranges, resident->count, 0};
	struct walk kept = {cached->ranges, cached->count, 0};
	int r = 0;

	for (uint32_t i = 0; i < resident->count; i++)
		if (is_under_buffer(map, &resident->ranges[i]))
			resident->ranges[i].state = CORE_OVERWRITTEN;
	for (uint64_t at = map->base; r == 0 && at < map->small_start;) {
		uint64_t limit = map->small_start;
		const struct core_range *buffer = range_at(&buffers, at, &limit);
		const struct core_range *program = range_at(&programs, at, &limit);
		const struct core_range *other = range_at(&kept, at, &limit);
		struct core_range range = {at, limit, CORE_FREE, CORE_STATE_NONE, SNAPSHOT_NONE,
					   SNAPSHOT_NONE};

		if (buffer || program) {
			range = buffer ? *buffer : *program;
			range.start = at;
			range.end = limit;
		} else if (other) {
			range.state = CORE_CACHED;
			range.program = other->program;
		}
		r = append(core, range);
		at = limit;
	}
	return r;
}

static int append_small(const struct chip_map *map, struct core_map *core)
{
	struct walk buffers = {map->buffers, map->buffer_count, 0};
	int r = 0;

	for (uint64_t at = map->small_start; r == 0 && at < map->size;) {
		uint64_t limit = map->size;
		const struct core_range *buffer = range_at(&buffers, at, &limit);

		r = append(core, buffer ? (struct core_range){at, limit, CORE_L1_SMALL, CORE_LIVE,
							      SNAPSHOT_NONE, buffer->buffer}
					: (struct core_range){at, limit, CORE_L1_SMALL,
							      CORE_STATE_NONE, SNAPSHOT_NONE,
							      SNAPSHOT_NONE});
		at = limit;
	}
	return r;
}

/* Each term from its own source; program, free and buffers by addresses. */
static void fill_terms(const struct chip_map *map, struct core_map *core)
{
	struct core_terms *t = &core->terms;

	*t = (struct core_terms){
		.reserved = map->reserved,
		.ring = map->ring,
		.small = map->size - map->small_start,
		.size = map->size,
		.bank_free = map->bank_free,
	};
	for (uint32_t i = 0; i < core->count; i++) {
		uint64_t bytes = core->ranges[i].end - core->ranges[i].start;

		switch (core->ranges[i].what) {
		case CORE_CIRCULAR_BUFFER:
		case CORE_DATAFLOW_BUFFER:
		case CORE_SCRATCHPAD:
			t->program += bytes;
			break;
		case CORE_FREE:
			t->free += bytes;
			break;
		case CORE_L1_BUFFER:
			t->buffers += bytes;
			break;
		default:
			break;
		}
	}
}

int chip_map_core(const struct chip_map *map, uint32_t x, uint32_t y, struct core_map *core)
{
	struct program_list resident, cached;
	int r;

	core->count = 0;
	/* a dispatch core runs the dispatcher: none of our terms holds there */
	if (chip_map_kind(map, x, y) == CORE_DISPATCH) {
		core->terms = (struct core_terms){.reserved = map->size, .size = map->size};
		return append_plain(core, 0, map->size, CORE_RESERVED);
	}
	gather(map, x, y, true, &resident);
	gather(map, x, y, false, &cached);
	r = append_reserved(map, core);
	if (r == 0)
		r = append_plain(core, map->reserved, map->base,
				 map->is_estimate ? CORE_RESERVED : CORE_RING);
	if (r == 0)
		r = append_bank(map, &resident, &cached, core);
	if (r == 0)
		r = append_small(map, core);
	if (r == 0)
		fill_terms(map, core);
	return r;
}

void core_map_clear(struct core_map *core)
{
	free(core->ranges);
	*core = (struct core_map){0};
}
