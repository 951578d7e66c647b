/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Buffers that were live before the hook came. Reason: each may arrive twice, as
 * one that was found and as one that announces itself, in either order, and some
 * are gone by then; the table must hold each once, and its sums must agree.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "region/format.h"
#include "region/writer.h"

static struct region_writer *writer;

static int begin(void **state)
{
	struct region_identity identity = {.entry = "attach", .slots_max = 8192};
	struct region_allocator row = {.object = 1, .device = 2, .chip_count = 1};
	struct region_allocator other = {.object = 3, .device = 4, .chip_count = 1};
	uint32_t at;

	(void)state;
	writer = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return region_writer_create(writer, &identity) < 0 ||
	       region_writer_allocator_add(writer, &row, 1, &at) < 0 ||
	       region_writer_allocator_add(writer, &other, 1, &at) < 0;
}

static int end(void **state)
{
	(void)state;
	region_writer_destroy(writer);
	return munmap(writer, 4096);
}

static uint64_t object_of(uint32_t number)
{
	return 4096 + 16 * (uint64_t)number;
}

static int add(uint32_t number, uint64_t allocator, uint32_t site)
{
	struct region_buffer b = {.object = object_of(number),
				  .allocator = allocator,
				  .device = allocator + 1,
				  .address = number,
				  .requested_bytes = 64,
				  .bank_bytes = 32,
				  .site = site};

	return region_writer_alloc(writer, &b);
}

static uint64_t live_of(uint32_t row)
{
	struct region_totals t;

	region_writer_totals(writer, row, 0, &t);
	assert_int_equal(t.bank_bytes, (t.allocs - t.frees) * 32);
	return t.allocs - t.frees;
}

static uint64_t replaced(void)
{
	return ((const struct region_head *)(const void *)writer->table)->replaced;
}

static void test_arrives_twice(void **state)
{
	(void)state;
	/* announced first: what was found is no news */
	assert_int_equal(add(1, 1, 7), 0);
	assert_int_equal(add(1, 1, REGION_SITE_BEFORE_ATTACH), -EEXIST);
	/* found first: the announcement knows more, and nothing was lost */
	assert_int_equal(add(2, 1, REGION_SITE_BEFORE_ATTACH), 0);
	assert_int_equal(add(2, 1, 7), 0);
	assert_int_equal(replaced(), 0);
	assert_int_equal(live_of(0), 2);
	/* announced twice without a free is a loss, as ever */
	assert_int_equal(add(2, 1, 7), 0);
	assert_int_equal(replaced(), 1);
	assert_int_equal(add(3, 9, REGION_SITE_BEFORE_ATTACH), -ENOENT);
	assert_true(region_writer_is_valid(writer));
}

static bool is_third(const void *context, uint64_t object)
{
	(void)context;
	return (object - 4096) / 16 % 3 == 0;
}

/* Over several blocks, beside buffers that announced themselves and those of another allocator. */
static void test_keeps_the_live(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < 3000; i++)
		assert_int_equal(add(i, 1, REGION_SITE_BEFORE_ATTACH), 0);
	for (uint32_t i = 3000; i < 3300; i++)
		assert_int_equal(add(i, 1, 7), 0);
	for (uint32_t i = 3300; i < 3600; i++)
		assert_int_equal(add(i, 3, REGION_SITE_BEFORE_ATTACH), 0);
	assert_int_equal(region_writer_keep_live(writer, 0, is_third, NULL), 1000);
	assert_int_equal(live_of(0), 1000 + 300);
	assert_int_equal(live_of(1), 300);
	assert_true(region_writer_is_valid(writer));
	assert_false(region_writer_free(writer, object_of(1)));
	assert_true(region_writer_free(writer, object_of(0)));
	assert_true(region_writer_free(writer, object_of(3001)));
	assert_int_equal(region_writer_keep_live(writer, 0, is_third, NULL), 999);
	assert_true(region_writer_is_valid(writer));
}

static void test_close_all(void **state)
{
	uint32_t row;
	const struct region_allocator again = {.object = 1, .device = 2};

	(void)state;
	assert_int_equal(add(1, 1, 7), 0);
	assert_int_equal(add(2, 3, REGION_SITE_BEFORE_ATTACH), 0);
	region_writer_close_device(writer, 0, 5); /* no device is not every device */
	assert_int_equal(live_of(0) + live_of(1), 2);
	region_writer_close_all(writer, 5);
	assert_int_equal(live_of(0) + live_of(1), 0);
	assert_int_equal(add(1, 1, 7), -ENOENT);
	assert_int_equal(region_writer_allocator_add(writer, &again, 6, &row), 0);
	assert_int_equal(add(1, 1, 7), 0);
	assert_int_equal(live_of(row), 1);
	assert_true(region_writer_is_valid(writer));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_arrives_twice, begin, end),
		cmocka_unit_test_setup_teardown(test_keeps_the_live, begin, end),
		cmocka_unit_test_setup_teardown(test_close_all, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
