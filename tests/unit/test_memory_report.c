/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What tests/metal/test_dump.py cannot have: releases that do not run on a mock cluster, banks
 * that are full, buffers that are no cut in time, figures that are not known. And the blocks of
 * a bank against a byte map too simple to be wrong.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "analyse/blocks.h"
#include "view/memory_report.h"

#define HEADINGS                                                                                   \
	"Block table:\n       Block      Address         Size       PrevID       NextID    Allocated \n"

/* An allocator of 2 DRAM banks of 5000 bytes at 100 and 4 L1 banks of 2048 bytes at 0. */
static void build(struct snapshot *snapshot)
{
	static const struct {
		uint64_t banks, bytes, base;
	} banks[] = {{2, 5000, 100}, {4, 2048, 0}, {0, 0, 2048}, {2, 0, 5100}};
	uint32_t process, allocator;

	snapshot_init(snapshot);
	assert_int_equal(snapshot_add_process(snapshot, &process), 0);
	assert_int_equal(snapshot_add_allocator(snapshot, &allocator), 0);
	for (int type = 0; type < MEMORY_TYPES; type++) {
		struct memory *memory = &snapshot->allocators[0].memory[type];

		memory->banks = fact_of(banks[type].banks);
		memory->bank_size_bytes = fact_of(banks[type].bytes);
		memory->buffers = fact_of(0);
		snapshot->allocators[0].base_address[type] = banks[type].base;
	}
}

static void hold(struct snapshot *snapshot, enum memory_type type, uint64_t address, uint64_t bytes)
{
	uint32_t index;

	assert_int_equal(snapshot_add_buffer(snapshot, &index), 0);
	snapshot->buffers[index] = (struct buffer){
		.address = address, .bank_bytes = bytes, .type = (uint8_t)type};
}

static int report(const struct snapshot *snapshot, const char *version, struct memory_report *ret)
{
	return memory_report_write(snapshot, 0, snapshot, 0, version, ret);
}

/* Two columns said KB until 0.62, over bytes; L1_SMALL came with 0.63. */
static void test_labels_follow_the_release(void **unused)
{
	static const struct {
		const char *version, *summary;
	} cases[] = {
		{"0.60.1", ", Total Allocatable Size (B), Total Allocated (B), Total Free (KB), "
			   "Largest Free Block (KB)\n,5000,0,5000,5000\n,2048,0,2048,2048\n"},
		{"0.62.2", ", Total Allocatable Size (B), Total Allocated (B), Total Free (KB), "
			   "Largest Free Block (KB)\n,5000,0,5000,5000\n,2048,0,2048,2048\n"},
		{"0.63.0", ", Total Allocatable Size (B), Total Allocated (B), Total Free (B), "
			   "Largest Free Block (B)\n,5000,0,5000,5000\n,2048,0,2048,2048\n,0,0,0,0\n"},
		{"1.0.0", ", Total Allocatable Size (B), Total Allocated (B), Total Free (B), "
			  "Largest Free Block (B)\n,5000,0,5000,5000\n,2048,0,2048,2048\n,0,0,0,0\n"},
		{"", ", Total Allocatable Size (B), Total Allocated (B), Total Free (B), "
		     "Largest Free Block (B)\n,5000,0,5000,5000\n,2048,0,2048,2048\n,0,0,0,0\n"},
	};
	struct memory_report files;
	struct snapshot snapshot;

	(void)unused;
	build(&snapshot);
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		assert_int_equal(report(&snapshot, cases[i].version, &files), 0);
		assert_string_equal(files.files[MEMORY_REPORT_SUMMARY].bytes, cases[i].summary);
		assert_int_equal(strstr(files.files[MEMORY_REPORT_DETAILED].bytes, ",L1_SMALL\n")
					 != NULL, i >= 2);
		memory_report_clear(&files);
	}
	snapshot_clear(&snapshot);
}

