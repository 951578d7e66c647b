/* SPDX-License-Identifier: Apache-2.0 */
/* Strings of Python: copied out once as UTF-8, and told apart by hash at every event. */
#ifndef TTMEM_HOOK_PYTHON_TEXT_H
#define TTMEM_HOOK_PYTHON_TEXT_H

#include <string.h>

#include "hook/python_frame.h"

#define PYTHON_TEXT_BYTES 1024u /* a table keeps no more of a name */

/* Somebody's thread may have a small stack, and there are three of these on it. */
struct python_text {
	uint32_t bytes;
	char	 utf8[PYTHON_TEXT_BYTES + 1]; /* always with a NUL */
};

/*
 * python_text_read - a str, safely; of a long one as many whole characters of its end (keep_end) or
 * start as there is room for. What stands for a byte that was no UTF-8 becomes that byte again.
 * Return: false if it is no str.
 */
bool python_text_read(const struct python *python, uint64_t object, bool keep_end,
		      struct python_text *ret_text);

/* python_text_hash - of the characters of a str; 0 if it is laid out in an old way */
uint64_t python_text_hash(const struct python *python, uint64_t object, uint64_t length);

/* python_mix - of two words, so that each bit counts */
static inline uint64_t python_mix(uint64_t a, uint64_t b)
{
	__extension__ unsigned __int128 product =
		(unsigned __int128)(a ^ UINT64_C(0xa0761d6478bd642f)) *
		(b ^ UINT64_C(0xe7037ed1a0b428db));

	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* python_hash_bytes - two chains, so that the multiplier is kept busy */
static inline uint64_t python_hash_bytes(const uint8_t *p, uint64_t bytes)
{
	uint64_t hash[2] = {bytes, UINT64_C(0x8ebc6af09c88c6e3)}, words[4] = {0};
	uint64_t left = bytes;

	for (; left > 32; left -= 32, p += 32) {
		memcpy(words, p, sizeof words);
		hash[0] = python_mix(words[0] ^ hash[0], words[1]);
		hash[1] = python_mix(words[2] ^ hash[1], words[3]);
	}
	/* the last ones, some of them for the second time, rather than in pieces of all sizes */
	if (bytes >= 32) {
		memcpy(words, p + left - 32, sizeof words);
	} else if (bytes >= 16) {
		memcpy(&words[0], p, 16);
		memcpy(&words[2], p + bytes - 16, 16);
	} else if (bytes >= 8) {
		memcpy(&words[0], p, 8);
		memcpy(&words[1], p + bytes - 8, 8);
	} else {
		for (uint64_t i = 0; i < bytes; i++)
			words[0] = words[0] << 8 | p[i];
	}
	return python_mix(python_mix(words[0] ^ hash[0], words[1]),
			  python_mix(words[2] ^ hash[1], words[3]));
}

/*
 * python_text_identity - a number that two strs share only if they are equal; 0 if it is no str.
 * Python's own hash where it has made it already, else one of ours, of the end of a very long one:
 * then the number changes once when Python makes it. The str is held by a running frame.
 */
static inline uint64_t python_text_identity(const struct python *python, uint64_t object)
{
	if (__builtin_expect(python_word(object + PYTHON_OBJECT_TYPE) != python->text_type, 0))
		return 0;
	uint64_t length = python_word(object + PYTHON_TEXT_LENGTH);
	uint64_t hash = python_word(object + PYTHON_TEXT_HASH);

	if (hash != PYTHON_NO_HASH)
		return hash ^ length << 48 ^ 1;
	return python_text_hash(python, object, length);
}

#endif
