/* SPDX-License-Identifier: Apache-2.0 */
#include "api/decode.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static struct fact decode_digits(yyjson_val *value, int base)
{
	const char *digits = yyjson_get_str(value);
	char *end;

	if (!digits || !isxdigit((unsigned char)digits[0]))
		return fact_absent(REASON_NONE);
	errno = 0;
	uint64_t id = strtoull(digits, &end, base);

	return errno || *end ? fact_absent(REASON_NONE) : fact_of(id);
}

struct fact decode_id(yyjson_val *value)
{
	return decode_digits(value, 10);
}

uint64_t decode_time(yyjson_val *value)
{
	const char *text = yyjson_get_str(value);
	struct tm tm = {0};
	unsigned ms;
	int end = 0;

	if (!text || sscanf(text, "%4d-%2d-%2dT%2d:%2d:%2d.%3uZ%n", &tm.tm_year, &tm.tm_mon,
			    &tm.tm_mday, &tm.tm_hour, &tm.tm_min, &tm.tm_sec, &ms, &end) != 7 ||
	    end == 0 || text[end])
		return 0;
	tm.tm_year -= 1900;
	tm.tm_mon -= 1;
	time_t seconds = timegm(&tm);

	return seconds < 0 ? 0 : (uint64_t)seconds * UINT64_C(1000000000) + ms * UINT64_C(1000000);
}

int decode_text(struct snapshot *snapshot, yyjson_val *value, string_id *ret_id)
{
	const char *text = yyjson_get_str(value);

	return snapshot_string(snapshot, text ? text : "", text ? yyjson_get_len(value) : 0,
			       ret_id);
}

/* A reason travels as its sentence; one that we do not know is no more than "unknown". */
static enum fact_reason decode_reason(yyjson_val *notes, const struct field *field)
{
	const char *text = yyjson_get_str(yyjson_obj_get(notes, field->path));

	for (int reason = 0; text && reason < REASON_COUNT; reason++)
		if (strcmp(text, fact_reason_text((enum fact_reason)reason)) == 0)
			return (enum fact_reason)reason;
	return REASON_NONE;
}

static struct fact decode_plain(const struct field *field, yyjson_val *value)
{
	switch (field->type) {
	case FIELD_SIGNED:
		return yyjson_is_int(value) ? fact_of((uint64_t)yyjson_get_sint(value))
					    : fact_absent(REASON_NONE);
	case FIELD_FLAG:
		return yyjson_is_bool(value) ? fact_of(yyjson_get_bool(value))
					     : fact_absent(REASON_NONE);
	case FIELD_HEX:
		return decode_digits(value, 16);
	case FIELD_ID:
		return decode_id(value);
	case FIELD_TIME:
		return yyjson_is_str(value) ? fact_of(decode_time(value)) : fact_absent(REASON_NONE);
	case FIELD_WORD:
		return field_word_value(field, yyjson_get_str(value));
	case FIELD_OPEN:
		return yyjson_is_false(value) ? fact_of(0) : fact_absent(REASON_NONE);
	default:
		return yyjson_is_uint(value) ? fact_of(yyjson_get_uint(value))
					     : fact_absent(REASON_NONE);
	}
}

/* What stands behind the fields of an object; looked up once, for they are its last members. */
struct notes {
	yyjson_val *unavailable, *stale, *estimates;
};

static struct fact decode_fact(const struct notes *notes, yyjson_val *value,
			       const struct field *field)
{
	struct fact fact = decode_plain(field, value);

	if (!fact_is_known(fact))
		return fact_absent(decode_reason(notes->unavailable, field));
	if (yyjson_obj_get(notes->stale, field->path))
		return fact_stale(fact.value, decode_reason(notes->stale, field));
	if (yyjson_obj_get(notes->estimates, field->path))
		return fact_estimate(fact.value, decode_reason(notes->estimates, field));
	return fact;
}

/*
 * Members come in the order of the list when both sides are of one version: then each is found
 * where the last one ended, not by a search from the start.
 */
struct cursor {
	yyjson_val *object;
	yyjson_obj_iter outer, inner;
	const char *group; /* path of a field of the inner object; NULL: none yet */
	size_t group_length;
};

static struct cursor cursor_of(yyjson_val *object)
{
	return (struct cursor){.object = object, .outer = yyjson_obj_iter_with(object)};
}

/* yyjson steps on from where it stands even when there is no object, or an empty one. */
static yyjson_val *iter_find(yyjson_obj_iter *iter, const char *name)
{
	return iter->obj && iter->max ? yyjson_obj_iter_get(iter, name) : NULL;
}

static yyjson_val *cursor_get(struct cursor *cursor, const struct field *field)
{
	const char *name = field_name(field);
	size_t length = (size_t)(name - field->path);

	if (length == 0)
		return iter_find(&cursor->outer, name);
	if (!cursor->group || length != cursor->group_length ||
	    strncmp(cursor->group, field->path, length) != 0) {
		yyjson_val *inner = cursor->object;

		for (const char *at = field->path; at < name;) {
			size_t part = strcspn(at, ".");

			inner = yyjson_obj_getn(inner, at, part);
			at += part + 1;
		}
		cursor->group = field->path;
		cursor->group_length = length;
		cursor->inner = yyjson_obj_iter_with(inner);
	}
	return iter_find(&cursor->inner, name);
}

int decode_fields(struct snapshot *snapshot, yyjson_val *object, const struct field_list *list,
		  void *to)
{
	const struct notes notes = {
		.unavailable = yyjson_obj_get(object, "unavailable"),
		.stale = yyjson_obj_get(object, "stale"),
		.estimates = yyjson_obj_get(object, "estimates"),
	};

	struct cursor cursor = cursor_of(object);

	for (size_t i = 0; i < list->count; i++) {
		const struct field *field = &list->fields[i];
		yyjson_val *value = cursor_get(&cursor, field);
		string_id text;

		if (field->type != FIELD_TEXT) {
			field_store(to, field, decode_fact(&notes, value, field));
			continue;
		}
		int r = decode_text(snapshot, value, &text);

		if (r < 0)
			return r;
		field_store(to, field, fact_of(text));
	}
	return 0;
}

int decode_chips(struct snapshot *snapshot, yyjson_val *object, struct span *ret_chips)
{
	yyjson_val *unique = yyjson_obj_get(object, "chips"), *value;
	yyjson_val *ids = yyjson_obj_get(object, "chip_ids");
	struct span chips = {.first = snapshot->chip_count};
	size_t i, max;

	yyjson_arr_foreach(unique, i, max, value) {
		uint32_t index;
		int r = snapshot_add_chip(snapshot, &index);

		if (r < 0)
			return r;
		snapshot->chips[index].unique_id = decode_id(value);
		snapshot->chips[index].chip_id = (uint32_t)yyjson_get_uint(yyjson_arr_get(ids, i));
		chips.count++;
	}
	*ret_chips = chips;
	return 0;
}
