/* SPDX-License-Identifier: Apache-2.0 */
#include "api/encode.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <yyjson.h>

#include "api/utf8.h"
#include "base/clock.h"

void encode_begin(struct encoded *object, struct text *text, const struct snapshot *snapshot)
{
	object->text = text;
	object->snapshot = snapshot;
	object->has_members = false;
	object->note_count = 0;
	text_putc(text, '{');
}

/* In one step each: there are tens of thousands of keys in a snapshot. */
void encode_key(struct encoded *object, const char *name)
{
	size_t length = strlen(name), comma = object->has_members;
	char *to = text_extend(object->text, comma + length + 3);

	object->has_members = true;
	if (!to)
		return;
	to[0] = ',';
	to += comma;
	to[0] = '"';
	memcpy(to + 1, name, length);
	memcpy(to + 1 + length, "\":", 2);
}

static void put_quoted(struct text *text, const char *word, size_t length)
{
	char *to = text_extend(text, length + 2);

	if (!to)
		return;
	to[0] = '"';
	memcpy(to + 1, word, length);
	to[length + 1] = '"';
}

static void put_word(struct text *text, const char *word)
{
	put_quoted(text, word, strlen(word));
}

static bool put_null(struct text *text)
{
	text_append(text, "null", 4);
	return true;
}

/* FACT_DENIED stands for all that is null. */
static void put_notes(struct encoded *object, const char *name, enum fact_state state)
{
	bool any = false;

	for (uint32_t i = 0; i < object->note_count; i++) {
		const struct encode_note *note = &object->notes[i];

		if (note->state != state)
			continue;
		if (!any)
			encode_key(object, name);
		text_putc(object->text, any ? ',' : '{');
		any = true;
		put_word(object->text, note->path);
		text_putc(object->text, ':');
		put_word(object->text, fact_reason_text((enum fact_reason)note->reason));
	}
	if (any)
		text_putc(object->text, '}');
}

void encode_end(struct encoded *object)
{
	put_notes(object, "stale", FACT_STALE);
	put_notes(object, "estimates", FACT_ESTIMATE);
	put_notes(object, "unavailable", FACT_DENIED);
	text_putc(object->text, '}');
}

#define DIGITS_MAX 20 /* of 64 bits */

/* The digits stand at the end of `digits`. Return: how many. */
static size_t to_digits(char digits[DIGITS_MAX], uint64_t number)
{
	size_t at = DIGITS_MAX;

	do {
		digits[--at] = (char)('0' + number % 10);
		number /= 10;
	} while (number);
	return DIGITS_MAX - at;
}

void encode_number(struct text *text, uint64_t number)
{
	char digits[DIGITS_MAX];
	size_t length = to_digits(digits, number);

	text_append(text, digits + DIGITS_MAX - length, length);
}

/* Printable ASCII that JSON takes as it is: nearly every string there is. */
static bool is_plain(const char *string, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (string[i] < 0x20 || string[i] > 0x7e || string[i] == '"' || string[i] == '\\')
			return false;
	return true;
}

/* Anything else: made valid first, then escaped by the library. */
static void put_escaped(struct text *text, const char *string, size_t length)
{
	char *clean = malloc(3 * length + 1), *json = NULL;
	yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
	size_t json_length = 0;

	if (clean && doc) {
		yyjson_mut_val *value =
			yyjson_mut_strn(doc, clean, utf8_clean(clean, string, length));

		json = value ? yyjson_mut_val_write(value, 0, &json_length) : NULL;
	}
	/* a failed document, not a lie */
	if (json)
		text_append(text, json, json_length);
	else
		text->failed = true;
	free(json);
	yyjson_mut_doc_free(doc);
	free(clean);
}

bool encode_text(struct text *text, const char *string)
{
	size_t length = strlen(string);

	if (length == 0)
		return put_null(text);
	if (is_plain(string, length))
		put_quoted(text, string, length);
	else
		put_escaped(text, string, length);
	return false;
}

bool encode_id(struct text *text, struct fact id)
{
	if (!fact_is_known(id))
		return put_null(text);
	char digits[DIGITS_MAX];
	size_t length = to_digits(digits, id.value);

	put_quoted(text, digits + DIGITS_MAX - length, length);
	return false;
}

static void put_time(struct text *text, uint64_t realtime_ns)
{
	char time[40];

	clock_rfc3339(realtime_ns, time, sizeof time);
	put_word(text, time);
}

