/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Buffers added up by who allocated them. What the groups hold together is what
 * the buffers hold, whatever they are grouped by; and a table that has to be read
 * again counts once.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "analyse/tally.h"

static void must(int r)
{
	assert_int_equal(r, 0);
}

static uint32_t site_of(struct snapshot *s, const char *op, const char *file, uint32_t line)
{
	const struct site_texts texts = {.op = op, .file = file, .function = "f", .line = line};
	uint32_t number;

	must(snapshot_intern_site(s, &texts, &number));
	return number;
}

static uint32_t add_process(struct snapshot *s, uint32_t pid)
{
	uint32_t index;

	must(snapshot_add_process(s, &index));
	s->processes[index].pid = pid;
	return index;
}

static uint32_t add_allocator(struct snapshot *s, uint32_t process, uint64_t first, uint32_t chips,
			      struct fact banks)
{
	uint32_t index, chip;

	must(snapshot_add_allocator(s, &index));
	s->allocators[index].process = process;
	s->allocators[index].chips = (struct span){s->chip_count, chips};
	for (int type = 0; type < MEMORY_TYPES; type++)
		s->allocators[index].memory[type].banks = banks;
	for (uint32_t i = 0; i < chips; i++) {
		must(snapshot_add_chip(s, &chip));
		s->chips[chip] = (struct chip){fact_of(first + i), i};
	}
	return index;
}

static struct buffer buffer_of(const struct snapshot *s, uint32_t allocator, uint8_t type,
			       uint32_t site, uint64_t bytes)
{
	return (struct buffer){.process = s->allocators[allocator].process,
			       .allocator = allocator,
			       .type = type,
			       .site = site,
			       .thread = 7,
			       .requested_bytes = bytes,
			       .bank_bytes = bytes / 4,
			       .age_ns = bytes};
}

static void add(struct tallies *tallies, const struct snapshot *s, uint32_t allocator, uint8_t type,
		uint32_t site, uint64_t bytes)
{
	const struct buffer buffer = buffer_of(s, allocator, type, site, bytes);

	must(tallies_add(tallies, &buffer));
}

/* Reason: the figures of a row, and the order of rows. */
static void test_rows(void **state)
{
	struct tallies tallies = {0};
	struct site_list list;
	struct snapshot s;

	(void)state;
	snapshot_init(&s);
	uint32_t a = add_allocator(&s, add_process(&s, 5), 100, 1, fact_of(8));
	uint32_t one = site_of(&s, "ttnn.add", "/a.py", 1), two = site_of(&s, "ttnn.add", "/b.py", 2);

	add(&tallies, &s, a, MEMORY_DRAM, one, 400);
	add(&tallies, &s, a, MEMORY_DRAM, two, 4000);
	add(&tallies, &s, a, MEMORY_DRAM, one, 800);
	add(&tallies, &s, a, MEMORY_L1, one, 40);
	must(tallies_fold(&tallies, &s, GROUP_SITE, &list));
	assert_int_equal(list.count, 3);
	assert_int_equal(list.rows[0].site, two);
	assert_int_equal(list.rows[1].site, one);
	assert_int_equal(list.rows[1].buffers, 2);
	assert_int_equal(list.rows[1].requested_bytes, 1200);
	assert_int_equal(list.rows[1].bank_bytes, 300);
	assert_int_equal(list.rows[1].occupied_bytes.value, 2400);
	assert_int_equal(list.rows[1].oldest_ns, 800);
	assert_int_equal(list.rows[2].type, MEMORY_L1);
	site_list_clear(&list);
	must(tallies_fold(&tallies, &s, GROUP_OP, &list));
	assert_int_equal(list.count, 2);
	assert_int_equal(list.rows[0].buffers, 3);
	const struct site *op = snapshot_site(&s, list.rows[0].site);

	assert_string_equal(snapshot_text(&s, op->op), "ttnn.add");
	assert_int_equal(op->file, 0);
	site_list_clear(&list);
	must(tallies_fold(&tallies, &s, GROUP_FILE, &list));
	assert_int_equal(list.count, 3);
	assert_string_equal(snapshot_text(&s, snapshot_site(&s, list.rows[0].site)->file), "/b.py");
	assert_int_equal(snapshot_site(&s, list.rows[0].site)->op, 0);
	site_list_clear(&list);
	must(tallies_fold(&tallies, &s, GROUP_TYPE, &list));
	assert_int_equal(list.count, 2);
	assert_int_equal(list.rows[0].site, 0);
	site_list_clear(&list);
	tallies_clear(&tallies);
	snapshot_clear(&s);
}

