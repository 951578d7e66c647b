/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A server's reply, read by the tool. Reason: behind the socket may be anybody,
 * and what is read without complaint must be good enough to be written again:
 * the second and the third writing of it are the same text.
 */
#include "fuzz.h"

#include "api/json.h"

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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	round_trip((const char *)data, size, json_read_snapshot, write_snapshot);
	round_trip((const char *)data, size, json_read_buffers, write_buffers);
	return 0;
}
