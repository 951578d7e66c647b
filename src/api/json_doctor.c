/* SPDX-License-Identifier: Apache-2.0 */
#include "api/json_doctor.h"

#include <errno.h>
#include <stdio.h>
#include <yyjson.h>

#include "api/encode.h"
#include "base/clock.h"

static void put(struct text *text, const char *key, const char *value)
{
	text_printf(text, "\"%s\":", key);
	(void)encode_text(text, value);
}

void json_write_findings(struct text *text, const struct findings *findings, uint64_t time_ns)
{
	char time[40];

	clock_rfc3339(time_ns, time, sizeof time);
	text_printf(text,
		    "{\"schema\":\"ttmem.doctor/1\",\"time\":\"%s\",\"wrong\":%u,\"findings\":[",
		    time, findings_wrong(findings));
	for (uint32_t i = 0; i < findings->count; i++) {
		const struct finding *row = &findings->rows[i];

		text_puts(text, i ? ",{" : "{");
		put(text, "subject", row->subject);
		text_putc(text, ',');
		put(text, "check", row->check);
		text_putc(text, ',');
		put(text, "state", finding_state_name(row->state));
		text_putc(text, ',');
		put(text, "message", row->message);
		text_putc(text, ',');
		put(text, "hint", row->hint);
		text_putc(text, '}');
	}
	text_puts(text, "]}");
}

static uint64_t count_of(yyjson_val *object, const char *name)
{
	return yyjson_get_uint(yyjson_obj_get(object, name));
}

static uint64_t sum(uint64_t a, uint64_t b)
{
	return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

int json_read_server(const char *json, size_t length, struct server_facts *ret_facts)
{
	yyjson_doc *doc = yyjson_read(json, length, 0);
	yyjson_val *root = yyjson_doc_get_root(doc);
	yyjson_val *refused = yyjson_obj_get(root, "refused");
	yyjson_val *at_start = yyjson_obj_get(root, "at_start");
	const char *version = yyjson_get_str(yyjson_obj_get(root, "version"));
	bool good = yyjson_equals_str(yyjson_obj_get(root, "schema"), "ttmem.server/1");

	if (good) {
		*ret_facts = (struct server_facts){
		    .live = count_of(yyjson_obj_get(root, "tables"), "live"),
		    .refused_message = count_of(refused, "message"),
		    .refused_table = count_of(refused, "table"),
		    .refused_limit =
			sum(count_of(refused, "uid_limit"), count_of(refused, "limit")),
		    .processes_denied = count_of(at_start, "processes_denied"),
		    .tables_refused = count_of(at_start, "tables_refused"),
		};
		(void)snprintf(ret_facts->version, sizeof ret_facts->version, "%s",
			       version ? version : "");
	}
	yyjson_doc_free(doc);
	return good ? 0 : -EBADMSG;
}

static int read_answer(yyjson_val *value, struct verify_answer *answer)
{
	yyjson_val *theirs = yyjson_obj_get(value, "allocator_says");
	yyjson_val *equal = yyjson_obj_get(value, "equal");
	const char *type = yyjson_get_str(yyjson_obj_get(value, "type"));

	*answer = (struct verify_answer){
	    .allocator = (uint32_t)count_of(value, "allocator"),
	    .result = yyjson_is_true(equal)    ? VERIFY_EQUAL
		      : yyjson_is_false(equal) ? VERIFY_DIFFERENT
					       : VERIFY_MOVED,
	    .our_bytes = count_of(yyjson_obj_get(value, "ours"), "allocated_bytes"),
	    .size_bytes = count_of(theirs, "size_bytes"),
	    .allocated_bytes = count_of(theirs, "allocated_bytes"),
	    .free_bytes = count_of(theirs, "free_bytes"),
	    .largest_free_bytes = count_of(theirs, "largest_free_bytes"),
	};
	return type ? memory_type_parse(type, &answer->type) : -EINVAL;
}

int json_read_verify(const char *json, size_t length,
		     struct verify_answer answers[VERIFY_ANSWERS_MAX])
{
	yyjson_doc *doc = yyjson_read(json, length, 0);
	yyjson_val *root = yyjson_doc_get_root(doc), *value;
	bool good = yyjson_equals_str(yyjson_obj_get(root, "schema"), "ttmem.verify/1");
	size_t i, max;
	int count = 0;

	yyjson_arr_foreach(yyjson_obj_get(root, "answers"), i, max, value)
	{
		if (!good || i == VERIFY_ANSWERS_MAX)
			break;
		good = read_answer(value, &answers[count++]) == 0;
	}
	yyjson_doc_free(doc);
	return good ? count : -EBADMSG;
}
