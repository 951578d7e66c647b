/* SPDX-License-Identifier: Apache-2.0 */
#include "view/bank_map.h"

#include <inttypes.h>
#include <stdio.h>

#include "api/json.h"
#include "view/buffers.h"

/* Rows of the table; of more pieces the short ones are folded. */
#define PIECES_SHOWN 32u
#define BAR_COLUMNS  78u

#define ADDRESS_COLUMNS 11
#define SIZE_COLUMNS	10
#define COUNT_COLUMNS	9

static uint64_t length(struct range range)
{
	return range.end - range.start;
}

/* Bytes in use of each cell of the bar, in one walk over the pieces. */
static void fill_cells(const struct bank_map *map, uint64_t cell_bytes, uint64_t *cells,
		       unsigned count)
{
	for (uint32_t i = 0; i < map->count; i++) {
		uint64_t at = map->pieces[i].range.start - map->bank.start;
		uint64_t end = map->pieces[i].range.end - map->bank.start;

		while (map->pieces[i].buffers && at < end) {
			uint64_t cell = at / cell_bytes;
			uint64_t next = (cell + 1) * cell_bytes < end ? (cell + 1) * cell_bytes : end;

			if (cell < count)
				cells[cell] += next - at;
			at = next;
		}
	}
}

/* A cell is empty or full only when all of it is. */
static void write_bar(struct text *text, const struct bank_map *map, const struct style *style)
{
	static const char *const signs[2][3] = {{".", "+", "#"}, {"\u00b7", "\u2592", "\u2588"}};
	uint64_t bank_bytes = length(map->bank), cells[BAR_COLUMNS] = {0};
	uint64_t cell_bytes = bank_bytes / BAR_COLUMNS + (bank_bytes % BAR_COLUMNS != 0);

	fill_cells(map, cell_bytes, cells, BAR_COLUMNS);
	text_putc(text, ' ');
	for (uint64_t i = 0; i < BAR_COLUMNS && i * cell_bytes < bank_bytes; i++) {
		uint64_t left = bank_bytes - i * cell_bytes;
		uint64_t whole = left < cell_bytes ? left : cell_bytes;
		unsigned sign = cells[i] == 0 ? 0 : cells[i] < whole ? 1 : 2;

		text_puts(text, signs[style->unicode][sign]);
	}
	text_putc(text, '\n');
}

static void write_heading(struct text *text, const struct bank_view *v, const struct style *style)
{
	const struct bank_map *map = v->map;
	char size[STYLE_CELL], number[STYLE_CELL];

	style_tone(text, style, TONE_BOLD);
	text_printf(text, "device %u, %s", v->device->number, memory_type_name(v->type));
	style_tone(text, style, TONE_PLAIN);
	text_printf(text, ": one of %s banks, %s from %#" PRIx64 " to %#" PRIx64 "\n\n",
		    fact_number(v->device->memory[v->type].banks, number),
		    size_text(length(map->bank), size), map->bank.start, map->bank.end);
	write_bar(text, map, style);
}

static void write_sums(struct text *text, const struct bank_view *v)
{
	const struct bank_map *map = v->map;
	char cell[STYLE_CELL];

	text_printf(text, " used %s", size_text(map->used_bytes, cell));
	text_printf(text, ", free %s", size_text(map->free_bytes, cell));
	text_printf(text, " in %u %s, the largest %s", map->holes, map->holes == 1 ? "hole" : "holes",
		    size_text(map->largest_bytes, cell));
	if (map->free_bytes)
		text_printf(text, "\n fragmentation (1 - largest / free) %.1f %%",
			    100.0 * (double)(map->free_bytes - map->largest_bytes) /
				    (double)map->free_bytes);
	text_putc(text, '\n');
	if (!fact_is_known(v->left_out) || v->left_out.value)
		text_printf(text, " %s live buffers are not listed here: holes may be smaller\n",
			    fact_number(v->left_out, cell));
}

