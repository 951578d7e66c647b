/* SPDX-License-Identifier: Apache-2.0 */
/* The distance to a clash, of several allocators, and its last minute in a server. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include "analyse/clash_gap.h"
#include "server/gaps.h"

#define SECOND UINT64_C(1000000000)
#define CHIP   77

static struct allocator allocator_of(uint64_t base, uint64_t peak)
{
	return (struct allocator){
		.l1 = {.unreserved_base = fact_of(base), .program_peak_bytes = fact_of(peak)}};
}

/* Reason: a submesh's program meets its parent's buffer: the highest end, the lowest buffer. */
static void test_several_allocators(void **state)
{
	struct allocator one = allocator_of(100000, 5000), two = allocator_of(100000, 9000);
	struct clash_gap gap = clash_gap_start();

	(void)state;
	assert_int_equal(gap.bytes.state, FACT_ABSENT);
	clash_gap_add(&gap, &one, fact_of(120000));
	assert_int_equal(gap.bytes.value, 15000);
	clash_gap_add(&gap, &two, fact_of(500000));
	assert_int_equal(gap.program_end.value, 109000);
	assert_int_equal(gap.lowest_buffer.value, 120000);
	assert_int_equal(gap.bytes.value, 11000);
	/* a buffer below the end: no room at all, and no wrap */
	clash_gap_add(&gap, &one, fact_of(101000));
	assert_int_equal(gap.bytes.value, 0);
	assert_true(fact_is_known(gap.bytes));
}

/* Reason: a figure that leaves out an allocator would be too large. */
static void test_unknown(void **state)
{
	struct allocator one = allocator_of(100000, 5000), old = {
		.l1 = {.unreserved_base = fact_absent(REASON_NOT_EXPORTED),
		       .program_peak_bytes = fact_of(0)}};
	struct clash_gap gap = clash_gap_start();

	(void)state;
	clash_gap_add(&gap, &one, fact_absent(REASON_NOT_ASKED));
	assert_false(fact_is_known(gap.bytes));
	assert_int_equal(gap.bytes.reason, REASON_NOT_ASKED);
	clash_gap_add(&gap, &one, fact_of(120000));
	assert_false(fact_is_known(gap.bytes));
	gap = clash_gap_start();
	clash_gap_add(&gap, &one, fact_of(120000));
	clash_gap_add(&gap, &old, fact_of(130000));
	assert_false(fact_is_known(gap.bytes));
	assert_int_equal(gap.bytes.reason, REASON_NOT_EXPORTED);
}

static void test_small(void **state)
{
	struct allocator one = allocator_of(100000, 0);
	struct clash_gap gap = clash_gap_start();

	(void)state;
	assert_false(clash_gap_is_small(&gap, fact_of(1000)));
	clash_gap_add(&gap, &one, fact_of(100099));
	assert_true(clash_gap_is_small(&gap, fact_of(1000)));
	assert_false(clash_gap_is_small(&gap, fact_of(990)));
	assert_false(clash_gap_is_small(&gap, fact_absent(REASON_NOT_EXPORTED)));
}

/* A machine of one chip with this gap. */
static void picture(struct snapshot *snapshot, struct fact bytes)
{
	uint32_t index;

	snapshot_init(snapshot);
	assert_int_equal(snapshot_add_device(snapshot, &index), 0);
	snapshot->machine_devices = (struct span){index, 1};
	snapshot->devices[index].unique_id = fact_of(CHIP);
	snapshot->devices[index].clash_gap.bytes = bytes;
}

static void add(struct gaps *gaps, uint64_t now_ns, uint64_t bytes)
{
	struct snapshot snapshot;

	picture(&snapshot, fact_of(bytes));
	gaps_add(gaps, &snapshot, now_ns);
	snapshot_clear(&snapshot);
}

static struct fact trend(const struct gaps *gaps, uint64_t now_ns, struct fact bytes)
{
	struct snapshot snapshot;

	picture(&snapshot, bytes);
	gaps_fill(gaps, &snapshot, now_ns);
	struct fact found = snapshot.devices[0].clash_gap.trend_bytes;

	snapshot_clear(&snapshot);
	return found;
}

/* Reason: the oldest point of the minute counts, none that is older, and none is no change. */
static void test_trend(void **state)
{
	struct gaps gaps = {.count = 0};

	(void)state;
	assert_false(fact_is_known(trend(&gaps, SECOND, fact_of(5))));
	for (uint64_t turn = 1; turn <= 20; turn++) {
		uint64_t now = turn * 10 * SECOND;

		assert_true(gaps_due(&gaps, now, turn));
		assert_false(gaps_due(&gaps, now + SECOND, turn + 1));
		add(&gaps, now, 1000000 - turn * 1000);
	}
	/* six points: of 150 to 200 s; at 205 s the oldest is that of 150 s */
	assert_int_equal(trend(&gaps, 205 * SECOND, fact_of(970000)).value,
			 (uint64_t)(970000 - (1000000 - 15 * 1000)));
	/* at 225 s those of 150 and 160 s are older than a minute */
	assert_int_equal(trend(&gaps, 225 * SECOND, fact_of(990000)).value, 990000 - 983000);
	assert_false(fact_is_known(trend(&gaps, 300 * SECOND, fact_of(1))));
	assert_false(fact_is_known(trend(&gaps, 205 * SECOND, fact_absent(REASON_NOT_ASKED))));
}

/* Reason: where nothing happens nobody looks, and the line goes on; what was not seen has no point. */
static void test_quiet(void **state)
{
	struct gaps gaps = {.count = 0};

	(void)state;
	assert_true(gaps_due(&gaps, 10 * SECOND, 3));
	add(&gaps, 10 * SECOND, 4000);
	for (uint64_t turn = 2; turn <= 30; turn++)
		assert_false(gaps_due(&gaps, turn * 10 * SECOND, 3));
	assert_int_equal(trend(&gaps, 301 * SECOND, fact_of(3000)).value, 0 - UINT64_C(1000));
	for (uint64_t turn = 31; turn <= 36; turn++) {
		assert_true(gaps_due(&gaps, turn * 10 * SECOND, turn));
		gaps_add(&gaps, NULL, turn * 10 * SECOND);
	}
	assert_false(fact_is_known(trend(&gaps, 361 * SECOND, fact_of(3000))));
	assert_false(gaps_due(&gaps, 370 * SECOND, 36));
	assert_false(fact_is_known(trend(&gaps, 371 * SECOND, fact_of(3000))));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_several_allocators),
		cmocka_unit_test(test_unknown),
		cmocka_unit_test(test_small),
		cmocka_unit_test(test_trend),
		cmocka_unit_test(test_quiet),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
