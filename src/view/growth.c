/* SPDX-License-Identifier: Apache-2.0 */
#include "view/growth.h"

#include <inttypes.h>
#include <stdio.h>

#include "analyse/rise.h"
#include "view/columns.h"
#include "view/lacks.h"
#include "view/places.h"
#include "view/sites.h"

static const struct column columns[] = {
	{.title = "PID", .right = true},
	{.title = "CHIP", .if_various = true, .room_min = 8},
	{.title = "TYPE"},
	{.title = "BUFFERS", .right = true, .rank = 3},
	{.title = "OCCUPIED", .right = true, .rank = 1},
	{.title = "GROWTH", .right = true, .rank = 2},
	{.title = "PER MIN", .right = true},
	{.title = "FULL IN", .right = true},
	{.title = "BY"},
	{.title = "OP", .if_known = true, .room_min = 12, .room_good = 30},
	{.title = "SITE", .if_known = true, .room_min = 20, .room_good = 32},
	{.title = "FUNCTION", .if_known = true, .rank = COLUMNS_EXTRA, .room_min = 16},
};

#define COLUMNS (sizeof columns / sizeof columns[0])

static struct fact per_minute(struct fact rate)
{
	if (fact_is_known(rate) && __builtin_mul_overflow(rate.value, 60u, &rate.value))
		rate.value = INT64_MAX;
	return rate;
}

/* "~3 h 12 m": it is an estimate in any case. */
static void put_full(struct columns *table, struct fact full_ns)
{
	char age[STYLE_CELL], cell[STYLE_CELL + 1];

	(void)snprintf(cell, sizeof cell, "~%s", age_text(full_ns.value, age));
	columns_cell(table, fact_is_known(full_ns) ? cell : "-");
}

static void put_row(struct columns *table, const struct snapshot *snapshot,
		    const struct site_row *row)
{
	char cell[STYLE_CELL];

	columns_number(table, snapshot->processes[row->process].pid);
	columns_place(table, snapshot, row->allocator, place_chips);
	columns_cell(table, memory_type_name((enum memory_type)row->type));
	columns_number(table, row->buffers);
	columns_cell(table, fact_size(row->occupied_bytes, cell));
	columns_cell(table, signed_size_text(row->growth_bytes, cell));
	columns_cell(table, fact_size(per_minute(row->bytes_per_second), cell));
	put_full(table, row->full_ns);
	columns_cell(table, found_by_name(row->found_by));
	columns_place(table, snapshot, row->site, place_op);
	columns_place(table, snapshot, row->site, place_site);
	columns_place(table, snapshot, row->site, place_function);
}

/* What was looked at, and how closely: "nothing grows" means little without it. */
static void write_watch(struct text *text, const struct snapshot *snapshot,
			const struct site_list *list)
{
	char watched[STYLE_CELL], window[STYLE_CELL], interval[STYLE_CELL];

	text_printf(text, "Watched for %s of %s, every %s.\n",
		    age_text(list->watched_ns, watched), age_text(list->window_ns, window),
		    age_text(list->interval_ns, interval));
	if (list->is_slowed)
		text_puts(text, "That is less often than wanted: a look takes long.\n");
	if (list->interval_ns * (RISE_POINTS_MIN - 1) > list->window_ns)
		text_printf(text, "The window is too short for that: it takes %u looks.\n",
			    RISE_POINTS_MIN);
	else if (list->watched_ns < list->interval_ns * (RISE_POINTS_MIN - 1))
		text_puts(text, snapshot->server
					? "That is too short to tell. The server goes on watching: "
					  "ask again in a minute.\n"
					  "Or watch now: ttmem growth --no-server --window=30s\n"
					: "That is too short to tell.\n");
	if (list->left_out)
		text_printf(text, "%" PRIu64 " groups are not watched: there is no room for more.\n",
			    list->left_out);
}

static void write_legend(struct text *text, const struct site_list *list)
{
	bool found[FOUND_BYS] = {false};
	char age[STYLE_CELL];

	for (uint32_t i = 0; i < list->count; i++)
		found[list->rows[i].found_by % FOUND_BYS] = true;
	if (found[FOUND_BY_RISE])
		text_puts(text, "rise: it only rises.\n");
	if (found[FOUND_BY_AGE])
		text_printf(text, "age: some is freed, but what is older than %s only adds up.\n",
			    age_text(list->old_after_ns, age));
	text_puts(text, "~ is an estimate: if all of it goes on as it does now.\n");
}

void growth_write(struct text *text, const struct snapshot *snapshot, const struct style *style,
		  const struct site_list *list, uint32_t top)
{
	struct columns table;

	if (list->count == 0) {
		text_puts(text, "Nothing is seen to grow.\n");
	} else {
		columns_begin(&table, columns, COLUMNS);
		for (uint32_t i = 0; i < list->count && (top == 0 || i < top); i++)
			put_row(&table, snapshot, &list->rows[i]);
		columns_draw(text, &table, style);
		if (top && top < list->count)
			text_printf(text, "%" PRIu32 " of %" PRIu32 " places\n", top, list->count);
		write_legend(text, list);
	}
	write_watch(text, snapshot, list);
	lacks_incomplete(text, snapshot);
	if (list->count)
		lacks_siteless(text, snapshot);
}
