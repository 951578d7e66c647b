/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The screens, compared with tests/unit/golden: what people paste into chats
 * should not change by accident. After a wanted change run this program with
 * --update and read the difference.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "snapshots.h"
#include "view/buffers.h"
#include "view/growth.h"
#include "view/picture.h"
#include "view/places.h"
#include "view/selection.h"
#include "view/sites.h"

#define GOLDEN SOURCE_ROOT "/tests/unit/golden/"

static bool update;

static void check_golden(const char *name, const struct text *text)
{
	char path[512];
	text_auto golden = TEXT_INIT;
	char part[4096];
	size_t n;

	(void)snprintf(path, sizeof path, GOLDEN "%s.txt", name);
	FILE *file = fopen(path, update ? "w" : "r");

	assert_non_null(file);
	if (update) {
		assert_true(fwrite(text->bytes, 1, text->length, file) == text->length);
	} else {
		while ((n = fread(part, 1, sizeof part, file)) > 0)
			text_append(&golden, part, n);
		if (golden.length != text->length ||
		    memcmp(golden.bytes, text->bytes, text->length) != 0)
			fail_msg("%s is not what %s says:\n%s", name, path, text->bytes);
	}
	(void)fclose(file);
}

/* Every line of a box is as wide as the first. */
static void check_aligned(const struct text *text)
{
	text_auto copy = TEXT_INIT;
	unsigned width = 0;

	text_append(&copy, text->bytes, text->length);
	for (char *line = strtok(copy.bytes, "\n"); line; line = strtok(NULL, "\n")) {
		unsigned columns = style_columns(line);

		if (width == 0)
			width = columns;
		if (columns != width)
			fail_msg("%u columns instead of %u: %s", columns, width, line);
	}
}

static void test_picture(void **state)
{
	static const struct {
		const char *name;
		void (*build)(struct snapshot *);
		struct style style;
	} cases[] = {
		{"simple-80", snapshot_simple, {80, true, false}},
		{"simple-80-ascii", snapshot_simple, {80, false, false}},
		{"simple-120", snapshot_simple, {120, true, false}},
		{"simple-80-colour", snapshot_simple, {80, true, true}},
		{"odd-80", snapshot_odd, {80, true, false}},
		{"odd-80-ascii", snapshot_odd, {80, false, false}},
		{"odd-120", snapshot_odd, {120, true, false}},
		{"odd-200", snapshot_odd, {200, true, false}},
		{"empty-80", snapshot_init, {80, true, false}},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct snapshot snapshot;
		text_auto text = TEXT_INIT;

		cases[i].build(&snapshot);
		picture_write(&text, &snapshot, &cases[i].style);
		assert_false(text.failed);
		check_golden(cases[i].name, &text);
		check_aligned(&text);
		snapshot_clear(&snapshot);
	}
}

/* Of a long list the first are shown, and how many there are. */
static void test_growth_top(void **state)
{
	const struct style style = {120, true, false};
	text_auto text = TEXT_INIT;
	struct snapshot snapshot;
	struct site_list list;
	unsigned lines = 0;

	(void)state;
	snapshot_rows(&snapshot, &list, false);
	assert_true(list.count > 1);
	growth_write(&text, &snapshot, &style, &list, 1);
	assert_non_null(strstr(text.bytes, "\n1 of 3 places\n"));
	for (const char *p = text.bytes; (p = strstr(p, "4211")); p++)
		lines++;
	assert_int_equal(lines, 1);
	site_list_clear(&list);
	snapshot_clear(&snapshot);
}

/* Reason: every state has to be there without colour as well. */
static void test_colour_is_never_alone(void **state)
{
	const struct style plain = {80, true, false}, colour = {80, true, true};
	text_auto one = TEXT_INIT, two = TEXT_INIT, stripped = TEXT_INIT;
	struct snapshot snapshot;

	(void)state;
	snapshot_odd(&snapshot);
	picture_write(&one, &snapshot, &plain);
	picture_write(&two, &snapshot, &colour);
	for (const char *p = two.bytes; *p; p++) {
		if (*p == 0x1b)
			while (*p != 'm')
				p++;
		else
			text_putc(&stripped, *p);
	}
	assert_string_equal(one.bytes, stripped.bytes);
	assert_null(strchr(one.bytes, 0x1b));
	snapshot_clear(&snapshot);
}

