/* SPDX-License-Identifier: Apache-2.0 */
/* Cells as CSV and JSON. */
#include <inttypes.h>
#include <string.h>

#include "api/encode.h"
#include "base/clock.h"
#include "view/query.h"

/* What stands for a value that is not there, in nvidia-smi's words. */
static const char *placeholder(struct fact why)
{
	return why.state == FACT_DENIED || why.reason == REASON_PERMISSION
		       ? "[Insufficient Permissions]"
		       : "[N/A]";
}

void query_put_cell(struct text *text, const struct query_value *value, bool units)
{
	switch (value->kind) {
	case VALUE_MISSING:
		text_puts(text, placeholder(value->fact));
		return;
	case VALUE_FLAG:
		text_puts(text, value->fact.value ? "true" : "false");
		return;
	case VALUE_TEXT:
		text_escape(text, value->text, 0, false);
		return;
	case VALUE_SIGNED:
		text_printf(text, "%" PRId64, fact_signed(value->fact));
		break;
	case VALUE_NUMBER:
		text_printf(text, "%" PRIu64 "%s", value->fact.value,
			    value->hundredths ? ".00" : "");
		break;
	}
	if (units && value->unit[0])
		text_printf(text, " %s", value->unit);
}

/* RFC 4180, but only when needed: plain scripts split at commas. */
void query_put_quoted(struct text *text, const struct text *cell)
{
	const char *bytes = cell->bytes ? cell->bytes : "";

	if (!strpbrk(bytes, ",\"\r\n") && bytes[0] != ' ' &&
	    (cell->length == 0 || bytes[cell->length - 1] != ' ')) {
		text_puts(text, bytes);
		return;
	}
	text_putc(text, '"');
	for (const char *p = bytes; *p; p++) {
		if (*p == '"')
			text_putc(text, '"');
		text_putc(text, *p);
	}
	text_putc(text, '"');
}

struct writing {
	struct text *text;
	const struct query *query;
	const struct query_csv *csv;
	bool lines, any;
};

static void csv_row(void *context, const struct query_row *row)
{
	const struct writing *writing = context;

	for (uint32_t i = 0; i < writing->query->count; i++) {
		text_auto cell = TEXT_INIT;
		struct query_value value;

		query_value_of(row, &writing->query->columns[i], &value);
		query_put_cell(&cell, &value, !writing->csv->no_units);
		if (i)
			text_puts(writing->text, ", ");
		query_put_quoted(writing->text, &cell);
	}
	text_putc(writing->text, '\n');
}

static void csv_header(struct text *text, const struct query *query)
{
	for (uint32_t i = 0; i < query->count; i++) {
		const char *unit = query_unit_of(&query->columns[i]);

		text_printf(text, "%s%s", i ? ", " : "", query->columns[i].name);
		if (*unit)
			text_printf(text, " [%s]", unit);
	}
	text_putc(text, '\n');
}

void query_write_csv(struct text *text, const struct snapshot *snapshot, const struct query *query,
		     const struct query_csv *csv)
{
	struct writing writing = {.text = text, .query = query, .csv = csv};

	if (!csv->no_header)
		csv_header(text, query);
	query_visit(snapshot, query->kind, csv_row, &writing);
}

static void put_json(struct text *text, const struct query_value *value)
{
	if (value->kind == VALUE_TEXT)
		(void)encode_text(text, value->text);
	else if (value->kind == VALUE_MISSING)
		text_puts(text, "null");
	else
		query_put_cell(text, value, false);
}

static void json_row(void *context, const struct query_row *row)
{
	struct writing *writing = context;
	struct encoded object;

	if (writing->any && !writing->lines)
		text_putc(writing->text, ',');
	writing->any = true;
	encode_begin(&object, writing->text, row->snapshot);
	for (uint32_t i = 0; i < writing->query->count; i++) {
		struct query_value value;

		query_value_of(row, &writing->query->columns[i], &value);
		encode_key(&object, writing->query->columns[i].name);
		put_json(writing->text, &value);
	}
	encode_end(&object);
	if (writing->lines)
		text_putc(writing->text, '\n');
}

void query_write_json(struct text *text, const struct snapshot *snapshot,
		      const struct query *query, bool lines)
{
	struct writing writing = {.text = text, .query = query, .lines = lines};
	char time[40];

	if (!lines) {
		clock_rfc3339(snapshot->time_ns, time, sizeof time);
		text_printf(text, "{\"schema\":\"ttmem.query/1\",\"time\":\"%s\",\"rows\":[", time);
	}
	query_visit(snapshot, query->kind, json_row, &writing);
	if (!lines)
		text_puts(text, "]}\n");
}
