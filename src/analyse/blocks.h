/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The blocks of one bank: what is allocated and what is free between, in
 * address order, the way an allocator that merges free neighbours has it.
 * Pure functions.
 */
#ifndef TTMEM_ANALYSE_BLOCKS_H
#define TTMEM_ANALYSE_BLOCKS_H

#include <stdbool.h>

#include "analyse/ranges.h"

struct block {
	uint64_t start;
	uint64_t size_bytes;
	bool allocated;
};

/*
 * blocks_of_bank - the blocks that fill [start, end) when `ranges` are allocated; ranges are
 * sorted in place. A bank of no size is one free block of no size.
 * Return: 0, and the caller frees the array; -ERANGE: the ranges overlap or lie outside, so they
 * are not those of one bank at one moment; -ENOMEM.
 */
int blocks_of_bank(struct range *ranges, size_t count, uint64_t start, uint64_t end,
		   struct block **ret_blocks, size_t *ret_count);
/* blocks_largest_free - bytes of the largest free block; 0: there is none */
uint64_t blocks_largest_free(const struct block *blocks, size_t count);
/* blocks_allocated - bytes of all allocated blocks */
uint64_t blocks_allocated(const struct block *blocks, size_t count);

#endif
