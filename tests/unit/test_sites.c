/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sites of a table, from the writer to the reader. Reason: slots name them by
 * number for as long as the table lives, so a number must mean the same thing
 * after more were added, when parts are full, in a new file and in a copy.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "region/reader.h"
#include "region/writer.h"

#define ROOM	 REGION_SITES_UNIT
#define NAME_MAX_BYTES 1024u

static struct region_writer *writer;

static int create(uint32_t slots, uint32_t sites)
{
	const struct region_identity identity = {
		.entry = "test", .slots_max = slots, .sites_max = sites};
	size_t bytes = (sizeof *writer + 4095) / 4096 * 4096;

	writer = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return writer == MAP_FAILED ? -ENOMEM : region_writer_create(writer, &identity);
}

static int begin(void **state)
{
	(void)state;
	return create(REGION_BLOCK_SLOTS, ROOM);
}

static int end(void **state)
{
	(void)state;
	region_writer_destroy(writer);
	return munmap(writer, (sizeof *writer + 4095) / 4096 * 4096);
}

static struct region_text text(const char *s)
{
	return (struct region_text){.start = s, .bytes = (uint32_t)strlen(s)};
}

static uint32_t add(const char *op, const char *file, const char *function, uint32_t line)
{
	const struct region_site_found found = {
		.op = text(op), .file = text(file), .function = text(function), .line = line};

	return region_writer_site(writer, &found);
}

static uint32_t add_stack(const uint64_t *frames, uint32_t depth)
{
	const struct region_site_found found = {.op = text("op"), .frames = frames, .depth = depth};

	return region_writer_site(writer, &found);
}

/* What a reader has of the table, or of the copy whose descriptor is given; closes it. */
static struct region_sites read_from(int fd)
{
	struct region_map map;
	struct region_sites sites;

	assert_true(fd >= 0);
	assert_int_equal(region_map_open(fd, &map), 0);
	assert_int_equal(region_read_sites(&map, &sites), 0);
	region_map_close(&map);
	return sites;
}

static struct region_sites read_table(void)
{
	int fd = region_writer_share(writer);
	struct region_sites sites = read_from(fd);

	region_writer_unshare(writer, fd);
	return sites;
}

static void check(const struct region_sites *sites, uint32_t number, const char *op,
		  const char *file, const char *function, uint32_t line)
{
	assert_in_range(number, 1, sites->count - 1);
	const struct region_site *site = &sites->sites[number];

	assert_string_equal(region_sites_string(sites, site->op), op);
	assert_string_equal(region_sites_string(sites, site->file), file);
	assert_string_equal(region_sites_string(sites, site->function), function);
	assert_int_equal(site->line, line);
}

/* A name with a NUL in it is kept with a blank, and is not another one each time that it comes. */
static void test_a_nul_in_a_name(void **state)
{
	const struct region_site_found found = {.function = {.start = "a\0b", .bytes = 3}};
	uint32_t first = region_writer_site(writer, &found);

	(void)state;
	assert_int_equal(region_writer_site(writer, &found), first);
	struct region_sites sites = read_table();

	check(&sites, first, "", "", "a b", 0);
	assert_int_equal(sites.count, 2);
	region_sites_clear(&sites);
	assert_true(region_writer_is_valid(writer));
}

