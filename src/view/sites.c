/* SPDX-License-Identifier: Apache-2.0 */
#include "view/sites.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "view/columns.h"
#include "view/lacks.h"
#include "view/places.h"

static const struct column columns[] = {
	{.title = "PID", .right = true},
	{.title = "CHIP", .if_various = true, .room_min = 8},
	{.title = "TYPE"},
	{.title = "BUFFERS", .right = true},
	{.title = "REQUESTED", .right = true, .rank = 3},
	{.title = "OCCUPIED", .right = true},
	{.title = "OLDEST", .right = true, .rank = 1},
	{.title = "LAST MIN", .right = true, .if_known = true, .rank = 2},
	{.title = "THREAD", .right = true, .if_known = true},
	{.title = "TAG", .if_known = true, .room_min = 16},
	{.title = "OP", .if_known = true, .room_min = 14, .room_good = 30},
	{.title = "SITE", .if_known = true, .room_min = 20, .room_good = 32},
	{.title = "FUNCTION", .if_known = true, .rank = COLUMNS_EXTRA, .room_min = 16},
};

#define COLUMNS (sizeof columns / sizeof columns[0])

const char *signed_size_text(struct fact bytes, char cell[STYLE_CELL])
{
	int64_t value = (int64_t)bytes.value;
	uint64_t size = value < 0 ? 0 - bytes.value : bytes.value;

	if (!fact_is_known(bytes))
		return strcpy(cell, "-");
	(void)size_text(size, cell);
	if (value != 0) {
		memmove(cell + 1, cell, strlen(cell) + 1);
		cell[0] = value < 0 ? '-' : '+';
	}
	return cell;
}

/* By tag the tag is all that its buffers have in common; else it stands behind the operation. */
static void put_place(struct columns *table, const struct snapshot *snapshot,
		      const struct site_row *row, enum group_by by)
{
	bool by_tag = by == GROUP_TAG;

	columns_place(table, snapshot, by_tag ? row->site : 0, place_tag);
	columns_place(table, snapshot, by_tag ? 0 : row->site, place_op);
	columns_place(table, snapshot, row->site, place_site);
	columns_place(table, snapshot, row->site, place_function);
}

static void put_row(struct columns *table, const struct snapshot *snapshot,
		    const struct site_row *row, enum group_by by)
{
	char cell[STYLE_CELL];

	columns_number(table, snapshot->processes[row->process].pid);
	columns_place(table, snapshot, row->allocator, place_chips);
	columns_cell(table, memory_type_name((enum memory_type)row->type));
	columns_number(table, row->buffers);
	columns_cell(table, size_text(row->requested_bytes, cell));
	columns_cell(table, fact_size(row->occupied_bytes, cell));
	columns_cell(table, age_text(row->oldest_ns, cell));
	columns_cell(table, signed_size_text(row->growth_bytes, cell));
	if (row->thread)
		columns_number(table, row->thread);
	else
		columns_cell(table, "-");
	put_place(table, snapshot, row, by);
}

/* Why the last column is empty, where it is so everywhere. */
static void write_reason(struct text *text, const struct site_list *list)
{
	for (uint32_t i = 0; i < list->count; i++)
		if (fact_is_known(list->rows[i].growth_bytes))
			return;
	if (list->count)
		text_printf(text, "Growth of the last minute: %s.\n",
			    fact_reason_text(
				    (enum fact_reason)list->rows[0].growth_bytes.reason));
}

static void write_sum(struct text *text, const struct snapshot *snapshot,
		      const struct site_list *list, uint32_t shown)
{
	uint64_t buffers = 0, requested = 0;
	char cell[STYLE_CELL];

	for (uint32_t i = 0; i < list->count; i++) {
		buffers += list->rows[i].buffers;
		requested += list->rows[i].requested_bytes;
	}
	text_printf(text, "%" PRIu32 " of %" PRIu32 " groups by %s; in all %" PRIu64
			  " live buffers, %s requested%s\n",
		    shown, list->count, group_by_name(list->by), buffers,
		    size_text(requested, cell),
		    snapshot->consistent ? "" : " (they changed while they were read)");
}

void sites_write(struct text *text, const struct snapshot *snapshot, const struct style *style,
		 const struct site_list *list, uint32_t top)
{
	uint32_t shown = top && top < list->count ? top : list->count;
	struct columns table;

	if (list->count == 0) {
		lacks_none(text, snapshot);
		lacks_incomplete(text, snapshot);
		return;
	}
	columns_begin(&table, columns, COLUMNS);
	for (uint32_t i = 0; i < shown; i++)
		put_row(&table, snapshot, &list->rows[i], list->by);
	columns_draw(text, &table, style);
	write_sum(text, snapshot, list, shown);
	write_reason(text, list);
	lacks_incomplete(text, snapshot);
	if (list->by <= GROUP_FILE)
		lacks_siteless(text, snapshot);
}