static void write_owner_name(struct text *text, const struct bank_view *v, uint32_t owner)
{
	if (owner == BANK_NONE)
		text_puts(text, "several of them");
	else
		text_printf(text, "pid %u allocator %u", v->owners[owner].pid,
			    v->owners[owner].allocator_id);
}

static void write_piece(struct text *text, const struct bank_view *v,
			const struct bank_piece *piece)
{
	uint64_t bytes = length(piece->range);
	char size[STYLE_CELL];

	text_printf(text, "%#*" PRIx64 "%#*" PRIx64 "%*s", ADDRESS_COLUMNS, piece->range.start,
		    ADDRESS_COLUMNS, piece->range.end, SIZE_COLUMNS, size_text(bytes, size));
	if (piece->buffers == 0) {
		text_printf(text, "%*s\n", SIZE_COLUMNS, size);
		return;
	}
	text_printf(text, "%*s%*u  ", SIZE_COLUMNS,
		    piece->holes ? size_text(piece->free_bytes, size) : "-", COUNT_COLUMNS,
		    piece->buffers);
	write_owner_name(text, v, piece->owner);
	text_puts(text, piece->is_shared ? " *\n" : "\n");
}

static void write_pieces(struct text *text, const struct bank_view *v, const struct style *style)
{
	struct bank_piece pieces[PIECES_SHOWN];
	uint32_t count = bank_map_fold(v->map, PIECES_SHOWN, pieces);
	bool shared = false;

	text_putc(text, '\n');
	style_tone(text, style, TONE_BOLD);
	text_printf(text, "%*s%*s%*s%*s%*s  OF", ADDRESS_COLUMNS, "FROM", ADDRESS_COLUMNS, "TO",
		    SIZE_COLUMNS, "SIZE", SIZE_COLUMNS, "FREE", COUNT_COLUMNS, "BUFFERS");
	style_tone(text, style, TONE_PLAIN);
	text_putc(text, '\n');
	for (uint32_t i = 0; i < count; i++) {
		write_piece(text, v, &pieces[i]);
		shared |= pieces[i].is_shared;
	}
	if (shared)
		text_puts(text, "* another buffer lies over a part of it\n");
}

static void write_owners(struct text *text, const struct bank_view *v)
{
	char size[STYLE_CELL];

	for (uint32_t i = 0; v->owner_count > 1 && i < v->owner_count; i++) {
		text_puts(text, i ? "" : "\n");
		write_owner_name(text, v, i);
		text_printf(text, ": %u buffer%s, %s\n", v->owners[i].buffers,
			    v->owners[i].buffers == 1 ? "" : "s", size_text(v->owners[i].bank_bytes, size));
	}
}

/* Those that open more than one fewer does. Return: the last of them. */
static const struct bank_release *write_releases(struct text *text, const struct bank_map *map)
{
	const struct bank_release *last = NULL;
	char size[STYLE_CELL];

	for (uint32_t k = 1; k <= BANK_RELEASES_MAX; k++) {
		const struct bank_release *release = &map->releases[k];

		if (length(release->hole) <= length(map->releases[k - 1].hole))
			continue;
		if (!last)
			text_puts(text, "\nBuffers whose release would open the largest hole:\n");
		last = release;
		text_printf(text, "  %u of %8s: ", release->count, size_text(release->bytes, size));
		text_printf(text, "a hole of %8s, from %#" PRIx64 " to %#" PRIx64 "\n",
			    size_text(length(release->hole), size), release->hole.start,
			    release->hole.end);
	}
	return last;
}

void bank_map_write(struct text *text, const struct bank_view *view, const struct style *style)
{
	write_heading(text, view, style);
	write_sums(text, view);
	write_pieces(text, view, style);
	write_owners(text, view);
	const struct bank_release *last = write_releases(text, view->map);

	if (last) {
		text_putc(text, '\n');
		buffers_write(text, view->buffers, style, last->indices, last->count);
	}
}

