/* SPDX-License-Identifier: Apache-2.0 */
#include "view/explain.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "api/json.h"
#include "api/json_rows.h"
#include "view/buffers.h"
#include "view/places.h"

/* So many places are named. */
#define EXPLAIN_OWNERS_MAX 5u

#define NAME_COLUMNS  46
#define VALUE_COLUMNS 18

/* What happened, and what would change it. */
struct saying {
	const char *title, *advice[3];
};

static const struct saying sayings[VERDICTS] = {
	[VERDICT_UNKNOWN] = {"this text has no message of TT-Metal about memory that ttmem knows",
			     {NULL}},
	[VERDICT_FULL] = {"there is not enough free memory, in one piece or in many",
			  {"free buffers, or keep them in DRAM",
			   "make the request smaller: a smaller batch, smaller blocks, bfloat8_b",
			   "spread a sharded tensor over more cores"}},
	[VERDICT_FRAGMENTED] =
		{"enough is free, but not in one piece",
		 {"free the buffers that lie between the holes, or allocate them in another order: "
		  "long-lived ones first, large ones before small ones",
		  "make the request smaller than the largest free block", NULL}},
	[VERDICT_TOO_LARGE] = {"the request is larger than an empty bank: freeing will not help",
			       {"keep it in DRAM if it was for L1",
				"split the tensor, or shard it over more cores",
				"a smaller data type"}},
	[VERDICT_REGION] =
		{"the request is larger than its region, which was sized when the device was opened: "
		 "freeing will not help",
		 {"open the device with a larger region: l1_small_size for L1_SMALL, "
		  "trace_region_size for traces",
		  NULL, NULL}},
	[VERDICT_CLASH] = {"two things want the same addresses",
			   {"free the L1 buffers below that address, or keep them in DRAM",
			    "make the buffers of the program smaller: smaller blocks, fewer tiles in "
			    "flight, more cores",
			    NULL}},
	[VERDICT_BEYOND_L1] = {"it needs more than a core has, even with nothing else in L1",
			       {"smaller blocks, fewer tiles in flight, more cores",
				"another program configuration or another sharding", NULL}},
	[VERDICT_CONFIG_RING] =
		{"the code and arguments of a program do not fit where kernels are put",
		 {"open the device with a smaller worker_l1_size: what it leaves is the ring's",
		  "fewer or smaller kernels in one program, fewer runtime arguments", NULL}},
	[VERDICT_BUFFER_TOO_SMALL] =
		{"a circular buffer is larger than the buffer that it is placed on",
		 {"make the buffer below larger: its shard has to hold the whole circular buffer",
		  "make the circular buffer smaller", NULL}},
	[VERDICT_OUT_OF_MEMORY] =
		{"there was no room, but the message does not say how much there was",
		 {"ttmem buffers lists who holds what, ttmem fit tells what would still fit",
		  "free buffers, or keep them in DRAM", NULL}},
};

/* Where the usual advice would not help. */
static const struct saying full_dram = {
	"there is not enough free memory, in one piece or in many",
	{"free buffers; ttmem buffers --type DRAM --sort size shows the largest",
	 "make the request smaller: a smaller batch, bfloat8_b, or weights over more chips", NULL},
};
static const struct saying full_region = {
	"its region, which was sized when the device was opened, does not have that much left",
	{"open the device with a larger region: l1_small_size for L1_SMALL, trace_region_size for "
	 "traces",
	 "free buffers or traces that are in it", NULL},
};
static const struct saying too_large_dram = {
	"the request is larger than an empty bank: freeing will not help",
	{"split the tensor, or spread it over more chips", "a smaller data type", NULL},
};
static const struct saying trace_overlap = {
	"what was allocated during a capture lies where the trace is to go",
	{"allocate what outlives the capture before it begins",
	 "release the traces that are no longer needed before the next capture", NULL},
};

static const struct saying *saying_of(const struct error_text *error, enum verdict_kind kind)
{
	enum memory_type type = error && fact_is_known(error->type)
					? (enum memory_type)error->type.value
					: MEMORY_L1;

	if (error && error->kind == ERROR_TRACE_OVERLAP)
		return &trace_overlap;
	if (kind == VERDICT_FULL && type == MEMORY_DRAM)
		return &full_dram;
	if (kind == VERDICT_FULL && type != MEMORY_L1)
		return &full_region;
	if (kind == VERDICT_TOO_LARGE && type == MEMORY_DRAM)
		return &too_large_dram;
	return &sayings[kind];
}

