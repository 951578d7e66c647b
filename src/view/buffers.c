/* SPDX-License-Identifier: Apache-2.0 */
#include "view/buffers.h"

#include <inttypes.h>
#include <stdio.h>

<<<<<<< HEAD
#include "view/stacks.h"

/* One column: its title, whether numbers stand at the right, and the cell of a row. */
struct column {
	const char *title;
	bool right;
	bool extra; /* only where the line has room */
	const char *(*cell)(const struct snapshot *snapshot, const struct buffer *b, char *cell);
=======
#include "view/columns.h"
#include "view/places.h"

#define CELL 64 /* at least STYLE_CELL */

/*
 * Who owns it is what the list is for: where the line is short its place, its
 * chip and its layout give way to that.
 */
static const struct column columns[] = {
	{.title = "PID", .right = true},
	{.title = "CHIP", .rank = 3},
	{.title = "TYPE"},
	{.title = "LAYOUT", .rank = 4},
	{.title = "REQUESTED", .right = true},
	{.title = "PER BANK", .right = true, .rank = 1},
	{.title = "ADDRESS", .right = true, .rank = 2},
	{.title = "AGE", .right = true},
	{.title = "PAGES", .right = true, .rank = COLUMNS_EXTRA + 1},
	{.title = "PAGE SIZE", .right = true, .rank = COLUMNS_EXTRA + 2},
	{.title = "CORES", .right = true, .rank = COLUMNS_EXTRA + 3},
	{.title = "THREAD", .right = true, .rank = COLUMNS_EXTRA + 4},
	{.title = "ALLOCATOR", .right = true, .rank = COLUMNS_EXTRA + 5},
	{.title = "OP", .if_known = true, .room_min = 16},
	{.title = "SITE", .if_known = true, .room_min = 20},
	{.title = "FUNCTION", .if_known = true, .rank = COLUMNS_EXTRA, .room_min = 16},
>>>>>>> growth
};

#define COLUMNS (sizeof columns / sizeof columns[0])

static void put_row(struct columns *list, const struct snapshot *snapshot, const struct buffer *b)
{
	const char *layout = buffer_layout_name(b->layout);
	char cell[CELL];

<<<<<<< HEAD
	for (unsigned c = 0; c < COLUMNS; c++)
		table->width[c] = (unsigned)strlen(columns[c].title);
	for (uint32_t i = 0; i < count; i++)
		for (unsigned c = 0; c < COLUMNS; c++) {
			const struct buffer *b = &snapshot->buffers[indices[i]];
			const char *string = columns[c].cell(snapshot, b, cell);
			unsigned width = (unsigned)strlen(string);

			text_append(&table->cells, string, width + 1);
			if (width > table->width[c])
				table->width[c] = width;
		}
}

static unsigned total_width(const struct table *table, unsigned count, unsigned gap)
{
	unsigned total = (count - 1) * gap;

	for (unsigned c = 0; c < count; c++)
		total += table->width[c];
	return total;
}

static void fit(struct table *table, const struct style *style)
{
	table->count = 0;
	while (table->count < COLUMNS && !columns[table->count].extra)
		table->count++;
	table->gap = total_width(table, table->count, 2) <= style->width ? 2 : 1;
	while (table->count < COLUMNS && total_width(table, table->count + 1, 2) <= style->width)
		table->count++;
}

static void draw_cell(struct text *text, const struct table *table, unsigned c, const char *cell)
{
	size_t length = strlen(cell);
	size_t blanks = table->width[c] > length ? table->width[c] - length : 0;

	if (c > 0)
		text_pad(text, ' ', table->gap);
	if (columns[c].right)
		text_pad(text, ' ', blanks);
	text_append(text, cell, length);
	/* no blanks at the end of a line */
	if (!columns[c].right && c + 1 < table->count)
		text_pad(text, ' ', blanks);
}

static void draw(struct text *text, const struct table *table, const struct snapshot *snapshot,
		 const struct style *style, const uint32_t *indices, uint32_t count)
{
	const char *cell = table->cells.bytes;

	style_tone(text, style, TONE_BOLD);
	for (unsigned c = 0; c < table->count; c++)
		draw_cell(text, table, c, columns[c].title);
	style_tone(text, style, TONE_PLAIN);
	text_putc(text, '\n');
	for (uint32_t i = 0; i < count; i++) {
		for (unsigned c = 0; c < COLUMNS; c++) {
			if (c < table->count)
				draw_cell(text, table, c, cell);
			cell += strlen(cell) + 1;
		}
		text_putc(text, '\n');
		if (snapshot->has_stacks)
			stack_write(text, snapshot, snapshot->buffers[indices[i]].site);
	}
=======
	columns_number(list, snapshot->processes[b->process].pid);
	columns_place(list, snapshot, b->allocator, place_chips);
	columns_cell(list, memory_type_name((enum memory_type)b->type));
	columns_cell(list, layout ? layout : "-");
	columns_cell(list, size_text(b->requested_bytes, cell));
	columns_cell(list, size_text(b->bank_bytes, cell));
	(void)snprintf(cell, sizeof cell, "%#" PRIx64, b->address);
	columns_cell(list, cell);
	columns_cell(list, age_text(b->age_ns, cell));
	if (b->pages == UINT64_MAX)
		columns_cell(list, "-");
	else
		columns_number(list, b->pages);
	columns_cell(list, size_text(b->page_bytes, cell));
	if (b->cores == SNAPSHOT_NONE)
		columns_cell(list, "-");
	else
		columns_number(list, b->cores);
	columns_number(list, b->thread);
	columns_number(list, snapshot->allocators[b->allocator].id);
	columns_place(list, snapshot, b->site, place_op);
	columns_place(list, snapshot, b->site, place_site);
	columns_place(list, snapshot, b->site, place_function);
>>>>>>> growth
}

static void summary(struct text *text, const struct snapshot *snapshot, const uint32_t *indices,
		    uint32_t count)
{
	uint64_t requested = 0;
	char cell[STYLE_CELL];

	for (uint32_t i = 0; i < count; i++)
		requested += snapshot->buffers[indices[i]].requested_bytes;
	text_printf(text, "%" PRIu32 " of %" PRIu32 " live buffers, %s requested%s\n", count,
		    snapshot->buffer_count, size_text(requested, cell),
		    snapshot->consistent ? "" : " (they changed while the list was read)");
}

void buffers_write(struct text *text, const struct snapshot *snapshot, const struct style *style,
		   const uint32_t *indices, uint32_t count)
{
	struct columns list;

	if (count > 0) {
<<<<<<< HEAD
		fill(&table, snapshot, indices, count);
		fit(&table, style);
		if (table.cells.failed)
			text->failed = true;
		else
			draw(text, &table, snapshot, style, indices, count);
		text_free(&table.cells);
=======
		columns_begin(&list, columns, COLUMNS);
		for (uint32_t i = 0; i < count; i++)
			put_row(&list, snapshot, &snapshot->buffers[indices[i]]);
		columns_draw(text, &list, style);
>>>>>>> growth
	}
	if (snapshot->buffer_count == 0)
		text_puts(text, "No live buffers.\n");
	else
		summary(text, snapshot, indices, count);
}