/* Reason: two allocators over the same chips are one place; a submesh is another one. */
static void test_places(void **state)
{
	struct tallies tallies = {0};
	struct site_list list;
	struct snapshot s;

	(void)state;
	snapshot_init(&s);
	uint32_t p = add_process(&s, 5);
	uint32_t old = add_allocator(&s, p, 100, 2, fact_of(8));
	uint32_t fresh = add_allocator(&s, p, 100, 2, fact_of(8));
	uint32_t sub = add_allocator(&s, p, 100, 1, fact_absent(REASON_NOT_EXPORTED));
	uint32_t other = add_allocator(&s, add_process(&s, 6), 100, 2, fact_of(8));

	add(&tallies, &s, old, MEMORY_L1, 0, 400);
	add(&tallies, &s, fresh, MEMORY_L1, 0, 400);
	add(&tallies, &s, sub, MEMORY_L1, 0, 400);
	tallies_table_done(&tallies);
	add(&tallies, &s, other, MEMORY_L1, 0, 400);
	must(tallies_fold(&tallies, &s, GROUP_SITE, &list));
	assert_int_equal(list.count, 3);
	assert_int_equal(list.rows[0].buffers, 2);
	assert_int_equal(list.rows[0].allocator, old);
	assert_int_equal(list.rows[1].allocator, other);
	/* the number of banks is not known: then occupied is not either */
	assert_int_equal(list.rows[2].allocator, sub);
	assert_false(fact_is_known(list.rows[2].occupied_bytes));
	site_list_clear(&list);
	tallies_clear(&tallies);
	snapshot_clear(&s);
}

/* Reason: "before attach" is an answer, and no group of unknown ones. */
static void test_before_attach(void **state)
{
	const struct site_texts before = {.op = "", .file = "", .function = "", .before_attach = true};
	struct tallies tallies = {0};
	struct site_list list;
	struct snapshot s;
	uint32_t site;

	(void)state;
	snapshot_init(&s);
	uint32_t a = add_allocator(&s, add_process(&s, 5), 100, 1, fact_of(8));

	must(snapshot_intern_site(&s, &before, &site));
	add(&tallies, &s, a, MEMORY_L1, site, 400);
	add(&tallies, &s, a, MEMORY_L1, 0, 40);
	for (int by = GROUP_SITE; by <= GROUP_FILE; by++) {
		must(tallies_fold(&tallies, &s, (enum group_by)by, &list));
		assert_int_equal(list.count, 2);
		assert_int_equal(snapshot_site(&s, list.rows[0].site)->before_attach, 1);
		assert_int_equal(list.rows[1].site, 0);
		site_list_clear(&list);
	}
	tallies_clear(&tallies);
	snapshot_clear(&s);
}

static uint32_t random_below(uint32_t n)
{
	static uint64_t x = 88172645463325252u;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	return (uint32_t)((x >> 32) * n >> 32);
}

/* What rows hold together, per memory type. */
static void check_sums(const struct site_list *list, const struct tally wanted[MEMORY_TYPES])
{
	struct tally got[MEMORY_TYPES] = {0};

	for (uint32_t i = 0; i < list->count; i++) {
		struct tally *t = &got[list->rows[i].type];

		t->buffers += list->rows[i].buffers;
		t->requested_bytes += list->rows[i].requested_bytes;
		t->bank_bytes += list->rows[i].bank_bytes;
		assert_int_equal(list->rows[i].occupied_bytes.value, list->rows[i].bank_bytes * 8);
		if (list->rows[i].oldest_ns > t->oldest_ns)
			t->oldest_ns = list->rows[i].oldest_ns;
	}
	for (int type = 0; type < MEMORY_TYPES; type++) {
		assert_int_equal(got[type].buffers, wanted[type].buffers);
		assert_int_equal(got[type].requested_bytes, wanted[type].requested_bytes);
		assert_int_equal(got[type].bank_bytes, wanted[type].bank_bytes);
		assert_int_equal(got[type].oldest_ns, wanted[type].oldest_ns);
	}
}