/* The same place is the same number; a difference in any one thing makes another. */
static void test_interned(void **state)
{
	static const uint64_t frames[] = {1, 2, 3};

	(void)state;
	struct region_sites none = read_table();

	assert_int_equal(none.count, 0);
	uint32_t first = add("ttnn.matmul", "/a/model.py", "Model.forward", 88);

	assert_int_equal(first, 1);
	assert_int_equal(add("ttnn.matmul", "/a/model.py", "Model.forward", 88), first);
	assert_int_equal(add("ttnn.add", "/a/model.py", "Model.forward", 88), 2);
	assert_int_equal(add("ttnn.matmul", "/b/model.py", "Model.forward", 88), 3);
	assert_int_equal(add("ttnn.matmul", "/a/model.py", "Model.backward", 88), 4);
	assert_int_equal(add("ttnn.matmul", "/a/model.py", "Model.forward", 89), 5);
	assert_int_equal(add("", "/a/model.py", "", 88), 6);
	assert_int_equal(add_stack(frames, 3), 7);
	assert_int_equal(add_stack(frames, 2), 8);
	assert_int_equal(add_stack(frames, 3), 7);
	struct region_sites sites = read_table();

	assert_int_equal(sites.count, 9);
	check(&sites, first, "ttnn.matmul", "/a/model.py", "Model.forward", 88);
	check(&sites, 4, "ttnn.matmul", "/a/model.py", "Model.backward", 88);
	check(&sites, 6, "", "/a/model.py", "", 88);
	const uint64_t *got;

	assert_int_equal(region_sites_stack(&sites, &sites.sites[6], &got), 0);
	assert_int_equal(region_sites_stack(&sites, &sites.sites[7], &got), 3);
	assert_memory_equal(got, frames, sizeof frames);
	assert_true(region_writer_is_valid(writer));
	region_sites_clear(&sites);
}

/* A path has its telling part at the end, a function at its start; a NUL would end a name early. */
static void test_long_names(void **state)
{
	static char name[3000];
	uint32_t number;

	(void)state;
	for (size_t i = 0; i < sizeof name - 1; i++)
		name[i] = (char)('a' + i % 26);
	number = add("", name, name, 1);
	struct region_sites sites = read_table();
	const struct region_site *site = &sites.sites[number];
	const char *file = region_sites_string(&sites, site->file);
	const char *function = region_sites_string(&sites, site->function);

	assert_int_equal(strlen(file), NAME_MAX_BYTES);
	assert_string_equal(file, name + sizeof name - 1 - NAME_MAX_BYTES);
	assert_int_equal(strlen(function), NAME_MAX_BYTES);
	assert_memory_equal(function, name, NAME_MAX_BYTES);
	region_sites_clear(&sites);

	const struct region_site_found found = {.op = {.start = "a\0b", .bytes = 3}, .line = 2};

	number = region_writer_site(writer, &found);
	sites = read_table();
	check(&sites, number, "a b", "", "", 2);
	region_sites_clear(&sites);
	uint64_t frames[REGION_STACK_DEPTH_MAX + 9];

	for (uint32_t i = 0; i < REGION_STACK_DEPTH_MAX + 9; i++)
		frames[i] = i;
	number = add_stack(frames, REGION_STACK_DEPTH_MAX + 9);
	sites = read_table();
	const uint64_t *got;

	assert_int_equal(region_sites_stack(&sites, &sites.sites[number], &got),
			 REGION_STACK_DEPTH_MAX);
	assert_memory_equal(got, frames, REGION_STACK_DEPTH_MAX * sizeof *frames);
	region_sites_clear(&sites);
}

static uint64_t dropped(void)
{
	return ((const struct region_head *)(const void *)writer->table)->sites_dropped;
}

/* Rows run out: known sites stay known, new ones are counted. */
static void test_no_more_rows(void **state)
{
	(void)state;
	for (uint32_t i = 1; i < ROOM; i++)
		assert_int_equal(add("op", "/f.py", "f", i), i);
	assert_int_equal(add("op", "/f.py", "f", ROOM), REGION_SITE_UNKNOWN);
	assert_int_equal(add("op", "/f.py", "f", ROOM + 1), REGION_SITE_UNKNOWN);
	assert_int_equal(dropped(), 2);
	assert_int_equal(add("op", "/f.py", "f", 7), 7);
	struct region_sites sites = read_table();

	assert_int_equal(sites.count, ROOM);
	for (uint32_t i = 1; i < ROOM; i++)
		check(&sites, i, "op", "/f.py", "f", i);
	assert_true(region_writer_is_valid(writer));
	region_sites_clear(&sites);
}

