/* SPDX-License-Identifier: Apache-2.0 */
#include "view/processes.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "model/capability.h"
#include "view/failures.h"
#include "view/figures.h"
#include "view/places.h"

/* pid, user and devices stand before the command. */
#define PID_COLUMNS  8
#define USER_COLUMNS 10
#define DEVICE_COLUMNS 10
#define HEAD_COLUMNS (PID_COLUMNS + USER_COLUMNS + DEVICE_COLUMNS)

/* Sums are known only when every part is. */
static void add(struct fact *sum, struct fact more)
{
	if (!fact_is_known(*sum) || !fact_is_known(more)) {
		*sum = fact_absent(REASON_NONE);
		return;
	}
	sum->value += more.value;
	if (more.state == FACT_ESTIMATE)
		sum->state = FACT_ESTIMATE;
}

/* One type of a process, over all its chips. */
static struct memory memory_of(const struct snapshot *snapshot, const struct process *process,
			       enum memory_type type)
{
	struct memory sum = {.requested_bytes = fact_of(0),
			     .occupied_bytes = fact_of(0),
			     .allocatable_bytes = fact_of(0),
			     .buffers = fact_of(0),
			     .peak_occupied_bytes = fact_of(0)};

	for (uint32_t i = 0; i < process->devices.count; i++) {
		const struct memory *m =
			&snapshot->devices[process->devices.first + i].memory[type];

		add(&sum.requested_bytes, m->requested_bytes);
		add(&sum.occupied_bytes, m->occupied_bytes);
		add(&sum.allocatable_bytes, m->allocatable_bytes);
		add(&sum.buffers, m->buffers);
		add(&sum.peak_occupied_bytes, m->peak_occupied_bytes);
	}
	return sum;
}

static struct fact failures_of(const struct snapshot *snapshot, const struct process *process,
			       enum memory_type type)
{
	const struct capability *c = capability_of(snapshot, process, "failures");
	uint64_t sum = 0;

	if (c && c->state != AVAILABLE_PRESENT && c->state != AVAILABLE_UNKNOWN)
		return fact_absent(REASON_NOT_EXPORTED);
	for (uint32_t i = 0; i < process->allocators.count; i++)
		sum += snapshot->allocators[process->allocators.first + i].failures[type];
	return fact_of(sum);
}

/* A line that says what the figures do not: a mark, words, and a tone for those who see it. */
static void mark(struct text *text, const struct style *style, enum tone tone,
		 const struct text *words)
{
	text_auto line = TEXT_INIT;

	text_pad(&line, ' ', FIGURES_INDENT - 2);
	style_tone(&line, style, tone);
	text_puts(&line, "! ");
	text_puts(&line, words->bytes ? words->bytes : "");
	style_tone(&line, style, TONE_PLAIN);
	style_row(text, style, &line);
}

/* What belongs to the mark above it. */
static void below_mark(struct text *text, const struct style *style, const struct text *words)
{
	text_auto line = TEXT_INIT;

	if (words->length == 0)
		return;
	text_pad(&line, ' ', FIGURES_INDENT);
	text_puts(&line, words->bytes);
	style_row(text, style, &line);
}

static void say_holes(struct text *words, const struct failure *f)
{
	char size[STYLE_CELL];

	if (!fact_is_known(f->bank_largest_free_bytes))
		return;
	text_printf(words, "largest hole of a bank then: %s",
		    fact_size(f->bank_largest_free_bytes, size));
	if (fact_is_known(f->bank_free_bytes))
		text_printf(words, ", free in it: %s", fact_size(f->bank_free_bytes, size));
}

