/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buffer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool reserve(struct text *text, size_t more)
{
	if (text->failed)
		return false;
	if (more < text->capacity - text->length)
		return true;
	size_t larger = text->capacity ? text->capacity * 2 : 256;

	while (larger - text->length <= more)
		larger *= 2;
	char *bytes = realloc(text->bytes, larger);

	if (!bytes) {
		text->failed = true;
		return false;
	}
	text->bytes = bytes;
	text->capacity = larger;
	return true;
}

char *text_extend(struct text *text, size_t length)
{
	if (!reserve(text, length + 1))
		return NULL;
	char *to = text->bytes + text->length;

	text->length += length;
	to[length] = '\0';
	return to;
}

void text_append(struct text *text, const char *bytes, size_t length)
{
	char *to = text_extend(text, length);

	if (to)
		memcpy(to, bytes, length);
}

void text_puts(struct text *text, const char *string)
{
	text_append(text, string, strlen(string));
}

void text_putc(struct text *text, char c)
{
	text_append(text, &c, 1);
}

void text_pad(struct text *text, char c, size_t count)
{
	if (!reserve(text, count + 1))
		return;
	memset(text->bytes + text->length, c, count);
	text->length += count;
	text->bytes[text->length] = '\0';
}

void text_printf(struct text *text, const char *format, ...)
{
	va_list args, again;

	va_start(args, format);
	va_copy(again, args);
	int n = vsnprintf(NULL, 0, format, args);

	va_end(args);
	if (n >= 0 && reserve(text, (size_t)n + 1)) {
		(void)vsnprintf(text->bytes + text->length, (size_t)n + 1, format, again);
		text->length += (size_t)n;
	}
	va_end(again);
}

void text_free(struct text *text)
{
	free(text->bytes);
	*text = (struct text){0};
}

/* Length of the well-formed UTF-8 sequence at p, 0 if there is none; gives its code point. */
static size_t utf8_length(const unsigned char *p, size_t left, uint32_t *ret_point)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	size_t n = p[0] < 0x80 ? 1 : p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : p[0] >= 0xc2 ? 2 : 0;

	if (n == 0 || n > left || p[0] > 0xf4)
		return 0;
	uint32_t point = n == 1 ? p[0] : p[0] & (0xffu >> (n + 1));

	for (size_t i = 1; i < n; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		point = point << 6 | (p[i] & 0x3f);
	}
	if ((n > 1 && point < least[n]) || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff))
		return 0;
	*ret_point = point;
	return n;
}

static bool is_harmless(uint32_t point)
{
	if (point < 0x20 || (point >= 0x7f && point < 0xa0))
		return false;
	/* marks that turn, join or hide what stands around them */
	if ((point >= 0x200b && point <= 0x200f) || (point >= 0x2028 && point <= 0x202e) ||
	    (point >= 0x2060 && point <= 0x206f) || point == 0xfeff)
		return false;
	/* combining marks have no column of their own and would break alignment */
	return !(point >= 0x300 && point <= 0x36f) && point < 0xe000;
}

/* One unit of output: a harmless character as it is, anything else as \xNN for its first byte. */
static size_t escape_one(const unsigned char *p, size_t left, char out[8], size_t *ret_columns)
{
	uint32_t point = 0;
	size_t n = utf8_length(p, left, &point);

	if (n && is_harmless(point)) {
		memcpy(out, p, n);
		out[n] = '\0';
		/* East Asian wide ranges take two columns; close enough for cutting */
		*ret_columns = point >= 0x1100 && (point <= 0x115f || (point >= 0x2e80 && point < 0xe000))
				       ? 2
				       : 1;
		return n;
	}
	(void)snprintf(out, 8, "\\x%02x", p[0]);
	*ret_columns = 4;
	return 1;
}

static size_t columns_of(const char *string, size_t length)
{
	size_t total = 0, columns;
	char out[8];

	for (size_t i = 0; i < length; total += columns)
		i += escape_one((const unsigned char *)string + i, length - i, out, &columns);
	return total;
}

void text_escape(struct text *text, const char *string, size_t width_max, bool keep_end)
{
	size_t length = strlen(string), total = columns_of(string, length), at = 0, columns;
	bool cut = width_max != 0 && total > width_max;
	size_t room = !cut ? total : width_max > 3 ? width_max - 3 : width_max;
	const char *dots = cut && width_max > 3 ? "..." : "";
	char out[8];

	if (keep_end) {
		text_puts(text, dots);
		while (total > room) {
			at += escape_one((const unsigned char *)string + at, length - at, out,
					 &columns);
			total -= columns;
		}
	}
	while (at < length) {
		at += escape_one((const unsigned char *)string + at, length - at, out, &columns);
		if (columns > room)
			break;
		room -= columns;
		text_puts(text, out);
	}
	if (!keep_end)
		text_puts(text, dots);
}
