/* SPDX-License-Identifier: Apache-2.0 */
#include "view/picture.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

/*
 * Columns of a line of figures at 80: type 8, then right-aligned requested,
 * occupied and allocatable, percent, a bar, and a last column. What a wider
 * terminal offers goes to the bar.
 */
#define TYPE_COLUMNS	8
#define SIZE_COLUMNS	10
#define WIDE_COLUMNS	13
#define LAST_COLUMNS	12
#define PERCENT_COLUMNS 5
#define INDENT		4

static unsigned bar_columns(const struct style *style)
{
	unsigned fixed = 4 + INDENT + TYPE_COLUMNS + 2 * SIZE_COLUMNS + WIDE_COLUMNS + PERCENT_COLUMNS + 2 +
			 LAST_COLUMNS;
	unsigned room = style->width > fixed ? style->width - fixed : 0;

	return room > 40 ? 40 : room;
}

static void heading(struct text *text, const struct snapshot *snapshot, const struct style *style)
{
	text_auto line = TEXT_INIT;
	time_t seconds = (time_t)(snapshot->time_ns / UINT64_C(1000000000));
	struct tm tm;
	char when[64] = "";

	if (localtime_r(&seconds, &tm))
		(void)strftime(when, sizeof when, "%Y-%m-%d %H:%M:%S", &tm);
	style_tone(&line, style, TONE_BOLD);
	text_puts(&line, "ttmem " TTMEM_VERSION);
	style_tone(&line, style, TONE_PLAIN);
	text_printf(&line, "   %s   %u device%s, %u process%s", when,
		    snapshot->machine_devices.count,
		    snapshot->machine_devices.count == 1 ? "" : "s", snapshot->process_count,
		    snapshot->process_count == 1 ? "" : "es");
	if (!snapshot->server)
		text_puts(&line, "   (no server)");
	style_row(text, style, &line);
}

static void figures_heading(struct text *text, const struct style *style, const char *first,
			    const char *last)
{
	text_auto line = TEXT_INIT;

	text_pad(&line, ' ', INDENT);
	text_printf(&line, "%-*s%*s%*s%*s%*s  %-*s%*s", TYPE_COLUMNS, first, SIZE_COLUMNS,
		    "Requested", SIZE_COLUMNS, "Occupied", WIDE_COLUMNS, "Allocatable",
		    PERCENT_COLUMNS, "", (int)bar_columns(style), "", LAST_COLUMNS, last);
	style_row(text, style, &line);
}

static void figures(struct text *text, const struct style *style, enum memory_type type,
		    const struct memory *m, const char *last)
{
	text_auto line = TEXT_INIT;
	char requested[STYLE_CELL], occupied[STYLE_CELL], allocatable[STYLE_CELL],
		percent[STYLE_CELL];
	bool known = fact_is_known(m->occupied_bytes) && fact_is_known(m->allocatable_bytes);
	uint64_t part = known ? m->occupied_bytes.value : 0;
	uint64_t whole = known ? m->allocatable_bytes.value : 0;

	text_pad(&line, ' ', INDENT);
	text_printf(&line, "%-*s%*s%*s%*s%*s  ", TYPE_COLUMNS, memory_type_name(type), SIZE_COLUMNS,
		    fact_size(m->requested_bytes, requested), SIZE_COLUMNS,
		    fact_size(m->occupied_bytes, occupied), WIDE_COLUMNS,
		    fact_size(m->allocatable_bytes, allocatable), PERCENT_COLUMNS,
		    percent_text(part, whole, percent));
	style_bar(&line, style, part, whole, bar_columns(style));
	text_printf(&line, "%*s", LAST_COLUMNS, last);
	style_row(text, style, &line);
}

/* A type that is not there at all is not worth a line. */
static bool is_empty(const struct memory *m)
{
	return fact_is_known(m->allocatable_bytes) && m->allocatable_bytes.value == 0 &&
	       m->buffers.value == 0;
}

static void device(struct text *text, const struct snapshot *snapshot, const struct style *style,
		   uint32_t index)
{
	const struct device *d = &snapshot->devices[snapshot->machine_devices.first + index];
	text_auto line = TEXT_INIT;
	char cell[STYLE_CELL];

	text_printf(&line, "%3u ", index);
	style_tone(&line, style, TONE_BOLD);
	if (fact_is_known(d->unique_id))
		text_printf(&line, "chip %" PRIu64, d->unique_id.value);
	else
		text_printf(&line, "chip id %u (unique id not known)", d->chip_id);
	style_tone(&line, style, TONE_PLAIN);
	text_printf(&line, "   %s", arch_name(d->arch) ? arch_name(d->arch) : "unknown architecture");
	style_row(text, style, &line);
	for (enum memory_type type = 0; type < MEMORY_TYPES; type++)
		if (!is_empty(&d->memory[type]))
			figures(text, style, type, &d->memory[type],
				fact_size(d->memory[type].largest_free_bytes, cell));
}