static void put_signed(struct text *text, int64_t number)
{
	if (number < 0)
		text_putc(text, '-');
	encode_number(text, number < 0 ? 0 - (uint64_t)number : (uint64_t)number);
}

void encode_fact(struct encoded *object, const char *name, struct fact fact)
{
	encode_key(object, name);
	if (fact_is_known(fact))
		encode_number(object->text, fact.value);
	else
		(void)put_null(object->text);
}

void encode_flag(struct encoded *object, const char *name, bool value)
{
	encode_key(object, name);
	text_puts(object->text, value ? "true" : "false");
}

/* Return: whether it came out as null all the same. */
static bool put_known(const struct encoded *object, const struct field *field, struct fact fact)
{
	const char *word;

	switch (field->type) {
	case FIELD_SIGNED:
		put_signed(object->text, fact_signed(fact));
		return false;
	case FIELD_FLAG:
		text_puts(object->text, fact.value ? "true" : "false");
		return false;
	case FIELD_HEX:
		text_printf(object->text, "\"%016" PRIX64 "\"", fact.value);
		return false;
	case FIELD_ID:
		return encode_id(object->text, fact);
	case FIELD_TIME:
		put_time(object->text, fact.value);
		return false;
	case FIELD_WORD:
		word = field_word(field, fact.value);
		if (!word)
			return put_null(object->text);
		put_word(object->text, word);
		return false;
	case FIELD_TEXT:
		return encode_text(object->text,
				   snapshot_text(object->snapshot, (string_id)fact.value));
	default:
		encode_number(object->text, fact.value);
		return false;
	}
}

static void note(struct encoded *object, const char *path, uint8_t reason, enum fact_state state)
{
	if (object->note_count < ENCODE_NOTES_MAX)
		object->notes[object->note_count++] =
			(struct encode_note){path, reason, (uint8_t)state};
	else
		object->text->failed = true;
}

void encode_reason(struct encoded *object, const char *path, enum fact_reason reason)
{
	note(object, path, (uint8_t)reason, FACT_DENIED);
}

static void put_field(struct encoded *object, const struct field *field, struct fact fact)
{
	bool is_null = false;

	if (field->type == FIELD_OPEN)
		text_puts(object->text, fact_is_known(fact) ? "false" : "true");
	else if (fact_is_known(fact))
		is_null = put_known(object, field, fact);
	else
		is_null = put_null(object->text);
	if (is_null && !(field->may_not_apply && fact.reason == REASON_NONE))
		note(object, field->path, fact.reason, FACT_DENIED);
	else if (fact.state == FACT_ESTIMATE || fact.state == FACT_STALE)
		note(object, field->path, fact.reason, (enum fact_state)fact.state);
}

/* Opens one inner object; its name is a part of a path. */
static void enter_group(struct encoded *object, const char *name, size_t length)
{
	if (object->has_members)
		text_putc(object->text, ',');
	text_putc(object->text, '"');
	text_append(object->text, name, length);
	text_append(object->text, "\":{", 3);
	object->has_members = false;
}

static void leave_group(struct encoded *object)
{
	text_putc(object->text, '}');
	object->has_members = true;
}

/* The inner objects that are open: "program_memory.by_kind." of a field's path. */
struct groups {
	const char *path;
	size_t length; /* with the last dot */
};

static bool are_open(const struct groups *groups, const char *path)
{
	return strncmp(path, groups->path, groups->length) == 0;
}

/* The fields of an inner object stand together: it opens before the first, closes after the last. */
static void go_to(struct encoded *object, struct groups *groups, const char *path)
{
	const char *name = strrchr(path, '.');
	size_t wanted = name ? (size_t)(name + 1 - path) : 0;

	while (groups->length > 0 && (groups->length > wanted || !are_open(groups, path))) {
		leave_group(object);
		groups->length--;
		while (groups->length > 0 && groups->path[groups->length - 1] != '.')
			groups->length--;
	}
	while (groups->length < wanted) {
		const char *next = path + groups->length;
		size_t length = strcspn(next, ".");

		enter_group(object, next, length);
		groups->length += length + 1;
	}
	groups->path = path;
}

void encode_fields(struct encoded *object, const struct field_list *list, const void *from)
{
	struct groups groups = {"", 0};

	for (size_t i = 0; i < list->count; i++) {
		const struct field *field = &list->fields[i];

		go_to(object, &groups, field->path);
		encode_key(object, field->path + groups.length);
		put_field(object, field, field_load(from, field));
	}
	go_to(object, &groups, "");
}
