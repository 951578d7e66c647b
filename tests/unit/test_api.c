/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON both ways. What one side writes the other must read back to the same
 * picture, whatever strangers put into the strings, and docs/api.md must say
 * what the code does.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <yyjson.h>

#include "api/fields.h"
#include "api/json.h"
#include "api/json_rows.h"
#include "snapshots.h"

#define BYTES(literal) {literal, sizeof(literal) - 1}

static const struct {
	const char *bytes;
	size_t length;
} hostile[] = {
	BYTES("\x1b[31mred\x1b[0m"),
	BYTES("a\nb\tc,\"d\" 'e' \\ <script>alert(1)</script>"),
	BYTES("\xff\xfe\x80 caf\xc3\xa9 \xe2\x82"),
	BYTES("\xc0\xaf \xed\xa0\x80 \xf4\x90\x80\x80 \xf0\x9f\x92\xa9"),
	BYTES("\xe2\x80\xae right to left"),
	BYTES("nul\0inside"),
	BYTES("\x01\x02\x7f\xc2\x85"),
};

static void write_parse(const struct snapshot *snapshot, struct text *ret_text)
{
	yyjson_doc *doc;

	json_write_snapshot(ret_text, snapshot);
	assert_false(ret_text->failed);
	doc = yyjson_read(ret_text->bytes, ret_text->length, 0);
	assert_non_null(doc);
	yyjson_doc_free(doc);
	/* one document a line, whatever is in it */
	assert_null(memchr(ret_text->bytes, '\n', ret_text->length));
}

static void check_round_trip(const struct snapshot *snapshot)
{
	text_auto first = TEXT_INIT, second = TEXT_INIT;
	struct snapshot copy;

	write_parse(snapshot, &first);
	assert_int_equal(json_read_snapshot(first.bytes, first.length, &copy), 0);
	write_parse(&copy, &second);
	assert_string_equal(first.bytes, second.bytes);
	snapshot_clear(&copy);
}

/* Reason: the tool shows a server's reply through the same views as its own snapshot. */
static void test_round_trip(void **state)
{
	struct snapshot snapshot;

	(void)state;
	snapshot_simple(&snapshot);
	check_round_trip(&snapshot);
	snapshot_clear(&snapshot);
	snapshot_odd(&snapshot);
	check_round_trip(&snapshot);
	snapshot_clear(&snapshot);
	snapshot_init(&snapshot);
	check_round_trip(&snapshot);
	snapshot_clear(&snapshot);
}

static void test_buffers_round_trip(void **state)
{
	void (*const build[])(struct snapshot *) = {snapshot_simple, snapshot_odd};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		text_auto first = TEXT_INIT, second = TEXT_INIT;
		struct snapshot snapshot, copy;

		build[i](&snapshot);
		json_write_buffers(&first, &snapshot, NULL, 0);
		assert_int_equal(json_read_buffers(first.bytes, first.length, &copy), 0);
		assert_int_equal(copy.buffer_count, snapshot.buffer_count);
		json_write_buffers(&second, &copy, NULL, 0);
		assert_string_equal(first.bytes, second.bytes);
		snapshot_clear(&copy);
		snapshot_clear(&snapshot);
	}
}

/* Reason: the tool shows a server's rows through the same view as its own. */
static void test_rows_round_trip(void **state)
{
	(void)state;
	for (int odd = 0; odd < 2; odd++) {
		text_auto sites = TEXT_INIT, growth = TEXT_INIT, again = TEXT_INIT;
		struct snapshot snapshot, copy;
		struct site_list list, read;

		snapshot_rows(&snapshot, &list, odd);
		json_write_sites(&sites, &snapshot, &list);
		json_write_growth(&growth, &snapshot, &list);
		site_list_clear(&list);
		assert_int_equal(json_read_sites(sites.bytes, sites.length, &copy, &read), 0);
		json_write_sites(&again, &copy, &read);
		assert_string_equal(again.bytes, sites.bytes);
		site_list_clear(&read);
		snapshot_clear(&copy);
		text_free(&again);
		again = (struct text)TEXT_INIT;
		assert_int_equal(json_read_growth(growth.bytes, growth.length, &copy, &read), 0);
		json_write_growth(&again, &copy, &read);
		assert_string_equal(again.bytes, growth.bytes);
		site_list_clear(&read);
		for (size_t length = 0; length < growth.length; length++)
			assert_int_equal(json_read_growth(growth.bytes, length, &snapshot, &read),
					 -EBADMSG);
		snapshot_clear(&copy);
		snapshot_clear(&snapshot);
	}
}

