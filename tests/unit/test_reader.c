/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tables that lie. Reason: a table comes from another process, and whoever
 * reads it must neither crash nor use more memory than the limits, whatever it
 * says. Each test makes one honest table and spoils one thing.
 */
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "region/memfd.h"
#include "region/reader.h"
#include "region/writer.h"

#define SLOTS 4096u
#define BUFFERS 100u

/* A file with the bytes of an honest table, not sealed yet. */
struct forged {
	int fd;
	uint8_t *bytes;
	uint64_t size;
};

static void copy_honest(struct forged *f)
{
	struct region_identity identity = {.entry = "test", .slots_max = SLOTS};
	struct region_writer *writer = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
					    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct region_allocator row = {.object = 1, .device = 2, .chip_count = 1};
	uint32_t at;

	assert_int_equal(region_writer_create(writer, &identity), 0);
	assert_int_equal(region_writer_allocator_add(writer, &row, 1, &at), 0);
	for (uint32_t i = 0; i < BUFFERS; i++) {
		struct region_buffer b = {.object = 4096 + 8 * i,
					  .allocator = 1,
					  .device = 2,
					  .address = 64 * i,
					  .requested_bytes = 64,
					  .bank_bytes = 64};

		assert_int_equal(region_writer_alloc(writer, &b), 0);
	}
	f->size = REGION_FILE_BYTES(SLOTS);
	f->fd = (int)memfd_create("forged", MFD_ALLOW_SEALING | MFD_CLOEXEC);
	assert_true(f->fd >= 0);
	assert_int_equal(ftruncate(f->fd, (off_t)f->size), 0);
	f->bytes = mmap(NULL, f->size, PROT_READ | PROT_WRITE, MAP_SHARED, f->fd, 0);
	memcpy(f->bytes, writer->table, 0x4000);
	memcpy(f->bytes + REGION_TOTALS_OFFSET, writer->table + REGION_TOTALS_OFFSET, 4096);
	memcpy(f->bytes + REGION_ALLOCATORS_OFFSET, writer->table + REGION_ALLOCATORS_OFFSET, 4096);
	memcpy(f->bytes + REGION_SLOTS_OFFSET, writer->table + REGION_SLOTS_OFFSET, 65536);
	region_writer_destroy(writer);
	munmap(writer, 4096);
}

static struct region_head *head(struct forged *f)
{
	return (struct region_head *)(void *)f->bytes;
}

static struct region_slot *slot(struct forged *f, uint32_t i)
{
	return (struct region_slot *)(void *)(f->bytes + REGION_SLOTS_OFFSET) + i;
}

/* Seals and opens it; the result of region_map_open. */
static int open_sealed(struct forged *f, struct region_map *map)
{
	assert_int_equal(fcntl(f->fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW), 0);
	return region_map_open(f->fd, map);
}

static void drop(struct forged *f)
{
	munmap(f->bytes, f->size);
	close(f->fd);
}

static uint64_t allocated(int fd)
{
	struct stat st;

	assert_int_equal(fstat(fd, &st), 0);
	return (uint64_t)st.st_blocks * 512;
}

/* Reads all there is; slots and rows read. */
static void read_all(struct forged *f, uint32_t *ret_slots, uint32_t *ret_rows)
{
	struct region_map map;
	struct region_image image;
	struct region_slots slots;

	assert_int_equal(open_sealed(f, &map), 0);
	uint64_t before = allocated(f->fd);

	assert_int_equal(region_read_image(&map, &image), 0);
	assert_int_equal(region_read_slots(&map, UINT32_MAX, &slots), 0);
	*ret_slots = slots.count;
	*ret_rows = image.row_count;
	/* touching a hole would have allocated it */
	assert_int_equal(allocated(f->fd), before);
	region_slots_clear(&slots);
	region_image_clear(&image);
	region_map_close(&map);
	drop(f);
}

static void test_honest(void **state)
{
	struct forged f;
	uint32_t slots, rows;

	(void)state;
	copy_honest(&f);
	read_all(&f, &slots, &rows);
	assert_int_equal(slots, BUFFERS);
	assert_int_equal(rows, 1);
}

/* Refused as a whole, each for its own reason. */
static void refused(void (*spoil)(struct forged *), enum region_refusal want)
{
	struct forged f;
	struct region_map map;

	copy_honest(&f);
	spoil(&f);
	assert_int_equal(open_sealed(&f, &map), want);
	drop(&f);
}

