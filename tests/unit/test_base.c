/* SPDX-License-Identifier: Apache-2.0 */
/* The one door for strings from strangers, and the text it goes into. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/buffer.h"
#include "base/clock.h"

static void escapes(const char *from, const char *to)
{
	text_auto text = TEXT_INIT;

	text_escape(&text, from, 0, false);
	assert_string_equal(text.bytes ? text.bytes : "", to);
}

/* Nothing that reaches a terminal may move its cursor, change its colour or break a line. */
static void test_hostile(void **state)
{
	(void)state;
	escapes("plain text", "plain text");
	escapes("\x1b[31mred", "\\x1b[31mred");
	escapes("a\nb\rc\td", "a\\x0ab\\x0dc\\x09d");
	escapes("\xff\xfe", "\\xff\\xfe");
	escapes("\x7f", "\\x7f");
	escapes("<script>alert(1)</script>", "<script>alert(1)</script>");
	escapes("na\xc3\xafve", "na\xc3\xafve");
	escapes("\xc2\x9b", "\\xc2\\x9b");		   /* C1: another way to say ESC [ */
	escapes("\xe2\x80\xae" "abc", "\\xe2\\x80\\xae" "abc"); /* right-to-left override */
	escapes("\xc0\xaf", "\\xc0\\xaf");		   /* an overlong slash */
	escapes("\xed\xa0\x80", "\\xed\\xa0\\x80");	   /* half a surrogate pair */
	escapes("\xf0\x9f", "\\xf0\\x9f");		   /* cut in the middle */
	escapes("", "");
}

static void test_cutting(void **state)
{
	text_auto left = TEXT_INIT;
	text_auto right = TEXT_INIT;
	text_auto whole = TEXT_INIT;

	(void)state;
	text_escape(&left, "/usr/bin/python3 model.py", 12, true);
	assert_string_equal(left.bytes, "... model.py");
	text_escape(&right, "/usr/bin/python3 model.py", 12, false);
	assert_string_equal(right.bytes, "/usr/bin/...");
	text_escape(&whole, "exactly12345", 12, true);
	assert_string_equal(whole.bytes, "exactly12345");
}

static void test_growth(void **state)
{
	text_auto text = TEXT_INIT;

	(void)state;
	for (int i = 0; i < 10000; i++)
		text_printf(&text, "%d,", i);
	assert_int_equal(text.length, 48890);
	assert_int_equal(strlen(text.bytes), text.length);
}

static void test_time(void **state)
{
	char text[40];

	(void)state;
	clock_rfc3339(UINT64_C(1764054000123000000), text, sizeof text);
	assert_string_equal(text, "2025-11-25T07:00:00.123Z");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hostile),
		cmocka_unit_test(test_cutting),
		cmocka_unit_test(test_growth),
		cmocka_unit_test(test_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
