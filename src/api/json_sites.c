/* SPDX-License-Identifier: Apache-2.0 */
#include "api/json_sites.h"

#include <string.h>

static void put_user_site(struct encoded *object, const struct site *site)
{
	struct encoded inner;

	encode_key(object, "site");
	if (!site || (site->file == 0 && site->function == 0)) {
		text_puts(object->text, "null");
		if (site && site->before_attach)
			encode_reason(object, "site", REASON_BEFORE_ATTACH);
		return;
	}
	encode_begin(&inner, object->text, object->snapshot);
	encode_fields(&inner, &site_fields, site);
	encode_end(&inner);
}

static void put_text(struct encoded *object, const char *name, string_id id)
{
	encode_key(object, name);
	(void)encode_text(object->text, snapshot_text(object->snapshot, id));
}

void put_site(struct encoded *object, uint32_t number)
{
	const struct site *site = snapshot_site(object->snapshot, number);

	put_text(object, "op", site ? site->op : 0);
	put_user_site(object, site);
	put_text(object, "tag", site ? site->tag : 0);
}

void put_stack(struct encoded *object, uint32_t number)
{
	const struct site *site = snapshot_site(object->snapshot, number);
	struct text *text = object->text;

	encode_key(object, "stack");
	if (!site || site->frame_count == 0) {
		text_puts(text, "null");
		return;
	}
	for (uint32_t i = 0; i < site->frame_count; i++) {
		const struct site_frame *frame = &object->snapshot->frames[site->first_frame + i];
		struct encoded inner;

		text_putc(text, i ? ',' : '[');
		encode_begin(&inner, text, object->snapshot);
		encode_key(&inner, "module");
		(void)encode_text(text, snapshot_text(object->snapshot, frame->module));
		encode_key(&inner, "offset");
		encode_number(text, frame->offset);
		encode_key(&inner, "symbol");
		(void)encode_text(text, snapshot_text(object->snapshot, frame->symbol));
		encode_end(&inner);
	}
	text_putc(text, ']');
}

static const char *string_of(yyjson_val *object, const char *name)
{
	const char *string = yyjson_get_str(yyjson_obj_get(object, name));

	return string ? string : "";
}

static void decode_stack(yyjson_val *stack, struct site_texts *texts)
{
	yyjson_val *frame;
	size_t i, max;

	if (!stack) /* yyjson's loop would start at NULL + 1 */
		return;
	yyjson_arr_foreach(stack, i, max, frame) {
		if (texts->frame_count == SITE_DEPTH_MAX)
			return;
		texts->frames[texts->frame_count].module = string_of(frame, "module");
		texts->frames[texts->frame_count].symbol = string_of(frame, "symbol");
		texts->frames[texts->frame_count++].offset =
			yyjson_get_uint(yyjson_obj_get(frame, "offset"));
	}
}

int decode_site(struct snapshot *snapshot, yyjson_val *object, uint32_t *ret_number)
{
	yyjson_val *site = yyjson_obj_get(object, "site");
	yyjson_val *line = yyjson_obj_get(site, "line");
	const char *reason = string_of(yyjson_obj_get(object, "unavailable"), "site");
	struct site_texts texts = {
		.op = string_of(object, "op"),
		.file = string_of(site, "file"),
		.function = string_of(site, "function"),
		.tag = string_of(object, "tag"),
		.line = yyjson_get_uint(line) <= UINT32_MAX ? (uint32_t)yyjson_get_uint(line) : 0,
		.before_attach = strcmp(reason, fact_reason_text(REASON_BEFORE_ATTACH)) == 0,
	};

	decode_stack(yyjson_obj_get(object, "stack"), &texts);
	return snapshot_intern_site(snapshot, &texts, ret_number);
}
