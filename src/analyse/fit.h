/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Would a buffer fit? The arithmetic of TT-Metal's allocator, on the address ranges in use.
 *
 * The banks work in lock step: a buffer takes the same range in each of them, long enough for the
 * bank that gets the most pages, and every page is rounded up to the alignment. Any hole that is
 * long enough will do. Address ranges overlap only in forged tables; nothing breaks on them.
 */
#ifndef TTMEM_ANALYSE_FIT_H
#define TTMEM_ANALYSE_FIT_H

#include <stdbool.h>

#include "analyse/ranges.h"

/* One memory type of an allocator: a bank that stands for all of them. */
struct fit_bank {
	uint64_t start, end; /* of the allocatable range */
	uint64_t alignment;  /* bytes */
	uint32_t banks;
};

/* Where a request goes; its pages are dealt out in turn. */
struct fit_request {
	uint64_t bytes, page_bytes;
	uint32_t cores; /* sharded over so many; 0: interleaved over all banks */
};

/* What stands in the way of one request, cheapest way out. */
struct fit_removal {
	size_t first, count; /* of the ranges */
	uint64_t bytes;	     /* sum of their lengths */
	struct range hole;   /* what would then be free */
};

/*
 * fit_bank_bytes - bytes that a request takes in one bank.
 * Return: 0; -EINVAL: no bytes, pages or banks; -EOVERFLOW.
 */
int fit_bank_bytes(const struct fit_request *request, const struct fit_bank *bank,
		   uint64_t *ret_bytes);
/* fit_largest_bytes - the largest request of this page size and spread that a hole takes */
uint64_t fit_largest_bytes(const struct fit_request *request, const struct fit_bank *bank,
			   uint64_t hole_bytes);
/*
 * fit_holes - the free ranges, in order, from sorted ranges. `ret_holes` has room for count + 1.
 * Return: how many.
 */
size_t fit_holes(const struct fit_bank *bank, const struct range *ranges, size_t count,
		 struct range *ret_holes);
/*
 * fit_removal - neighbours whose end would make a hole of `need` bytes: those with the fewest
 * bytes, among equals the first. Ranges are sorted. Return: 0; -ENOSPC: not even all of them.
 */
int fit_removal(const struct fit_bank *bank, const struct range *ranges, size_t count,
		uint64_t need, struct fit_removal *ret_removal);

#endif
