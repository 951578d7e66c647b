/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From the sites of a table to those of a snapshot. Reason: a table is a
 * stranger's, and what one look at it costs must not depend on what it says.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "collect/sites.h"
#include "region/writer.h"

static struct region_writer *writer;
static struct region_map map;
static int fd;
static struct snapshot snapshot;
static struct table_sites sites;

static int begin(void **state)
{
	const struct region_identity identity = {
		.entry = "test", .slots_max = REGION_BLOCK_SLOTS, .sites_max = REGION_SITES_UNIT};

	(void)state;
	writer = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (writer == MAP_FAILED || region_writer_create(writer, &identity) < 0)
		return -1;
	fd = region_writer_share(writer);
	memset(&snapshot, 0, sizeof snapshot);
	table_sites_init(&sites, &map, 0, false);
	return region_map_open(fd, &map);
}

static int end(void **state)
{
	(void)state;
	table_sites_clear(&sites);
	snapshot_clear(&snapshot);
	region_map_close(&map);
	region_writer_unshare(writer, fd);
	region_writer_destroy(writer);
	return munmap(writer, 4096);
}

static uint32_t add(uint32_t line)
{
	const struct region_site_found found = {
		.file = {"/model.py", 9, false}, .function = {"f", 1, false}, .line = line};

	return region_writer_site(writer, &found);
}

static uint32_t number_of(uint32_t site)
{
	uint32_t number = 99;

	assert_int_equal(table_sites_number(&sites, &snapshot, site, &number), 0);
	return number;
}

/* A site that is added after the first look is found, and those before keep their numbers. */
static void test_added_later(void **state)
{
	uint32_t first = add(1);
	uint32_t number = number_of(first);

	(void)state;
	assert_int_not_equal(number, 0);
	uint32_t second = add(2);

	assert_int_not_equal(number_of(second), 0);
	assert_int_not_equal(number_of(second), number);
	assert_int_equal(number_of(first), number);
}

/*
 * A million slots that name sites which do not exist. Each would have had all sites of the table read
 * again, some megabytes: a server would have been busy with one process for a quarter of an hour.
 */
static void test_sites_that_never_come(void **state)
{
	uint32_t first = add(1);

	(void)state;
	for (uint32_t i = 0; i < 1000; i++)
		assert_int_equal(number_of(REGION_SITES_MAX + i), 0);
	assert_in_range(sites.reads, 1, 8);
	assert_int_not_equal(number_of(first), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_added_later, begin, end),
		cmocka_unit_test_setup_teardown(test_sites_that_never_come, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
