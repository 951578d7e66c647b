/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Error texts to verdicts. Reason: people paste what they have, a line of a log or
 * a whole one, and releases change their words. So every message of
 * error_texts.txt must give the same verdict bare, behind every prefix that
 * logs are known to have, broken at any blanks, and between other lines.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "analyse/verdict.h"

#define TEXTS_MAX 200
#define TEXT_MAX  4096
#define BREAKS	  40

struct sample {
	char verdict[32];
	struct fact short_bytes;
	char text[1024];
};

static struct sample samples[TEXTS_MAX];
static size_t sample_count;

static uint64_t state = 1;

static uint32_t below(uint32_t n)
{
	state = state * UINT64_C(6364136223846793005) + 1442695040888963407;
	return (uint32_t)((state >> 33) % n);
}

static int load(void **unused)
{
	FILE *file = fopen(SOURCE_ROOT "/tests/unit/error_texts.txt", "r");
	char line[2048], number[32];

	(void)unused;
	if (!file)
		return -1;
	while (fgets(line, sizeof line, file)) {
		struct sample *sample = &samples[sample_count];
		int at = 0;

		if (line[0] == '#')
			continue;
		if (sample_count == TEXTS_MAX ||
		    sscanf(line, "%31s %31s %n", sample->verdict, number, &at) != 2)
			return -1;
		line[strcspn(line, "\n")] = '\0';
		(void)snprintf(sample->text, sizeof sample->text, "%s", line + at);
		sample->short_bytes = number[0] == '-' ? fact_absent(REASON_NONE)
						       : fact_of(strtoull(number, NULL, 10));
		sample_count++;
	}
	(void)fclose(file);
	return sample_count > 0 ? 0 : -1;
}

static void check(const struct sample *sample, const char *text, size_t length)
{
	/* a copy of its own size, so that a sanitizer sees a read past the end */
	char *copy = malloc(length ? length : 1);
	struct error_list list;

	assert_non_null(copy);
	memcpy(copy, text, length);
	error_text_read(copy, length, &list);
	struct verdict verdict = verdict_of(error_list_last(&list));

	if (strcmp(verdict_key(verdict.kind), sample->verdict) != 0 ||
	    fact_is_known(verdict.short_bytes) != fact_is_known(sample->short_bytes) ||
	    (fact_is_known(sample->short_bytes) &&
	     verdict.short_bytes.value != sample->short_bytes.value))
		fail_msg("got %s %lld, want %s %lld, of:\n%.*s\n", verdict_key(verdict.kind),
			 fact_is_known(verdict.short_bytes) ? (long long)verdict.short_bytes.value
							    : -1,
			 sample->verdict,
			 fact_is_known(sample->short_bytes) ? (long long)sample->short_bytes.value
							    : -1,
			 (int)length, text);
	free(copy);
}

static void test_bare(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < sample_count; i++)
		check(&samples[i], samples[i].text, strlen(samples[i].text));
}

static const char *const prefixes[] = {
	"",
	"2026-11-25 08:42:32.294 | critical |          Always | TT_FATAL: ",
	"2026-11-25 08:42:32.294 | critical |          Always | TT_THROW: ",
	"                 Always | FATAL    | ",
	"E   ",
	"E       ",
	">       ",
	"(EngineCore_DP0 pid=4242) ",
	"(EngineCore_DP0 pid=4242) ERROR 11-25 08:42:32 [core.py:710] ",
	"ERROR 11-25 08:42:32 engine.py:388] ",
	"\x1b[31m[ERROR]\x1b[0m ",
	"(Worker pid=77, ip=10.0.0.3) E   ",
	"[rank0]: ",
	"[rank3]:E   ",
	"[1,0]<stderr>:",
	"[2026-11-25 08:42:32,123] [ERROR] ",
	"2026-11-25 08:42:32,123 - ERROR - ",
	"2026-11-25T08:42:32.123Z ",
	"ERROR:root:",
	"web-1  | ",
	"  | ",
	"\xe2\x94\x82 ",
};

