/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From JSON to a snapshot: what the tool does with a server's reply. Unknown
 * members are passed over, missing ones become unknown figures, so either side
 * may be newer.
 */
#include "api/json.h"

#include <errno.h>
#include <string.h>

#include "api/json_cards.h"
#include "api/json_parts.h"
#include "api/json_sites.h"

static int read_memories(struct snapshot *snapshot, yyjson_val *object,
			 struct memory memory[MEMORY_TYPES])
{
	yyjson_val *all = yyjson_obj_get(object, "memory");

	for (enum memory_type type = 0; type < MEMORY_TYPES; type++) {
		int r = decode_fields(snapshot, yyjson_obj_get(all, memory_type_key(type)),
				      &memory_fields, &memory[type]);

		if (r < 0)
			return r;
	}
	return 0;
}

static int read_devices(struct snapshot *snapshot, yyjson_val *array, uint32_t process,
			struct span *ret_span)
{
	struct span devices = {.first = snapshot->device_count};
	size_t i, max;
	yyjson_val *value;

	yyjson_arr_foreach(array, i, max, value) {
		uint32_t index;
		int r = snapshot_add_device(snapshot, &index);

		if (r < 0)
			return r;
		snapshot->devices[index].process = process;
		r = decode_fields(snapshot, value, &device_fields, &snapshot->devices[index]);
		if (r == 0)
			r = read_memories(snapshot, value, snapshot->devices[index].memory);
		if (r == 0)
			r = decode_fields(snapshot, yyjson_obj_get(value, "l1"), &l1_fields,
					  &snapshot->devices[index].l1);
		if (r == 0 && process == SNAPSHOT_NONE)
			r = decode_place(snapshot, value, &snapshot->devices[index]);
		if (r == 0)
			r = decode_fields(snapshot, yyjson_obj_get(value, "l1"), &clash_gap_fields,
					  &snapshot->devices[index]);
		if (r < 0)
			return r;
		devices.count++;
	}
	*ret_span = devices;
	return 0;
}

static int read_allocator(struct snapshot *snapshot, yyjson_val *value, uint32_t process)
{
	yyjson_val *all = yyjson_obj_get(value, "counts");
	uint32_t index;
	int r = snapshot_add_allocator(snapshot, &index);

	if (r < 0)
		return r;
	struct allocator *a = &snapshot->allocators[index];

	a->process = process;
	r = decode_fields(snapshot, value, &allocator_fields, a);
	if (r == 0)
		r = read_memories(snapshot, value, a->memory);
	for (enum memory_type type = 0; r == 0 && type < MEMORY_TYPES; type++) {
		struct field_counts counts;

		r = decode_fields(snapshot, yyjson_obj_get(all, memory_type_key(type)),
				  &count_fields, &counts);
		if (r == 0)
			field_counts_to(&counts, a, type);
	}
	return r < 0 ? r : decode_chips(snapshot, value, &a->chips);
}

static int read_failures(struct snapshot *snapshot, yyjson_val *object, struct process *process)
{
	yyjson_val *value;
	size_t i, max;

	process->failure_count = yyjson_get_uint(yyjson_obj_get(object, "count"));
	process->failures.first = snapshot->failure_count;
	yyjson_arr_foreach(yyjson_obj_get(object, "last"), i, max, value) {
		uint32_t index;
		int r = snapshot_add_failure(snapshot, &index);

		if (r == 0)
			r = decode_fields(snapshot, value, &failure_fields,
					  &snapshot->failures[index]);
		if (r == 0)
			r = decode_site(snapshot, value, &snapshot->failures[index].site);
		if (r < 0)
			return r;
		process->failures.count++;
	}
	return 0;
}

static int read_capabilities(struct snapshot *snapshot, yyjson_val *object, struct process *process)
{
	yyjson_val *key, *value;
	size_t i, max;

	process->capabilities.first = snapshot->capability_count;
	if (!object) /* yyjson's loop would start at NULL + 1 */
		return 0;
	yyjson_obj_foreach(object, i, max, key, value) {
		uint32_t index;
		int r = snapshot_add_capability(snapshot, &index);

		if (r == 0)
			r = decode_text(snapshot, key, &snapshot->capabilities[index].name);
		if (r == 0)
			r = decode_fields(snapshot, value, &capability_fields,
					  &snapshot->capabilities[index]);
		if (r < 0)
			return r;
		process->capabilities.count++;
	}
	return 0;
}

static int read_process(struct snapshot *snapshot, yyjson_val *value)
{
	yyjson_val *one;
	uint32_t index;
	size_t i, max;
	int r = snapshot_add_process(snapshot, &index);

	if (r < 0)
		return r;
	/* processes are added only here, so this pointer stays good */
	struct process *p = &snapshot->processes[index];

	if ((r = decode_fields(snapshot, value, &process_fields, p)) < 0 ||
	    (r = decode_fields(snapshot, yyjson_obj_get(value, "losses"), &loss_fields,
			       &p->losses)) < 0 ||
	    (r = read_capabilities(snapshot, yyjson_obj_get(value, "capabilities"), p)) < 0 ||
	    (r = read_failures(snapshot, yyjson_obj_get(value, "failures"), p)) < 0)
		return r;
	p->allocators.first = snapshot->allocator_count;
	yyjson_arr_foreach(yyjson_obj_get(value, "allocators"), i, max, one) {
		r = read_allocator(snapshot, one, index);
		if (r < 0)
			return r;
		p->allocators.count++;
	}
	return read_devices(snapshot, yyjson_obj_get(value, "devices"), index, &p->devices);
}

