/* SPDX-License-Identifier: Apache-2.0 */
/* Sorting, union and holes against a byte map too simple to be wrong: 10,000 random sets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "analyse/ranges.h"

#define SPACE 2048u

static uint64_t state = 1;

static uint32_t below(uint32_t n)
{
	state = state * UINT64_C(6364136223846793005) + 1442695040888963407;
	return (uint32_t)((state >> 33) % n);
}

static void check_set(uint32_t count)
{
	static uint8_t map[SPACE];
	struct range *ranges = calloc(count + 1, sizeof *ranges);
	uint32_t low = below(SPACE / 4), high = SPACE - below(SPACE / 4);
	uint64_t bytes = 0, hole = 0, run = 0;

	memset(map, 0, sizeof map);
	for (uint32_t i = 0; i < count; i++) {
		uint32_t start = below(SPACE - 1), length = 1 + below(SPACE / 16);

		ranges[i] = (struct range){start, start + length > SPACE ? SPACE : start + length};
		memset(map + start, 1, ranges[i].end - start);
	}
	for (uint32_t at = low; at < high; at++) {
		bytes += map[at];
		run = map[at] ? 0 : run + 1;
		hole = run > hole ? run : hole;
	}
	assert_int_equal(ranges_sort(ranges, count), 0);
	for (uint32_t i = 1; i < count; i++)
		assert_true(ranges[i - 1].start <= ranges[i].start);
	size_t n = ranges_union(ranges, count);

	for (size_t i = 1; i < n; i++)
		assert_true(ranges[i - 1].end < ranges[i].start);
	assert_int_equal(ranges_bytes(ranges, n, low, high), bytes);
	assert_int_equal(ranges_largest_hole(ranges, n, low, high), hole);
	free(ranges);
}

static void test_random_sets(void **unused)
{
	(void)unused;
	for (int i = 0; i < 10000; i++)
		check_set(below(i % 10 == 0 ? 200 : 20));
}

/* Addresses of 64 bits: every digit of the sort is used. */
static void test_large_addresses(void **unused)
{
	struct range ranges[300];

	(void)unused;
	for (uint32_t i = 0; i < 300; i++) {
		ranges[i].start = (uint64_t)below(UINT32_MAX) << 31 | below(UINT32_MAX);
		ranges[i].end = ranges[i].start + 1;
	}
	assert_int_equal(ranges_sort(ranges, 300), 0);
	for (uint32_t i = 1; i < 300; i++)
		assert_true(ranges[i - 1].start <= ranges[i].start);
}

static void test_empty(void **unused)
{
	(void)unused;
	assert_int_equal(ranges_sort(NULL, 0), 0);
	assert_int_equal(ranges_largest_hole(NULL, 0, 10, 30), 20);
	assert_int_equal(ranges_largest_hole(NULL, 0, 30, 10), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random_sets),
		cmocka_unit_test(test_large_addresses),
		cmocka_unit_test(test_empty),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
