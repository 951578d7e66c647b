/* SPDX-License-Identifier: Apache-2.0 */
#include "view/l1.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "view/devices.h"

#define CELL_COLUMNS 5u

static void title(struct text *text, const struct style *style, const struct device *device,
		  const struct chip_map *map)
{
	text_auto line = TEXT_INIT;
	char size[STYLE_CELL];

	style_tone(&line, style, TONE_BOLD);
	text_printf(&line, "%3" PRIu32 " ", device->number);
	device_name(&line, map->snapshot, device);
	style_tone(&line, style, TONE_PLAIN);
	text_printf(&line, "   L1 of a core: %s (%" PRIu64 " B)", size_text(map->size, size),
		    map->size);
	if (map->is_estimate)
		text_puts(&line, "   ~ reserved and ring not told apart");
	style_row(text, style, &line);
}

/* Bytes that a program or a buffer cannot have: everything but what is free. */
static uint64_t used(const struct core_map *core)
{
	uint64_t free_bytes = core->terms.free;

	for (uint32_t i = 0; i < core->count; i++)
		if (core->ranges[i].what == CORE_L1_SMALL &&
		    core->ranges[i].state == CORE_STATE_NONE)
			free_bytes += core->ranges[i].end - core->ranges[i].start;
	return core->terms.size - free_bytes;
}

static void cell(struct text *line, const struct style *style, enum core_kind kind,
		 const struct core_map *core)
{
	char percent[STYLE_CELL];

	if (kind == CORE_DISPATCH) {
		text_printf(line, "%*s", (int)CELL_COLUMNS, "D");
		return;
	}
	(void)percent_text(used(core), core->terms.size, percent);
	text_pad(line, ' ', CELL_COLUMNS - (unsigned)strlen(percent));
	style_tone(line, style, style_tone_of(used(core), core->terms.size));
	text_puts(line, percent);
	style_tone(line, style, TONE_PLAIN);
}

struct fullest {
	uint32_t x, y;
	uint64_t used;
	struct core_terms terms;
	bool any;
};

static int grid_row(struct text *text, const struct style *style, const struct chip_map *map,
		    uint32_t y, struct core_map *core, struct fullest *fullest)
{
	text_auto line = TEXT_INIT;

	text_printf(&line, "%4" PRIu32 " ", y);
	for (uint32_t x = 0; x < map->worker_x; x++) {
		enum core_kind kind = chip_map_kind(map, x, y);
		int r = chip_map_core(map, x, y, core);

		if (r < 0)
			return r;
		cell(&line, style, kind, core);
		if (kind == CORE_WORKER && (!fullest->any || used(core) > fullest->used))
			*fullest = (struct fullest){x, y, used(core), core->terms, true};
	}
	style_row(text, style, &line);
	return 0;
}

static void term(struct text *text, const struct style *style, const char *name, uint64_t bytes,
		 uint64_t whole)
{
	text_auto line = TEXT_INIT;
	char size[STYLE_CELL], percent[STYLE_CELL];

	text_printf(&line, "    %-16s%10" PRIu64 " B%10s%6s  ", name, bytes, size_text(bytes, size),
		    percent_text(bytes, whole, percent));
	style_bar(&line, style, bytes, whole, style->width - 4 - 50 - 2);
	style_row(text, style, &line);
}

static void terms(struct text *text, const struct style *style, const struct core_terms *t)
{
	text_auto line = TEXT_INIT;
	int64_t difference = core_terms_difference(t);

	term(text, style, "reserved", t->reserved, t->size);
	term(text, style, "config ring", t->ring, t->size);
	term(text, style, "program memory", t->program, t->size);
	term(text, style, "free", t->free, t->size);
	term(text, style, "L1 buffers", t->buffers, t->size);
	term(text, style, "L1_SMALL", t->small, t->size);
	if (difference == 0)
		text_printf(&line, "    %-16s%10" PRIu64 " B: all of the core", "together", t->size);
	else
		text_printf(&line, "    ! the terms differ from the core's L1 by %" PRId64 " B",
			    difference);
	style_row(text, style, &line);
}