/* Reason: a document of somebody else, or of a later version. */
static void test_bad_rows(void **state)
{
	static const char *const odd[] = {
		"{\"schema\":\"ttmem.sites/1\",\"by\":\"site\",\"sites\":[1,null,{},{\"type\":\"l2\"},"
		"{\"type\":\"l1\",\"buffers\":-1,\"chips\":7,\"site\":[]}]}",
		"{\"schema\":\"ttmem.sites/1\",\"by\":\"op\",\"sites\":{}}"};
	static const char bad[] = "{\"schema\":\"ttmem.sites/1\",\"by\":\"mood\",\"sites\":[]}";
	struct snapshot snapshot;
	struct site_list list;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(json_read_sites(odd[i], strlen(odd[i]), &snapshot, &list), 0);
		assert_int_equal(list.count, i == 0);
		site_list_clear(&list);
		snapshot_clear(&snapshot);
	}
	assert_int_equal(json_read_sites(bad, sizeof bad - 1, &snapshot, &list), -EBADMSG);
}

/* Reason: ids of 64 bits and figures near 2^64 must not pass through a double. */
static void test_exact_numbers(void **state)
{
	text_auto text = TEXT_INIT;
	struct snapshot snapshot, copy;

	(void)state;
	snapshot_simple(&snapshot);
	snapshot.devices[0].unique_id = fact_of(UINT64_MAX);
	snapshot.devices[0].memory[0].requested_bytes = fact_of(UINT64_MAX - 1);
	write_parse(&snapshot, &text);
	assert_non_null(strstr(text.bytes, "\"unique_id\":\"18446744073709551615\""));
	assert_int_equal(json_read_snapshot(text.bytes, text.length, &copy), 0);
	struct span devices = copy.processes[0].devices;

	assert_true(copy.devices[devices.first].unique_id.value == UINT64_MAX);
	assert_true(copy.devices[devices.first].memory[0].requested_bytes.value == UINT64_MAX - 1);
	snapshot_clear(&copy);
	snapshot_clear(&snapshot);
}

static void test_unknown_has_a_reason(void **state)
{
	text_auto text = TEXT_INIT;
	struct snapshot snapshot;

	(void)state;
	snapshot_odd(&snapshot);
	write_parse(&snapshot, &text);
	assert_non_null(strstr(text.bytes, "\"bank.size_bytes\":\"this TT-Metal does not export it\""));
	assert_non_null(strstr(text.bytes, "\"estimates\":{\"peak_occupied_bytes\":\"several"));
	assert_non_null(strstr(text.bytes, "\"grid_x\":null"));
	assert_non_null(strstr(text.bytes, "\"base_address\":null"));
	assert_non_null(strstr(text.bytes, "\"chips\":[null]"));
	snapshot_clear(&snapshot);
}

/* Reason: commands and user names are bytes from strangers; JSON must stay JSON. */
static void test_hostile_strings(void **state)
{
	char *huge = malloc(70000);

	(void)state;
	assert_non_null(huge);
	for (size_t i = 0; i < sizeof hostile / sizeof hostile[0]; i++) {
		struct snapshot snapshot;

		snapshot_hostile(&snapshot, hostile[i].bytes, hostile[i].length);
		check_round_trip(&snapshot);
		snapshot_clear(&snapshot);
	}
	for (int byte = 1; byte < 256; byte++) {
		struct snapshot snapshot;

		memset(huge, byte, 70000);
		snapshot_hostile(&snapshot, huge, byte % 16 ? 3 : 70000);
		check_round_trip(&snapshot);
		snapshot_clear(&snapshot);
	}
	free(huge);
}

