/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Holes, what fits and what would have to go, against a bank too simple to be
 * wrong: a byte map that is searched from end to end, and every run of
 * neighbours tried. 10,000 random histories.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyse/fit.h"

#define HISTORIES 10000
#define SPACE	  1024u
#define BUFFERS	  64u

#define CHECK(condition)                                                                           \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			printf("not ok %s: history %u, line %d: %s\n", __func__, history,          \
			       __LINE__, #condition);                                              \
			exit(1);                                                                   \
		}                                                                                  \
	} while (0)

static uint64_t state = 1;
static unsigned history;

static uint32_t below(uint32_t n)
{
	state = state * UINT64_C(6364136223846793005) + 1442695040888963407;
	return (uint32_t)((state >> 33) % n);
}

struct naive {
	uint8_t used[SPACE]; /* number of the buffer + 1 */
	struct fit_bank bank;
	struct range ranges[BUFFERS];
	size_t count;
};

/* First fit from one end, as an allocator would: blocks of the alignment only. */
static void allocate(struct naive *naive, uint64_t bytes)
{
	for (uint64_t at = naive->bank.start; at + bytes <= naive->bank.end;
	     at += naive->bank.alignment) {
		bool is_free = true;

		for (uint64_t i = at; i < at + bytes; i++)
			is_free &= !naive->used[i];
		if (!is_free)
			continue;
		memset(naive->used + at, 1, bytes);
		naive->ranges[naive->count++] = (struct range){at, at + bytes};
		return;
	}
}

static void release(struct naive *naive, size_t index)
{
	struct range range = naive->ranges[index];

	memset(naive->used + range.start, 0, range.end - range.start);
	naive->ranges[index] = naive->ranges[--naive->count];
}

static void play(struct naive *naive)
{
	static const uint64_t alignments[] = {1, 4, 16};
	uint64_t alignment = alignments[below(3)];

	*naive = (struct naive){
		.bank = {.start = alignment * below(8),
			 .end = SPACE - alignment * below(8),
			 .alignment = alignment,
			 .banks = 1 + below(12)},
	};
	for (uint32_t step = below(120); step > 0; step--) {
		if (naive->count && (naive->count == BUFFERS || below(5) < 2))
			release(naive, below((uint32_t)naive->count));
		else
			allocate(naive, alignment * (1 + below((uint32_t)(96 / alignment + 1))));
	}
	CHECK(ranges_sort(naive->ranges, naive->count) == 0);
}

static uint64_t longest_run(const struct naive *naive, const uint8_t *used)
{
	uint64_t run = 0, longest = 0;

	for (uint64_t at = naive->bank.start; at < naive->bank.end; at++) {
		run = used[at] ? 0 : run + 1;
		longest = run > longest ? run : longest;
	}
	return longest;
}

static void check_holes(const struct naive *naive)
{
	struct range holes[BUFFERS + 1];
	uint8_t map[SPACE];
	size_t n = fit_holes(&naive->bank, naive->ranges, naive->count, holes);

	memcpy(map, naive->used, sizeof map);
	for (size_t i = 0; i < n; i++) {
		CHECK(holes[i].start < holes[i].end && holes[i].end <= naive->bank.end);
		CHECK(holes[i].start >= naive->bank.start);
		CHECK(i == 0 || holes[i - 1].end < holes[i].start);
		for (uint64_t at = holes[i].start; at < holes[i].end; at++) {
			CHECK(!map[at]);
			map[at] = 1;
		}
	}
	for (uint64_t at = naive->bank.start; at < naive->bank.end; at++)
		CHECK(map[at]);
}

