/* SPDX-License-Identifier: Apache-2.0 */
#include "view/failures.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "view/places.h"

#define PID_COLUMNS    8
#define NUMBER_COLUMNS 9
#define AGE_COLUMNS    12
#define COMMAND_COLUMNS 40u
#define WHAT_COLUMN    (PID_COLUMNS + NUMBER_COLUMNS + AGE_COLUMNS + 2)

/* A failure and whose it is. */
struct entry {
	const struct failure *failure;
	const struct process *process;
};

static void write_program(struct text *text, const struct failure *f)
{
	if (fact_is_known(f->program))
		text_printf(text, "program %" PRIu64, f->program.value);
	else
		text_puts(text, "a program");
}

static void write_clash(struct text *text, const struct failure *f)
{
	text_puts(text, "clash: ");
	write_program(text, f);
	if (fact_is_known(f->end_address))
		text_printf(text, " ends at %" PRIu64, f->end_address.value);
	if (fact_is_known(f->lowest_address))
		text_printf(text, ", L1 buffers start at %" PRIu64, f->lowest_address.value);
}

static void write_too_large(struct text *text, const struct failure *f)
{
	write_program(text, f);
	if (fact_is_known(f->end_address))
		text_printf(text, " too large: ends at %" PRIu64, f->end_address.value);
	else if (fact_is_known(f->needed_bytes))
		text_printf(text, " too large: at least %" PRIu64 " B", f->needed_bytes.value);
	else
		text_puts(text, " too large");
	if (fact_is_known(f->limit_bytes))
		text_printf(text, fact_is_known(f->end_address) ? ", L1 at %" PRIu64
							       : ", the ring has %" PRIu64,
			    f->limit_bytes.value);
}

void failure_write(struct text *text, const struct failure *f)
{
	char size[STYLE_CELL];

	if (f->kind == FAILURE_CLASH)
		return write_clash(text, f);
	if (f->kind == FAILURE_TOO_LARGE)
		return write_too_large(text, f);
	text_puts(text, fact_size(f->requested_bytes, size));
	if (fact_is_known(f->type))
		text_printf(text, " of %s", memory_type_name((enum memory_type)f->type.value));
}

static int by_age(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	if (x->failure->age_ns != y->failure->age_ns)
		return x->failure->age_ns < y->failure->age_ns ? -1 : 1;
	return x->failure->number > y->failure->number ? -1 : 1;
}

/* Behind what failed where there is room for it, else below. */
static void write_place(struct text *text, const struct snapshot *snapshot,
			const struct style *style, const struct entry *entry, unsigned used)
{
	text_auto place = TEXT_INIT;

	if (!place_sentence(&place, snapshot, entry->failure->site))
		return;
	text->failed |= place.failed;
	const char *words = place.bytes ? place.bytes : "";

	if (used + 2 + style_columns(words) <= style->width) {
		text_printf(text, ", %s", words);
		return;
	}
	text_putc(text, '\n');
	text_pad(text, ' ', WHAT_COLUMN);
	text_escape(text, words, style->width - WHAT_COLUMN, false);
}

static void write_entry(struct text *text, const struct snapshot *snapshot,
			const struct style *style, const struct entry *entry)
{
	const struct process *p = entry->process;
	text_auto what = TEXT_INIT;
	char age[STYLE_CELL];

	text_printf(text, "%*u%*" PRIu64 "%*s  ", PID_COLUMNS, p->pid, NUMBER_COLUMNS,
		    entry->failure->number, AGE_COLUMNS, age_text(entry->failure->age_ns, age));
	failure_write(&what, entry->failure);
	text->failed |= what.failed;
	text_append(text, what.bytes ? what.bytes : "", what.length);
	write_place(text, snapshot, style, entry,
		    WHAT_COLUMN + style_columns(what.bytes ? what.bytes : ""));
	text_putc(text, '\n');
}

static void write_process(struct text *text, const struct snapshot *snapshot,
			  const struct process *p)
{
	text_printf(text, "%*u  %" PRIu64 " in all, %s: ", PID_COLUMNS, p->pid, p->failure_count,
		    p->state == PROCESS_LIVE ? "live" : "ended");
	if (p->hidden)
		text_puts(text, "of another user, details are hidden");
	else
		text_escape(text, snapshot_text(snapshot, p->command), COMMAND_COLUMNS, false);
	text_putc(text, '\n');
}

int failures_write(struct text *text, const struct snapshot *snapshot, const struct style *style)
{
	struct entry *entries = malloc(((size_t)snapshot->failure_count + 1) * sizeof *entries);
	uint32_t count = 0;

	if (!entries)
		return -ENOMEM;
	for (uint32_t i = 0; i < snapshot->process_count; i++) {
		const struct process *p = &snapshot->processes[i];

		for (uint32_t j = 0; j < p->failures.count; j++)
			entries[count++] = (struct entry){
				&snapshot->failures[p->failures.first + j], p};
	}
	qsort(entries, count, sizeof *entries, by_age);
	style_tone(text, style, TONE_BOLD);
	text_printf(text, "%*s%*s%*s  WHAT", PID_COLUMNS, "PID", NUMBER_COLUMNS, "FAILURE",
		    AGE_COLUMNS, "AGO");
	style_tone(text, style, TONE_PLAIN);
	text_putc(text, '\n');
	for (uint32_t i = 0; i < count; i++)
		write_entry(text, snapshot, style, &entries[i]);
	free(entries);
	text_putc(text, '\n');
	for (uint32_t i = 0; i < snapshot->process_count; i++)
		if (snapshot->processes[i].failure_count)
			write_process(text, snapshot, &snapshot->processes[i]);
	text_puts(text, "\nttmem explain --failure N --pid PID tells more of one.\n");
	return 0;
}