static void test_buffers(void **state)
{
	static const struct {
		const char *name;
		struct style style;
		struct buffer_filter filter;
	} cases[] = {
		{"buffers-80", {80, true, false}, {.type = -1, .order = ORDER_SIZE}},
		{"buffers-120", {120, true, false}, {.type = -1, .order = ORDER_AGE}},
		{"buffers-200", {200, true, false}, {.type = -1, .order = ORDER_AGE}},
		{"buffers-no-site-80", {80, true, false}, {.type = -1, .min_bytes = 1 << 20,
							   .order = ORDER_AGE}},
		{"buffers-l1-80", {80, true, false}, {.type = MEMORY_L1}},
		{"buffers-none-80", {80, true, false}, {.type = MEMORY_TRACE}},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct snapshot snapshot;
		text_auto text = TEXT_INIT;
		uint32_t *indices, count;

		snapshot_simple(&snapshot);
		if (strstr(cases[i].name, "no-site"))
			snapshot.buffers[0].site = 0;
		assert_int_equal(buffers_select(&snapshot, &cases[i].filter, &indices, &count), 0);
		buffers_write(&text, &snapshot, &cases[i].style, indices, count);
		check_golden(cases[i].name, &text);
		free(indices);
		snapshot_clear(&snapshot);
	}
}

/* Reason: what a session of the tool is for; the reason of an empty column has to be in it. */
static void test_sites_and_growth(void **state)
{
	static const struct {
		const char *sites, *growth;
		struct style style;
		bool odd;
	} cases[] = {
		{"sites-80", "growth-80", {80, true, false}, false},
		{"sites-120", "growth-120", {120, true, false}, false},
		{"sites-200", "growth-200", {200, true, false}, false},
		{"sites-odd-80", "growth-odd-80", {80, true, false}, true},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		text_auto sites = TEXT_INIT, growth = TEXT_INIT;
		struct snapshot snapshot;
		struct site_list list;

		snapshot_rows(&snapshot, &list, cases[i].odd);
		sites_write(&sites, &snapshot, &cases[i].style, &list, cases[i].odd ? 2 : 0);
		check_golden(cases[i].sites, &sites);
		growth_write(&growth, &snapshot, &cases[i].style, &list, 0);
		check_golden(cases[i].growth, &growth);
		site_list_clear(&list);
		snapshot_clear(&snapshot);
	}
}

static void check_place(const char *op, const char *file, uint32_t line, const char *function,
			const char *wanted_site, const char *wanted_sentence)
{
	const struct site_texts texts = {
		.op = op, .file = file, .function = function, .line = line, .frame_count = !*file,
		.frames = {{.module = "/lib/libapp.so", .symbol = "", .offset = 0x12}}};
	text_auto site = TEXT_INIT, sentence = TEXT_INIT;
	struct snapshot s;
	uint32_t number;

	snapshot_init(&s);
	assert_int_equal(snapshot_intern_site(&s, &texts, &number), 0);
	place_site(&site, &s, number);
	assert_true(place_sentence(&sentence, &s, number));
	assert_string_equal(site.bytes, wanted_site);
	assert_string_equal(sentence.bytes, wanted_sentence);
	snapshot_clear(&s);
}

/* Reason: as much as is known, and never a line 0 or an empty pair of brackets. */
static void test_places(void **state)
{
	text_auto none = TEXT_INIT;
	struct snapshot s;

	(void)state;
	check_place("ttnn.add", "/a/m.py", 3, "f", "/a/m.py:3", "ttnn.add at m.py:3 (f)");
	check_place("", "/a/m.py", 3, "", "/a/m.py:3", "m.py:3");
	check_place("ttnn.add", "/a/decode", 0, "step", "decode (step)",
		    "ttnn.add at decode (step)");
	check_place("", "m/", 0, "", "m/", "m/");
	check_place("", "", 0, "", "/lib/libapp.so+0x12", "/lib/libapp.so+0x12");
	/* a stack of the framework alone: its innermost call says nothing */
	check_place("ttnn.add", "", 0, "", "-", "ttnn.add");
	snapshot_init(&s);
	place_site(&none, &s, 7);
	assert_string_equal(none.bytes, "-");
	assert_false(place_sentence(&none, &s, 0));
}