static void line_of(struct text *text, const char *name, struct fact value, const char *unit)
{
	char size[STYLE_CELL], digits[32];

	if (!fact_is_known(value))
		return;
	(void)snprintf(digits, sizeof digits, "%s%" PRIu64 "%s",
		       value.state == FACT_ESTIMATE ? "about " : "", value.value, unit);
	text_printf(text, "  %-*s%*s", NAME_COLUMNS, name, VALUE_COLUMNS, digits);
	if (*unit && value.value >= 1024)
		text_printf(text, "   %s", size_text(value.value, size));
	text_putc(text, '\n');
}

static void write_arithmetic(struct text *text, const struct verdict *verdict)
{
	bool addresses = verdict->kind == VERDICT_CLASH;

	if (verdict->needs_name)
		line_of(text, verdict->needs_name, verdict->needs, addresses ? "" : " B");
	if (verdict->has_name)
		line_of(text, verdict->has_name, verdict->has, addresses ? "" : " B");
	line_of(text, addresses ? "overlap" : "short by", verdict->short_bytes, " B");
}

/* The other figures of the message: what is around the arithmetic. */
static void write_figures(struct text *text, const struct error_text *error)
{
	static const struct {
		enum error_figure figure;
		const char *name, *unit;
	} rows[] = {
		{FIGURE_REQUESTED, "requested in all", " B"},
		{FIGURE_BANKS, "spread over banks", ""},
		{FIGURE_BANK_SIZE, "size of a bank", " B"},
		{FIGURE_ALLOCATED, "allocated in a bank", " B"},
		{FIGURE_FREE, "free in a bank", " B"},
		{FIGURE_LARGEST, "largest free block of a bank", " B"},
		{FIGURE_PROGRAM, "program", ""},
	};
	const struct fact *f = error->figures;

	if (fact_is_known(error->type))
		text_printf(text, "  %-*s%*s\n", NAME_COLUMNS, "memory type", VALUE_COLUMNS,
			    memory_type_name((enum memory_type)error->type.value));
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		line_of(text, rows[i].name, f[rows[i].figure], rows[i].unit);
	if (fact_is_known(f[FIGURE_X0]))
		text_printf(text,
			    "  cores %" PRIu64 ",%" PRIu64 " to %" PRIu64 ",%" PRIu64 "\n",
			    f[FIGURE_X0].value, f[FIGURE_Y0].value, f[FIGURE_X1].value,
			    f[FIGURE_Y1].value);
}

static void write_owner(struct text *text, const struct explanation *e)
{
	text_auto command = TEXT_INIT;

	text_escape(&command, snapshot_text(e->picture, e->process->command), 60, true);
	text_printf(text, "process %u (%s)%s", e->process->pid,
		    command.bytes ? command.bytes : "",
		    e->process->state == PROCESS_EXITED ? ", which has ended" : "");
}

static void write_in_the_way(struct text *text, const struct explanation *e,
			     const struct style *style)
{
	char size[STYLE_CELL];

	if (!e->process)
		return;
	text_puts(text, "\nIn the way, of ");
	write_owner(text, e);
	text_printf(text, ", as it %s:\n", e->is_moment ? "was at that moment" : "is now");
	if (!e->way.why || e->named_count == 0) {
		text_puts(text, "  no buffers to name\n");
		return;
	}
	text_printf(text, "%u of %zu: %s\n", e->named_count, e->way.count, e->way.why);
	buffers_write(text, e->buffers, style, e->named, e->named_count);
	if (fact_is_known(e->way.frees))
		text_printf(text, "Without them a bank has %s more",
			    size_text(e->way.frees.value, size));
	if (fact_is_known(e->way.hole))
		text_printf(text, ", and a hole of %s", size_text(e->way.hole.value, size));
	if (fact_is_known(e->way.frees))
		text_puts(text, ".\n");
}