static void no_magic(struct forged *f)
{
	head(f)->magic++;
}

static void newer(struct forged *f)
{
	head(f)->version = 2;
}

static void wrong_size(struct forged *f)
{
	head(f)->file_bytes += 4096;
}

static void small_head(struct forged *f)
{
	head(f)->head_bytes = 64;
}

static void part_past_end(struct forged *f)
{
	head(f)->parts[REGION_PART_SLOTS].count = UINT32_MAX;
}

static void part_offset_wraps(struct forged *f)
{
	head(f)->parts[REGION_PART_TOTALS].offset = UINT64_MAX - 63;
}

static void rows_too_small(struct forged *f)
{
	head(f)->parts[REGION_PART_ALLOCATORS].element_bytes = 64;
}

static void rows_not_aligned(struct forged *f)
{
	head(f)->parts[REGION_PART_SLOTS].element_bytes = 67;
}

static void test_refusals(void **state)
{
	(void)state;
	refused(no_magic, REGION_BAD_MAGIC);
	refused(newer, REGION_BAD_VERSION);
	refused(wrong_size, REGION_BAD_SIZE);
	refused(small_head, REGION_BAD_SIZE);
	refused(part_past_end, REGION_BAD_PARTS);
	refused(part_offset_wraps, REGION_BAD_PARTS);
	refused(rows_too_small, REGION_BAD_PARTS);
	refused(rows_not_aligned, REGION_BAD_PARTS);
}

static void test_files_that_are_no_table(void **state)
{
	struct forged f;
	struct region_map map;
	int fd;

	(void)state;
	copy_honest(&f);
	assert_int_equal(region_map_open(f.fd, &map), REGION_NOT_SEALED);
	drop(&f);

	fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	assert_int_equal(region_map_open(fd, &map), REGION_NOT_TMPFS);
	close(fd);

	fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	assert_true(region_map_open(fd, &map) > 0);
	close(fd);

	/* a sealed file of the right kind that is far too small, and one that is only holes */
	fd = memfd_create_sealed("small", 100, 0400);
	assert_int_equal(region_map_open(fd, &map), REGION_BAD_SIZE);
	close(fd);
	fd = memfd_create_sealed("holes", REGION_FILE_BYTES(SLOTS), 0400);
	assert_int_equal(region_map_open(fd, &map), REGION_BAD_MAGIC);
	assert_int_equal(allocated(fd), 0);
	close(fd);
	fd = memfd_create_sealed("large", REGION_FILE_BYTES_MAX + 4096, 0400);
	assert_int_equal(region_map_open(fd, &map), REGION_BAD_SIZE);
	close(fd);
#ifdef MFD_HUGETLB
	fd = (int)memfd_create("huge", MFD_HUGETLB | MFD_ALLOW_SEALING | MFD_CLOEXEC);
	if (fd >= 0) {
		assert_int_equal(region_map_open(fd, &map), REGION_NOT_TMPFS);
		close(fd);
	}
#endif
}

static void test_high_water_past_the_end(void **state)
{
	struct forged f;
	uint32_t slots, rows;

	(void)state;
	copy_honest(&f);
	head(&f)->slots_high_water = UINT32_MAX;
	head(&f)->allocators_used = UINT64_MAX;
	head(&f)->failures_count = UINT64_MAX;
	read_all(&f, &slots, &rows);
	assert_int_equal(slots, BUFFERS);
	assert_int_equal(rows, 1);
}

/* A writer that died in the middle of a row, or says so for ever. */
static void test_odd_for_ever(void **state)
{
	struct forged f;
	struct region_map map;
	struct region_image image;
	struct region_slots slots;

	(void)state;
	copy_honest(&f);
	head(&f)->seq |= 1;
	slot(&f, 3)->seq |= 1;
	((struct region_allocator *)(void *)(f.bytes + REGION_ALLOCATORS_OFFSET))->seq |= 1;
	assert_int_equal(open_sealed(&f, &map), 0);
	assert_int_equal(region_read_image(&map, &image), 0);
	assert_int_equal(image.torn, 1);
	assert_int_equal(image.row_count, 1);
	assert_false(image.rows[0].torn[0]);
	assert_int_equal(image.rows[0].totals[0].allocs, BUFFERS);
	assert_int_equal(region_read_slots(&map, UINT32_MAX, &slots), 0);
	assert_int_equal(slots.count, BUFFERS - 1);
	assert_int_equal(slots.torn, 1);
	assert_false(slots.consistent);
	region_slots_clear(&slots);
	region_image_clear(&image);
	region_map_close(&map);
	drop(&f);
}

