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

#include "analyse/error_place.h"
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

/* Of a text with tracebacks: "file:line function" of the last message's, or "-". */
static const char *place_of(const char *text)
{
	static char place_text[512];
	struct error_list list;
	struct error_place place;

	error_text_read(text, strlen(text), &list);
	assert_true(list.count > 0);
	if (!error_place_find(text, strlen(text), error_list_last(&list)->at, &place))
		return "-";
	(void)snprintf(place_text, sizeof place_text, "%.*s:%u %.*s", (int)place.file_length,
		       place.file, place.line, (int)place.function_length,
		       place.function ? place.function : "");
	return place_text;
}

#define CLASHED                                                                                    \
	"Statically allocated dataflow buffers in program 2 clash with L1 buffers on core range "   \
	"[0-0 - 0-0]. L1 buffer allocated at 200704 and static dataflow buffer region ends at 202080"
#define LOGGED "2026-11-29 02:52:52.840 | critical |          Always | TT_THROW: " CLASHED "\n"
#define RAISED                                                                                     \
	"RuntimeError: TT_THROW @ /project/dataflow_buffer.cpp:3096: tt::exception\ninfo:\n" CLASHED \
	"\nbacktrace:\n --- /v/libtt_metal.so(+0xabae05) [0x7f92b6ebae05]\n"
#define OF_TTNN                                                                                    \
	"  File \"/v/lib/python3.12/site-packages/ttnn/decorators.py\", line 1245, in __call__\n"    \
	"    result = self.function(*function_args, **function_kwargs)\n             ^^^^^^^\n"
#define OF_APP                                                                                     \
	"Traceback (most recent call last):\n"                                                     \
	"  File \"/srv/model.py\", line 23, in <module>\n    y = layer(y)\n"                        \
	"  File \"/srv/a model.py\", line 12, in Layer.<lambda>\n    k = softmax(q)\n       ^^^^^\n"

/* Where it was raised: the program's own innermost line, and never that of another message. */
static void test_places(void **unused)
{
	(void)unused;
	assert_string_equal(place_of(LOGGED OF_APP OF_TTNN RAISED), "/srv/a model.py:12 Layer.<lambda>");
	assert_string_equal(place_of(OF_APP RAISED), "/srv/a model.py:12 Layer.<lambda>");
	/* somebody caught it: the log line after it has no traceback of its own */
	assert_string_equal(place_of(OF_APP OF_TTNN RAISED "1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n12\n13\n"
				     LOGGED), "-");
	assert_string_equal(place_of(LOGGED), "-");
	/* nor has one that begins with an E, of whatever log */
	assert_string_equal(place_of(OF_APP OF_TTNN RAISED "1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n12\n13\n"
				     "ERROR | " CLASHED "\n"), "-");
	assert_string_equal(place_of("tests/test_it.py:9: in test_it\nException: " CLASHED "\n"), "-");
	assert_string_equal(place_of("Traceback (most recent call last):\n" OF_TTNN RAISED), "-");
	/* a frame that is not whole, and one without a function */
	assert_string_equal(place_of("  File \"model.py\", line x, in f\n" RAISED), "-");
	assert_string_equal(place_of("  File \"model.py\", line 99999999999, in f\n" RAISED), "-");
	assert_string_equal(place_of("  File \"model.py\", line 7\n" RAISED), "model.py:7 ");
}

/* pytest's own form, in both of its lengths. */
static void test_places_of_pytest(void **unused)
{
	static const char whole[] =
		"____________ test_before ____________\n\ntests/test_a.py:3: AssertionError\n"
		"____________ test_it ____________\n\n    def test_it(device):\n>       model(device)\n\n"
		"tests/test_it.py:9: \n_ _ _ _ _ _ _ _\n\n    def forward(self):\n>       softmax(q)\n\n"
		"model.py:12: in forward\n_ _ _ _ _ _ _ _\n\n    def __call__(self):\n"
		"        # a long function\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n>       result = self.function()\n"
		"E       RuntimeError: TT_THROW @ /project/x.cpp:3096: tt::exception\nE       info:\n"
		"E       " CLASHED "\n\n../v/site-packages/ttnn/decorators.py:1245: RuntimeError\n";
	static const char brief[] =
		"____________ test_it ____________\ntests/test_it.py:9: in test_it\n    model(device)\n"
		"../v/site-packages/ttnn/decorators.py:1245: in __call__\n    result = f()\n"
		"E   RuntimeError: TT_THROW @ /project/x.cpp:3096: tt::exception\nE   " CLASHED "\n";
	static const char none[] = "tests/test_it.py:9: in test_it\n____________ test_b ____________\n"
				   "E   " CLASHED "\n";

	(void)unused;
	assert_string_equal(place_of(whole), "model.py:12 forward");
	assert_string_equal(place_of(brief), "tests/test_it.py:9 test_it");
	assert_string_equal(place_of(none), "-");
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
		cmocka_unit_test(test_kind_of_program_buffer),
		cmocka_unit_test(test_places), cmocka_unit_test(test_places_of_pytest),
		 cmocka_unit_test(test_many),	    cmocka_unit_test(test_figures),
		cmocka_unit_test(test_bytes),
	};

	return cmocka_run_group_tests(tests, load, NULL);
}
