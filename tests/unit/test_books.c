/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `ttmem doctor` may only say that the books are right when they are, to the
 * byte: random machines against a model that marks bytes one by one, and every
 * figure of a right one changed by one byte.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "analyse/books.h"

#define BANK	   97u /* bytes: small, so that random buffers meet */
#define BASE	   40u
#define BANKS	   3u
#define BUFFERS	   9u
#define ALLOCATORS 2u

static uint64_t below(uint64_t limit)
{
	return (uint64_t)rand() % limit;
}

static void must(int r)
{
	if (r < 0)
		abort();
}

/* Marks bytes. Return: false when a buffer leaves the bank or lies on another one. */
static bool mark(const struct snapshot *s, uint32_t allocator, uint8_t type, uint8_t bytes[BANK],
		 uint64_t *ret_used, uint64_t *ret_requested, uint64_t *ret_count)
{
	bool fits = true;

	memset(bytes, 0, BANK);
	*ret_used = *ret_requested = *ret_count = 0;
	for (uint32_t i = 0; i < s->buffer_count; i++) {
		const struct buffer *b = &s->buffers[i];

		if (b->allocator != allocator || b->type != type)
			continue;
		*ret_used += b->bank_bytes;
		*ret_requested += b->requested_bytes;
		(*ret_count)++;
		for (uint64_t at = b->address; at < b->address + b->bank_bytes; at++)
			if (at < BASE || at >= BASE + BANK || bytes[at - BASE]++)
				fits = false;
	}
	return fits;
}

static uint64_t largest_hole(const uint8_t bytes[BANK])
{
	uint64_t largest = 0, run = 0;

	for (unsigned i = 0; i < BANK; i++) {
		run = bytes[i] ? 0 : run + 1;
		largest = run > largest ? run : largest;
	}
	return largest;
}

static struct memory memory_of(uint64_t requested, uint64_t used, uint64_t largest, uint64_t count)
{
	return (struct memory){
	    .requested_bytes = fact_of(requested),
	    .occupied_bytes = fact_of(used * BANKS),
	    .allocatable_bytes = fact_of(BANK * BANKS),
	    .free_bytes = fact_of((BANK - used) * BANKS),
	    .largest_free_bytes = fact_of(largest * BANKS),
	    .banks = fact_of(BANKS),
	    .bank_size_bytes = fact_of(BANK),
	    .bank_allocated_bytes = fact_of(used),
	    .bank_free_bytes = fact_of(BANK - used),
	    .bank_largest_free_bytes = fact_of(largest),
	    .buffers = fact_of(count),
	    .peak_requested_bytes = fact_of(requested),
	    .peak_occupied_bytes = fact_of(used * BANKS),
	};
}

/* Figures as the model has them; `honest` or not is what the model says of the buffers. */
static bool fill_figures(struct snapshot *s)
{
	uint64_t used, requested, count;
	uint8_t bytes[BANK];
	bool honest = true;

	for (uint32_t a = 0; a < ALLOCATORS; a++)
		for (uint8_t type = 0; type < MEMORY_TYPES; type++) {
			struct allocator *to = &s->allocators[a];

			honest &= mark(s, a, type, bytes, &used, &requested, &count);
			to->memory[type] = memory_of(requested, used, largest_hole(bytes), count);
			to->base_address[type] = BASE;
			to->frees[type] = below(10);
			to->allocs[type] = to->frees[type] + count;
		}
	return honest;
}

static void add_device(struct snapshot *s, uint32_t process, struct span *ret_span)
{
	uint32_t index;

	must(snapshot_add_device(s, &index));
	s->devices[index].process = process;
	s->devices[index].unique_id = fact_of(7);
	memcpy(s->devices[index].memory, s->allocators[0].memory, sizeof s->devices[index].memory);
	*ret_span = (struct span){index, 1};
}

