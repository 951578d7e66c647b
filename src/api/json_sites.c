/* SPDX-License-Identifier: Apache-2.0 */
#include "api/json_sites.h"

#include <string.h>

void put_site(struct encoded *object, uint32_t number)
{
	const struct site *site = snapshot_site(object->snapshot, number);
	struct encoded inner;

	encode_key(object, "op");
	(void)encode_text(object->text, site ? snapshot_text(object->snapshot, site->op) : "");
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

static const char *string_of(yyjson_val *object, const char *name)
{
	const char *string = yyjson_get_str(yyjson_obj_get(object, name));

	return string ? string : "";
}

int decode_site(struct snapshot *snapshot, yyjson_val *object, uint32_t *ret_number)
{
	yyjson_val *site = yyjson_obj_get(object, "site");
	yyjson_val *line = yyjson_obj_get(site, "line");
	const char *reason = string_of(yyjson_obj_get(object, "unavailable"), "site");
	const struct site_texts texts = {
		.op = string_of(object, "op"),
		.file = string_of(site, "file"),
		.function = string_of(site, "function"),
		.line = yyjson_get_uint(line) <= UINT32_MAX ? (uint32_t)yyjson_get_uint(line) : 0,
		.before_attach = strcmp(reason, fact_reason_text(REASON_BEFORE_ATTACH)) == 0,
	};

	return snapshot_intern_site(snapshot, &texts, ret_number);
}