/* Strings, then stacks run out: what needs no new ones can still be added. */
static void test_no_more_strings(void **state)
{
	char name[200];
	uint32_t added = 0;

	(void)state;
	memset(name, 'x', sizeof name);
	name[sizeof name - 1] = '\0';
	do
		(void)snprintf(name, 6, "%05u", added);
	while (name[5] = 'x', add("", name, "", 1) != REGION_SITE_UNKNOWN && ++added);
	assert_int_equal(added, (ROOM * REGION_SITE_STRING_BYTES - 1) / sizeof name);
	assert_int_equal(dropped(), 1);
	memcpy(name, "00003", 5);
	assert_int_equal(add("", name, "", 1), 4);
	assert_int_equal(add("", name, "", 2), added + 1);
	uint64_t frames[REGION_STACK_DEPTH_MAX] = {0};
	uint32_t stacks = 0;
	struct region_site_found found = {.frames = frames, .depth = REGION_STACK_DEPTH_MAX};

	do
		frames[5] = stacks;
	while (region_writer_site(writer, &found) != REGION_SITE_UNKNOWN && ++stacks);
	assert_int_equal(stacks,
			 (ROOM * REGION_SITE_STACK_WORDS - 1) / (REGION_STACK_DEPTH_MAX + 1));
	frames[5] = 2;
	found.line = 9;
	assert_int_not_equal(region_writer_site(writer, &found), REGION_SITE_UNKNOWN);
	struct region_sites sites = read_table();

	check(&sites, added + 1, "", name, "", 2);
	assert_true(region_writer_is_valid(writer));
	region_sites_clear(&sites);
}

static void test_modules(void **state)
{
	static const uint8_t build_id[20] = {1, 2, 3};
	char path[32];

	(void)state;
	for (uint32_t i = 0; i < REGION_SITE_MODULES_MAX; i++) {
		(void)snprintf(path, sizeof path, "/lib/%u.so", i);
		assert_int_equal(region_writer_module(writer, text(path), build_id, 20), i);
	}
	assert_int_equal(region_writer_module(writer, text("/lib/7.so"), build_id, 20), 7);
	assert_int_equal(region_writer_module(writer, text("/lib/7.so"), build_id, 19),
			 REGION_MODULE_NONE);
	assert_int_equal(add("op", "", "", 0), 1); /* without a site nobody reads modules */
	struct region_sites sites = read_table();

	assert_int_equal(sites.module_count, REGION_SITE_MODULES_MAX);
	assert_string_equal(region_sites_string(&sites, sites.modules[7].path), "/lib/7.so");
	assert_memory_equal(sites.modules[7].build_id, build_id, sizeof build_id);
	region_sites_clear(&sites);
}

/* As closefrom(3) leaves it: the number is another file's, and the table goes on in a new one. */
static void test_new_file(void **state)
{
	static const uint64_t frames[] = {5, 6};

	(void)state;
	uint32_t matmul = add("ttnn.matmul", "/a.py", "f", 3), stack = add_stack(frames, 2);
	uint64_t inode = writer->table_inode;
	int other = open("/dev/null", O_RDWR | O_CLOEXEC);

	assert_true(other >= 0);
	assert_int_equal(dup2(other, writer->table_fd), writer->table_fd);
	region_writer_tick(writer, UINT64_C(1) << 62);
	assert_int_not_equal(writer->table_inode, inode);
	assert_int_equal(add("ttnn.matmul", "/a.py", "f", 3), matmul);
	uint32_t later = add("ttnn.add", "/a.py", "f", 4);
	struct region_sites sites = read_table();
	const uint64_t *got;

	check(&sites, matmul, "ttnn.matmul", "/a.py", "f", 3);
	check(&sites, later, "ttnn.add", "/a.py", "f", 4);
	assert_int_equal(region_sites_stack(&sites, &sites.sites[stack], &got), 2);
	assert_memory_equal(got, frames, sizeof frames);
	assert_true(region_writer_is_valid(writer));
	region_sites_clear(&sites);
	close(other);
}

/* What was live when something failed is explained later, with its sites. */
static void test_copy(void **state)
{
	(void)state;
	for (uint32_t i = 1; i < 900; i++)
		(void)add("ttnn.matmul", "/a/long/path/of/some/model.py", "forward", i);
	int fd = region_writer_copy(writer, UINT64_C(1) << 40);

	(void)add("ttnn.add", "/a.py", "after", 1);
	struct region_sites sites = read_from(fd);

	assert_int_equal(sites.count, 900);
	check(&sites, 899, "ttnn.matmul", "/a/long/path/of/some/model.py", "forward", 899);
	region_sites_clear(&sites);
	close(fd);
}

