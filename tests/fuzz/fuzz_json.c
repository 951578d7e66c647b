/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A server's reply, read by the tool. Reason: behind the socket may be anybody,
 * and what is read without complaint must be good enough to be written again:
 * the second and the third writing of it are the same text.
 */
#include "fuzz.h"

#include "api/json.h"
#include "api/json_rows.h"

typedef int reader(const char *json, size_t length, struct snapshot *ret_snapshot);

static void write_snapshot(struct text *text, const struct snapshot *snapshot)
{
	json_write_snapshot(text, snapshot);
}

static void write_buffers(struct text *text, const struct snapshot *snapshot)
{
	json_write_buffers(text, snapshot, NULL, snapshot->buffer_count);
}

static void round_trip(const char *json, size_t length, reader *read,
		       void (*write)(struct text *, const struct snapshot *))
{
	struct snapshot first, second;
	struct text once = TEXT_INIT, twice = TEXT_INIT;

	if (read(json, length, &first) != 0)
		return;
	write(&once, &first);
	FUZZ_CHECK(read(once.bytes, once.length, &second) == 0);
	write(&twice, &second);
	FUZZ_CHECK(once.length == twice.length &&
		   memcmp(once.bytes, twice.bytes, once.length) == 0);
	text_free(&once);
	text_free(&twice);
	snapshot_clear(&first);
	snapshot_clear(&second);
}

typedef int rows_reader(const char *json, size_t length, struct snapshot *ret_snapshot,
			struct site_list *ret_list);
typedef void rows_writer(struct text *text, const struct snapshot *snapshot,
			 const struct site_list *list);

static void rows_round_trip(const char *json, size_t length, rows_reader *read, rows_writer *write)
{
	struct text once = TEXT_INIT, twice = TEXT_INIT;
	struct snapshot first, second;
	struct site_list list, again;

	if (read(json, length, &first, &list) != 0)
		return;
	write(&once, &first, &list);
	FUZZ_CHECK(read(once.bytes, once.length, &second, &again) == 0);
	write(&twice, &second, &again);
	FUZZ_CHECK(once.length == twice.length &&
		   memcmp(once.bytes, twice.bytes, once.length) == 0);
	text_free(&once);
	text_free(&twice);
	site_list_clear(&list);
	site_list_clear(&again);
	snapshot_clear(&first);
	snapshot_clear(&second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	round_trip((const char *)data, size, json_read_snapshot, write_snapshot);
	round_trip((const char *)data, size, json_read_buffers, write_buffers);
	rows_round_trip((const char *)data, size, json_read_sites, json_write_sites);
	rows_round_trip((const char *)data, size, json_read_growth, json_write_growth);
	return 0;
}