/* Every figure of a small bank, by hand. Buffers of another allocator and of TRACE do not count. */
static void test_figures(void **unused)
{
	struct memory_report files;
	struct snapshot snapshot;

	(void)unused;
	build(&snapshot);
	hold(&snapshot, MEMORY_DRAM, 2100, 1000);
	hold(&snapshot, MEMORY_DRAM, 100, 500);
	hold(&snapshot, MEMORY_L1, 0, 2048);
	hold(&snapshot, MEMORY_TRACE, 100, 500);
	hold(&snapshot, MEMORY_DRAM, 100, 600);
	snapshot.buffers[4].allocator = 1;
	assert_int_equal(report(&snapshot, "0.81.1", &files), 0);
	assert_non_null(strstr(files.files[MEMORY_REPORT_SUMMARY].bytes,
			       "\n,5000,1500,3500,2000\n,2048,2048,0,0\n,0,0,0,0\n"));
	assert_string_equal(files.files[MEMORY_REPORT_L1].bytes,
			    "This report indicates available space for interleaving L1 buffers\n"
			    ", Largest Contiguous Free Block (B), Total Free L1 Space (B)\n,0,0\n");
	assert_string_equal(
		files.files[MEMORY_REPORT_DETAILED].bytes,
		",DRAM\n,Total allocatable (B):,10000\n,Total allocated (B):,3000\n"
		",Total free (B):,7000\nFreeListOpt allocator info:\nsegregated free blocks by size:\n"
		"  Size class 0: (1024 - 2048) blocks: 1 3 \n  Size class 1: (2048 - 4096) blocks: \n"
		"  Size class 2: (4096 - inf) blocks: \nFree slots in block table: \n" HEADINGS
		"           0            0          500         none            1          yes\n"
		"           1          500         1500            0            2           no\n"
		"           2         2000         1000            1            3          yes\n"
		"           3         3000         2000            2         none           no\n"
		",L1\n,Total allocatable (B):,8192\n,Total allocated (B):,8192\n,Total free (B):,0\n"
		"FreeListOpt allocator info:\nsegregated free blocks by size:\n"
		"  Size class 0: (1024 - 2048) blocks: \n  Size class 1: (2048 - inf) blocks: \n"
		"Free slots in block table: \n" HEADINGS
		"           0            0         2048         none         none          yes\n"
		",L1_SMALL\n,Total allocatable (B):,0\n,Total allocated (B):,0\n,Total free (B):,0\n"
		"FreeListOpt allocator info:\nsegregated free blocks by size:\n"
		"  Size class 0: (1024 - 2048) blocks: 0 \n  Size class 1: (2048 - inf) blocks: \n"
		"Free slots in block table: \n" HEADINGS
		"           0            0            0         none         none           no\n");
	memory_report_clear(&files);
	snapshot_clear(&snapshot);
}

static void test_no_buffers_listed(void **unused)
{
	struct memory_report files;
	struct snapshot snapshot;

	(void)unused;
	build(&snapshot);
	hold(&snapshot, MEMORY_DRAM, 100, 500);
	assert_int_equal(memory_report_write(&snapshot, 0, &snapshot, SNAPSHOT_NONE, "", &files), 0);
	assert_non_null(strstr(files.files[MEMORY_REPORT_SUMMARY].bytes, "\n,5000,0,5000,5000\n"));
	memory_report_clear(&files);
	snapshot_clear(&snapshot);
}

/* A table is bytes from a stranger, and a list may be no cut in time: no figures from that. */
static void test_impossible_buffers(void **unused)
{
	static const struct {
		uint64_t address, bytes;
	} impossible[] = {
		{599, 10},	     /* in another's */
		{99, 10},	     /* before the bank */
		{5000, 101},	     /* behind it */
		{UINT64_MAX, 2},     /* around */
		{700, UINT64_MAX},
	};
	struct memory_report files;

	(void)unused;
	for (size_t i = 0; i < sizeof impossible / sizeof impossible[0]; i++) {
		struct snapshot snapshot;

		build(&snapshot);
		hold(&snapshot, MEMORY_DRAM, 100, 500);
		hold(&snapshot, MEMORY_DRAM, impossible[i].address, impossible[i].bytes);
		assert_int_equal(report(&snapshot, "0.81.1", &files), -ERANGE);
		snapshot_clear(&snapshot);
	}
}