/* Reason: a reply may be cut off, or not be from us at all. */
static void test_bad_documents(void **state)
{
	static const char *const bad[] = {
		"", "null", "[]", "{}", "{\"schema\":1}", "{\"schema\":\"ttmem.snapshot/2\"}",
		"{\"schema\":\"ttmem.buffers/1\"}", "{\"schema\":\"ttmem.snapshot/1\"} x"};
	static const char *const odd[] = {
		"{\"schema\":\"ttmem.snapshot/1\"}",
		"{\"schema\":\"ttmem.snapshot/1\",\"processes\":[1,null,[],{}],\"devices\":{}}",
		"{\"schema\":\"ttmem.snapshot/1\",\"time\":\"yesterday\",\"devices\":[{\"memory\":3,"
		"\"unique_id\":-1},{\"memory\":{\"dram\":{\"banks\":-1,\"buffers\":1.5,\"bank\":7}}}]}",
		"{\"schema\":\"ttmem.snapshot/1\",\"processes\":[{\"pid\":-4,\"allocators\":[{\"chips\":"
		"[1,\"x\",\"99999999999999999999999\"]}],\"capabilities\":{\"\":{},\"a\":5}}]}"};
	text_auto text = TEXT_INIT;
	struct snapshot snapshot;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_int_equal(json_read_snapshot(bad[i], strlen(bad[i]), &snapshot), -EBADMSG);
	for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++) {
		text_auto again = TEXT_INIT;

		assert_int_equal(json_read_snapshot(odd[i], strlen(odd[i]), &snapshot), 0);
		write_parse(&snapshot, &again);
		snapshot_clear(&snapshot);
	}
	snapshot_odd(&snapshot);
	write_parse(&snapshot, &text);
	snapshot_clear(&snapshot);
	for (size_t length = 0; length < text.length; length++)
		assert_int_equal(json_read_snapshot(text.bytes, length, &snapshot), -EBADMSG);
}

/* Reason: a type of memory that we do not know must not become DRAM. */
static void test_buffer_of_unknown_type(void **state)
{
	static const char json[] =
		"{\"schema\":\"ttmem.buffers/1\",\"consistent\":true,\"buffers\":["
		"{\"pid\":1,\"allocator\":0,\"type\":\"l2\",\"address\":5},"
		"{\"pid\":1,\"allocator\":0,\"type\":\"l1\",\"layout\":\"spiral\",\"address\":6}]}";
	struct snapshot snapshot;

	(void)state;
	assert_int_equal(json_read_buffers(json, sizeof json - 1, &snapshot), 0);
	assert_int_equal(snapshot.buffer_count, 1);
	assert_int_equal(snapshot.buffers[0].address, 6);
	assert_null(buffer_layout_name(snapshot.buffers[0].layout));
	snapshot_clear(&snapshot);
}

static void test_error(void **state)
{
	text_auto text = TEXT_INIT, none = TEXT_INIT;

	(void)state;
	json_write_error(&text, "not_found", "no \xff", "look");
	assert_string_equal(text.bytes, "{\"error\":{\"code\":\"not_found\",\"message\":"
					"\"no \xef\xbf\xbd\",\"hint\":\"look\"}}");
	json_write_error(&none, "failed", "x", NULL);
	assert_non_null(strstr(none.bytes, "\"hint\":null"));
}

#ifdef SOURCE_ROOT
static char *read_docs(void)
{
	FILE *file = fopen(SOURCE_ROOT "/docs/api.md", "r");
	char *text = calloc(1, 1 << 20);

	assert_non_null(file);
	assert_non_null(text);
	assert_true(fread(text, 1, (1 << 20) - 1, file) > 0);
	(void)fclose(file);
	return text;
}

