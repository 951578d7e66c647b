/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Boards and unique ids against numbers that machines have shown. A wrong id
 * would put a process's memory on somebody else's card.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "metal/boards.h"

#define WORMHOLE  2
#define BLACKHOLE 3

/* 0: no, 1: the card's own chip, 2: the one behind it */
static int can_be(uint32_t arch, uint64_t serial, uint64_t asic_id, uint64_t unique_id)
{
	struct unique_id ids[UNIQUE_IDS_MAX];
	size_t count = unique_ids_of(arch, serial, asic_id, ids);
	int found = 0;

	assert_in_range(count, 0, UNIQUE_IDS_MAX);
	for (size_t i = 0; i < count; i++) {
		for (size_t j = i + 1; j < count; j++)
			assert_int_not_equal(ids[i].value, ids[j].value);
		if (ids[i].value == unique_id)
			found = ids[i].remote ? 2 : 1;
	}
	return found;
}

static void test_wormhole(void **state)
{
	const uint64_t n300 = 0x010001451170c0c4, n150 = 0x010001861180b479;

	(void)state;
	assert_int_equal(can_be(WORMHOLE, n300, 0, UINT64_C(9956278468)), 1);
	assert_int_equal(can_be(WORMHOLE, n300, 0, UINT64_C(14251245764)), 2);
	assert_int_equal(can_be(WORMHOLE, 0x010001461190302b, 0, UINT64_C(10226774059)), 1);
	/* alone, it is the serial number itself */
	assert_int_equal(can_be(WORMHOLE, n150, 0, UINT64_C(72059269368820857)), 1);
	assert_int_equal(can_be(WORMHOLE, n150, 0, UINT64_C(9956278468)), 0);
	/* a Galaxy's chips are called by their fuses */
	assert_int_equal(can_be(WORMHOLE, n150, 0x0335313930303043, 0x0335313930303043), 1);
}

static void test_blackhole(void **state)
{
	const uint64_t p150 = 0x4123191110e, p300 = 0x4513190f004, fuses = 0xf0e19f4663593603;

	(void)state;
	assert_int_equal(can_be(BLACKHOLE, p150, fuses, UINT64_C(143238000419264)), 1);
	assert_int_equal(can_be(BLACKHOLE, p150, fuses, fuses), 1);
	assert_int_equal(can_be(BLACKHOLE, p150, fuses, p150), 1);
	assert_int_equal(can_be(BLACKHOLE, p300, 0, UINT64_C(9493540888584)), 1);
	assert_int_equal(can_be(BLACKHOLE, p300, 0, UINT64_C(9493540888585)), 1);
	/* the next board's, and a Wormhole's way of counting */
	assert_int_equal(can_be(BLACKHOLE, p150, fuses, (p150 + 1) << 5), 0);
	assert_int_equal(can_be(BLACKHOLE, p150, fuses, UINT64_C(2) << 32 | 0x191110e), 0);
}

/* Nothing follows from numbers that are not there: two such cards would share them. */
static void test_nothing_known(void **state)
{
	struct unique_id ids[UNIQUE_IDS_MAX];

	(void)state;
	for (uint32_t arch = 0; arch < 5; arch++) {
		assert_int_equal(unique_ids_of(arch, 0, 0, ids), 0);
		assert_int_equal(unique_ids_of(arch, 0, 7, ids), 1);
		/* a serial number that is also the chip's is one id */
		assert_int_equal(can_be(arch, 7, 7, 7), 1);
	}
}

static void test_boards(void **state)
{
	static const struct {
		uint64_t serial;
		const char *name;
		uint32_t arch, chips, banks;
	} known[] = {
		{0x010001451170c0c4, "n300", WORMHOLE, 2, 12},
		{0x010001861180b479, "n150", WORMHOLE, 1, 12},
		{0x0100035511a00000, "galaxy-wormhole", WORMHOLE, 1, 12},
		{0x4023191110a, "p150a", BLACKHOLE, 1, 8},
		{0x4123191110e, "p150b", BLACKHOLE, 1, 8},
		{0x4310000a001, "p100a", BLACKHOLE, 1, 7},
		{0x4513190f004, "p300a", BLACKHOLE, 1, 8},
		{0x47331900000, "galaxy-blackhole", BLACKHOLE, 1, 8},
	};

	(void)state;
	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
		const struct board *board = board_of_serial(known[i].serial);

		assert_non_null(board);
		assert_string_equal(board->name, known[i].name);
		assert_ptr_equal(board_by_name(known[i].name), board);
		assert_int_equal(board->arch, known[i].arch);
		assert_int_equal(board->chips, known[i].chips);
		assert_int_equal(board->dram_banks, known[i].banks);
		assert_non_null(board_memory_of(board->arch));
		assert_true(board->compute_cores < board->tensix_cores);
	}
	assert_null(board_of_serial(0));
	assert_null(board_of_serial(UINT64_MAX));
	assert_null(board_by_name(""));
	assert_null(board_memory_of(0));
	assert_null(board_memory_of(99));
}

static void test_memory(void **state)
{
	(void)state;
	/* 12 channels of 1 GiB; 8 of 4 GiB */
	assert_int_equal(board_memory_of(WORMHOLE)->dram_bank_bytes * 12, UINT64_C(12) << 30);
	assert_int_equal(board_memory_of(BLACKHOLE)->dram_bank_bytes * 8, UINT64_C(32) << 30);
	for (uint32_t arch = WORMHOLE; arch <= BLACKHOLE; arch++) {
		const struct board_memory *m = board_memory_of(arch);

		assert_true(m->dram_bank_allocatable_bytes < m->dram_bank_bytes);
		assert_true(m->l1_core_allocatable_bytes < m->l1_core_bytes);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_wormhole),      cmocka_unit_test(test_blackhole),
		cmocka_unit_test(test_nothing_known), cmocka_unit_test(test_boards),
		cmocka_unit_test(test_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
