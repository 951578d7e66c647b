/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a check-up shows: every finding with its mark and what to do, in lines
 * that fit, with nothing of a stranger's bytes left; and what it reads of a
 * server, which may send anything.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "api/json_doctor.h"
#include "view/doctor.h"

static void fill(struct findings *findings)
{
	findings_subject(findings, "process %d", 4211);
	findings_add(findings, FINDING_OK, "books", "", "%d figures agree", 7);
	findings_add(
	    findings, FINDING_WARNING, "hook", "start it with ttmem run",
	    "a sentence that is long enough to be broken into two lines of eighty columns");
	findings_add(findings, FINDING_ERROR, "books", "report it", "evil \x1b[31m \xff\n");
	findings_subject(findings, "machine");
	findings_add(findings, FINDING_UNKNOWN, "server", "start ttmemd", "none");
}

static void test_text(void **state)
{
	const struct style style = {.width = 80};
	struct findings findings = FINDINGS_INIT;
	text_auto text = TEXT_INIT;

	(void)state;
	fill(&findings);
	assert_int_equal(findings_wrong(&findings), 2);
	doctor_write(&text, &findings, &style);
	assert_string_equal(
	    text.bytes,
	    "[ok] process 4211: 7 figures agree\n"
	    "[!!] process 4211: a sentence that is long enough to be broken into two lines of\n"
	    "     eighty columns\n"
	    "     -> start it with ttmem run\n"
	    "[!!] process 4211: evil \\x1b[31m \\xff\\x0a\n"
	    "     -> report it\n"
	    "[--] machine: none\n"
	    "     -> start ttmemd\n"
	    "2 findings; 1 ok, 1 not checked\n");
	findings_clear(&findings);
}

/* With colour the same characters stand there. */
static void test_colour(void **state)
{
	const struct style plain = {.width = 80}, coloured = {.width = 80, .colour = true};
	struct findings findings = FINDINGS_INIT;
	text_auto a = TEXT_INIT, b = TEXT_INIT, stripped = TEXT_INIT;

	(void)state;
	fill(&findings);
	doctor_write(&a, &findings, &plain);
	doctor_write(&b, &findings, &coloured);
	for (const char *p = b.bytes; *p; p++) {
		if (*p == 0x1b)
			while (*p != 'm')
				p++;
		else
			text_putc(&stripped, *p);
	}
	assert_true(b.length > a.length);
	assert_string_equal(stripped.bytes, a.bytes);
	findings_clear(&findings);
}

static void test_json(void **state)
{
	struct findings findings = FINDINGS_INIT;
	text_auto text = TEXT_INIT;

	(void)state;
	fill(&findings);
	json_write_findings(&text, &findings, UINT64_C(1795586400123000000));
	assert_non_null(strstr(text.bytes,
			       "\"wrong\":2,\"findings\":[{\"subject\":\"process 4211\","
			       "\"check\":\"books\",\"state\":\"ok\",\"message\":"
			       "\"7 figures agree\",\"hint\":null},"));
	assert_non_null(strstr(text.bytes, "\"message\":\"evil \\u001B[31m \xef\xbf\xbd\\n\""));
	findings_clear(&findings);
}

static void test_read_server(void **state)
{
	static const char good[] =
	    "{\"schema\":\"ttmem.server/1\",\"version\":\"0.1.0\",\"tables\":{\"live\":3},"
	    "\"refused\":{\"limit\":18446744073709551615,\"uid_limit\":1,\"table\":2}}";
	static const char *const bad[] = {"", "[]", "{}", "{\"schema\":\"ttmem.server/2\"}", "nul"};
	struct server_facts facts = {.live = 99};

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_true(json_read_server(bad[i], strlen(bad[i]), &facts) < 0);
	assert_int_equal(facts.live, 99);
	assert_int_equal(json_read_server(good, strlen(good), &facts), 0);
	assert_string_equal(facts.version, "0.1.0");
	assert_int_equal(facts.live, 3);
	assert_true(facts.refused_limit == UINT64_MAX);
	assert_int_equal(facts.refused_table, 2);
	assert_int_equal(facts.processes_denied, 0);
}

static void test_read_verify(void **state)
{
	static struct verify_answer answers[VERIFY_ANSWERS_MAX];
	static const char good[] =
	    "{\"schema\":\"ttmem.verify/1\",\"pid\":1,\"state\":\"answered\",\"answers\":["
	    "{\"allocator\":2,\"type\":\"l1\",\"ours\":{\"allocated_bytes\":7},"
	    "\"allocator_says\":{\"allocated_bytes\":8},\"equal\":false},"
	    "{\"allocator\":2,\"type\":\"dram\",\"equal\":true},"
	    "{\"allocator\":2,\"type\":\"trace\",\"equal\":null}]}";
	static const char *const bad[] = {
	    "{}", "{\"schema\":\"ttmem.verify/1\",\"answers\":[{\"type\":\"L9\"}]}",
	    "{\"schema\":\"ttmem.verify/1\",\"answers\":[3]}"};
	text_auto many = TEXT_INIT;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_true(json_read_verify(bad[i], strlen(bad[i]), answers) < 0);
	assert_int_equal(json_read_verify(good, strlen(good), answers), 3);
	assert_int_equal(answers[0].type, MEMORY_L1);
	assert_int_equal(answers[0].result, VERIFY_DIFFERENT);
	assert_int_equal(answers[0].our_bytes, 7);
	assert_int_equal(answers[0].allocated_bytes, 8);
	assert_int_equal(answers[1].result, VERIFY_EQUAL);
	assert_int_equal(answers[2].result, VERIFY_MOVED);
	/* more than there is room for */
	text_puts(&many, "{\"schema\":\"ttmem.verify/1\",\"answers\":[");
	for (unsigned i = 0; i < 2 * VERIFY_ANSWERS_MAX; i++)
		text_printf(&many, "%s{\"type\":\"dram\",\"equal\":true}", i ? "," : "");
	text_puts(&many, "]}");
	assert_int_equal(json_read_verify(many.bytes, many.length, answers), VERIFY_ANSWERS_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_text),	cmocka_unit_test(test_colour),
	    cmocka_unit_test(test_json),	cmocka_unit_test(test_read_server),
	    cmocka_unit_test(test_read_verify),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