/* The last failure: what, where in the program, and how memory was. What is long goes below. */
static void mark_failure(struct text *text, const struct snapshot *snapshot,
			 const struct style *style, struct text *words, const struct failure *f)
{
	text_auto what = TEXT_INIT, place = TEXT_INIT, holes = TEXT_INIT;
	unsigned room = style->width - 4 - FIGURES_INDENT;

	failure_write(&what, f);
	bool fits = style_columns(words->bytes) + 2 + style_columns(what.bytes) <= room;

	if (fits)
		text_printf(words, ": %s", what.bytes);
	mark(text, style, TONE_BAD, words);
	if (!fits)
		below_mark(text, style, &what);
	if (place_sentence(&place, snapshot, f->site))
		below_mark(text, style, &place);
	say_holes(&holes, f);
	below_mark(text, style, &holes);
}

static void mark_failures(struct text *text, const struct snapshot *snapshot,
			  const struct style *style, const struct process *p)
{
	text_auto words = TEXT_INIT;
	char age[STYLE_CELL];

	if (p->failure_count == 0)
		return;
	bool allocation = p->failures.count == 0 ||
			  snapshot->failures[p->failures.first].kind == FAILURE_ALLOCATION;

	text_printf(&words, "%" PRIu64 " %s%s", p->failure_count,
		    allocation ? "allocation" : "failure", p->failure_count == 1 ? "" : "s");
	if (allocation)
		text_puts(&words, " failed");
	if (p->failures.count == 0) {
		mark(text, style, TONE_BAD, &words);
		return;
	}
	const struct failure *last = &snapshot->failures[p->failures.first];

	text_printf(&words, "%s %s ago", p->failure_count == 1 ? "," : ", the last",
		    age_text(last->age_ns, age));
	mark_failure(text, snapshot, style, &words, last);
}

static void mark_losses(struct text *text, const struct style *style, const struct losses *l)
{
	const struct {
		uint64_t count;
		const char *why;
	} parts[] = {{l->full, "table full"},
		     {l->memory, "no memory"},
		     {l->allocator, "allocator unknown"},
		     {l->key, "object cannot be indexed"}};
	text_auto words = TEXT_INIT;

	for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
		if (parts[i].count)
			text_printf(&words, "%s%" PRIu64 " (%s)",
				    words.length ? ", " : "buffers not recorded: ", parts[i].count,
				    parts[i].why);
	if (words.length)
		mark(text, style, TONE_BAD, &words);
}

/* What this picture would show if it could; what nobody looks for here is not missed here. */
static void mark_missing(struct text *text, const struct snapshot *snapshot,
			 const struct style *style, const struct process *p)
{
	static const char *const shown[] = {"buffers", "frees",	     "failures", "geometry",
					    "chips",   "unique_ids", "parent",	 "open",
					    "close"};
	text_auto words = TEXT_INIT;

	for (size_t i = 0; i < sizeof shown / sizeof shown[0]; i++) {
		const struct capability *c = capability_of(snapshot, p, shown[i]);

		if (!c || c->state == AVAILABLE_PRESENT || c->state == AVAILABLE_UNKNOWN)
			continue;
		text_free(&words);
		text_printf(&words, "%s: %s", shown[i],
			    availability_name((enum fact_availability)c->state));
		if (c->reason) {
			text_puts(&words, ", ");
			text_escape(&words, snapshot_text(snapshot, c->reason),
				    style->width - 4 - FIGURES_INDENT - words.length, false);
		}
		mark(text, style, TONE_WARN, &words);
	}
}

/* The hook came late: what the figures do not have in them. */
static void mark_incomplete(struct text *text, const struct snapshot *snapshot,
			    const struct style *style, const struct process *p)
{
	const struct capability *c = incomplete_reason(snapshot, p);
	text_auto words = TEXT_INIT;

	if (!c)
		return;
	text_puts(&words, "before the attach: ");
	text_escape(&words, snapshot_text(snapshot, c->reason),
		    style->width - 4 - FIGURES_INDENT - words.length, false);
	mark(text, style, TONE_WARN, &words);
}

