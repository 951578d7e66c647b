/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sites that get a native stack. Reason: what Python told of a place must not be
 * lost when a stack comes to it, nor when there is no room for one.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "region/reader.h"
#include "region/writer.h"

#define TEXT(text) {text, sizeof text - 1, false}

static struct region_writer *writer;

static int begin(void **state)
{
	/* room for 1,024 sites and 2,048 words of stacks */
	struct region_identity identity = {.entry = "test", .slots_max = 2048, .sites_max = 1024};

	(void)state;
	writer = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return region_writer_create(writer, &identity);
}

static int end(void **state)
{
	(void)state;
	region_writer_destroy(writer);
	return munmap(writer, 4096);
}

static void test_base_and_stack(void **state)
{
	static const uint64_t one[] = {1, 2, 3}, other[] = {1, 2};
	const struct region_site_found found = {
		.op = TEXT("ttnn.add"), .file = TEXT("/model.py"), .function = TEXT("f"), .line = 7};
	uint32_t base = region_writer_site(writer, &found);
	uint32_t with = region_writer_site_stack(writer, base, one, 3);
	uint32_t alone = region_writer_site_stack(writer, REGION_SITE_UNKNOWN, one, 3);

	(void)state;
	assert_int_not_equal(base, REGION_SITE_UNKNOWN);
	assert_true(with != base && alone != base && with != alone);
	assert_int_equal(region_writer_site_stack(writer, base, one, 3), with);
	assert_int_not_equal(region_writer_site_stack(writer, base, other, 2), with);
	assert_int_equal(region_writer_site_stack(writer, base, NULL, 0), base);

	struct region_sites sites;
	struct region_map map;
	const uint64_t *frames;
	int fd = region_writer_share(writer);

	assert_int_equal(region_map_open(fd, &map), 0);
	assert_int_equal(region_read_sites(&map, &sites), 0);
	assert_string_equal(region_sites_string(&sites, sites.sites[with].op), "ttnn.add");
	assert_string_equal(region_sites_string(&sites, sites.sites[with].file), "/model.py");
	assert_int_equal(sites.sites[with].line, 7);
	assert_int_equal(region_sites_stack(&sites, &sites.sites[with], &frames), 3);
	assert_memory_equal(frames, one, sizeof one);
	assert_int_equal(region_sites_stack(&sites, &sites.sites[base], &frames), 0);
	assert_string_equal(region_sites_string(&sites, sites.sites[alone].op), "");
	region_sites_clear(&sites);
	region_map_close(&map);
	region_writer_unshare(writer, fd);
}

static void test_no_room(void **state)
{
	const struct region_site_found found = {.op = TEXT("ttnn.add")};
	uint32_t base = region_writer_site(writer, &found), site = 0;
	uint64_t frames[32] = {0};

	(void)state;
	for (uint64_t i = 0; i < 100 && site != base; i++) {
		frames[0] = i;
		site = region_writer_site_stack(writer, base, frames, 32);
	}
	/* after 62 stacks of 33 words */
	assert_int_equal(site, base);
	assert_true(region_writer_is_valid(writer));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_base_and_stack, begin, end),
		cmocka_unit_test_setup_teardown(test_no_room, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
