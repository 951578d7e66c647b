/* SPDX-License-Identifier: Apache-2.0 */
#include "view/columns.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

void columns_begin(struct columns *columns, const struct column *all, unsigned count)
{
	*columns = (struct columns){.columns = all, .count = count};
	for (unsigned c = 0; c < count; c++)
		columns->natural[c] = (unsigned)strlen(all[c].title);
}

void columns_cell(struct columns *columns, const char *cell)
{
	unsigned c = columns->next, width = style_columns(cell);
	size_t at = columns->cells.length;

	text_append(&columns->cells, cell, strlen(cell) + 1);
	if (columns->cells.failed)
		return;
	columns->various[c] |= columns->rows > 0 &&
			       strcmp(columns->cells.bytes + columns->above[c], cell) != 0;
	columns->above[c] = at;
	if (width > columns->natural[c])
		columns->natural[c] = width;
	columns->known[c] |= strcmp(cell, "-") != 0;
	columns->next = (c + 1) % columns->count;
	columns->rows += columns->next == 0;
}

void columns_number(struct columns *columns, uint64_t number)
{
	char cell[STYLE_CELL];

	(void)snprintf(cell, sizeof cell, "%" PRIu64, number);
	columns_cell(columns, cell);
}

void columns_place(struct columns *columns, const struct snapshot *snapshot, uint32_t which,
		   void (*write)(struct text *text, const struct snapshot *snapshot, uint32_t which))
{
	text_auto cell = TEXT_INIT;

	write(&cell, snapshot, which);
	columns->cells.failed |= cell.failed;
	columns_cell(columns, cell.bytes ? cell.bytes : "");
}

static bool is_flexible(const struct columns *columns, unsigned c)
{
	return columns->columns[c].room_min && columns->natural[c] > columns->columns[c].room_min;
}

static unsigned least(const struct columns *columns, unsigned c)
{
	return is_flexible(columns, c) ? columns->columns[c].room_min : columns->natural[c];
}

static bool may_be_drawn(const struct columns *columns, unsigned c)
{
	return (!columns->columns[c].if_known || columns->known[c]) &&
	       (!columns->columns[c].if_various || columns->various[c]);
}

static unsigned natural(const struct columns *columns, unsigned c)
{
	return columns->natural[c];
}

/* What a column should have where others are only good to know. */
static unsigned good(const struct columns *columns, unsigned c)
{
	unsigned wanted = columns->columns[c].room_good;

	if (wanted < least(columns, c))
		return least(columns, c);
	return wanted < columns->natural[c] ? wanted : columns->natural[c];
}

/* Of the columns up to a rank, with what may be cut as short as `room` says. */
static unsigned needed(const struct columns *columns, unsigned rank, unsigned gap,
		       unsigned (*room)(const struct columns *columns, unsigned c))
{
	unsigned total = 0, drawn = 0;

	for (unsigned c = 0; c < columns->count; c++)
		if (columns->columns[c].rank <= rank && may_be_drawn(columns, c)) {
			total += room(columns, c);
			drawn++;
		}
	return total + (drawn ? drawn - 1 : 0) * gap;
}

static unsigned highest_rank(const struct columns *columns)
{
	unsigned highest = 0;

	for (unsigned c = 0; c < columns->count; c++)
		if (columns->columns[c].rank > highest)
			highest = columns->columns[c].rank;
	return highest;
}

/* The rank up to which columns are drawn; 0 in any case. */
static unsigned choose_rank(struct columns *columns, unsigned width)
{
	for (unsigned rank = highest_rank(columns); rank > 0; rank--) {
		unsigned (*room)(const struct columns *, unsigned) =
			rank < COLUMNS_LATE ? least : good;

		columns->gap = 2;
		if (needed(columns, rank, 2, room) <= width)
			return rank;
		columns->gap = 1;
		if (rank < COLUMNS_EXTRA && needed(columns, rank, 1, room) <= width)
			return rank;
	}
	columns->gap = needed(columns, 0, 2, least) <= width ? 2 : 1;
	return 0;
}

/* What is left over, to those that have a good width or to the others. Return: what was given. */
static unsigned widen(struct columns *columns, unsigned left, bool with_good)
{
	unsigned given = 0;

	for (unsigned c = 0; c < columns->count; c++) {
		unsigned more = columns->natural[c] - columns->width[c];

		if (columns->width[c] == 0 || (columns->columns[c].room_good != 0) != with_good)
			continue;
		more = more < left - given ? more : left - given;
		columns->width[c] += more;
		given += more;
	}
	return given;
}

static void fit(struct columns *columns, unsigned width)
{
	unsigned rank = choose_rank(columns, width);

	/* blanks before words: nothing is cut for the sake of a wide gap */
	if (needed(columns, rank, columns->gap, natural) > width)
		columns->gap = 1;
	unsigned used = needed(columns, rank, columns->gap, least);
	unsigned left = width > used ? width - used : 0;

	for (unsigned c = 0; c < columns->count; c++)
		columns->width[c] = columns->columns[c].rank <= rank && may_be_drawn(columns, c)
					    ? least(columns, c)
					    : 0;
	left -= widen(columns, left, true);
	(void)widen(columns, left, false);
}

static bool is_last(const struct columns *columns, unsigned c)
{
	while (++c < columns->count)
		if (columns->width[c])
			return false;
	return true;
}

static void draw_cell(struct text *text, const struct columns *columns, unsigned c,
		      const char *cell)
{
	text_auto cut = TEXT_INIT;

	if (style_columns(cell) > columns->width[c]) {
		text_escape(&cut, cell, columns->width[c], true);
		text->failed |= cut.failed;
		cell = cut.bytes ? cut.bytes : "";
	}
	unsigned length = style_columns(cell);
	unsigned blanks = columns->width[c] > length ? columns->width[c] - length : 0;

	if (columns->columns[c].right)
		text_pad(text, ' ', blanks);
	text_puts(text, cell);
	/* no blanks at the end of a line */
	if (!columns->columns[c].right && !is_last(columns, c))
		text_pad(text, ' ', blanks);
}

/* `cell`: the first of its row; NULL: the titles. Return: where the next row's are. */
static const char *draw_row(struct text *text, const struct columns *columns, const char *cell)
{
	bool first = true;

	for (unsigned c = 0; c < columns->count; c++) {
		const char *string = cell ? cell : columns->columns[c].title;

		if (cell)
			cell += strlen(cell) + 1;
		if (columns->width[c] == 0)
			continue;
		if (!first)
			text_pad(text, ' ', columns->gap);
		first = false;
		draw_cell(text, columns, c, string);
	}
	return cell;
}

void columns_head(struct text *text, struct columns *columns, const struct style *style)
{
	fit(columns, style->width);
	style_tone(text, style, TONE_BOLD);
	(void)draw_row(text, columns, NULL);
	style_tone(text, style, TONE_PLAIN);
	text_putc(text, '\n');
}

void columns_row(struct text *text, struct columns *columns)
{
	const char *cells = columns->cells.bytes;

	if (!cells || columns->cells.failed)
		return;
	columns->drawn = (size_t)(draw_row(text, columns, cells + columns->drawn) - cells);
	text_putc(text, '\n');
}

void columns_end(struct text *text, struct columns *columns)
{
	text->failed |= columns->cells.failed;
	text_free(&columns->cells);
}

void columns_draw(struct text *text, struct columns *columns, const struct style *style)
{
	columns_head(text, columns, style);
	for (uint32_t row = 0; row < columns->rows; row++)
		columns_row(text, columns);
	columns_end(text, columns);
}
