/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Address ranges of one bank: sorting, union, holes. Pure functions.
 *
 * The banks of a memory type work in lock step, so one list of ranges stands
 * for all of them. Ranges are half open and never empty.
 */
#ifndef TTMEM_ANALYSE_RANGES_H
#define TTMEM_ANALYSE_RANGES_H

#include <stddef.h>
#include <stdint.h>

struct range {
	uint64_t start;
	uint64_t end;
};

/* ranges_sort - by start address, in place. Return: 0 or -ENOMEM. */
int ranges_sort(struct range *ranges, size_t count);
/* ranges_union - merges sorted ranges that overlap or touch, in place. Return: the new count. */
size_t ranges_union(struct range *ranges, size_t count);
/* ranges_bytes - sum of the lengths inside [start, end); ranges must be a union */
uint64_t ranges_bytes(const struct range *ranges, size_t count, uint64_t start, uint64_t end);
/* ranges_largest_hole - the longest stretch of [start, end) that no range of a union covers */
uint64_t ranges_largest_hole(const struct range *ranges, size_t count, uint64_t start,
			     uint64_t end);

#endif