/* "ttnn.matmul at model.py:214 (Attention.forward) holds 1.2 GiB in 34 buffers, oldest 40 s" */
static void write_holder(struct text *text, const struct explanation *e, const struct site_row *row)
{
	char size[STYLE_CELL], age[STYLE_CELL];

	const struct site *site = snapshot_site(e->buffers, row->site);

	text_puts(text, "  ");
	if (site && site->before_attach)
		text_puts(text, "what was there before attach");
	else if (!place_sentence(text, e->buffers, row->site))
		text_puts(text, "what comes from an unknown place");
	text_printf(text, " holds %s in %" PRIu64 " %s, oldest %s\n",
		    fact_is_known(row->occupied_bytes) ? size_text(row->occupied_bytes.value, size)
						       : size_text(row->requested_bytes, size),
		    row->buffers, row->buffers == 1 ? "buffer" : "buffers",
		    age_text(row->oldest_ns, age));
}

/* Where nobody knows of any place, the list of buffers says all there is. */
static void write_owners(struct text *text, const struct explanation *e)
{
	bool any = false;

	for (uint32_t i = 0; i < e->owners.count && i < EXPLAIN_OWNERS_MAX; i++)
		any |= e->owners.rows[i].site != 0;
	if (!any)
		return;
	text_puts(text, "\nWho holds that memory:\n");
	for (uint32_t i = 0; i < e->owners.count && i < EXPLAIN_OWNERS_MAX; i++)
		write_holder(text, e, &e->owners.rows[i]);
	if (e->owners.count > EXPLAIN_OWNERS_MAX)
		text_printf(text, "  and %" PRIu32 " more: ttmem sites\n",
			    e->owners.count - EXPLAIN_OWNERS_MAX);
}

static void write_request(struct text *text, const struct explanation *e)
{
	text_auto place = TEXT_INIT;

	if (!e->site_in || !place_sentence(&place, e->site_in, e->site))
		return;
	text->failed |= place.failed;
	text_printf(text, "%s %s.\n", e->is_raised ? "Raised at" : "Asked for by",
		    place.bytes ? place.bytes : "");
}

static void write_others(struct text *text, const struct error_list *list)
{
	if (!list || list->count < 2)
		return;
	text_puts(text, "\nOther messages in this text, the newest last:\n");
	for (uint32_t i = 0; i + 1 < list->count; i++) {
		struct verdict verdict = verdict_of(&list->errors[i]);

		text_printf(text, "  %s: %s", verdict_key(verdict.kind), list->errors[i].what);
		if (fact_is_known(verdict.short_bytes))
			text_printf(text, ", short by %" PRIu64 " B", verdict.short_bytes.value);
		if (list->errors[i].seen > 1)
			text_printf(text, " (%u times)", list->errors[i].seen);
		text_putc(text, '\n');
	}
	if (list->dropped)
		text_printf(text, "  and %" PRIu64 " older ones\n", list->dropped);
}

void explain_write(struct text *text, const struct explanation *e, const struct style *style)
{
	const struct error_text *error = e->list ? error_list_last(e->list) : NULL;
	enum verdict_kind kind = e->verdict.kind;

	style_tone(text, style, TONE_BOLD);
	text_puts(text, verdict_key(kind));
	style_tone(text, style, TONE_PLAIN);
	if (kind == VERDICT_UNKNOWN && error) {
		text_printf(text, ": %s\n", error->what);
		write_others(text, e->list);
		return;
	}
	const struct saying *saying = saying_of(error, kind);

	text_printf(text, ": %s\n", saying->title);
	if (!error)
		return;
	text_printf(text, "\n%s%s\n", e->recorded ? "As recorded: " : "It was ", error->what);
	write_request(text, e);
	write_arithmetic(text, &e->verdict);
	write_figures(text, error);
	text_puts(text, "\nWhat would make it fit:\n");
	for (size_t i = 0; i < 3 && saying->advice[i]; i++)
		text_printf(text, "  - %s\n", saying->advice[i]);
	write_in_the_way(text, e, style);
	write_owners(text, e);
	write_others(text, e->list);
}