static int read_snapshot(yyjson_val *root, struct snapshot *snapshot, void *context)
{
	yyjson_val *value;
	size_t i, max;

	(void)context;
	yyjson_arr_foreach(yyjson_obj_get(root, "processes"), i, max, value) {
		int r = read_process(snapshot, value);

		if (r < 0)
			return r;
	}
	int r = decode_cards(snapshot, root);

	return r < 0 ? r
		     : read_devices(snapshot, yyjson_obj_get(root, "devices"), SNAPSHOT_NONE,
				    &snapshot->machine_devices);
}

/* Rows of one process lie together, so the last one is nearly always it. */
int find_process(struct snapshot *snapshot, uint32_t pid, uint32_t *ret_index)
{
	for (uint32_t i = snapshot->process_count; i-- > 0;)
		if (snapshot->processes[i].pid == pid) {
			*ret_index = i;
			return 0;
		}
	int r = snapshot_add_process(snapshot, ret_index);

	if (r == 0)
		snapshot->processes[*ret_index].pid = pid;
	return r;
}

static int find_allocator(struct snapshot *snapshot, yyjson_val *row, uint32_t process,
			  uint32_t *ret_index)
{
	uint32_t id = (uint32_t)yyjson_get_uint(yyjson_obj_get(row, "allocator"));

	for (uint32_t i = snapshot->allocator_count; i-- > 0;)
		if (snapshot->allocators[i].process == process &&
		    snapshot->allocators[i].id == id) {
			*ret_index = i;
			return 0;
		}
	int r = snapshot_add_allocator(snapshot, ret_index);

	if (r < 0)
		return r;
	snapshot->allocators[*ret_index].process = process;
	snapshot->allocators[*ret_index].id = id;
	return decode_chips(snapshot, row, &snapshot->allocators[*ret_index].chips);
}

static int read_buffers(yyjson_val *root, struct snapshot *snapshot, void *context)
{
	yyjson_val *row;
	size_t i, max;
	int lacks = read_lacks(root, snapshot);

	if (lacks < 0)
		return lacks;

	(void)context;
	snapshot->has_buffers = 1;
	snapshot->consistent = yyjson_is_true(yyjson_obj_get(root, "consistent"));
	yyjson_arr_foreach(yyjson_obj_get(root, "buffers"), i, max, row) {
		const char *word = yyjson_get_str(yyjson_obj_get(row, "type"));
		struct buffer buffer = {0};
		uint32_t index;
		enum memory_type type;
		int r;

		/* a type of the future has no place in our arrays */
		if (!word || memory_type_parse(word, &type) < 0)
			continue;
		uint32_t pid = (uint32_t)yyjson_get_uint(yyjson_obj_get(row, "pid"));

		if (yyjson_obj_get(row, "stack"))
			snapshot->has_stacks = 1;
		if ((r = decode_fields(snapshot, row, &buffer_fields, &buffer)) < 0 ||
		    (r = decode_site(snapshot, row, &buffer.site)) < 0 ||
		    (r = find_process(snapshot, pid, &buffer.process)) < 0 ||
		    (r = find_allocator(snapshot, row, buffer.process, &buffer.allocator)) < 0 ||
		    (r = snapshot_add_buffer(snapshot, &index)) < 0)
			return r;
		snapshot->buffers[index] = buffer;
	}
	return 0;
}

int read_document(const char *json, size_t length, const char *schema,
		  int (*read)(yyjson_val *root, struct snapshot *snapshot, void *context),
		  void *context, struct snapshot *ret_snapshot)
{
	yyjson_doc *doc = yyjson_read(json, length, 0);
	yyjson_val *root = yyjson_doc_get_root(doc);
	struct snapshot snapshot;
	int r = yyjson_equals_str(yyjson_obj_get(root, "schema"), schema) ? 0 : -EBADMSG;

	snapshot_init(&snapshot);
	snapshot.consistent = 1;
	snapshot.time_ns = decode_time(yyjson_obj_get(root, "time"));
	if (r == 0)
		r = decode_text(&snapshot, yyjson_obj_get(root, "server"), &snapshot.server);
	if (r == 0)
		r = read(root, &snapshot, context);
	yyjson_doc_free(doc);
	if (r < 0)
		snapshot_clear(&snapshot);
	else
		*ret_snapshot = snapshot;
	return r;
}

int json_read_snapshot(const char *json, size_t length, struct snapshot *ret_snapshot)
{
	return read_document(json, length, "ttmem.snapshot/1", read_snapshot, NULL, ret_snapshot);
}

int json_read_buffers(const char *json, size_t length, struct snapshot *ret_snapshot)
{
	return read_document(json, length, "ttmem.buffers/1", read_buffers, NULL, ret_snapshot);
}

int json_read_kept(const char *json, size_t length, uint32_t pid, uint64_t failure,
		   uint64_t *ret_number)
{
	yyjson_doc *doc = yyjson_read(json, length, 0);
	yyjson_val *kept = yyjson_obj_get(yyjson_doc_get_root(doc), "kept"), *one;
	size_t index, count;
	int r = yyjson_is_arr(kept) ? -ENOENT : -EBADMSG;

	/* newest first */
	yyjson_arr_foreach(kept, index, count, one) {
		yyjson_val *number = yyjson_obj_get(one, "number");

		if (r != -ENOENT || !yyjson_is_uint(number) ||
		    (pid != 0 && yyjson_get_uint(yyjson_obj_get(one, "pid")) != pid) ||
		    (failure != 0 && yyjson_get_uint(yyjson_obj_get(one, "failure")) != failure))
			continue;
		*ret_number = yyjson_get_uint(number);
		r = 0;
	}
	yyjson_doc_free(doc);
	return r;
}