/* Two allocators of a process, buffers that need not fit, its chip and the machine's. */
static bool build(struct snapshot *s, bool apart)
{
	uint32_t index;

	snapshot_init(s);
	must(snapshot_add_process(s, &index));
	s->processes[0].pid = 4211;
	s->processes[0].allocators = (struct span){0, ALLOCATORS};
	for (uint32_t a = 0; a < ALLOCATORS; a++) {
		must(snapshot_add_allocator(s, &index));
		s->allocators[a].id = 5 + a;
	}
	for (uint32_t i = 0; i < BUFFERS; i++) {
		uint64_t size = below(apart ? 10 : 20),
			 place = apart ? i * 10 + below(10 - size + 1) : below(BANK);

		must(snapshot_add_buffer(s, &index));
		s->buffers[i] = (struct buffer){.allocator = (uint32_t)below(ALLOCATORS),
						.type = (uint8_t)below(2),
						.address = BASE + place,
						.requested_bytes = 1 + below(1000),
						.bank_bytes = size};
	}
	bool honest = fill_figures(s);

	add_device(s, 0, &s->processes[0].devices);
	add_device(s, SNAPSHOT_NONE, &s->machine_devices);
	return honest;
}

static uint64_t wrong_figures(const struct snapshot *s)
{
	struct findings findings = FINDINGS_INIT;
	struct books books = {.findings = &findings};

	findings_subject(&findings, "process 4211");
	books_process(&books, s, 0);
	books_machine(&books, s);
	assert_int_equal(books_listing(&books, s, 0, s), 0);
	uint64_t wrong = books.wrong, checked = books.checked;

	assert_true(checked > 100);
	/* what is wrong is said, and nothing else is */
	assert_int_equal(findings_wrong(&findings),
			 wrong < BOOKS_SENTENCES ? wrong : BOOKS_SENTENCES);
	books_close(&books, "all");
	assert_int_equal(findings_wrong(&findings) > 0, wrong > 0);
	for (uint32_t i = 0; i < findings.count; i++)
		if (findings.rows[i].state == FINDING_ERROR)
			assert_string_not_equal(findings.rows[i].hint, "");
	findings_clear(&findings);
	return wrong;
}

static void test_model(void **state)
{
	unsigned right = 0, wrong = 0;

	(void)state;
	for (unsigned seed = 0; seed < 4000; seed++) {
		struct snapshot s;

		srand(seed);
		bool honest = build(&s, seed % 2);

		if (honest)
			assert_int_equal(wrong_figures(&s), 0);
		else
			assert_true(wrong_figures(&s) > 0);
		right += honest;
		wrong += !honest;
		snapshot_clear(&s);
	}
	assert_true(right > 1900);
	assert_true(wrong > 1000);
}

/* One figure of a right machine by one; the last in the struct are peaks, which may be higher. */
static void test_every_figure(void **state)
{
	const size_t figures = sizeof(struct memory) / sizeof(struct fact);
	const size_t peaks = offsetof(struct memory, peak_requested_bytes) / sizeof(struct fact);
	struct snapshot s;

	(void)state;
	srand(1);
	assert_true(build(&s, true));
	assert_int_equal(wrong_figures(&s), 0);
	for (uint32_t a = 0; a < ALLOCATORS; a++)
		for (size_t i = 0; i < 2 * figures; i++) {
			struct fact *fact = (struct fact *)&s.allocators[a].memory[0] + i / 2;
			struct fact saved = *fact;
			bool up = i % 2;

			if ((up && i / 2 >= peaks) || (!up && saved.value == 0))
				continue;
			fact->value += up ? 1 : UINT64_MAX;
			assert_true(wrong_figures(&s) > 0);
			/* and what is not known is not wrong */
			*fact = fact_absent(REASON_NOT_EXPORTED);
			assert_int_equal(wrong_figures(&s), 0);
			*fact = saved;
		}
	snapshot_clear(&s);
}

