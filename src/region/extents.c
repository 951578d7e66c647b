/* SPDX-License-Identifier: Apache-2.0 */
#include "region/extents.h"

static void mark(struct extents *extents, uint32_t first, uint32_t length, bool taken)
{
	for (uint32_t i = first; i < first + length; i++) {
		uint64_t bit = UINT64_C(1) << (i % 64);

		extents->words[i / 64] =
			taken ? extents->words[i / 64] | bit : extents->words[i / 64] & ~bit;
	}
}

uint32_t extents_take(struct extents *extents, uint32_t length)
{
	uint32_t run = 0;

	if (length == 0 || length > extents->count - extents->taken)
		return EXTENTS_NONE;
	for (uint32_t i = 0; i < extents->count; i++) {
		if (i % 64 == 0 && extents->words[i / 64] == UINT64_MAX) {
			run = 0;
			i += 63;
			continue;
		}
		run = extents_is_taken(extents, i) ? 0 : run + 1;
		if (run == length) {
			mark(extents, i + 1 - length, length, true);
			extents->taken += length;
			return i + 1 - length;
		}
	}
	return EXTENTS_NONE;
}

void extents_give(struct extents *extents, uint32_t first, uint32_t length)
{
	mark(extents, first, length, false);
	extents->taken -= length;
}

bool extents_is_taken(const struct extents *extents, uint32_t element)
{
	return extents->words[element / 64] >> (element % 64) & 1;
}

uint32_t extents_high_water(const struct extents *extents)
{
	for (uint32_t word = extents->count / 64; word-- > 0;)
		if (extents->words[word])
			return word * 64 + 64 - (uint32_t)__builtin_clzll(extents->words[word]);
	return 0;
}