static void test_unknown_figures(void **unused)
{
	struct memory_report files;

	(void)unused;
	for (int which = 0; which < 5; which++) {
		struct snapshot snapshot;

		build(&snapshot);
		struct memory *l1 = &snapshot.allocators[0].memory[MEMORY_L1];

		if (which == 0)
			l1->banks = fact_absent(REASON_NOT_EXPORTED);
		else if (which == 1)
			l1->bank_size_bytes = fact_absent(REASON_NOT_EXPORTED);
		else if (which == 2)
			l1->buffers = fact_absent(REASON_FIELDS);
		else if (which == 3)
			snapshot.allocators[0].base_address[MEMORY_L1] = UINT64_MAX;
		else
			l1->banks = fact_of(UINT64_MAX);
		assert_int_equal(report(&snapshot, "0.81.1", &files), -ENODATA);
		snapshot_clear(&snapshot);
	}
}

static uint64_t state = 1;

static uint32_t below(uint32_t n)
{
	state = state * UINT64_C(6364136223846793005) + 1442695040888963407;
	return (uint32_t)((state >> 33) % n);
}

#define SPACE 512u

/* Ranges that do not overlap, in disorder: the map says for each byte whether it is allocated. */
static size_t random_bank(uint8_t map[SPACE], struct range ranges[SPACE])
{
	size_t count = 0;

	memset(map, 0, SPACE);
	for (uint32_t at = below(20); at < SPACE; at += below(20)) {
		uint32_t length = 1 + below(30);

		if (at + length > SPACE)
			break;
		memset(map + at, 1, length);
		ranges[count++] = (struct range){1000 + at, 1000 + at + length};
		at += length;
	}
	for (size_t i = count; i > 1; i--) {
		size_t j = below((uint32_t)i);
		struct range swap = ranges[i - 1];

		ranges[i - 1] = ranges[j];
		ranges[j] = swap;
	}
	return count;
}

static void test_blocks_fill_the_bank(void **unused)
{
	(void)unused;
	for (int round = 0; round < 5000; round++) {
		uint8_t map[SPACE];
		struct range ranges[SPACE];
		struct block *blocks;
		size_t ranges_count = random_bank(map, ranges), count, allocated = 0, i;
		uint64_t at = 1000, bytes = 0, run = 0, largest = 0;

		assert_int_equal(blocks_of_bank(ranges, ranges_count, 1000, 1000 + SPACE, &blocks,
						&count), 0);
		for (i = 0; i < count; i++) {
			assert_int_equal(blocks[i].start, at);
			/* free neighbours are one block */
			assert_true(i == 0 || blocks[i].allocated || blocks[i - 1].allocated);
			for (uint64_t b = 0; b < blocks[i].size_bytes; b++)
				assert_int_equal(map[at - 1000 + b], blocks[i].allocated);
			at += blocks[i].size_bytes;
			allocated += blocks[i].allocated;
		}
		assert_int_equal(at, 1000 + SPACE);
		assert_int_equal(allocated, ranges_count);
		for (i = 0; i < SPACE; i++) {
			bytes += map[i];
			run = map[i] ? 0 : run + 1;
			largest = run > largest ? run : largest;
		}
		assert_int_equal(blocks_allocated(blocks, count), bytes);
		assert_int_equal(blocks_largest_free(blocks, count), largest);
		free(blocks);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_labels_follow_the_release),
		cmocka_unit_test(test_figures),
		cmocka_unit_test(test_no_buffers_listed),
		cmocka_unit_test(test_impossible_buffers),
		cmocka_unit_test(test_unknown_figures),
		cmocka_unit_test(test_blocks_fill_the_bank),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