/* A group has one row, also when it was added up by thread and is not asked for so. */
static void check_groups(const struct site_list *list)
{
	for (uint32_t i = 0; i < list->count; i++) {
		const struct site_row *a = &list->rows[i];

		assert_int_equal(a->thread != 0, list->by == GROUP_THREAD);
		for (uint32_t j = i + 1; j < list->count; j++) {
			const struct site_row *b = &list->rows[j];

			assert_false(a->allocator == b->allocator && a->type == b->type &&
				     a->site == b->site && a->thread == b->thread);
		}
	}
}

/* Reason: whatever buffers there are and however they are grouped, nothing is lost or counted twice. */
static void test_sums_are_totals(void **state)
{
	(void)state;
	for (int round = 0; round < 40; round++) {
		struct tallies tallies = {.by_thread = round % 2};
		struct tally wanted[MEMORY_TYPES] = {0};
		uint32_t sites[300], allocators[6];
		struct site_list list;
		struct snapshot s;

		snapshot_init(&s);
		for (uint32_t i = 0; i < 300; i++) {
			char op[16], file[16];

			(void)snprintf(op, sizeof op, "%.*s%u", (int)random_below(2), "op", i % 7);
			(void)snprintf(file, sizeof file, "f%u", random_below(20));
			sites[i] = i % 50 ? site_of(&s, op, file, random_below(40)) : 0;
		}
		for (uint32_t i = 0; i < 6; i++)
			allocators[i] = add_allocator(
				&s, i % 2 ? s.process_count - 1 : add_process(&s, 10 + i),
				random_below(3), 1 + random_below(3), fact_of(8));
		for (uint32_t process = 0; process < 3; process++) {
			for (int again = 0; again < 2; again++) {
				struct tally kept[MEMORY_TYPES];

				memcpy(kept, wanted, sizeof kept);
				for (uint32_t i = random_below(3000); i > 0; i--) {
					struct buffer b = buffer_of(
						&s, allocators[2 * process + random_below(2)],
						(uint8_t)random_below(MEMORY_TYPES),
						sites[random_below(300)], 4 * random_below(1000));

					b.thread = random_below(3) + 1;
					must(tallies_add(&tallies, &b));
					wanted[b.type].buffers++;
					wanted[b.type].requested_bytes += b.requested_bytes;
					wanted[b.type].bank_bytes += b.bank_bytes;
					if (b.age_ns > wanted[b.type].oldest_ns)
						wanted[b.type].oldest_ns = b.age_ns;
				}
				if (again == 0) { /* the table moved while it was read */
					tallies_restart(&tallies);
					memcpy(wanted, kept, sizeof kept);
				}
			}
			tallies_table_done(&tallies);
		}
		for (int by = 0; by < GROUPS; by++) {
			must(tallies_fold(&tallies, &s, (enum group_by)by, &list));
			check_sums(&list, wanted);
			if (round < 4 && (by != GROUP_THREAD || tallies.by_thread))
				check_groups(&list);
			for (uint32_t i = 1; i < list.count; i++)
				assert_true(list.rows[i - 1].occupied_bytes.value >=
					    list.rows[i].occupied_bytes.value);
			site_list_clear(&list);
		}
		tallies_clear(&tallies);
		snapshot_clear(&s);
	}
}

static void test_empty(void **state)
{
	struct tallies tallies = {0};
	struct site_list list;
	struct snapshot s;

	(void)state;
	snapshot_init(&s);
	tallies_restart(&tallies);
	tallies_table_done(&tallies);
	must(tallies_fold(&tallies, &s, GROUP_OP, &list));
	assert_int_equal(list.count, 0);
	site_list_clear(&list);
	tallies_clear(&tallies);
	snapshot_clear(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_places),
		cmocka_unit_test(test_before_attach),
		cmocka_unit_test(test_sums_are_totals),
		cmocka_unit_test(test_empty),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