static struct region_totals *dram_totals(struct forged *f)
{
	return (struct region_totals *)(void *)(f->bytes + REGION_TOTALS_OFFSET);
}

/* A process that was stopped in the middle of its totals: what is there, and a word that says so. */
static void test_stopped_in_its_totals(void **state)
{
	struct forged f;
	struct region_map map;
	struct region_image image;

	(void)state;
	copy_honest(&f);
	dram_totals(&f)->seq |= 1;
	assert_int_equal(open_sealed(&f, &map), 0);
	assert_int_equal(region_read_image(&map, &image), 0);
	assert_int_equal(image.torn, 1);
	assert_int_equal(image.row_count, 1);
	assert_true(image.rows[0].torn[0]);
	assert_false(image.rows[0].torn[1]);
	assert_int_equal(image.rows[0].totals[0].allocs, BUFFERS);
	assert_int_equal(image.rows[0].totals[0].bank_bytes, BUFFERS * 64);
	region_image_clear(&image);
	region_map_close(&map);
	drop(&f);
}

/* Gets its processor back after longer than a look takes, and finishes the event. */
static void *finish_later(void *argument)
{
	struct region_totals *totals = argument;
	const struct timespec pause = {.tv_nsec = 500000};

	(void)nanosleep(&pause, NULL);
	__atomic_store_n(&totals->allocs, BUFFERS + 1, __ATOMIC_RELEASE);
	__atomic_store_n(&totals->seq, totals->seq + 1, __ATOMIC_RELEASE);
	return NULL;
}

/* A writer without a processor is waited for: a table of a busy machine is whole. */
static void test_waits_for_a_writer(void **state)
{
	struct forged f;
	struct region_map map;
	struct region_image image;
	pthread_t thread;

	(void)state;
	copy_honest(&f);
	dram_totals(&f)->seq |= 1;
	assert_int_equal(open_sealed(&f, &map), 0);
	do { /* a machine so busy that the other one comes late says nothing about us */
		dram_totals(&f)->seq |= 1;
		assert_int_equal(pthread_create(&thread, NULL, finish_later, dram_totals(&f)), 0);
		assert_int_equal(region_read_image(&map, &image), 0);
		assert_int_equal(pthread_join(thread, NULL), 0);
		if (image.torn)
			region_image_clear(&image);
	} while (image.torn);
	assert_false(image.rows[0].torn[0]);
	assert_int_equal(image.rows[0].totals[0].allocs, BUFFERS + 1);
	region_image_clear(&image);
	region_map_close(&map);
	drop(&f);
}

/* A slot born after the scan began is left out. */
static void test_from_the_future(void **state)
{
	struct forged f;
	uint32_t slots, rows;

	(void)state;
	copy_honest(&f);
	slot(&f, 5)->seq = head(&f)->seq + 2;
	read_all(&f, &slots, &rows);
	assert_int_equal(slots, BUFFERS - 1);
}

static void test_strings_without_end(void **state)
{
	struct forged f;
	struct region_map map;
	struct region_image image;

	(void)state;
	copy_honest(&f);
	memset(head(&f)->command, 'x', sizeof head(&f)->command);
	memset(head(&f)->metal_version, 'y', sizeof head(&f)->metal_version);
	memset(head(&f)->entry, 'z', sizeof head(&f)->entry);
	memset(f.bytes + REGION_CAPABILITIES_OFFSET, 'c', 4096);
	head(&f)->build_id_bytes = 9999;
	assert_int_equal(open_sealed(&f, &map), 0);
	assert_int_equal(region_read_image(&map, &image), 0);
	assert_int_equal(strlen(image.head.metal_version), sizeof image.head.metal_version - 1);
	assert_int_equal(strlen(image.head.entry), sizeof image.head.entry - 1);
	assert_int_equal(image.head.build_id_bytes, 0);
	for (uint32_t i = 0; i < image.capability_count; i++) {
		assert_int_equal(strlen(image.capabilities[i].name), 23);
		assert_int_equal(strlen(image.capabilities[i].detail), 95);
	}
	region_image_clear(&image);
	region_map_close(&map);
	drop(&f);
}

