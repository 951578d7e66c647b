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

static uint32_t character(const uint8_t *raw, uint64_t i, uint32_t unit)
{
	uint32_t c = 0;

	memcpy(&c, raw + i * unit, unit);
	return c;
}

bool python_text_read(const struct python *python, uint64_t object, bool keep_end,
		      struct python_text *ret_text)
{
	uint64_t head[5]; /* reference count, type, length, hash, state */
	uint8_t raw[4 * PYTHON_TEXT_CHARACTERS];

	if (safe_read(object, head, sizeof head) < 0 || head[1] != python->text_type)
		return false;
	uint32_t state = (uint32_t)head[4], unit = state >> 2 & 7;
	uint64_t length = head[2], skipped = 0;

	if (!(state >> 5 & 1) || (unit != 1 && unit != 2 && unit != 4) || length > UINT32_MAX)
		return false;
	if (length > PYTHON_TEXT_CHARACTERS) {
		skipped = keep_end ? length - PYTHON_TEXT_CHARACTERS : 0;
		length = PYTHON_TEXT_CHARACTERS;
	}
	uint64_t at = object + (state >> 6 & 1 ? python->at.text_ascii : python->at.text_other);
	char *to = ret_text->utf8;

	if (length && safe_read(at + skipped * unit, raw, (size_t)length * unit) < 0)
		return false;
	for (uint64_t i = 0; i < length; i++)
		to = put_character(to, character(raw, i, unit));
	*to = '\0';
	ret_text->bytes = (uint32_t)(to - ret_text->utf8);
	return true;
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
