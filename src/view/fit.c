/* SPDX-License-Identifier: Apache-2.0 */
#include "view/fit.h"

#include <inttypes.h>

#include "api/json.h"
#include "view/buffers.h"

#define NAME_COLUMNS  40
#define VALUE_COLUMNS 16
#define HOLES_SHOWN   10

static void line_of(struct text *text, const char *name, uint64_t bytes)
{
	char size[STYLE_CELL];

	text_printf(text, "  %-*s%*" PRIu64 " B   %s\n", NAME_COLUMNS, name, VALUE_COLUMNS, bytes,
		    size_text(bytes, size));
}

static void write_question(struct text *text, const struct fit_answer *a)
{
	if (a->is_program) {
		text_printf(text, ": a program that needs %" PRIu64 " B of L1 on each core\n",
			    a->request.bytes);
	} else {
		text_printf(text, ": %" PRIu64 " B of %s", a->request.bytes,
			    memory_type_name(a->type));
		if (a->request.cores)
			text_printf(text, " sharded over %u cores", a->request.cores);
		else
			text_printf(text, " interleaved over %u banks", a->bank.banks);
		text_printf(text, ", in pages of %" PRIu64 " B\n", a->request.page_bytes);
	}
	text_printf(text, "in process %u, allocator %u, as it is now\n", a->pid, a->allocator_id);
}

static void write_holes(struct text *text, const struct fit_answer *a)
{
	char size[STYLE_CELL];

	text_printf(text, "\n%zu %s could take it:\n", a->hole_count,
		    a->hole_count == 1 ? "hole" : "holes");
	for (size_t i = 0; i < a->hole_count && i < HOLES_SHOWN; i++)
		text_printf(text, "  %#14" PRIx64 " to %#14" PRIx64 "%12s\n", a->holes[i].start,
			    a->holes[i].end,
			    size_text(a->holes[i].end - a->holes[i].start, size));
	if (a->hole_count > HOLES_SHOWN)
		text_printf(text, "  and %zu more\n", a->hole_count - HOLES_SHOWN);
}

static void write_way_out(struct text *text, const struct fit_answer *a, const struct style *style)
{
	if (a->never) {
		text_puts(text, "\nNot even with nothing else there.\n");
		return;
	}
	text_printf(text, "\nWhat would have to go, at the least (%u %s):\n", a->go_total,
		    a->go_total == 1 ? "buffer" : "buffers");
	buffers_write(text, a->buffers, style, a->go, a->go_count);
}

void fit_write(struct text *text, const struct fit_answer *a, const struct style *style)
{
	style_tone(text, style, a->fits ? TONE_GOOD : TONE_BAD);
	text_puts(text, a->fits ? "yes" : "no");
	style_tone(text, style, TONE_PLAIN);
	write_question(text, a);
	text_putc(text, '\n');
	line_of(text, a->is_program ? "each core needs" : "each bank needs", a->need_bytes);
	line_of(text, a->is_program ? "below the lowest buffer" : "largest hole of a bank",
		a->hole_bytes);
	line_of(text, "free in a bank", a->free_bytes);
	line_of(text, a->is_program ? "largest program that fits" : "largest such request that fits",
		a->largest_bytes);
	if (a->is_aligned_by_guess)
		text_printf(text, "  pages are rounded up to %" PRIu64
				  " B: an estimate, this TT-Metal does not say\n",
			    a->bank.alignment);
	if (a->fits)
		write_holes(text, a);
	else
		write_way_out(text, a, style);
}

void fit_write_json(struct text *text, const struct fit_answer *a)
{
	text_printf(text,
		    "{\"schema\":\"ttmem.fit/1\",\"pid\":%u,\"allocator\":%u,\"type\":\"%s\","
		    "\"fits\":%s,\"program\":%s,\"requested_bytes\":%" PRIu64,
		    a->pid, a->allocator_id, memory_type_key(a->type), a->fits ? "true" : "false",
		    a->is_program ? "true" : "false", a->request.bytes);
	text_puts(text, ",\"page_bytes\":");
	json_write_fact(text, a->is_program ? fact_absent(REASON_NONE)
					    : fact_of(a->request.page_bytes));
	text_puts(text, ",\"cores\":");
	json_write_fact(text,
			a->request.cores ? fact_of(a->request.cores) : fact_absent(REASON_NONE));
	text_printf(text,
		    ",\"banks\":%u,\"bank_bytes\":%" PRIu64 ",\"bank_free_bytes\":%" PRIu64
		    ",\"bank_largest_free_bytes\":%" PRIu64 ",\"largest_bytes\":%" PRIu64
		    ",\"alignment_bytes\":%" PRIu64 ",\"holes\":[",
		    a->bank.banks, a->need_bytes, a->free_bytes, a->hole_bytes, a->largest_bytes,
		    a->bank.alignment);
	for (size_t i = 0; i < a->hole_count; i++)
		text_printf(text, "%s{\"address\":%" PRIu64 ",\"bytes\":%" PRIu64 "}",
			    i ? "," : "", a->holes[i].start, a->holes[i].end - a->holes[i].start);
	text_puts(text, "],\"would_have_to_go\":");
	if (a->fits || a->never) {
		text_puts(text, "null");
	} else {
		text_printf(text, "{\"bank_bytes\":%" PRIu64 ",\"total\":%u,\"buffers\":",
			    a->go_bytes, a->go_total);
		json_write_buffer_rows(text, a->buffers, a->go, a->go_count);
		text_putc(text, '}');
	}
	text_puts(text, ",\"incomplete\":");
	json_write_incomplete(text, a->buffers);
	if (a->is_aligned_by_guess)
		text_puts(text, ",\"estimates\":{\"alignment_bytes\":"
				"\"this TT-Metal does not export it\"}");
	text_putc(text, '}');
}
