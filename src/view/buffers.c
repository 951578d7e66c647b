/* SPDX-License-Identifier: Apache-2.0 */
#include "view/buffers.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "model/incomplete.h"

/* One column: its title, whether numbers stand at the right, and the cell of a row. */
struct column {
	const char *title;
	bool right;
	bool extra; /* only where the line has room */
	const char *(*cell)(const struct snapshot *snapshot, const struct buffer *b, char *cell);
};

#define CELL	64 /* at least STYLE_CELL */
#define COLUMNS 13

static const char *cell_u64(char *cell, uint64_t value)
{
	(void)snprintf(cell, CELL, "%" PRIu64, value);
	return cell;
}

static const char *cell_pid(const struct snapshot *snapshot, const struct buffer *b, char *cell)
{
	return cell_u64(cell, snapshot->processes[b->process].pid);
}

static const char *cell_allocator(const struct snapshot *snapshot, const struct buffer *b,
				  char *cell)
{
	return cell_u64(cell, snapshot->allocators[b->allocator].id);
}

/* "4476187513037", or "10226774059 +7" for a mesh. */
static const char *cell_chips(const struct snapshot *snapshot, const struct buffer *b, char *cell)
{
	const struct allocator *allocator = &snapshot->allocators[b->allocator];
	const struct chip *chip = &snapshot->chips[allocator->chips.first];
	char more[16] = "";

	if (allocator->chips.count == 0)
		return "-";
	if (allocator->chips.count > 1)
		(void)snprintf(more, sizeof more, " +%" PRIu32, allocator->chips.count - 1);
	if (fact_is_known(chip->unique_id))
		(void)snprintf(cell, CELL, "%" PRIu64 "%s", chip->unique_id.value, more);
	else
		(void)snprintf(cell, CELL, "id %" PRIu32 "%s", chip->chip_id, more);
	return cell;
}

static const char *cell_type(const struct snapshot *snapshot, const struct buffer *b, char *cell)
{
	(void)snapshot;
	(void)cell;
	return memory_type_name((enum memory_type)b->type);
}

static const char *cell_layout(const struct snapshot *snapshot, const struct buffer *b, char *cell)
{
	const char *name = buffer_layout_name(b->layout);

	(void)snapshot;
	(void)cell;
	return name ? name : "-";
}

static const char *cell_requested(const struct snapshot *snapshot, const struct buffer *b,
				  char *cell)
{
	(void)snapshot;
	return size_text(b->requested_bytes, cell);
}

static const char *cell_bank(const struct snapshot *snapshot, const struct buffer *b, char *cell)
{
	(void)snapshot;
	return size_text(b->bank_bytes, cell);
}

static const char *cell_address(const struct snapshot *snapshot, const struct buffer *b, char *cell)
{
	(void)snapshot;
	(void)snprintf(cell, CELL, "%#" PRIx64, b->address);
	return cell;
}

static const char *cell_age(const struct snapshot *snapshot, const struct buffer *b, char *cell)
{
	(void)snapshot;
	return age_text(b->age_ns, cell);
}

static const char *cell_pages(const struct snapshot *snapshot, const struct buffer *b, char *cell)
{
	(void)snapshot;
	return b->pages == UINT64_MAX ? "-" : cell_u64(cell, b->pages);
}

static const char *cell_page(const struct snapshot *snapshot, const struct buffer *b, char *cell)
{
	(void)snapshot;
	return size_text(b->page_bytes, cell);
}

static const char *cell_cores(const struct snapshot *snapshot, const struct buffer *b, char *cell)
{
	(void)snapshot;
	return b->cores == SNAPSHOT_NONE ? "-" : cell_u64(cell, b->cores);
}

static const char *cell_thread(const struct snapshot *snapshot, const struct buffer *b, char *cell)
{
	(void)snapshot;
	return cell_u64(cell, b->thread);
}

static const struct column columns[COLUMNS] = {
	{"PID", true, false, cell_pid},
	{"CHIP", false, false, cell_chips},
	{"TYPE", false, false, cell_type},
	{"LAYOUT", false, false, cell_layout},
	{"REQUESTED", true, false, cell_requested},
	{"PER BANK", true, false, cell_bank},
	{"ADDRESS", true, false, cell_address},
	{"AGE", true, false, cell_age},
	{"PAGES", true, true, cell_pages},
	{"PAGE SIZE", true, true, cell_page},
	{"CORES", true, true, cell_cores},
	{"THREAD", true, true, cell_thread},
	{"ALLOCATOR", true, true, cell_allocator},
};

/* The table before it is drawn: every cell once, and how wide its column has to be. */
struct table {
	struct text cells; /* NUL-terminated, row by row, COLUMNS of them in each */
	unsigned width[COLUMNS];
	unsigned count; /* columns that are drawn */
	unsigned gap;
};

static void fill(struct table *table, const struct snapshot *snapshot, const uint32_t *indices,
		 uint32_t count)
{
	char cell[CELL];

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

static void draw(struct text *text, const struct table *table, const struct style *style,
		 uint32_t count)
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
	}
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

/* Processes that hold more than is listed, because the hook came late. */
static void incomplete(struct text *text, const struct snapshot *snapshot)
{
	for (uint32_t i = 0; i < snapshot->process_count; i++) {
		const struct process *p = &snapshot->processes[i];
		const struct capability *c = incomplete_reason(snapshot, p);

		if (!c)
			continue;
		text_printf(text, "Process %" PRIu32 ", before the attach: ", p->pid);
		text_escape(text, snapshot_text(snapshot, c->reason), 0, false);
		text_putc(text, '\n');
	}
}

void buffers_write(struct text *text, const struct snapshot *snapshot, const struct style *style,
		   const uint32_t *indices, uint32_t count)
{
	struct table table = {.count = 0};

	if (count > 0) {
		fill(&table, snapshot, indices, count);
		fit(&table, style);
		if (table.cells.failed)
			text->failed = true;
		else
			draw(text, &table, style, count);
		text_free(&table.cells);
	}
	if (snapshot->buffer_count == 0)
		text_puts(text, "No live buffers.\n");
	else
		summary(text, snapshot, indices, count);
	incomplete(text, snapshot);
}
