/* SPDX-License-Identifier: Apache-2.0 */
#include "analyse/ranges.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define RADIX_BITS 11
#define RADIX	   (1u << RADIX_BITS)

/* Below this an insertion sort is faster than counting digits. */
#define SMALL 64

static void sort_small(struct range *ranges, size_t count)
{
	for (size_t i = 1; i < count; i++) {
		struct range moving = ranges[i];
		size_t j = i;

		for (; j > 0 && ranges[j - 1].start > moving.start; j--)
			ranges[j] = ranges[j - 1];
		ranges[j] = moving;
	}
}

/* One pass of a stable counting sort; false when all digits are equal and nothing was moved. */
static bool sort_digit(const struct range *from, struct range *to, size_t count, unsigned shift)
{
	size_t at[RADIX] = {0}, sum = 0;

	for (size_t i = 0; i < count; i++)
		at[from[i].start >> shift & (RADIX - 1)]++;
	if (at[from[0].start >> shift & (RADIX - 1)] == count)
		return false;
	for (size_t digit = 0; digit < RADIX; digit++) {
		size_t n = at[digit];

		at[digit] = sum;
		sum += n;
	}
	for (size_t i = 0; i < count; i++)
		to[at[from[i].start >> shift & (RADIX - 1)]++] = from[i];
	return true;
}

int ranges_sort(struct range *ranges, size_t count)
{
	if (count < SMALL) {
		sort_small(ranges, count);
		return 0;
	}
	struct range *spare = malloc(count * sizeof *spare), *from = ranges, *to = spare;

	if (!spare)
		return -ENOMEM;
	for (unsigned shift = 0; shift < 64; shift += RADIX_BITS) {
		if (!sort_digit(from, to, count, shift))
			continue;
		struct range *swap = from;

		from = to;
		to = swap;
	}
	if (from != ranges)
		memcpy(ranges, from, count * sizeof *ranges);
	free(spare);
	return 0;
}

size_t ranges_union(struct range *ranges, size_t count)
{
	size_t n = 0;

	for (size_t i = 0; i < count; i++) {
		if (n > 0 && ranges[i].start <= ranges[n - 1].end) {
			if (ranges[i].end > ranges[n - 1].end)
				ranges[n - 1].end = ranges[i].end;
		} else {
			ranges[n++] = ranges[i];
		}
	}
	return n;
}

static uint64_t clamp(uint64_t value, uint64_t low, uint64_t high)
{
	return value < low ? low : value > high ? high : value;
}

uint64_t ranges_bytes(const struct range *ranges, size_t count, uint64_t start, uint64_t end)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < count; i++)
		bytes += clamp(ranges[i].end, start, end) - clamp(ranges[i].start, start, end);
	return bytes;
}

uint64_t ranges_largest_hole(const struct range *ranges, size_t count, uint64_t start,
			     uint64_t end)
{
	uint64_t largest = 0, at = start;

	for (size_t i = 0; i < count; i++) {
		uint64_t from = clamp(ranges[i].start, start, end);

		if (from > at && from - at > largest)
			largest = from - at;
		at = clamp(ranges[i].end, at, end);
	}
	return end > at && end - at > largest ? end - at : largest;
}
