/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The copy of a table that a failed allocation leaves. Reason: it has room for
 * a quarter of the largest table, and what filled the memory must be in it,
 * wherever in the table it lies.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "region/reader.h"
#include "region/writer.h"

#define ROOM	(REGION_COPY_BYTES_MAX / (uint32_t)sizeof(struct region_slot))
#define TOO_MANY (ROOM + 40000u)

static struct region_writer *writer;
static uint64_t now_ns;
static uint64_t sizes[REGION_SLOTS_MAX]; /* by number of the buffer; 0: not live */

static int begin(void **state)
{
	struct region_identity identity = {.entry = "test"};
	struct region_allocator row = {.object = 1, .device = 2, .chip_count = 1};
	uint32_t at;

	(void)state;
	memset(sizes, 0, sizeof sizes);
	writer = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return region_writer_create(writer, &identity) < 0 ||
	       region_writer_allocator_add(writer, &row, 1, &at) < 0;
}

static int end(void **state)
{
	(void)state;
	region_writer_destroy(writer);
	return munmap(writer, 4096);
}

/* The number of a buffer is in its object and its address. */
static void live(uint32_t number, uint64_t bytes)
{
	struct region_buffer b = {.object = 4096 + 16 * (uint64_t)number,
				  .allocator = 1,
				  .device = 2,
				  .address = number,
				  .requested_bytes = bytes,
				  .bank_bytes = 32};

	if (region_writer_alloc(writer, &b) != 0)
		fail();
	sizes[number] = bytes;
}

static void dead(uint32_t number)
{
	if (!region_writer_free(writer, 4096 + 16 * (uint64_t)number))
		fail();
	sizes[number] = 0;
}

struct copied {
	uint64_t smallest;	 /* of those that are in it */
	uint64_t largest_absent; /* 0: none is absent */
	uint32_t count;
	struct region_head head;
};

/* Makes a copy and holds it against what is live: every row of it whole, and none twice. */
static struct copied copy(void)
{
	static bool found[REGION_SLOTS_MAX];
	struct copied copied = {.smallest = UINT64_MAX};
	struct region_map map;
	struct region_slots slots;
	struct region_image image;
	struct stat st;
	int fd = region_writer_copy(writer, now_ns += UINT64_C(2000000000));

	assert_true(fd >= 0);
	assert_int_equal(region_writer_copy(writer, now_ns + 1), -EAGAIN);
	assert_int_equal(fstat(fd, &st), 0);
	assert_true((uint64_t)st.st_blocks * 512 <= REGION_COPY_BYTES_MAX + REGION_SLOTS_OFFSET);
	assert_int_equal(region_map_open(fd, &map), 0);
	assert_int_equal(region_read_image(&map, &image), 0);
	assert_int_equal(region_read_slots(&map, UINT32_MAX, &slots), 0);
	memset(found, 0, sizeof found);
	for (uint32_t i = 0; i < slots.count; i++) {
		const struct region_slot *s = &slots.slots[i];

		/* no assert_ for each: they are slow, and there are a million */
		if (s->address >= REGION_SLOTS_MAX || found[s->address] ||
		    s->requested_bytes != sizes[s->address])
			fail_msg("slot %u is not what is live", i);
		found[s->address] = true;
		if (s->requested_bytes < copied.smallest)
			copied.smallest = s->requested_bytes;
	}
	for (uint32_t i = 0; i < REGION_SLOTS_MAX; i++)
		if (!found[i] && sizes[i] > copied.largest_absent)
			copied.largest_absent = sizes[i];
	copied.count = slots.count;
	copied.head = image.head;
	assert_int_equal(image.head.slots_live, slots.count);
	region_slots_clear(&slots);
	region_image_clear(&image);
	region_map_close(&map);
	close(fd);
	return copied;
}

static void check_whole(uint32_t count)
{
	struct copied copied = copy();

	assert_int_equal(copied.count, count);
	assert_int_equal(copied.largest_absent, 0);
	assert_int_equal(copied.head.left_out, 0);
}

static void test_all_fit(void **state)
{
	(void)state;
	check_whole(0);
	for (uint32_t i = 0; i < 5000; i++)
		live(i, 1 + i);
	check_whole(5000);
	for (uint32_t i = 5000; i < ROOM; i++)
		live(i, 1 + i);
	check_whole(ROOM);
}

/* All sizes there are, the largest at the end, where the first so many slots do not reach. */
static void test_largest_first(void **state)
{
	struct copied copied;

	(void)state;
	for (uint32_t i = 0; i < TOO_MANY; i++)
		live(i, i < TOO_MANY - 64 ? 1 + i * UINT64_C(7919) % 100003
					  : UINT64_C(1) << (i - (TOO_MANY - 64)));
	copied = copy();
	assert_int_equal(copied.count, ROOM);
	assert_int_equal(copied.head.left_out, TOO_MANY - ROOM);
	/* within the class that is cut the order is that of slots: an eighth at most */
	assert_true(copied.largest_absent <= copied.smallest + copied.smallest / 8);
	assert_true(copied.smallest > 1);
	/* the table itself says nothing of the kind */
	assert_int_equal(((struct region_head *)(void *)writer->table)->left_out, 0);
	assert_true(region_writer_is_valid(writer));
}

/* Buffers of one size: as many as there is room for, not none and not too many. */
static void test_equal_sizes(void **state)
{
	struct copied copied;

	(void)state;
	for (uint32_t i = 0; i < TOO_MANY; i++)
		live(i, i < 10 ? UINT64_MAX >> 1 : 32);
	copied = copy();
	assert_int_equal(copied.count, ROOM);
	assert_int_equal(copied.head.left_out, TOO_MANY - ROOM);
	assert_int_equal(copied.largest_absent, 32);
}

/* Few buffers in many blocks: what counts is the buffers, wherever they lie. */
static void test_thin_table(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < TOO_MANY * 2; i++)
		live(i, 1 + i % 1000);
	for (uint32_t i = 0; i < TOO_MANY * 2; i++)
		if (i % 3)
			dead(i);
	check_whole((TOO_MANY * 2 + 2) / 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_all_fit, begin, end),
		cmocka_unit_test_setup_teardown(test_largest_first, begin, end),
		cmocka_unit_test_setup_teardown(test_equal_sizes, begin, end),
		cmocka_unit_test_setup_teardown(test_thin_table, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
