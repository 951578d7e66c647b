/* SPDX-License-Identifier: Apache-2.0 */
#include "analyse/fit.h"

#include <errno.h>

static uint32_t spread(const struct fit_request *request, const struct fit_bank *bank)
{
	return request->cores ? request->cores : bank->banks;
}

/* Rounded up to the alignment; false: does not fit 64 bits. */
static bool align_up(uint64_t bytes, uint64_t alignment, uint64_t *ret_bytes)
{
	uint64_t rest = alignment ? bytes % alignment : 0;

	return !__builtin_add_overflow(bytes, rest ? alignment - rest : 0, ret_bytes);
}

static uint64_t divide_up(uint64_t a, uint64_t b)
{
	return a / b + (a % b != 0);
}

int fit_bank_bytes(const struct fit_request *request, const struct fit_bank *bank,
		   uint64_t *ret_bytes)
{
	uint64_t page, pages, bytes;

	if (request->bytes == 0 || request->page_bytes == 0 || spread(request, bank) == 0)
		return -EINVAL;
	pages = divide_up(divide_up(request->bytes, request->page_bytes), spread(request, bank));
	if (!align_up(request->page_bytes, bank->alignment, &page) ||
	    __builtin_mul_overflow(page, pages, &bytes))
		return -EOVERFLOW;
	*ret_bytes = bytes;
	return 0;
}

uint64_t fit_largest_bytes(const struct fit_request *request, const struct fit_bank *bank,
			   uint64_t hole_bytes)
{
	uint64_t page, bytes;

	if (request->page_bytes == 0 || !align_up(request->page_bytes, bank->alignment, &page) ||
	    __builtin_mul_overflow(hole_bytes / page, spread(request, bank), &bytes) ||
	    __builtin_mul_overflow(bytes, request->page_bytes, &bytes))
		return 0;
	return bytes;
}

static uint64_t max(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

size_t fit_holes(const struct fit_bank *bank, const struct range *ranges, size_t count,
		 struct range *ret_holes)
{
	uint64_t at = bank->start;
	size_t n = 0;

	for (size_t i = 0; i <= count; i++) {
		uint64_t next = i < count ? ranges[i].start : bank->end;

		next = next > bank->end ? bank->end : next;
		if (next > at)
			ret_holes[n++] = (struct range){at, next};
		if (i < count)
			at = max(at, ranges[i].end);
	}
	return n;
}

/* Where the hole before range `i` ends when nothing from there on is removed. */
static uint64_t hole_end(const struct fit_bank *bank, const struct range *ranges, size_t count,
			 size_t i)
{
	return i < count && ranges[i].start < bank->end ? ranges[i].start : bank->end;
}

/*
 * Two ends that only move up: for each first range to be removed, as few as make the hole long
 * enough; the next first range needs at least as far.
 */
int fit_removal(const struct fit_bank *bank, const struct range *ranges, size_t count,
		uint64_t need, struct fit_removal *ret_removal)
{
	struct fit_removal best = {0};
	uint64_t low = bank->start, bytes = 0;
	bool found = false;

	for (size_t first = 0, next = 0; first <= count; first++) {
		uint64_t end;

		if (next < first)
			next = first, bytes = 0;
		while ((end = hole_end(bank, ranges, count, next)) < low || end - low < need) {
			if (next == count)
				goto done;
			bytes += ranges[next].end - ranges[next].start;
			next++;
		}
		if (!found || bytes < best.bytes)
			best = (struct fit_removal){first, next - first, bytes, {low, end}};
		found = true;
		if (first == count)
			break;
		if (next > first)
			bytes -= ranges[first].end - ranges[first].start;
		low = max(low, ranges[first].end);
	}
done:
	if (!found)
		return -ENOSPC;
	*ret_removal = best;
	return 0;
}
