/* SPDX-License-Identifier: Apache-2.0 */
/* The cores of a chip as JSON: docs/api.md, ttmem.l1/1. */
#include <inttypes.h>
#include <stdio.h>

#include "api/encode.h"
#include "view/l1.h"

static uint32_t pid_of(const struct snapshot *snapshot, const struct core_range *range)
{
	if (range->buffer != SNAPSHOT_NONE)
		return snapshot->processes[snapshot->buffers[range->buffer].process].pid;
	return snapshot->processes[snapshot->programs[range->program].process].pid;
}

static bool has_owner(const struct core_range *range)
{
	return range->buffer != SNAPSHOT_NONE || range->program != SNAPSHOT_NONE;
}

static void put_owner(struct encoded *object, const struct core_range *range)
{
	const struct snapshot *snapshot = object->snapshot;
	char name[64];

	encode_key(object, "pid");
	if (has_owner(range))
		encode_number(object->text, pid_of(snapshot, range));
	else
		text_puts(object->text, "null");
	encode_key(object, "owner");
	if (range->buffer != SNAPSHOT_NONE)
		(void)snprintf(name, sizeof name, "buffer %" PRIu64,
			       snapshot->buffers[range->buffer].event);
	else if (range->program != SNAPSHOT_NONE)
		(void)snprintf(name, sizeof name, "program %" PRIu64,
			       snapshot->programs[range->program].id);
	else
		name[0] = '\0';
	(void)encode_text(object->text, name);
}

static void put_range(struct text *text, const struct snapshot *snapshot,
		      const struct core_range *range)
{
	const char *state = core_state_name((enum core_state)range->state);
	struct encoded object;

	encode_begin(&object, text, snapshot);
	encode_fact(&object, "start", fact_of(range->start));
	encode_fact(&object, "end", fact_of(range->end));
	encode_key(&object, "what");
	(void)encode_text(text, core_what_name((enum core_what)range->what));
	encode_key(&object, "state");
	(void)encode_text(text, state ? state : "");
	put_owner(&object, range);
	encode_end(&object);
}

static void put_terms(struct encoded *core, const struct core_terms *terms)
{
	const struct {
		const char *name;
		uint64_t bytes;
	} all[] = {{"reserved_bytes", terms->reserved}, {"config_ring_bytes", terms->ring},
		   {"program_bytes", terms->program},	{"free_bytes", terms->free},
		   {"l1_buffer_bytes", terms->buffers}, {"l1_small_bytes", terms->small}};
	struct encoded object;

	encode_key(core, "terms");
	encode_begin(&object, core->text, NULL);
	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
		encode_fact(&object, all[i].name, fact_of(all[i].bytes));
	encode_end(&object);
}

static void put_core(struct text *text, const struct device *device, const struct chip_map *map,
		     uint32_t x, uint32_t y, const struct core_map *core)
{
	struct encoded object;

	encode_begin(&object, text, map->snapshot);
	encode_key(&object, "unique_id");
	(void)encode_id(text, device->unique_id);
	encode_fact(&object, "x", fact_of(x));
	encode_fact(&object, "y", fact_of(y));
	/* where it is on the chip depends on harvesting, which no table tells */
	encode_fact(&object, "noc_x", fact_absent(REASON_NOT_EXPORTED));
	encode_fact(&object, "noc_y", fact_absent(REASON_NOT_EXPORTED));
	encode_key(&object, "kind");
	(void)encode_text(text, core_kind_name(chip_map_kind(map, x, y)));
	encode_fact(&object, "size_bytes", fact_of(core->terms.size));
	encode_flag(&object, "estimate", map->is_estimate);
	put_terms(&object, &core->terms);
	encode_key(&object, "ranges");
	text_putc(text, '[');
	for (uint32_t i = 0; i < core->count; i++) {
		if (i)
			text_putc(text, ',');
		put_range(text, map->snapshot, &core->ranges[i]);
	}
	text_putc(text, ']');
	encode_end(&object);
}

/* One of those that the chip does not have: it has no place in the logical grid. */
static void put_harvested(struct text *text, const struct device *device,
			  const struct chip_map *map)
{
	const struct core_range all = {0, map->size, CORE_RESERVED, CORE_STATE_NONE, SNAPSHOT_NONE,
				       SNAPSHOT_NONE};
	struct encoded object;

	encode_begin(&object, text, map->snapshot);
	encode_key(&object, "unique_id");
	(void)encode_id(text, device->unique_id);
	encode_fact(&object, "x", fact_absent(REASON_NONE));
	encode_fact(&object, "y", fact_absent(REASON_NONE));
	encode_fact(&object, "noc_x", fact_absent(REASON_NOT_EXPORTED));
	encode_fact(&object, "noc_y", fact_absent(REASON_NOT_EXPORTED));
	encode_key(&object, "kind");
	(void)encode_text(text, core_kind_name(CORE_HARVESTED));
	encode_fact(&object, "size_bytes", fact_of(map->size));
	encode_key(&object, "ranges");
	text_putc(text, '[');
	put_range(text, map->snapshot, &all);
	text_putc(text, ']');
	encode_end(&object);
}

int l1_write_json(struct text *text, const struct device *device, const struct chip_map *map,
		  bool *any)
{
	struct core_map core = {0};
	int r = 0;

	for (uint32_t y = 0; r == 0 && y < map->worker_y; y++)
		for (uint32_t x = 0; r == 0 && x < map->worker_x; x++) {
			r = chip_map_core(map, x, y, &core);
			if (r < 0)
				break;
			if (*any)
				text_putc(text, ',');
			*any = true;
			put_core(text, device, map, x, y, &core);
		}
	for (uint32_t i = 0; r == 0 && i < chip_map_harvested(map); i++) {
		if (*any)
			text_putc(text, ',');
		*any = true;
		put_harvested(text, device, map);
	}
	core_map_clear(&core);
	return r;
}
