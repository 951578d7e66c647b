/* SPDX-License-Identifier: Apache-2.0 */
#include "api/encode.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/utf8.h"
#include "base/clock.h"

struct encoded encode_begin(yyjson_mut_doc *doc, const struct snapshot *snapshot)
{
	return (struct encoded){.doc = doc, .snapshot = snapshot, .value = yyjson_mut_obj(doc)};
}

void encode_value(struct encoded *object, const char *name, yyjson_mut_val *value)
{
	yyjson_mut_obj_add_val(object->doc, object->value, name, value);
}

yyjson_mut_val *encode_end(struct encoded *object)
{
	if (object->stale)
		encode_value(object, "stale", object->stale);
	if (object->estimates)
		encode_value(object, "estimates", object->estimates);
	if (object->unavailable)
		encode_value(object, "unavailable", object->unavailable);
	return object->value;
}

yyjson_mut_val *encode_text(yyjson_mut_doc *doc, const char *string)
{
	size_t length = strlen(string);
	char small[512], *clean = small;

	if (length == 0)
		return yyjson_mut_null(doc);
	if (length > sizeof small / 3 - 1)
		clean = malloc(3 * length + 1);
	/* NULL ends in a failed document, not in a lie */
	if (!clean)
		return NULL;
	yyjson_mut_val *value = yyjson_mut_strncpy(doc, clean, utf8_clean(clean, string, length));

	if (clean != small)
		free(clean);
	return value;
}

yyjson_mut_val *encode_id(yyjson_mut_doc *doc, struct fact id)
{
	char digits[24];

	if (!fact_is_known(id))
		return yyjson_mut_null(doc);
	(void)snprintf(digits, sizeof digits, "%" PRIu64, id.value);
	return yyjson_mut_strcpy(doc, digits);
}

static yyjson_mut_val *time_value(yyjson_mut_doc *doc, uint64_t realtime_ns)
{
	char text[40];

	clock_rfc3339(realtime_ns, text, sizeof text);
	return yyjson_mut_strcpy(doc, text);
}

static yyjson_mut_val *hex_value(yyjson_mut_doc *doc, uint64_t value)
{
	char digits[24];

	(void)snprintf(digits, sizeof digits, "%016" PRIX64, value);
	return yyjson_mut_strcpy(doc, digits);
}

static yyjson_mut_val *known_value(const struct encoded *object, const struct field *field,
				   struct fact fact)
{
	const char *word;

	switch (field->type) {
	case FIELD_SIGNED:
		return yyjson_mut_sint(object->doc, fact_signed(fact));
	case FIELD_FLAG:
		return yyjson_mut_bool(object->doc, fact.value != 0);
	case FIELD_HEX:
		return hex_value(object->doc, fact.value);
	case FIELD_ID:
		return encode_id(object->doc, fact);
	case FIELD_TIME:
		return time_value(object->doc, fact.value);
	case FIELD_WORD:
		word = field_word(field, fact.value);
		return word ? yyjson_mut_str(object->doc, word) : yyjson_mut_null(object->doc);
	case FIELD_TEXT:
		return encode_text(object->doc,
				   snapshot_text(object->snapshot, (string_id)fact.value));
	default:
		return yyjson_mut_uint(object->doc, fact.value);
	}
}

static void note(struct encoded *object, yyjson_mut_val **notes, const struct field *field,
		 struct fact fact)
{
	if (!*notes)
		*notes = yyjson_mut_obj(object->doc);
	yyjson_mut_obj_add_str(object->doc, *notes, field->path,
			       fact_reason_text((enum fact_reason)fact.reason));
}

static void encode_field(struct encoded *object, yyjson_mut_val *into, const struct field *field,
			 struct fact fact)
{
	yyjson_mut_val *value;

	if (field->type == FIELD_OPEN)
		value = yyjson_mut_bool(object->doc, !fact_is_known(fact));
	else if (fact_is_known(fact))
		value = known_value(object, field, fact);
	else
		value = yyjson_mut_null(object->doc);
	if (yyjson_mut_is_null(value) && !(field->may_not_apply && fact.reason == REASON_NONE))
		note(object, &object->unavailable, field, fact);
	else if (fact.state == FACT_ESTIMATE)
		note(object, &object->estimates, field, fact);
	else if (fact.state == FACT_STALE)
		note(object, &object->stale, field, fact);
	yyjson_mut_obj_add_val(object->doc, into, field_name(field), value);
}

void encode_fields(struct encoded *object, const struct field_list *list, const void *from)
{
	yyjson_mut_val *group = NULL;
	const char *group_path = "";
	size_t group_length = 0;

	for (size_t i = 0; i < list->count; i++) {
		const struct field *field = &list->fields[i];
		const char *dot = strchr(field->path, '.');
		struct fact fact = field_load(from, field);

		/* the fields of an inner object stand together */
		if (dot && (!group || strncmp(field->path, group_path, group_length + 1) != 0)) {
			group = yyjson_mut_obj(object->doc);
			group_path = field->path;
			group_length = (size_t)(dot - field->path);
			yyjson_mut_obj_add(object->value,
					   yyjson_mut_strncpy(object->doc, group_path, group_length),
					   group);
		}
		encode_field(object, dot ? group : object->value, field, fact);
	}
}
