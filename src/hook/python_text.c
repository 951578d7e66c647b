/* SPDX-License-Identifier: Apache-2.0 */
#include "hook/python_text.h"

#include "hook/safe_read.h"

#define HASHED_MAX 1024u /* bytes: more of a name is not kept either */

/* U+DC80..U+DCFF stand for the bytes 0x80..0xff that a file name had (PEP 383). */
static char *put_character(char *to, uint32_t c)
{
	if (c >= 0xdc80 && c <= 0xdcff) {
		*to++ = (char)(c - 0xdc00);
	} else if (c < 0x80) {
		*to++ = (char)c;
	} else if (c < 0x800) {
		*to++ = (char)(0xc0 | c >> 6);
		*to++ = (char)(0x80 | (c & 0x3f));
	} else if (c < 0x10000) {
		*to++ = (char)(0xe0 | c >> 12);
		*to++ = (char)(0x80 | (c >> 6 & 0x3f));
		*to++ = (char)(0x80 | (c & 0x3f));
	} else {
		*to++ = (char)(0xf0 | (c >> 18 & 7));
		*to++ = (char)(0x80 | (c >> 12 & 0x3f));
		*to++ = (char)(0x80 | (c >> 6 & 0x3f));
		*to++ = (char)(0x80 | (c & 0x3f));
	}
	return to;
}

/* The characters of a str, some at a time. */
struct characters {
	uint64_t at, length;
	uint32_t unit;	/* bytes of each: 1, 2 or 4 */
	uint64_t first; /* of those that are here */
	uint32_t count;
	uint8_t	 raw[256];
};

static int fetch(struct characters *c, uint64_t first)
{
	uint64_t room = sizeof c->raw / c->unit, left = c->length - first;

	c->first = first;
	c->count = (uint32_t)(left < room ? left : room);
	return safe_read(c->at + first * c->unit, c->raw, (size_t)c->count * c->unit);
}

static uint32_t character(const struct characters *c, uint64_t i)
{
	uint32_t value = 0;

	memcpy(&value, c->raw + (i - c->first) * c->unit, c->unit);
	return value;
}

static uint32_t width(uint32_t c)
{
	char ignored[4];

	return (uint32_t)(put_character(ignored, c) - ignored);
}

/* Where the end of the text begins that there is room for. */
static int find_end(struct characters *c, uint64_t *ret_start)
{
	uint32_t room = PYTHON_TEXT_BYTES;
	uint64_t start = c->length;
	int r = 0;

	while (r == 0 && start > 0) {
		uint64_t step = sizeof c->raw / c->unit, from = start > step ? start - step : 0;

		r = fetch(c, from);
		for (; r == 0 && start > from; start--) {
			uint32_t bytes = width(character(c, start - 1));

			if (bytes > room) {
				*ret_start = start;
				return 0;
			}
			room -= bytes;
		}
	}
	*ret_start = start;
	return r;
}

static int copy_from(struct characters *c, uint64_t start, struct python_text *ret_text)
{
	char *to = ret_text->utf8, *end = to + PYTHON_TEXT_BYTES;
	bool is_full = false;
	int r = 0;

	for (uint64_t i = start; r == 0 && !is_full && i < c->length; i += c->count) {
		r = fetch(c, i);
		for (uint32_t n = 0; r == 0 && !is_full && n < c->count; n++) {
			uint32_t value = character(c, i + n);

			is_full = width(value) > (uint32_t)(end - to);
			if (!is_full)
				to = put_character(to, value);
		}
	}
	*to = '\0';
	ret_text->bytes = (uint32_t)(to - ret_text->utf8);
	return r;
}

bool python_text_read(const struct python *python, uint64_t object, bool keep_end,
		      struct python_text *ret_text)
{
	uint64_t head[5]; /* reference count, type, length, hash, state */
	struct characters c;
	uint64_t start = 0;

	if (safe_read(object, head, sizeof head) < 0 || head[1] != python->text_type)
		return false;
	uint32_t state = (uint32_t)head[4], unit = state >> 2 & 7;

	if (!(state >> 5 & 1) || (unit != 1 && unit != 2 && unit != 4) || head[2] > UINT32_MAX)
		return false;
	c.at = object + (state >> 6 & 1 ? python->at.text_ascii : python->at.text_other);
	c.length = head[2];
	c.unit = unit;
	if (keep_end && c.length > PYTHON_TEXT_BYTES / 4 && find_end(&c, &start) < 0)
		return false;
	return copy_from(&c, start, ret_text) == 0;
}

uint64_t python_text_hash(const struct python *python, uint64_t object, uint64_t length)
{
	uint32_t state = python_half(object + PYTHON_TEXT_STATE), unit = state >> 2 & 7;

	if (!(state >> 5 & 1) || (unit != 1 && unit != 2 && unit != 4)) /* compact */
		return 0;
	uint64_t at = object + (state >> 6 & 1 ? python->at.text_ascii : python->at.text_other);
	uint64_t bytes = length * unit, skipped = bytes > HASHED_MAX ? bytes - HASHED_MAX : 0;

	return python_hash_bytes((const uint8_t *)(uintptr_t)(at + skipped), bytes - skipped) ^
	       length << 48 ^ (uint64_t)unit << 45;
}