static void devices_box(struct text *text, const struct snapshot *snapshot,
			const struct style *style)
{
	figures_heading(text, style, "Device", "Largest hole");
	style_rule(text, style, RULE_DOUBLE);
	for (uint32_t i = 0; i < snapshot->machine_devices.count; i++) {
		if (i)
			style_rule(text, style, RULE_MIDDLE);
		device(text, snapshot, style, i);
	}
}

static void add(struct fact *sum, struct fact more)
{
	if (sum->state == FACT_ABSENT || !fact_is_known(more)) {
		*sum = fact_absent(REASON_NONE);
		return;
	}
	sum->value += more.value;
	if (more.state == FACT_ESTIMATE)
		sum->state = FACT_ESTIMATE;
}

/* One type of a process, over all its chips. */
static struct memory process_memory(const struct snapshot *snapshot, const struct process *process,
				    enum memory_type type)
{
	struct memory sum = {.requested_bytes = fact_of(0),
			     .occupied_bytes = fact_of(0),
			     .allocatable_bytes = fact_of(0),
			     .buffers = fact_of(0)};

	for (uint32_t i = 0; i < process->devices.count; i++) {
		const struct memory *m =
			&snapshot->devices[process->devices.first + i].memory[type];

		add(&sum.requested_bytes, m->requested_bytes);
		add(&sum.occupied_bytes, m->occupied_bytes);
		add(&sum.allocatable_bytes, m->allocatable_bytes);
		add(&sum.buffers, m->buffers);
	}
	return sum;
}

static void marks(struct text *text, const struct snapshot *snapshot, const struct style *style,
		  const struct process *p)
{
	uint64_t lost = p->losses.full + p->losses.memory + p->losses.allocator + p->losses.key;
	text_auto line = TEXT_INIT;

	text_pad(&line, ' ', INDENT);
	if (p->state == PROCESS_EXITED)
		text_puts(&line, "[exited: last state]  ");
	if (p->failure_count)
		text_printf(&line, "[%" PRIu64 " failed allocation%s]  ", p->failure_count,
			    p->failure_count == 1 ? "" : "s");
	if (lost)
		text_printf(&line, "[%" PRIu64 " buffers not recorded]  ", lost);
	if (line.length > INDENT) {
		style_tone(&line, style, TONE_PLAIN);
		style_row(text, style, &line);
	}
	for (uint32_t i = 0; i < p->capabilities.count; i++) {
		const struct capability *c =
			&snapshot->capabilities[p->capabilities.first + i];
		text_auto one = TEXT_INIT;

		/* what is missing in every process of today says nothing about this one */
		if (c->state != AVAILABLE_FAILED)
			continue;
		text_pad(&one, ' ', INDENT);
		text_puts(&one, "[");
		text_escape(&one, snapshot_text(snapshot, c->name), 24, false);
		text_puts(&one, ": ");
		text_escape(&one, snapshot_text(snapshot, c->reason), style->width - 40, false);
		text_puts(&one, "]");
		style_row(text, style, &one);
	}
}

static void process(struct text *text, const struct snapshot *snapshot, const struct style *style,
		    const struct process *p)
{
	text_auto line = TEXT_INIT;
	char cell[STYLE_CELL];
	unsigned fixed = 4 + 8 + 10 + 10;

	text_printf(&line, "%-8u", p->pid);
	text_escape(&line, snapshot_text(snapshot, p->user), 9, false);
	text_pad(&line, ' ', line.length < 18 ? 18 - style_columns(line.bytes) : 1);
	text_printf(&line, "%2u chip%s ", p->devices.count, p->devices.count == 1 ? " " : "s");
	style_tone(&line, style, TONE_BOLD);
	text_escape(&line, snapshot_text(snapshot, p->command), style->width - fixed, true);
	style_tone(&line, style, TONE_PLAIN);
	style_row(text, style, &line);
	for (enum memory_type type = 0; type < MEMORY_TYPES; type++) {
		struct memory m = process_memory(snapshot, p, type);

		if (!is_empty(&m))
			figures(text, style, type, &m, fact_number(m.buffers, cell));
	}
	marks(text, snapshot, style, p);
}

static void processes_box(struct text *text, const struct snapshot *snapshot,
			  const struct style *style)
{
	text_auto none = TEXT_INIT;

	figures_heading(text, style, "Process", "Buffers");
	style_rule(text, style, RULE_DOUBLE);
	for (uint32_t i = 0; i < snapshot->process_count; i++) {
		if (i)
			style_rule(text, style, RULE_MIDDLE);
		process(text, snapshot, style, &snapshot->processes[i]);
	}
	if (snapshot->process_count == 0) {
		text_puts(&none, "No process reports its memory.");
		style_row(text, style, &none);
	}
}

void picture_write(struct text *text, const struct snapshot *snapshot, const struct style *style)
{
	style_rule(text, style, RULE_TOP);
	heading(text, snapshot, style);
	style_rule(text, style, RULE_MIDDLE);
	if (snapshot->machine_devices.count) {
		devices_box(text, snapshot, style);
		style_rule(text, style, RULE_MIDDLE);
	}
	processes_box(text, snapshot, style);
	style_rule(text, style, RULE_BOTTOM);
}