static void write_range(struct text *text, struct range range)
{
	text_printf(text, "\"address\":%" PRIu64 ",\"bytes\":%" PRIu64, range.start, length(range));
}

static void write_owner(struct text *text, const struct bank_view *v, uint32_t owner)
{
	if (owner == BANK_NONE)
		text_puts(text, "\"pid\":null,\"allocator\":null");
	else
		text_printf(text, "\"pid\":%u,\"allocator\":%u", v->owners[owner].pid,
			    v->owners[owner].allocator_id);
}

static void write_lists(struct text *text, const struct bank_view *v)
{
	const struct bank_map *map = v->map;

	text_puts(text, ",\"owners\":[");
	for (uint32_t i = 0; i < v->owner_count; i++) {
		text_puts(text, i ? ",{" : "{");
		write_owner(text, v, i);
		text_printf(text, ",\"buffers\":%u,\"bank_bytes\":%" PRIu64 "}",
			    v->owners[i].buffers, v->owners[i].bank_bytes);
	}
	text_puts(text, "],\"pieces\":[");
	for (uint32_t i = 0; i < map->count; i++) {
		const struct bank_piece *piece = &map->pieces[i];

		text_puts(text, i ? ",{" : "{");
		write_range(text, piece->range);
		text_printf(text, ",\"free\":%s,", piece->buffers ? "false" : "true");
		write_owner(text, v, piece->owner);
		text_printf(text, ",\"shared\":%s}", piece->is_shared ? "true" : "false");
	}
	text_puts(text, "],\"releases\":[");
	for (uint32_t k = 1, any = 0; k <= BANK_RELEASES_MAX; k++) {
		const struct bank_release *release = &map->releases[k];

		if (length(release->hole) <= length(map->releases[k - 1].hole))
			continue;
		text_printf(text, "%s{\"count\":%u,\"bank_bytes\":%" PRIu64 ",\"hole\":{",
			    any++ ? "," : "", release->count, release->bytes);
		write_range(text, release->hole);
		text_puts(text, "},\"buffers\":");
		json_write_buffer_rows(text, v->buffers, release->indices, release->count);
		text_putc(text, '}');
	}
	text_putc(text, ']');
}

void bank_map_write_json(struct text *text, const struct bank_view *view)
{
	const struct bank_map *map = view->map;
	struct fact unique_id = view->device->unique_id;

	text_printf(text, "{\"schema\":\"ttmem.map/1\",\"device\":%u,\"unique_id\":",
		    view->device->number);
	if (fact_is_known(unique_id))
		text_printf(text, "\"%" PRIu64 "\"", unique_id.value);
	else
		text_puts(text, "null");
	text_printf(text, ",\"type\":\"%s\",\"banks\":", memory_type_key(view->type));
	json_write_fact(text, view->device->memory[view->type].banks);
	text_puts(text, ",\"bank\":{");
	write_range(text, map->bank);
	text_printf(text,
		    "},\"buffers\":%u,\"holes\":%u,\"used_bytes\":%" PRIu64
		    ",\"free_bytes\":%" PRIu64 ",\"largest_free_bytes\":%" PRIu64
		    ",\"fragmentation\":",
		    map->buffers, map->holes, map->used_bytes, map->free_bytes, map->largest_bytes);
	if (map->free_bytes)
		text_printf(text, "%.6f",
			    (double)(map->free_bytes - map->largest_bytes) / (double)map->free_bytes);
	else
		text_puts(text, "null");
	text_printf(text, ",\"consistent\":%s,\"left_out\":",
		    view->buffers->consistent ? "true" : "false");
	json_write_fact(text, view->left_out);
	text_puts(text, ",\"incomplete\":");
	json_write_incomplete(text, view->buffers);
	write_lists(text, view);
	text_putc(text, '}');
}
