/* SPDX-License-Identifier: Apache-2.0 */
#include "view/buffers.h"

#include <inttypes.h>
#include <stdio.h>

#include "view/columns.h"
#include "view/lacks.h"
#include "view/places.h"
#include "view/stacks.h"

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
	{.title = "OP", .if_known = true, .room_min = 16, .room_good = 30},
	{.title = "SITE", .if_known = true, .room_min = 20, .room_good = 32},
	{.title = "FUNCTION", .if_known = true, .rank = COLUMNS_EXTRA, .room_min = 16},
};

#define COLUMNS (sizeof columns / sizeof columns[0])

static void put_row(struct columns *list, const struct snapshot *snapshot, const struct buffer *b)
{
	const char *layout = buffer_layout_name(b->layout);
	char cell[CELL];

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
		columns_begin(&list, columns, COLUMNS);
		for (uint32_t i = 0; i < count; i++)
			put_row(&list, snapshot, &snapshot->buffers[indices[i]]);
		columns_head(text, &list, style);
		for (uint32_t i = 0; i < count; i++) {
			columns_row(text, &list);
			if (snapshot->has_stacks)
				stack_write(text, snapshot, snapshot->buffers[indices[i]].site);
		}
		columns_end(text, &list);
	}
	if (snapshot->buffer_count == 0)
		lacks_none(text, snapshot);
	else
		summary(text, snapshot, indices, count);
	lacks_incomplete(text, snapshot);
	lacks_siteless(text, snapshot);
}
