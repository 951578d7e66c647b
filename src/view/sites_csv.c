/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of sites as CSV: the fields of the JSON, in the manner of ttmem's other lists. */
#include <inttypes.h>

#include "view/sites.h"

struct csv_line {
	struct text *text;
	const struct query_csv *csv;
	bool any;
};

static void put(struct csv_line *line, const struct query_value *value)
{
	text_auto cell = TEXT_INIT;

	if (line->any)
		text_puts(line->text, ", ");
	line->any = true;
	query_put_cell(&cell, value, !line->csv->no_units);
	query_put_quoted(line->text, &cell);
}

static void put_text(struct csv_line *line, const char *string)
{
	const struct query_value value = {.kind = *string ? VALUE_TEXT : VALUE_MISSING,
					  .text = string,
					  .unit = ""};

	put(line, &value);
}

static void put_number(struct csv_line *line, uint64_t number, bool is_known)
{
	const struct query_value value = {.kind = is_known ? VALUE_NUMBER : VALUE_MISSING,
					  .fact = fact_of(number),
					  .unit = ""};

	put(line, &value);
}

/* Blanks between them, since commas part the cells. */
static void put_chips(struct csv_line *line, const struct snapshot *snapshot,
		      const struct allocator *allocator)
{
	text_auto list = TEXT_INIT;

	for (uint32_t i = 0; i < allocator->chips.count; i++) {
		const struct chip *chip = &snapshot->chips[allocator->chips.first + i];

		text_puts(&list, i ? " " : "");
		if (fact_is_known(chip->unique_id))
			text_printf(&list, "%" PRIu64, chip->unique_id.value);
		else
			text_printf(&list, "id:%" PRIu32, chip->chip_id);
	}
	put_text(line, list.bytes ? list.bytes : "");
}

static void put_field(struct csv_line *line, const struct field *field, const struct site_row *row)
{
	struct query_value value = {.fact = field_load(row, field), .unit = field->unit};

	if (!fact_is_known(value.fact)) {
		value.kind = VALUE_MISSING;
	} else if (field->type == FIELD_WORD) {
		value.kind = VALUE_TEXT;
		value.text = field_word(field, value.fact.value);
	} else {
		value.kind = field->type == FIELD_SIGNED ? VALUE_SIGNED : VALUE_NUMBER;
	}
	put(line, &value);
}

static void put_fields(struct csv_line *line, const struct field_list *list,
		       const struct site_row *row)
{
	for (size_t i = 0; i < list->count; i++)
		put_field(line, &list->fields[i], row);
}

static void put_names(struct text *text, const struct field_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		const struct field *field = &list->fields[i];

		text_printf(text, ", %s", field->path);
		if (field->unit[0])
			text_printf(text, " [%s]", field->unit);
	}
}

void sites_write_csv(struct text *text, const struct snapshot *snapshot,
		     const struct site_list *list, const struct query_csv *csv, bool grows)
{
	if (!csv->no_header) {
		text_puts(text, "pid, chips");
		put_names(text, &site_row_fields);
		if (grows)
			put_names(text, &growth_fields);
		text_puts(text, ", op, file, line, function, tag\n");
	}
	for (uint32_t i = 0; i < list->count; i++) {
		const struct site_row *row = &list->rows[i];
		const struct site *site = snapshot_site(snapshot, row->site);
		struct csv_line line = {.text = text, .csv = csv};

		put_number(&line, snapshot->processes[row->process].pid, true);
		put_chips(&line, snapshot, &snapshot->allocators[row->allocator]);
		put_fields(&line, &site_row_fields, row);
		if (grows)
			put_fields(&line, &growth_fields, row);
		put_text(&line, site ? snapshot_text(snapshot, site->op) : "");
		put_text(&line, site ? snapshot_text(snapshot, site->file) : "");
		put_number(&line, site ? site->line : 0, site && site->line);
		put_text(&line, site ? snapshot_text(snapshot, site->function) : "");
		put_text(&line, site ? snapshot_text(snapshot, site->tag) : "");
		text_putc(text, '\n');
	}
}