/* Every run of neighbours: is the hole long enough without them, and what do they hold? */
static bool cheapest(const struct naive *naive, uint64_t need, uint64_t *ret_bytes)
{
	bool found = false;

	for (size_t first = 0; first <= naive->count; first++)
		for (size_t next = first; next <= naive->count; next++) {
			uint8_t map[SPACE];
			uint64_t bytes = 0;

			memcpy(map, naive->used, sizeof map);
			for (size_t i = first; i < next; i++) {
				bytes += naive->ranges[i].end - naive->ranges[i].start;
				memset(map + naive->ranges[i].start, 0,
				       naive->ranges[i].end - naive->ranges[i].start);
			}
			if (longest_run(naive, map) < need)
				continue;
			if (!found || bytes < *ret_bytes)
				*ret_bytes = bytes;
			found = true;
		}
	return found;
}

static void check_removal(const struct naive *naive)
{
	uint64_t need = 1 + below(SPACE), bytes = 0;
	struct fit_removal removal;
	int r = fit_removal(&naive->bank, naive->ranges, naive->count, need, &removal);

	CHECK((r == 0) == (need <= naive->bank.end - naive->bank.start));
	if (r < 0)
		return;
	CHECK(removal.first + removal.count <= naive->count);
	CHECK(removal.hole.end - removal.hole.start >= need);
	CHECK((removal.bytes == 0) == (longest_run(naive, naive->used) >= need));
	/* the slow way for some only */
	if (history % 50 == 0) {
		CHECK(cheapest(naive, need, &bytes));
		CHECK(removal.bytes == bytes);
	}
}

/* Page after page into the banks in turn; the fullest bank is what all have to give. */
static uint64_t deal(const struct naive *naive, const struct fit_request *request)
{
	uint64_t banks[64] = {0}, most = 0;
	uint32_t spread = request->cores ? request->cores : naive->bank.banks;
	uint64_t page = request->page_bytes, at = 0;

	while (page % naive->bank.alignment)
		page++;
	for (uint64_t left = request->bytes; left > 0; at++) {
		banks[at % spread] += page;
		most = banks[at % spread] > most ? banks[at % spread] : most;
		left = left > request->page_bytes ? left - request->page_bytes : 0;
	}
	return most;
}

static void check_request(const struct naive *naive)
{
	struct fit_request request = {
		.bytes = 1 + below(5000),
		.page_bytes = 1 + below(70),
		.cores = below(2) ? 0 : 1 + below(20),
	};
	uint64_t bytes, hole = longest_run(naive, naive->used);

	CHECK(fit_bank_bytes(&request, &naive->bank, &bytes) == 0);
	CHECK(bytes == deal(naive, &request));
	request.bytes = fit_largest_bytes(&request, &naive->bank, hole);
	CHECK(request.bytes == 0 || deal(naive, &request) <= hole);
	request.bytes++;
	CHECK(deal(naive, &request) > hole);
}

/* Forged tables: ranges that overlap, lie outside, or are as long as can be. */
static void check_forged(void)
{
	struct range ranges[BUFFERS], holes[BUFFERS + 1];
	struct fit_bank bank = {.start = below(100), .end = below(2000), .alignment = below(3),
				.banks = below(3)};
	struct fit_request request = {UINT64_MAX - below(3), below(2) ? UINT64_MAX : below(3),
				      below(2)};
	struct fit_removal removal;
	size_t count = below(BUFFERS);
	uint64_t bytes;

	for (size_t i = 0; i < count; i++) {
		ranges[i].start = below(4) ? below(3000) : UINT64_MAX - 1 - below(10);
		ranges[i].end = below(4) ? ranges[i].start + 1 : UINT64_MAX;
	}
	CHECK(ranges_sort(ranges, count) == 0);
	CHECK(fit_holes(&bank, ranges, count, holes) <= count + 1);
	if (fit_removal(&bank, ranges, count, below(3000), &removal) == 0)
		CHECK(removal.first + removal.count <= count);
	(void)fit_bank_bytes(&request, &bank, &bytes);
	(void)fit_largest_bytes(&request, &bank, UINT64_MAX);
}

int main(void)
{
	static struct naive naive;

	for (history = 0; history < HISTORIES; history++) {
		play(&naive);
		check_holes(&naive);
		check_removal(&naive);
		check_request(&naive);
		check_forged();
	}
	printf("ok fit: %d histories\n", HISTORIES);
	return 0;
}