static void test_nothing_grows(void **state)
{
	const struct style style = {80, true, false};
	text_auto first = TEXT_INIT, later = TEXT_INIT;
	struct site_list list = {.window_ns = UINT64_C(300000000000),
				 .interval_ns = UINT64_C(10000000000)};
	struct snapshot snapshot;

	(void)state;
	snapshot_init(&snapshot);
	growth_write(&first, &snapshot, &style, &list, 0);
	assert_string_equal(first.bytes, "Nothing is seen to grow.\n"
					 "Watched for 0 ms of 5 m 00 s, every 10 s.\n"
					 "That is too short to tell.\n");
	list.watched_ns = UINT64_C(290000000000);
	growth_write(&later, &snapshot, &style, &list, 0);
	assert_string_equal(later.bytes, "Nothing is seen to grow.\n"
					 "Watched for 4 m 50 s of 5 m 00 s, every 10 s.\n");
}

/* Reason: CSV goes into other programs: names with commas and quotes stay one cell. */
static void test_sites_csv(void **state)
{
	const struct query_csv csv = {false, true};
	text_auto text = TEXT_INIT;
	struct snapshot snapshot;
	struct site_list list;

	(void)state;
	snapshot_rows(&snapshot, &list, true);
	assert_int_equal(snapshot_string(&snapshot, "a,\"b\"\n", 6, &snapshot.sites[0].op), 0);
	sites_write_csv(&text, &snapshot, &list, &csv, true);
	check_golden("growth-odd-csv", &text);
	site_list_clear(&list);
	snapshot_clear(&snapshot);
}

static void check_order(const struct snapshot *snapshot, struct buffer_filter filter,
			const char *want)
{
	uint32_t *indices, count;
	char got[16] = "";

	filter.type = -1;
	assert_int_equal(buffers_select(snapshot, &filter, &indices, &count), 0);
	for (uint32_t i = 0; i < count; i++)
		(void)snprintf(got + strlen(got), 3, "%u", indices[i]);
	assert_string_equal(got, want);
	free(indices);
}

static void test_selection(void **state)
{
	struct snapshot snapshot;

	(void)state;
	snapshot_simple(&snapshot);
	check_order(&snapshot, (struct buffer_filter){.order = ORDER_SIZE}, "012");
	check_order(&snapshot, (struct buffer_filter){.order = ORDER_BANK}, "012");
	check_order(&snapshot, (struct buffer_filter){.order = ORDER_AGE}, "012");
	check_order(&snapshot, (struct buffer_filter){.order = ORDER_ADDRESS}, "021");
	check_order(&snapshot, (struct buffer_filter){.order = ORDER_SLOT, .top = 1}, "0");
	check_order(&snapshot, (struct buffer_filter){.min_bytes = 1 << 20}, "01");
	check_order(&snapshot, (struct buffer_filter){.pid = 1}, "");
	check_order(&snapshot, (struct buffer_filter){.by_chip = true, .unique_id = 3}, "");
	check_order(&snapshot,
		    (struct buffer_filter){.by_chip = true, .unique_id = UINT64_C(10226774059)},
		    "012");
	snapshot_clear(&snapshot);
}

static void check_width(const struct text *text, unsigned width)
{
	text_auto copy = TEXT_INIT;

	text_append(&copy, text->bytes, text->length);
	for (char *line = strtok(copy.bytes, "\n"); line; line = strtok(NULL, "\n"))
		if (style_columns(line) > width)
			fail_msg("%u columns: %s", style_columns(line), line);
}

static void check_harmless(const struct text *text)
{
	assert_false(text->failed);
	for (size_t at = 0; at < text->length; at++)
		assert_false((unsigned char)text->bytes[at] < 0x20 && text->bytes[at] != '\n');
	assert_null(strstr(text->bytes, "\xc2\x9b"));
	assert_null(strstr(text->bytes, "\xe2\x80\xae"));
}

