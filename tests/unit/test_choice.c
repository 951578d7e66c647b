/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A chosen page must be what a list of everything, sorted, begins with; equal
 * keys, tables that are read twice, and pages longer than the list included.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "collect/choice.h"

#define BUFFERS 3000u
#define TABLES	7u

static struct buffer all[BUFFERS];

/* Filtered by type; ordered by requested bytes, of which there are few different ones. */
static bool passes(const void *argument, const struct snapshot *snapshot,
		   const struct buffer *buffer)
{
	(void)snapshot;
	return buffer->type != *(const uint8_t *)argument;
}

static uint64_t key(const void *argument, const struct snapshot *snapshot,
		    const struct buffer *buffer)
{
	(void)argument;
	(void)snapshot;
	return UINT64_MAX - buffer->requested_bytes;
}

static int in_order(const void *a, const void *b)
{
	const struct buffer *x = a, *y = b;

	if (x->requested_bytes != y->requested_bytes)
		return x->requested_bytes > y->requested_bytes ? -1 : 1;
	return x->event < y->event ? -1 : x->event > y->event;
}

static int by_event(const void *a, const void *b)
{
	const struct buffer *x = a, *y = b;

	return x->event < y->event ? -1 : x->event > y->event;
}

/* `event` is the place in the list of all, so that rows can be told apart. */
static void fill(unsigned kinds, unsigned seed)
{
	srand(seed);
	for (uint32_t i = 0; i < BUFFERS; i++)
		all[i] = (struct buffer){.event = i,
					 .type = (uint8_t)(rand() % 4),
					 .requested_bytes = (uint64_t)rand() % kinds};
}

static void offer(struct choice *choice, const struct collect_choice *wanted, uint32_t from,
		  uint32_t to)
{
	for (uint32_t i = from; i < to; i++)
		assert_int_equal(choice_offer(choice, wanted, NULL, &all[i]), 0);
}

static void choose(const struct collect_choice *wanted, struct snapshot *ret_snapshot)
{
	struct choice choice = {0};

	snapshot_init(ret_snapshot);
	for (uint32_t t = 0; t < TABLES; t++) {
		uint32_t from = BUFFERS * t / TABLES, to = BUFFERS * (t + 1) / TABLES;

		/* an attempt that came to nothing: other buffers, and more of them */
		choice_restart(&choice);
		offer(&choice, wanted, 0, to);
		choice_restart(&choice);
		offer(&choice, wanted, from, to);
		assert_int_equal(choice_table_done(&choice, wanted), 0);
	}
	assert_int_equal(choice_finish(&choice, ret_snapshot), 0);
	choice_clear(&choice);
}

static void check(uint32_t count, uint8_t without)
{
	const struct collect_choice wanted = {count, passes, key, &without};
	static struct buffer expected[BUFFERS];
	struct snapshot snapshot;
	uint32_t passing = 0;

	for (uint32_t i = 0; i < BUFFERS; i++)
		if (passes(&without, NULL, &all[i]))
			expected[passing++] = all[i];
	qsort(expected, passing, sizeof expected[0], in_order);
	uint32_t shown = count < passing ? count : passing;

	qsort(expected, shown, sizeof expected[0], by_event);
	choose(&wanted, &snapshot);
	assert_int_equal(snapshot.buffers_seen, BUFFERS);
	assert_int_equal(snapshot.buffers_passing, passing);
	assert_int_equal(snapshot_buffers_total(&snapshot), BUFFERS);
	assert_int_equal(snapshot.buffer_count, shown);
	for (uint32_t i = 0; i < shown; i++)
		assert_int_equal(snapshot.buffers[i].event, expected[i].event);
	snapshot_clear(&snapshot);
}

static void test_first_of_all(void **state)
{
	static const uint32_t counts[] = {0, 1, 2, 99, 127, 128, 129, 1000, BUFFERS - 1, BUFFERS,
					  BUFFERS + 1, UINT32_MAX};

	(void)state;
	for (unsigned kinds = 1; kinds < 100000; kinds *= 20) {
		fill(kinds, kinds);
		for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
			check(counts[i], 2);
			check(counts[i], 9); /* all pass */
		}
	}
}

/* Rising and falling keys: the first never enters a full heap, the other always. */
static void test_sorted_input(void **state)
{
	(void)state;
	for (int rising = 0; rising < 2; rising++) {
		for (uint32_t i = 0; i < BUFFERS; i++)
			all[i] = (struct buffer){.event = i,
						 .requested_bytes = rising ? i : BUFFERS - i};
		check(100, 9);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_first_of_all),
		cmocka_unit_test(test_sorted_input),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
