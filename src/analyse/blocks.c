/* SPDX-License-Identifier: Apache-2.0 */
#include "analyse/blocks.h"

#include <errno.h>
#include <stdlib.h>

static void add(struct block *blocks, size_t *count, uint64_t start, uint64_t end, bool allocated)
{
	blocks[(*count)++] = (struct block){start, end - start, allocated};
}

int blocks_of_bank(struct range *ranges, size_t count, uint64_t start, uint64_t end,
		   struct block **ret_blocks, size_t *ret_count)
{
	uint64_t at = start;
	size_t n = 0;
	int r = ranges_sort(ranges, count);

	if (r < 0)
		return r;
	/* a hole before each range and one behind the last */
	struct block *blocks = calloc(2 * count + 1, sizeof *blocks);

	if (!blocks)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		if (ranges[i].start < at || ranges[i].end <= ranges[i].start ||
		    ranges[i].end > end) {
			free(blocks);
			return -ERANGE;
		}
		if (ranges[i].start > at)
			add(blocks, &n, at, ranges[i].start, false);
		add(blocks, &n, ranges[i].start, ranges[i].end, true);
		at = ranges[i].end;
	}
	if (at < end || n == 0)
		add(blocks, &n, at, end, false);
	*ret_blocks = blocks;
	*ret_count = n;
	return 0;
}

uint64_t blocks_largest_free(const struct block *blocks, size_t count)
{
	uint64_t largest = 0;

	for (size_t i = 0; i < count; i++)
		if (!blocks[i].allocated && blocks[i].size_bytes > largest)
			largest = blocks[i].size_bytes;
	return largest;
}

uint64_t blocks_allocated(const struct block *blocks, size_t count)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < count; i++)
		if (blocks[i].allocated)
			bytes += blocks[i].size_bytes;
	return bytes;
}