/* Names of operations, files and functions come from the program as well. */
static void check_hostile_sites(const char *bytes)
{
	for (unsigned width = 80; width <= 200; width += 40) {
		const struct style style = {width, true, false};
		const struct query_csv csv = {false, false};
		text_auto sites = TEXT_INIT, growth = TEXT_INIT, buffers = TEXT_INIT, rows = TEXT_INIT;
		uint32_t order[] = {0, 1, 2};
		struct snapshot snapshot;
		struct site_list list;

		snapshot_rows(&snapshot, &list, false);
		for (uint32_t i = 0; i < snapshot.site_count; i++) {
			string_id id;

			assert_int_equal(snapshot_string(&snapshot, bytes, strlen(bytes), &id), 0);
			snapshot.sites[i].op = snapshot.sites[i].file = id;
			snapshot.sites[i].function = id;
		}
		sites_write(&sites, &snapshot, &style, &list, 0);
		growth_write(&growth, &snapshot, &style, &list, 0);
		buffers_write(&buffers, &snapshot, &style, order, 3);
		sites_write_csv(&rows, &snapshot, &list, &csv, true);
		check_harmless(&sites);
		check_harmless(&growth);
		check_harmless(&buffers);
		check_harmless(&rows);
		check_width(&sites, width);
		check_width(&growth, width);
		check_width(&buffers, width);
		site_list_clear(&list);
		snapshot_clear(&snapshot);
	}
}

/* Reason: an escape sequence in a command line must not reach the terminal. */
static void test_hostile_strings(void **state)
{
	static const char *const hostile[] = {
		"\x1b]0;title\x07\x1b[2J", "line\nbreak\r\ttab", "\xff\xfe\xc2\x9b", "\xe2\x80\xae",
		"\xe6\xbc\xa2\xe5\xad\x97\xe6\xbc\xa2\xe5\xad\x97\xe6\xbc\xa2\xe5\xad\x97",
		"\xea\xb0\x80\xe3\x81\x82\xf0\x9f\x92\xa9", "<script>", "%s%n%x"};
	const struct style style = {80, true, false};
	char *huge = malloc(4097);

	(void)state;
	assert_non_null(huge);
	memset(huge, 0x1b, 4096);
	huge[4096] = '\0';
	for (size_t i = 0; i <= sizeof hostile / sizeof hostile[0]; i++) {
		const char *bytes = i < sizeof hostile / sizeof hostile[0] ? hostile[i] : huge;
		struct snapshot snapshot;
		text_auto text = TEXT_INIT;

		snapshot_hostile(&snapshot, bytes, strlen(bytes));
		/* so that the name of the capability is one that is shown, and its reason with it */
		assert_int_equal(snapshot_string(&snapshot, "buffers", 7,
						 &snapshot.capabilities[0].name), 0);
		picture_write(&text, &snapshot, &style);
		check_aligned(&text);
		for (size_t at = 0; at < text.length; at++)
			assert_false((unsigned char)text.bytes[at] < 0x20 && text.bytes[at] != '\n');
		assert_null(strstr(text.bytes, "\xc2\x9b"));
		assert_null(strstr(text.bytes, "\xe2\x80\xae"));
		snapshot_clear(&snapshot);
		check_hostile_sites(bytes);
	}
	free(huge);
}