/* More chips than a row has room for. */
static void test_too_many_chips(void **state)
{
	struct forged f;
	struct region_map map;
	struct region_image image;

	(void)state;
	copy_honest(&f);
	((struct region_allocator *)(void *)(f.bytes + REGION_ALLOCATORS_OFFSET))->chip_count =
		UINT32_MAX;
	assert_int_equal(open_sealed(&f, &map), 0);
	assert_int_equal(region_read_image(&map, &image), 0);
	assert_int_equal(image.rows[0].allocator.chip_count, REGION_CHIPS_MAX);
	region_image_clear(&image);
	region_map_close(&map);
	drop(&f);
}

/* A newer writer with longer rows: what we know is still read. */
static void test_longer_rows(void **state)
{
	struct forged f;
	uint32_t slots, rows;

	(void)state;
	copy_honest(&f);
	struct region_slot first = *slot(&f, 0), second = *slot(&f, 1);

	memset(f.bytes + REGION_SLOTS_OFFSET, 0, 65536);
	memcpy(f.bytes + REGION_SLOTS_OFFSET, &first, sizeof first);
	memcpy(f.bytes + REGION_SLOTS_OFFSET + 96, &second, sizeof second);
	head(&f)->parts[REGION_PART_SLOTS].element_bytes = 96;
	head(&f)->parts[REGION_PART_SLOTS].count = SLOTS / 2;
	read_all(&f, &slots, &rows);
	assert_int_equal(slots, 2);
}

/* A part that is not there: its element size is not checked, and must not be divided by. */
static void test_no_slots(void **state)
{
	struct forged f;
	uint32_t slots, rows;

	(void)state;
	copy_honest(&f);
	head(&f)->parts[REGION_PART_SLOTS] = (struct region_part){0};
	read_all(&f, &slots, &rows);
	assert_int_equal(slots, 0);
	assert_int_equal(rows, 1);
}

/*
 * Reason: a process that was started with an older hook goes on writing rows of failures that end
 * before the fields of programs; they are failed allocations, and nothing behind them is read.
 */
static void test_older_failures(void **state)
{
	const uint32_t bytes = offsetof(struct region_failure, program_id);
	struct region_map map;
	struct region_image image;
	struct forged f;

	(void)state;
	copy_honest(&f);
	head(&f)->parts[REGION_PART_FAILURES].element_bytes = bytes;
	head(&f)->failures_count = 2;
	for (uint64_t i = 0; i < 2; i++) {
		const struct region_failure failure = {
			.seq = 2 * (i + 1), .requested_bytes = 1000 + i, .type = 1};

		memcpy(f.bytes + REGION_FAILURES_OFFSET + i * bytes, &failure, bytes);
	}
	assert_int_equal(open_sealed(&f, &map), 0);
	assert_int_equal(region_read_image(&map, &image), 0);
	assert_int_equal(image.failure_count, 2);
	for (uint32_t i = 0; i < 2; i++) {
		assert_int_equal(image.failures[i].requested_bytes, 1001 - i);
		assert_int_equal(image.failures[i].kind, REGION_FAILURE_ALLOCATION);
		assert_int_equal(image.failures[i].program_id, 0);
		assert_int_equal(image.failures[i].limit_bytes, 0);
	}
	region_image_clear(&image);
	region_map_close(&map);
	drop(&f);

	copy_honest(&f);
	head(&f)->parts[REGION_PART_FAILURES].element_bytes = bytes - 8;
	assert_int_equal(open_sealed(&f, &map), REGION_BAD_PARTS);
	drop(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_honest),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_files_that_are_no_table),
		cmocka_unit_test(test_high_water_past_the_end),
		cmocka_unit_test(test_odd_for_ever),
		cmocka_unit_test(test_stopped_in_its_totals),
		cmocka_unit_test(test_waits_for_a_writer),
		cmocka_unit_test(test_from_the_future),
		cmocka_unit_test(test_strings_without_end),
		cmocka_unit_test(test_too_many_chips),
		cmocka_unit_test(test_longer_rows),
		cmocka_unit_test(test_no_slots),
		cmocka_unit_test(test_older_failures),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