static const char *const figure_names[FIGURES] = {
	[FIGURE_REQUESTED] = "requested_bytes",
	[FIGURE_BANKS] = "banks",
	[FIGURE_NEED] = "bank_needs_bytes",
	[FIGURE_BANK_SIZE] = "bank_size_bytes",
	[FIGURE_ALLOCATED] = "bank_allocated_bytes",
	[FIGURE_FREE] = "bank_free_bytes",
	[FIGURE_LARGEST] = "bank_largest_free_bytes",
	[FIGURE_PLACEABLE] = "bank_placeable_bytes",
	[FIGURE_WINDOW] = "bank_largest_placeable_bytes",
	[FIGURE_PROGRAM] = "program",
	[FIGURE_LOWEST] = "lowest_address",
	[FIGURE_END] = "end_address",
	[FIGURE_ASKED] = "asked_bytes",
	[FIGURE_MORE] = "asked_more_bytes",
	[FIGURE_AVAILABLE] = "available_bytes",
	[FIGURE_X0] = "core_start_x",
	[FIGURE_Y0] = "core_start_y",
	[FIGURE_X1] = "core_end_x",
	[FIGURE_Y1] = "core_end_y",
};

static void json_figures(struct text *text, const struct error_text *error)
{
	bool any = false;

	text_puts(text, ",\"figures\":{");
	for (int i = 0; error && i < FIGURES; i++) {
		if (!fact_is_known(error->figures[i]))
			continue;
		text_printf(text, "%s\"%s\":%" PRIu64, any ? "," : "", figure_names[i],
			    error->figures[i].value);
		any = true;
	}
	text_putc(text, '}');
}

static void json_message(struct text *text, const struct error_text *error,
			 const struct verdict *verdict)
{
	text_printf(text, "\"verdict\":\"%s\",\"short_bytes\":", verdict_key(verdict->kind));
	json_write_fact(text, verdict->short_bytes);
	text_puts(text, ",\"what\":");
	json_write_string(text, error ? error->what : "");
	text_puts(text, ",\"type\":");
	if (error && fact_is_known(error->type))
		json_write_string(text, memory_type_key((enum memory_type)error->type.value));
	else
		text_puts(text, "null");
	json_figures(text, error);
	text_printf(text, ",\"seen\":%u", error ? error->seen : 0);
}

static void json_others(struct text *text, const struct error_list *list)
{
	text_puts(text, ",\"others\":[");
	for (uint32_t i = 0; list && i + 1 < list->count; i++) {
		struct verdict verdict = verdict_of(&list->errors[i]);

		text_puts(text, i ? ",{" : "{");
		json_message(text, &list->errors[i], &verdict);
		text_putc(text, '}');
	}
	text_puts(text, "]");
}

static void json_in_the_way(struct text *text, const struct explanation *e)
{
	if (!e->process) {
		text_puts(text, ",\"pid\":null,\"in_the_way\":null");
		return;
	}
	text_printf(text, ",\"pid\":%u,\"in_the_way\":{\"moment\":\"%s\",\"total\":%zu,"
			  "\"bank_bytes\":",
		    e->process->pid, e->is_moment ? "failure" : "now", e->way.count);
	json_write_fact(text, e->way.frees);
	text_puts(text, ",\"why\":");
	json_write_string(text, e->way.why ? e->way.why : "");
	text_puts(text, ",\"buffers\":");
	json_write_buffer_rows(text, e->buffers, e->named, e->named_count);
	text_putc(text, '}');
}

static void json_owners(struct text *text, const struct explanation *e)
{
	struct site_list owners = e->owners;

	if (owners.count > EXPLAIN_OWNERS_MAX)
		owners.count = EXPLAIN_OWNERS_MAX;
	text_puts(text, ",\"owners\":");
	json_write_site_rows(text, e->buffers, &owners);
}

static void json_advice(struct text *text, const struct explanation *e)
{
	const struct saying *saying =
		saying_of(e->list ? error_list_last(e->list) : NULL, e->verdict.kind);

	text_puts(text, ",\"title\":");
	json_write_string(text, saying->title);
	text_puts(text, ",\"advice\":[");
	for (size_t i = 0; i < 3 && saying->advice[i]; i++) {
		text_puts(text, i ? "," : "");
		json_write_string(text, saying->advice[i]);
	}
	text_puts(text, "]");
}

void explain_write_json(struct text *text, const struct explanation *e)
{
	const struct error_text *error = e->list ? error_list_last(e->list) : NULL;

	text_puts(text, "{\"schema\":\"ttmem.explain/1\",");
	json_message(text, error, &e->verdict);
	json_advice(text, e);
	text_putc(text, ',');
	json_write_site_members(text, e->site_in, e->site_in ? e->site : 0);
	json_in_the_way(text, e);
	json_owners(text, e);
	json_others(text, e->list);
	text_putc(text, '}');
}