/* In a child, as a limit cannot be taken back. Return: its exit code. */
static int in_child(int (*run)(rlim_t), rlim_t bytes)
{
	pid_t pid = fork();
	int status;

	if (pid == 0)
		_exit(run(bytes));
	return waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int limit_file(rlim_t bytes)
{
	return setrlimit(RLIMIT_FSIZE, &(struct rlimit){bytes, bytes});
}

static int small_table(rlim_t bytes)
{
	uint32_t known = 0;

	if (limit_file(bytes) < 0 || create(0, 0) < 0)
		return 10;
	for (uint32_t i = 1; i < 3000; i++)
		known += add("op", "/f.py", "f", i) == i;
	if (known != (writer->sites_max ? writer->sites_max - 1 : 0))
		return 11;
	return region_writer_is_valid(writer) ? (int)(writer->sites_max / REGION_SITES_UNIT) : 12;
}

static int limit_comes_later(rlim_t bytes)
{
	if (create(0, 0) < 0 || add("op", "/f.py", "f", 1) != 1 || limit_file(bytes) < 0)
		return 10;
	for (uint32_t i = 1; i < 3000; i++)
		(void)add("op", "/f.py", "f", i);
	return add("op", "/f.py", "f", 1) == 1 && region_writer_is_valid(writer) ? 0 : 11;
}

/* RLIMIT_FSIZE: room for few sites, or none, and never the signal that would end the program. */
static void test_file_size_limit(void **state)
{
	(void)state;
	assert_int_equal(in_child(small_table, (1 << 20) + (1 << 19)), 0);
	assert_int_equal(in_child(small_table, 2 << 20), 1);
	assert_in_range(in_child(small_table, 16 << 20), 2, 63);
	assert_int_equal(in_child(limit_comes_later, 4096), 0);
}

#define THREADS 4u
#define LINES	500u

static void *add_in_turn(void *argument)
{
	uint32_t *numbers = argument;

	for (uint32_t turn = 0; turn < 4; turn++)
		for (uint32_t i = 0; i < LINES; i++) {
			uint32_t line = (i * 7919 + numbers[0] * 31) % LINES;
			uint32_t number = add("op", "/f.py", "f", line + 1);

			if (turn && numbers[1 + line] != number)
				return argument;
			numbers[1 + line] = number;
		}
	return NULL;
}

/* Threads that meet the same places: each has one number, whoever was first. */
static void test_threads(void **state)
{
	static uint32_t numbers[THREADS][1 + LINES];
	pthread_t threads[THREADS];

	(void)state;
	for (uint32_t i = 0; i < THREADS; i++) {
		numbers[i][0] = i;
		assert_int_equal(pthread_create(&threads[i], NULL, add_in_turn, numbers[i]), 0);
	}
	for (uint32_t i = 0; i < THREADS; i++) {
		void *bad;

		assert_int_equal(pthread_join(threads[i], &bad), 0);
		assert_null(bad);
	}
	struct region_sites sites = read_table();

	assert_int_equal(sites.count, LINES + 1);
	for (uint32_t line = 1; line <= LINES; line++) {
		check(&sites, numbers[0][line], "op", "/f.py", "f", line);
		for (uint32_t i = 1; i < THREADS; i++)
			assert_int_equal(numbers[i][line], numbers[0][line]);
	}
	region_sites_clear(&sites);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_interned, begin, end),
		cmocka_unit_test_setup_teardown(test_long_names, begin, end),
		cmocka_unit_test_setup_teardown(test_a_nul_in_a_name, begin, end),
		cmocka_unit_test_setup_teardown(test_no_more_rows, begin, end),
		cmocka_unit_test_setup_teardown(test_no_more_strings, begin, end),
		cmocka_unit_test_setup_teardown(test_modules, begin, end),
		cmocka_unit_test_setup_teardown(test_new_file, begin, end),
		cmocka_unit_test_setup_teardown(test_copy, begin, end),
		cmocka_unit_test_setup_teardown(test_threads, begin, end),
		cmocka_unit_test(test_file_size_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