/* The numbers of its devices: "0", "0,3", "4-7"; a list that is too long ends in "...". */
static void device_list(struct text *text, const struct snapshot *snapshot, uint32_t process)
{
	struct span machine = snapshot->machine_devices;
	const struct device *devices = SPAN_START(snapshot->devices, machine);
	text_auto list = TEXT_INIT;

	for (uint32_t i = 0; i < machine.count; i++) {
		uint32_t last = i;

		if (!snapshot_uses(snapshot, process, &devices[i]))
			continue;
		while (last + 1 < machine.count &&
		       devices[last + 1].number == devices[last].number + 1 &&
		       snapshot_uses(snapshot, process, &devices[last + 1]))
			last++;
		text_printf(&list, "%s%" PRIu32, list.length ? "," : "", devices[i].number);
		if (last > i)
			text_printf(&list, "%c%" PRIu32, last > i + 1 ? '-' : ',',
				    devices[last].number);
		i = last;
	}
	text_escape(text, list.length ? list.bytes : "-", DEVICE_COLUMNS - 1, false);
}

static void process_head(struct text *text, const struct snapshot *snapshot,
			 const struct style *style, uint32_t process)
{
	const struct process *p = &snapshot->processes[process];
	text_auto line = TEXT_INIT, user = TEXT_INIT;

	text_escape(&user, snapshot_text(snapshot, p->user), USER_COLUMNS - 1, false);
	text_printf(&line, "%-*u%s", PID_COLUMNS, p->pid, user.length ? user.bytes : "-");
	text_pad(&line, ' ', PID_COLUMNS + USER_COLUMNS - style_columns(line.bytes));
	device_list(&line, snapshot, process);
	text_pad(&line, ' ', HEAD_COLUMNS - style_columns(line.bytes));
	style_tone(&line, style, TONE_BOLD);
	if (p->command)
		text_escape(&line, snapshot_text(snapshot, p->command),
			    style->width - 4 - HEAD_COLUMNS, true);
	else
		text_puts(&line, "-");
	style_tone(&line, style, TONE_PLAIN);
	style_row(text, style, &line);
}

static void mark_words(struct text *text, const struct style *style, enum tone tone,
		       const char *string)
{
	text_auto words = TEXT_INIT;

	text_puts(&words, string);
	mark(text, style, tone, &words);
}

/* A process of which only the driver tells. */
static void mark_stranger(struct text *text, const struct style *style, const struct process *p)
{
	if (p->state == PROCESS_GONE)
		mark_words(text, style, TONE_WARN,
			   "no such process any more: a descriptor it left is still open");
	else
		mark_words(text, style, TONE_WARN,
			   "device open, memory not visible: ttmem doctor tells why");
}

/* What is not bad and yet no figure. */
static void note(struct text *text, const struct style *style, const char *words)
{
	text_auto line = TEXT_INIT;

	text_pad(&line, ' ', FIGURES_INDENT);
	text_puts(&line, words);
	style_row(text, style, &line);
}

/* Is it known that its table has everything? Else "nothing" would be a guess. */
static bool lacks_anything(const struct snapshot *snapshot, const struct process *p)
{
	const struct capability *c = capability_of(snapshot, p, "buffers");

	return !c || c->state != AVAILABLE_PRESENT || incomplete_reason(snapshot, p);
}