/* Whatever failed, and however long its numbers are: it is there to the last word, in the box. */
static void test_failures_fit(void **state)
{
	const struct fact most = fact_of(UINT64_MAX);
	static const char *const wanted[] = {
		[FAILURE_ALLOCATION] = "16.0 EiB of L1_SMALL",
		[FAILURE_CLASH] = "clash: program 18446744073709551615 ends at 18446744073709551615",
		[FAILURE_TOO_LARGE] = ("program 18446744073709551615 too large: ends at "
				       "18446744073709551615"),
	};

	(void)state;
	for (unsigned width = 80; width <= 200; width += 40)
		for (uint32_t kind = 0; kind < FAILURE_KINDS; kind++) {
			const struct style style = {width, true, false};
			text_auto text = TEXT_INIT;
			struct snapshot s;
			uint32_t index;

			snapshot_simple(&s);
			assert_int_equal(snapshot_add_failure(&s, &index), 0);
			s.failures[index] = (struct failure){
				.number = 1, .age_ns = UINT64_C(7500000000), .kind = kind,
				.requested_bytes = most, .type = fact_of(MEMORY_L1_SMALL),
				.bank_free_bytes = most, .bank_largest_free_bytes = most,
				.site = s.buffers[2].site, .program = most, .end_address = most,
				.lowest_address = most, .limit_bytes = most};
			s.processes[0].failures = (struct span){index, 1};
			s.processes[0].failure_count = 1;
			picture_write(&text, &s, &style);
			check_aligned(&text);
			assert_non_null(strstr(text.bytes, wanted[kind]));
			assert_non_null(strstr(text.bytes, "ttnn.matmul at model.py:214"));
			snapshot_clear(&s);
		}
}

/* A line that is too long for its box is cut inside it, and a colour in it still ends. */
static void test_row_is_cut(void **state)
{
	const struct style style = {24, true, true};
	text_auto content = TEXT_INIT, row = TEXT_INIT, wide = TEXT_INIT, cut = TEXT_INIT;

	(void)state;
	style_tone(&content, &style, TONE_BAD);
	text_puts(&content, "a b c d e f g h i j k l");
	style_tone(&content, &style, TONE_PLAIN);
	style_row(&row, &style, &content);
	assert_string_equal(row.bytes, "│ \x1b[31ma b c d e f g h i...\x1b[0m │\n");
	/* a letter of two columns does not fit into the last one */
	text_puts(&wide, "1234567890123456\xe6\xbc\xa2\xe5\xad\x97");
	text_pad(&wide, ' ', 4);
	style_row(&cut, &style, &wide);
	assert_string_equal(cut.bytes, "│ 1234567890123456...  │\n");
}

static void test_sizes(void **state)
{
	static const struct {
		uint64_t bytes;
		const char *text;
	} cases[] = {
		{0, "0 B"}, {1, "1 B"}, {999, "999 B"}, {1000, "0.98 KiB"}, {1023, "1.00 KiB"},
		{1024, "1.00 KiB"}, {10 * 1024, "10.0 KiB"}, {100 * 1024, "100 KiB"},
		{1023 * 1024, "1.00 MiB"}, {1280 << 20, "1.25 GiB"}, {UINT64_MAX, "16.0 EiB"},
		{UINT64_C(12872318976), "12.0 GiB"}, {UINT64_C(1) << 50, "1.00 PiB"},
		{10234, "9.99 KiB"}, {10235, "10.0 KiB"}, {102348, "99.9 KiB"}, {102350, "100 KiB"},
	};
	char cell[STYLE_CELL];

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		assert_string_equal(size_text(cases[i].bytes, cell), cases[i].text);
	assert_string_equal(fact_size(fact_absent(REASON_NONE), cell), "-");
	assert_string_equal(fact_size(fact_estimate(2048, REASON_NONE), cell), "~2.00 KiB");
	assert_string_equal(percent_text(1, 1000000, cell), "<1%");
	assert_string_equal(percent_text(999999, 1000000, cell), ">99%");
	assert_string_equal(percent_text(5, 5, cell), "100%");
	assert_string_equal(percent_text(0, 0, cell), "-");
	assert_string_equal(age_text(UINT64_C(7265000000000), cell), "2 h 01 m");
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_picture),
		cmocka_unit_test(test_colour_is_never_alone),
		cmocka_unit_test(test_buffers),
		cmocka_unit_test(test_sites_and_growth),
		cmocka_unit_test(test_places),
		cmocka_unit_test(test_nothing_grows),
		cmocka_unit_test(test_sites_csv),
		cmocka_unit_test(test_selection),
		cmocka_unit_test(test_hostile_strings),
		cmocka_unit_test(test_growth_top),
		cmocka_unit_test(test_failures_fit),
		cmocka_unit_test(test_row_is_cut),
		cmocka_unit_test(test_sizes),
	};

	update = argc == 2 && strcmp(argv[1], "--update") == 0;
	(void)setenv("TZ", "UTC", 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