int l1_write_grid(struct text *text, const struct style *style, const struct device *device,
		  const struct chip_map *map)
{
	struct core_map core = {0};
	struct fullest fullest = {0};
	text_auto head = TEXT_INIT, legend = TEXT_INIT, which = TEXT_INIT;
	int r = 0;

	title(text, style, device, map);
	style_rule(text, style, RULE_MIDDLE);
	text_printf(&head, "%4s ", "y\\x");
	for (uint32_t x = 0; x < map->worker_x; x++)
		text_printf(&head, "%*" PRIu32, (int)CELL_COLUMNS, x);
	style_row(text, style, &head);
	for (uint32_t y = 0; r == 0 && y < map->worker_y; y++)
		r = grid_row(text, style, map, y, &core, &fullest);
	text_puts(&legend, "     N%: in use or reserved; D: dispatch core");
	if (chip_map_harvested(map))
		text_printf(&legend, "; %" PRIu32 " cores harvested", chip_map_harvested(map));
	style_row(text, style, &legend);
	if (r == 0 && fullest.any) {
		style_rule(text, style, RULE_MIDDLE);
		text_printf(&which, "The fullest core, %" PRIu32 ",%" PRIu32 ":", fullest.x,
			    fullest.y);
		style_row(text, style, &which);
		terms(text, style, &fullest.terms);
	}
	core_map_clear(&core);
	return r;
}

/* Whose a range is: a buffer of a process, or a program of one. */
static void owner(struct text *text, const struct snapshot *snapshot,
		  const struct core_range *range)
{
	char size[STYLE_CELL];

	if (range->buffer != SNAPSHOT_NONE) {
		const struct buffer *buffer = &snapshot->buffers[range->buffer];

		text_printf(text, "pid %" PRIu32 ", %s",
			    snapshot->processes[buffer->process].pid,
			    size_text(buffer->requested_bytes, size));
	} else if (range->program != SNAPSHOT_NONE) {
		const struct program *program = &snapshot->programs[range->program];
		const char *op = snapshot_text(snapshot, program->op);

		text_printf(text, "pid %" PRIu32 ", program %" PRIu64 "%s",
			    snapshot->processes[program->process].pid, program->id, *op ? " " : "");
		text_puts(text, op);
	}
}

static void range_row(struct text *text, const struct style *style,
		      const struct snapshot *snapshot, const struct core_range *range)
{
	text_auto line = TEXT_INIT, who = TEXT_INIT;
	const char *state = core_state_name((enum core_state)range->state);
	char size[STYLE_CELL];

	owner(&who, snapshot, range);
	text_printf(&line, "%8" PRIu64 " %8" PRIu64 " %9s  %-16s%-12s", range->start, range->end,
		    size_text(range->end - range->start, size),
		    core_what_name((enum core_what)range->what), state ? state : "");
	text_escape(&line, who.bytes ? who.bytes : "",
		    style->width - 4 - style_columns(line.bytes), false);
	style_row(text, style, &line);
}

int l1_write_core(struct text *text, const struct style *style, const struct device *device,
		  const struct chip_map *map, uint32_t x, uint32_t y)
{
	struct core_map core = {0};
	text_auto head = TEXT_INIT, which = TEXT_INIT;
	int r = chip_map_core(map, x, y, &core);

	title(text, style, device, map);
	text_printf(&which, "    core %" PRIu32 ",%" PRIu32 ": %s", x, y,
		    core_kind_name(chip_map_kind(map, x, y)));
	style_row(text, style, &which);
	style_rule(text, style, RULE_MIDDLE);
	text_printf(&head, "%8s %8s %9s  %-16s%-12s%s", "Start", "End", "Size", "What", "State",
		    "Owner");
	style_row(text, style, &head);
	style_rule(text, style, RULE_DOUBLE);
	/* addresses grow upwards, as they do in every picture of an address space */
	for (uint32_t i = core.count; r == 0 && i-- > 0;)
		range_row(text, style, map->snapshot, &core.ranges[i]);
	if (r == 0 && chip_map_kind(map, x, y) == CORE_WORKER) {
		style_rule(text, style, RULE_MIDDLE);
		terms(text, style, &core.terms);
	}
	core_map_clear(&core);
	return r;
}