/* Reason: docs/api.md is what programs are written against. */
static void test_docs_have_every_field(void **state)
{
	char *docs = read_docs(), heading[64], row[512];

	(void)state;
	for (size_t l = 0; l < field_list_count; l++) {
		const struct field_list *list = field_lists[l];

		(void)snprintf(heading, sizeof heading, "\n### %s\n", list->object);
		char *section = strstr(docs, heading);

		assert_non_null(section);
		char *end = strstr(section + 4, "\n#");

		for (size_t i = 0; i < list->count; i++) {
			(void)snprintf(row, sizeof row, "\n| `%s` |", list->fields[i].path);
			char *found = strstr(section, row);

			if (!found || (end && found > end))
				fail_msg("docs/api.md: %s has no %s", list->object,
					 list->fields[i].path);
			/* null exactly when the list says so */
			char *line_end = strchr(found + 1, '\n');

			(void)snprintf(row, sizeof row, "| %s |", list->fields[i].null_when);
			char *when = strstr(found, row);

			if (!when || when > line_end)
				fail_msg("docs/api.md: %s %s: null when %s", list->object,
					 list->fields[i].path, list->fields[i].null_when);
		}
	}
	free(docs);
}

/* The example after a heading, as one line, the way the tool prints it. */
static char *example(char *docs, const char *heading)
{
	char *at = strstr(docs, heading);

	assert_non_null(at);
	at = strstr(at, "```json\n");
	assert_non_null(at);
	at += strlen("```json\n");
	char *end = strstr(at, "\n```");

	assert_non_null(end);
	yyjson_doc *doc = yyjson_read(at, (size_t)(end - at), 0);

	assert_non_null(doc);
	char *line = yyjson_write(doc, 0, NULL);

	assert_non_null(line);
	yyjson_doc_free(doc);
	return line;
}

/* Reason: an example that the code would not write teaches a format that does not exist. */
static void test_docs_examples(void **state)
{
	text_auto snapshot_text = TEXT_INIT, buffers_text = TEXT_INIT;
	text_auto sites_text = TEXT_INIT, growth_text = TEXT_INIT;
	char *docs = read_docs();
	struct snapshot snapshot;
	struct site_list list;

	(void)state;
	snapshot_simple(&snapshot);
	json_write_snapshot(&snapshot_text, &snapshot);
	json_write_buffers(&buffers_text, &snapshot, NULL, 0);
	char *one = example(docs, "\n## ttmem.snapshot/1\n");
	char *two = example(docs, "\n## ttmem.buffers/1\n");

	assert_string_equal(one, snapshot_text.bytes);
	assert_string_equal(two, buffers_text.bytes);
	snapshot_clear(&snapshot);
	snapshot_rows(&snapshot, &list, false);
	json_write_sites(&sites_text, &snapshot, &list);
	json_write_growth(&growth_text, &snapshot, &list);
	char *three = example(docs, "\n## ttmem.sites/1\n");
	char *four = example(docs, "\n## ttmem.growth/1\n");

	assert_string_equal(three, sites_text.bytes);
	assert_string_equal(four, growth_text.bytes);
	free(one);
	free(two);
	free(three);
	free(four);
	free(docs);
	site_list_clear(&list);
	snapshot_clear(&snapshot);
}
#endif

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_buffers_round_trip),
		cmocka_unit_test(test_rows_round_trip),
		cmocka_unit_test(test_bad_rows),
		cmocka_unit_test(test_exact_numbers),
		cmocka_unit_test(test_unknown_has_a_reason),
		cmocka_unit_test(test_hostile_strings),
		cmocka_unit_test(test_bad_documents),
		cmocka_unit_test(test_buffer_of_unknown_type),
		cmocka_unit_test(test_error),
#ifdef SOURCE_ROOT
		cmocka_unit_test(test_docs_have_every_field),
		cmocka_unit_test(test_docs_examples),
#endif
	};
	struct snapshot snapshot;
	text_auto text = TEXT_INIT;

	/* --example snapshot|buffers|sites|growth: what docs/api.md shows */
	if (argc == 3 && strcmp(argv[1], "--example") == 0) {
		struct site_list list;

		snapshot_rows(&snapshot, &list, false);
		if (strcmp(argv[2], "sites") == 0)
			json_write_sites(&text, &snapshot, &list);
		else if (strcmp(argv[2], "growth") == 0)
			json_write_growth(&text, &snapshot, &list);
		else if (strcmp(argv[2], "buffers") == 0)
			json_write_buffers(&text, &snapshot, NULL, 0);
		else
			json_write_snapshot(&text, &snapshot);
		puts(text.bytes);
		site_list_clear(&list);
		snapshot_clear(&snapshot);
		return 0;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