/* Where a line may end: CRLF, bare CR of progress bars, and a break that somebody quoted. */
static const char *const ends[] = {"\n", "\r\n", "\r", "\\n"};

/* The text with some of its blanks made line breaks, each new line behind the prefix. */
static size_t wrap(const char *text, const char *prefix, const char *end, uint32_t rarity,
		   char *to)
{
	char *p = stpcpy(to, prefix);

	for (; *text; text++) {
		if (*text == ' ' && rarity && below(rarity) == 0)
			p = stpcpy(stpcpy(p, end), prefix);
		else
			*p++ = *text;
	}
	*p = '\0';
	return (size_t)(p - to);
}

static void test_prefixes(void **unused)
{
	char text[TEXT_MAX * 4];

	(void)unused;
	for (size_t i = 0; i < sample_count; i++)
		for (size_t p = 0; p < sizeof prefixes / sizeof prefixes[0]; p++)
			check(&samples[i], text, wrap(samples[i].text, prefixes[p], "\n", 0, text));
}

static void test_line_breaks(void **unused)
{
	static char text[TEXT_MAX * 16];

	(void)unused;
	for (size_t i = 0; i < sample_count; i++)
		for (size_t p = 0; p < sizeof prefixes / sizeof prefixes[0]; p++)
			for (uint32_t n = 0; n < BREAKS; n++)
				check(&samples[i], text,
				      wrap(samples[i].text, prefixes[p], ends[n % 4], 1 + n / 4,
					   text));
}

static const char before[] =
	"collecting ... 12 of 4096 passed, free disk 3 GiB\n"
	"2026-11-25 08:42:31.000 | info     |   SiliconDriver | Opened PCI device 7; largest 5\n"
	"E   RuntimeError: TT_FATAL @ /project/tt_metal/impl/allocator/bank_manager.cpp:514: false\n"
	"E   info:\n";
static const char after[] =
	" (assert.hpp:104)\nbacktrace:\n --- tt::tt_metal::BankManager::allocate_buffer(unsigned long, "
	"unsigned long, bool)\n --- /lib/libc.so.6(+0x29d90) free: 77 B, bank size is 5 B\n"
	"FAILED test_model.py::test_it - 1 failed, 3 passed in 12.34s, need 3 more\n";

static void test_in_a_log(void **unused)
{
	char text[TEXT_MAX * 4];

	(void)unused;
	for (size_t i = 0; i < sample_count; i++) {
		int n = snprintf(text, sizeof text, "%s%s%s", before, samples[i].text, after);

		check(&samples[i], text, (size_t)n);
	}
}

/* The last message counts; a repetition of it, whole or cut short, is the same message. */
static void test_several(void **unused)
{
	char text[TEXT_MAX * 4];

	(void)unused;
	for (size_t i = 0; i < sample_count; i++)
		for (size_t j = 0; j < sample_count; j++) {
			if (strcmp(samples[j].verdict, "unknown") == 0 || i == j)
				continue;
			int n = snprintf(text, sizeof text, "%s%s%s\n%s", before, samples[i].text,
					 after, samples[j].text);

			/* behind a longer form these words alone are that one, cut short */
			if (strcmp(samples[j].text, "Out of Memory") != 0 ||
			    !strstr(samples[i].text, "ot enough space"))
				check(&samples[j], text, (size_t)n);
		}
}

static void test_repetition(void **unused)
{
	static const char text[] =
		"TT_FATAL: Out of Memory: Not enough space to allocate 64 B L1 buffer across 1 banks, "
		"where each bank needs to store 64 B, but bank size is 96 B (allocated: 64 B, free: "
		"32 B, largest free block: 32 B)\n"
		"TT_THROW: Statically allocated circular buffers in program 7 clash with L1 buffers\n"
		"FAILED test.py::test_it - RuntimeError: TT_FATAL: Out of Memory: Not enough spa...\n";
	struct error_list list;

	(void)unused;
	error_text_read(text, sizeof text - 1, &list);
	assert_int_equal(list.count, 2);
	assert_int_equal(list.errors[0].kind, ERROR_CLASH);
	assert_int_equal(list.errors[1].kind, ERROR_NO_SPACE);
	assert_int_equal(list.errors[1].seen, 2);
	assert_int_equal(verdict_of(error_list_last(&list)).short_bytes.value, 32);
}

