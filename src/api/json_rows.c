/* SPDX-License-Identifier: Apache-2.0 */
#include "api/json_rows.h"

#include <errno.h>
#include <stdlib.h>

#include "api/json_parts.h"
#include "api/json_sites.h"

static void put_row(struct text *text, const struct snapshot *snapshot,
		    const struct site_row *row, bool grows)
{
	struct encoded object;

	encode_begin(&object, text, snapshot);
	encode_key(&object, "pid");
	encode_number(text, snapshot->processes[row->process].pid);
	put_chips(&object, &snapshot->allocators[row->allocator]);
	encode_fields(&object, &site_row_fields, row);
	if (grows)
		encode_fields(&object, &growth_fields, row);
	put_site(&object, row->site);
	encode_end(&object);
}

static void put_rows(struct text *text, const struct snapshot *snapshot,
		     const struct site_list *list, bool grows)
{
	text_putc(text, '[');
	for (uint32_t i = 0; i < list->count && !text->failed; i++) {
		if (i)
			text_putc(text, ',');
		put_row(text, snapshot, &list->rows[i], grows);
	}
	text_putc(text, ']');
}

void json_write_site_rows(struct text *text, const struct snapshot *snapshot,
			  const struct site_list *list)
{
	put_rows(text, snapshot, list, false);
}

void json_write_site_members(struct text *text, const struct snapshot *snapshot, uint32_t site)
{
	struct encoded object = {.text = text, .snapshot = snapshot};

	if (snapshot)
		put_site(&object, site);
	else
		text_puts(text, "\"op\":null,\"site\":null,\"tag\":null");
}

void json_write_sites(struct text *text, const struct snapshot *snapshot,
		      const struct site_list *list)
{
	put_head(text, snapshot, "ttmem.sites/1");
	text_printf(text, ",\"consistent\":%s,\"by\":\"%s\"",
		    snapshot->consistent ? "true" : "false", group_by_name(list->by));
	put_lacks(text, snapshot);
	text_puts(text, ",\"sites\":");
	put_rows(text, snapshot, list, false);
	text_putc(text, '}');
}

void json_write_growth(struct text *text, const struct snapshot *snapshot,
		       const struct site_list *list)
{
	struct encoded head = {.text = text, .snapshot = snapshot, .has_members = true};

	put_head(text, snapshot, "ttmem.growth/1");
	encode_fields(&head, &watch_fields, list);
	put_lacks(text, snapshot);
	encode_key(&head, "growing");
	put_rows(text, snapshot, list, true);
	text_putc(text, '}');
}

static int read_row(struct snapshot *snapshot, yyjson_val *value, struct site_row *row)
{
	uint32_t pid = (uint32_t)yyjson_get_uint(yyjson_obj_get(value, "pid"));
	int r = decode_fields(snapshot, value, &site_row_fields, row);

	if (r == 0)
		r = decode_fields(snapshot, value, &growth_fields, row);
	if (r == 0)
		r = decode_site(snapshot, value, &row->site);
	if (r == 0)
		r = find_process(snapshot, pid, &row->process);
	if (r == 0)
		r = snapshot_add_allocator(snapshot, &row->allocator);
	if (r < 0)
		return r;
	snapshot->allocators[row->allocator].process = row->process;
	return decode_chips(snapshot, value, &snapshot->allocators[row->allocator].chips);
}

static int read_rows(struct snapshot *snapshot, yyjson_val *rows, struct site_list *list)
{
	yyjson_val *value;
	size_t i, max;
	enum memory_type type;

	list->rows = calloc(yyjson_arr_size(rows) + 1, sizeof *list->rows);
	if (!list->rows)
		return -ENOMEM;
	yyjson_arr_foreach(rows, i, max, value) {
		const char *word = yyjson_get_str(yyjson_obj_get(value, "type"));

		/* a type of the future has no place in our arrays */
		if (!word || memory_type_parse(word, &type) < 0)
			continue;
		int r = read_row(snapshot, value, &list->rows[list->count++]);

		if (r < 0)
			return r;
	}
	return 0;
}

static int read_sites(yyjson_val *root, struct snapshot *snapshot, void *context)
{
	struct site_list *list = context;
	const char *by = yyjson_get_str(yyjson_obj_get(root, "by"));

	snapshot->consistent = yyjson_is_true(yyjson_obj_get(root, "consistent"));
	if (!by || group_by_parse(by, &list->by) < 0)
		return -EBADMSG;
	int r = read_lacks(root, snapshot);

	return r < 0 ? r : read_rows(snapshot, yyjson_obj_get(root, "sites"), list);
}

static int read_growth(yyjson_val *root, struct snapshot *snapshot, void *context)
{
	struct site_list *list = context;
	int r = decode_fields(snapshot, root, &watch_fields, list);

	if (r == 0)
		r = read_lacks(root, snapshot);
	return r < 0 ? r : read_rows(snapshot, yyjson_obj_get(root, "growing"), list);
}

static int read_list(const char *json, size_t length, const char *schema,
		     int (*read)(yyjson_val *root, struct snapshot *snapshot, void *context),
		     struct snapshot *ret_snapshot, struct site_list *ret_list)
{
	struct site_list list = {0};
	int r = read_document(json, length, schema, read, &list, ret_snapshot);

	if (r < 0)
		site_list_clear(&list);
	else
		*ret_list = list;
	return r;
}

int json_read_sites(const char *json, size_t length, struct snapshot *ret_snapshot,
		    struct site_list *ret_list)
{
	return read_list(json, length, "ttmem.sites/1", read_sites, ret_snapshot, ret_list);
}

int json_read_growth(const char *json, size_t length, struct snapshot *ret_snapshot,
		     struct site_list *ret_list)
{
	return read_list(json, length, "ttmem.growth/1", read_growth, ret_snapshot, ret_list);
}
