/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Beside each list of buffers or sites: the processes that hold more than is listed, and those that do
 * not tell who allocates. The reader gets them back as the capabilities that they were.
 */
#include <string.h>

#include "api/json.h"
#include "api/json_parts.h"
#include "model/capability.h"

typedef const struct capability *lack(const struct snapshot *snapshot,
				      const struct process *process);

static const struct {
	const char *member, *capability;
	lack *of;
} lists[] = {
	{"incomplete", INCOMPLETE_CAPABILITY, incomplete_reason},
	{"siteless", SITES_CAPABILITY, siteless_reason},
};

#define CAPABILITIES_MAX 64u

#define LISTS (sizeof lists / sizeof lists[0])

static void put_list(struct text *text, const struct snapshot *snapshot, lack *of)
{
	bool any = false;

	text_putc(text, '[');
	for (uint32_t i = 0; i < snapshot->process_count && !text->failed; i++) {
		const struct process *p = &snapshot->processes[i];
		const struct capability *c = of(snapshot, p);
		struct encoded row;

		if (!c)
			continue;
		if (any)
			text_putc(text, ',');
		any = true;
		encode_begin(&row, text, snapshot);
		encode_key(&row, "pid");
		encode_number(text, p->pid);
		encode_fields(&row, &capability_fields, c);
		encode_end(&row);
	}
	text_putc(text, ']');
}

void put_lacks(struct text *text, const struct snapshot *snapshot)
{
	struct encoded object = {.text = text, .snapshot = snapshot, .has_members = true};

	for (size_t i = 0; i < LISTS; i++) {
		encode_key(&object, lists[i].member);
		put_list(text, snapshot, lists[i].of);
	}
}

void json_write_incomplete(struct text *text, const struct snapshot *snapshot)
{
	put_list(text, snapshot, incomplete_reason);
}

/* A process's capabilities lie side by side: those that it has move behind the others. */
static int add(struct snapshot *snapshot, uint32_t process, const struct capability *capability)
{
	struct span old = snapshot->processes[process].capabilities;
	uint32_t index = 0, first = snapshot->capability_count;
	int r = 0;

	/* no process has more; a document that names one again and again must not grow by squares */
	if (old.count >= CAPABILITIES_MAX)
		return 0;
	for (uint32_t i = 0; r == 0 && i < old.count; i++) {
		r = snapshot_add_capability(snapshot, &index);
		if (r == 0)
			snapshot->capabilities[index] = snapshot->capabilities[old.first + i];
	}
	if (r == 0)
		r = snapshot_add_capability(snapshot, &index);
	if (r < 0)
		return r;
	snapshot->capabilities[index] = *capability;
	snapshot->processes[process].capabilities = (struct span){first, old.count + 1};
	return 0;
}

static int read_list(yyjson_val *rows, const char *name, struct snapshot *snapshot)
{
	yyjson_val *row;
	size_t i, max;

	if (!rows) /* yyjson's loop would start at NULL + 1 */
		return 0;
	yyjson_arr_foreach(rows, i, max, row) {
		uint32_t pid = (uint32_t)yyjson_get_uint(yyjson_obj_get(row, "pid")), process = 0;
		struct capability c = {0};
		int r;

		if ((r = find_process(snapshot, pid, &process)) < 0 ||
		    (r = decode_fields(snapshot, row, &capability_fields, &c)) < 0 ||
		    (r = snapshot_string(snapshot, name, strlen(name), &c.name)) < 0 ||
		    (r = add(snapshot, process, &c)) < 0)
			return r;
	}
	return 0;
}

int read_lacks(yyjson_val *root, struct snapshot *snapshot)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < LISTS; i++)
		r = read_list(yyjson_obj_get(root, lists[i].member), lists[i].capability, snapshot);
	return r;
}