static void process_rows(struct text *text, const struct snapshot *snapshot,
			 const struct style *style, uint32_t process)
{
	const struct process *p = &snapshot->processes[process];

	process_head(text, snapshot, style, process);
	if (p->source == SOURCE_DRIVER) {
		mark_stranger(text, style, p);
		return;
	}
	if (p->state == PROCESS_LIVE && p->devices.count == 0 && !p->failure_count &&
	    !lacks_anything(snapshot, p))
		note(text, style, "no device is open in it");
	if (p->state == PROCESS_EXITED)
		mark_words(text, style, TONE_WARN, "exited: these are its last figures");
	for (enum memory_type type = 0; type < MEMORY_TYPES; type++) {
		struct memory m = memory_of(snapshot, p, type);
		struct fact failures = failures_of(snapshot, p, type);
		char buffers[STYLE_CELL], failed[STYLE_CELL], last[2 * STYLE_CELL];

		if (figures_is_empty(&m) && failures.value == 0)
			continue;
		(void)snprintf(last, sizeof last, "%8s%8s", fact_number(m.buffers, buffers),
			       fact_number(failures, failed));
		figures_row(text, style, type, &m, last);
	}
	mark_failures(text, snapshot, style, p);
	mark_losses(text, style, &p->losses);
	mark_missing(text, snapshot, style, p);
	mark_incomplete(text, snapshot, style, p);
}

/* What the devices hold that no line above explains. */
static void unattributed(struct text *text, const struct snapshot *snapshot,
			 const struct style *style)
{
	uint64_t foreign = 0, strangers = 0;
	text_auto line = TEXT_INIT;

	for (uint32_t i = 0; i < snapshot->card_count; i++)
		if (fact_is_known(snapshot->cards[i].foreign_handles))
			foreign += snapshot->cards[i].foreign_handles.value;
	for (uint32_t i = 0; i < snapshot->process_count; i++)
		strangers += snapshot->processes[i].source == SOURCE_DRIVER &&
			     snapshot->processes[i].state == PROCESS_LIVE;
	if (!strangers && !foreign)
		return;
	style_rule(text, style, RULE_MIDDLE);
	text_puts(&line, "Not attributed: ");
	if (strangers)
		text_printf(&line, "memory of %" PRIu64 " process%s%s", strangers,
			    strangers == 1 ? "" : "es",
			    foreign		 ? ", "
			    : strangers == 1 ? " that does not report"
					     : " that do not report");
	if (foreign)
		text_printf(&line, "%" PRIu64 " handle%s of other PID namespaces", foreign,
			    foreign == 1 ? "" : "s");
	style_row(text, style, &line);
}

/* An old driver does not tell who has a card open; nobody's is not the same as unknown. */
static bool users_are_known(const struct snapshot *snapshot)
{
	for (uint32_t i = 0; i < snapshot->card_count; i++)
		if (!fact_is_known(snapshot->cards[i].handles))
			return false;
	return true;
}

void processes_box(struct text *text, const struct snapshot *snapshot, const struct style *style)
{
	text_auto none = TEXT_INIT;
	char title[STYLE_CELL];

	if (snapshot->process_count == 0) {
		text_puts(&none, "No process reports its memory");
		text_puts(&none, snapshot->card_count == 0 ? "."
				 : users_are_known(snapshot)
					 ? ", and none has a device open."
					 : ". Who has devices open is not known.");
		style_row(text, style, &none);
		unattributed(text, snapshot, style);
		return;
	}
	(void)snprintf(title, sizeof title, "%" PRIu32 " process%s", snapshot->process_count,
		       snapshot->process_count == 1 ? "" : "es");
	figures_heading(text, style, title, " Buffers  Failed");
	style_rule(text, style, RULE_DOUBLE);
	for (uint32_t i = 0; i < snapshot->process_count; i++) {
		if (i)
			style_rule(text, style, RULE_MIDDLE);
		process_rows(text, snapshot, style, i);
	}
	unattributed(text, snapshot, style);
}

unsigned processes_columns(const struct snapshot *snapshot)
{
	unsigned widest = 0;

	for (uint32_t i = 0; i < snapshot->process_count; i++) {
		text_auto command = TEXT_INIT;

		text_escape(&command, snapshot_text(snapshot, snapshot->processes[i].command), 0,
			    false);
		unsigned columns = command.bytes ? style_columns(command.bytes) : 0;

		if (columns > widest)
			widest = columns;
	}
	return widest + HEAD_COLUMNS + 4;
}