/* Programs of today have dataflow buffers, older ones circular ones: who reads looks for either. */
static void test_kind_of_program_buffer(void **unused)
{
	static const struct {
		const char *text, *what;
	} rows[] = {
		{"Statically allocated circular buffers in program 7 clash with L1 buffers",
		 "the circular buffers of a program"},
		{"Statically allocated dataflow buffers in program 7 clash with L1 buffers",
		 "the dataflow buffers of a program"},
		{"Statically allocated dataflow buffers on core range [0-0 - 0-0] grow to 2000000 B "
		 "which is beyond max L1 size of 1499136 B",
		 "the dataflow buffers of a program"},
	};
	struct error_list list;

	(void)unused;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		error_text_read(rows[i].text, strlen(rows[i].text), &list);
		assert_int_equal(list.count, 1);
		assert_string_equal(list.errors[0].what, rows[i].what);
	}
}

/* More than are kept: the oldest go, and it is said how many. */
static void test_many(void **unused)
{
	static char text[1 << 16];
	size_t n = 0;
	struct error_list list;

	(void)unused;
	for (int i = 0; i < 100; i++)
		n += (size_t)snprintf(text + n, sizeof text - n,
				      "Program size (%d) too large for kernel config buffer (10)\n",
				      100 + i);
	error_text_read(text, n, &list);
	assert_int_equal(list.count, ERRORS_MAX);
	assert_int_equal(list.dropped, 100 - ERRORS_MAX);
	assert_int_equal(verdict_of(error_list_last(&list)).short_bytes.value, 189);
}

/* What the verdict does not need is there as well. */
static void test_figures(void **unused)
{
	static const char text[] =
		"Statically allocated dataflow buffers in program 12 clash with L1 buffers on core "
		"range [(x=1,y=2) - (x=10,y=9)]. L1 buffer allocated at 300000 and static dataflow "
		"buffer region ends at 312000";
	struct error_list list;

	(void)unused;
	error_text_read(text, sizeof text - 1, &list);
	const struct fact *figures = list.errors[0].figures;

	assert_int_equal(figures[FIGURE_PROGRAM].value, 12);
	assert_int_equal(figures[FIGURE_LOWEST].value, 300000);
	assert_int_equal(figures[FIGURE_X0].value, 1);
	assert_int_equal(figures[FIGURE_Y0].value, 2);
	assert_int_equal(figures[FIGURE_X1].value, 10);
	assert_int_equal(figures[FIGURE_Y1].value, 9);
	assert_false(fact_is_known(figures[FIGURE_BANK_SIZE]));
}

/* NUL, bytes that are no text, nothing at all. */
static void test_bytes(void **unused)
{
	static char text[TEXT_MAX];
	static const char message[] = "\xff\0Out of\xc3 Memory\0: Not enough space to allocate";
	struct error_list list;

	(void)unused;
	error_text_read("", 0, &list);
	assert_int_equal(list.count, 0);
	assert_null(error_list_last(&list));
	error_text_read(message, sizeof message, &list);
	assert_int_equal(list.count, 1);
	for (int i = 0; i < 20000; i++) {
		size_t n = below(200);

		for (size_t at = 0; at < n; at++)
			text[at] = (char)below(256);
		error_text_read(text, n, &list);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bare),	    cmocka_unit_test(test_prefixes),
		cmocka_unit_test(test_line_breaks), cmocka_unit_test(test_in_a_log),
		cmocka_unit_test(test_several),	    cmocka_unit_test(test_repetition),
		cmocka_unit_test(test_kind_of_program_buffer), cmocka_unit_test(test_many),	    cmocka_unit_test(test_figures),
		cmocka_unit_test(test_bytes),
	};

	return cmocka_run_group_tests(tests, load, NULL);
}