static void test_every_buffer(void **state)
{
	struct snapshot s;

	(void)state;
	srand(2);
	assert_true(build(&s, true));
	for (uint32_t i = 0; i < s.buffer_count; i++) {
		struct buffer *b = &s.buffers[i], saved = *b;

		b->requested_bytes++;
		assert_true(wrong_figures(&s) > 0);
		*b = saved;
		b->bank_bytes++;
		assert_true(wrong_figures(&s) > 0);
		*b = saved;
		b->requested_bytes = UINT64_MAX; /* a sum that does not fit */
		assert_true(wrong_figures(&s) > 0);
		*b = saved;
		if (b->bank_bytes) {
			b->address = BASE + BANK - b->bank_bytes + 1; /* one byte out of the bank */
			assert_true(wrong_figures(&s) > 0);
			b->address = BASE - 1;
			assert_true(wrong_figures(&s) > 0);
		}
		*b = saved;
		assert_int_equal(wrong_figures(&s), 0);
	}
	snapshot_clear(&s);
}

/* Two buffers that share one byte, with totals that do not show it. */
static void test_overlap(void **state)
{
	struct snapshot s;

	(void)state;
	srand(3);
	assert_true(build(&s, true));
	for (uint32_t i = 0; i < s.buffer_count; i++)
		s.buffers[i].type = MEMORY_TRACE; /* out of the way */
	s.buffers[0] = (struct buffer){.address = BASE, .bank_bytes = 10};
	s.buffers[1] = (struct buffer){.address = BASE + 10, .bank_bytes = 10};
	for (uint32_t i = 2; i < s.buffer_count; i++)
		s.buffers[i].bank_bytes = 0;
	assert_true(fill_figures(&s));
	memcpy(s.devices[0].memory, s.allocators[0].memory, sizeof s.devices[0].memory);
	memcpy(s.devices[1].memory, s.allocators[0].memory, sizeof s.devices[1].memory);
	assert_int_equal(wrong_figures(&s), 0);
	s.buffers[1].address--;
	/* the hole grew too, so say that nobody asked for it: only the overlap is left */
	s.allocators[0].memory[0].bank_largest_free_bytes = fact_absent(REASON_NOT_ASKED);
	s.allocators[0].memory[0].largest_free_bytes = fact_absent(REASON_NOT_ASKED);
	assert_int_equal(wrong_figures(&s), 1);
	snapshot_clear(&s);
}

/* The machine's chip is what its processes hold. */
static void test_machine(void **state)
{
	struct snapshot s;

	(void)state;
	srand(4);
	assert_true(build(&s, true));
	struct memory *m = &s.devices[s.machine_devices.first].memory[MEMORY_L1];

	m->requested_bytes.value++;
	m->peak_requested_bytes.value++;
	assert_int_equal(wrong_figures(&s), 1);
	m->requested_bytes.value--;
	m->buffers.value++;
	assert_int_equal(wrong_figures(&s), 1);
	m->buffers.value--;
	/* a process that has ended counts no more */
	s.processes[0].state = PROCESS_EXITED;
	m->buffers.value++;
	assert_int_equal(wrong_figures(&s), 0);
	snapshot_clear(&s);
}

/* A table that lies everywhere is said to, in a few sentences. */
static void test_many(void **state)
{
	struct findings findings = FINDINGS_INIT;
	struct books books = {.findings = &findings};
	struct snapshot s;

	(void)state;
	srand(5);
	assert_true(build(&s, true));
	for (int type = 0; type < MEMORY_TYPES; type++)
		s.allocators[0].memory[type].banks = fact_of(UINT64_MAX);
	books_process(&books, &s, 0);
	assert_true(books.wrong > BOOKS_SENTENCES);
	books_close(&books, "figures");
	assert_int_equal(findings.count, BOOKS_SENTENCES + 1);
	findings_clear(&findings);
	snapshot_clear(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_model),	 cmocka_unit_test(test_every_figure),
	    cmocka_unit_test(test_every_buffer), cmocka_unit_test(test_overlap),
	    cmocka_unit_test(test_machine),	 cmocka_unit_test(test_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
