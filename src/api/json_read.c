/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From JSON to a snapshot: what the tool does with a server's reply. Only what
 * the views show is read back; unknown members are passed over, missing ones
 * become unknown figures, so either side may be newer.
 */
#include "api/json.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <yyjson.h>

#include "api/fields.h"

static struct fact read_fact(yyjson_val *object, yyjson_val *notes, yyjson_val *estimates,
			     const char *name, const char *path)
{
	yyjson_val *value = yyjson_obj_get(object, name);
	const char *why = yyjson_get_str(yyjson_obj_get(notes, path));

	if (yyjson_is_uint(value)) {
		if (yyjson_obj_get(estimates, path))
			return fact_estimate(yyjson_get_uint(value), REASON_SEVERAL_ALLOCATORS);
		return fact_of(yyjson_get_uint(value));
	}
	for (int reason = 0; why && reason < REASON_COUNT; reason++)
		if (strcmp(why, fact_reason_text((enum fact_reason)reason)) == 0)
			return fact_absent((enum fact_reason)reason);
	return fact_absent(REASON_NONE);
}

static void read_memory(yyjson_val *object, struct memory *memory)
{
	yyjson_val *notes = yyjson_obj_get(object, "unavailable");
	yyjson_val *estimates = yyjson_obj_get(object, "estimates");
	yyjson_val *bank = yyjson_obj_get(object, "bank");

	for (size_t i = 0; i < memory_field_count; i++) {
		const struct memory_field *field = &memory_fields[i];

		*memory_field_of(memory, field) = read_fact(field->in_bank ? bank : object, notes,
							    estimates, field->name, field->path);
	}
}

static void read_memories(yyjson_val *object, struct memory memory[MEMORY_TYPES])
{
	yyjson_val *all = yyjson_obj_get(object, "memory");

	for (enum memory_type type = 0; type < MEMORY_TYPES; type++)
		read_memory(yyjson_obj_get(all, memory_type_key(type)), &memory[type]);
}

static struct fact read_unique_id(yyjson_val *value)
{
	const char *digits = yyjson_get_str(value);
	char *end;

	if (!digits || digits[0] < '0' || digits[0] > '9')
		return fact_absent(REASON_NOT_EXPORTED);
	errno = 0;
	uint64_t id = strtoull(digits, &end, 10);

	return errno || *end ? fact_absent(REASON_NONE) : fact_of(id);
}

static uint32_t read_u32(yyjson_val *object, const char *name, uint32_t otherwise)
{
	yyjson_val *value = yyjson_obj_get(object, name);

	return yyjson_is_uint(value) && yyjson_get_uint(value) <= UINT32_MAX
		       ? (uint32_t)yyjson_get_uint(value)
		       : otherwise;
}

static uint64_t read_u64(yyjson_val *object, const char *name)
{
	return yyjson_get_uint(yyjson_obj_get(object, name));
}

static int read_string(struct snapshot *snapshot, yyjson_val *object, const char *name,
		       string_id *ret_id)
{
	yyjson_val *value = yyjson_obj_get(object, name);

	return snapshot_string(snapshot, yyjson_is_str(value) ? yyjson_get_str(value) : "",
			       yyjson_get_len(value) * yyjson_is_str(value), ret_id);
}

static uint32_t read_arch(yyjson_val *object)
{
	const char *name = yyjson_get_str(yyjson_obj_get(object, "arch"));

	for (uint32_t arch = 1; name && arch < 16; arch++)
		if (arch_name(arch) && strcmp(arch_name(arch), name) == 0)
			return arch;
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
		struct device *device = &snapshot->devices[index];

		device->unique_id = read_unique_id(yyjson_obj_get(value, "unique_id"));
		device->chip_id = read_u32(value, "chip_id", 0);
		device->process = process;
		device->arch = read_arch(value);
		read_memories(value, device->memory);
		devices.count++;
	}
	*ret_span = devices;
	return 0;
}

static int read_chips(struct snapshot *snapshot, yyjson_val *object, struct span *ret_span)
{
	yyjson_val *unique = yyjson_obj_get(object, "chips"), *value;
	yyjson_val *ids = yyjson_obj_get(object, "chip_ids");
	struct span chips = {.first = snapshot->chip_count};
	size_t i, max;

	yyjson_arr_foreach(unique, i, max, value) {
		uint32_t index;
		int r = snapshot_add_chip(snapshot, &index);

		if (r < 0)
			return r;
		snapshot->chips[index].unique_id = read_unique_id(value);
		snapshot->chips[index].chip_id = (uint32_t)yyjson_get_uint(yyjson_arr_get(ids, i));
		chips.count++;
	}
	*ret_span = chips;
	return 0;
}

static int read_allocator(struct snapshot *snapshot, yyjson_val *value, uint32_t process)
{
	yyjson_val *counts = yyjson_obj_get(value, "counts");
	yyjson_val *parent = yyjson_obj_get(value, "parent");
	uint32_t index;
	int r = snapshot_add_allocator(snapshot, &index);

	if (r < 0)
		return r;
	struct allocator *a = &snapshot->allocators[index];

	a->process = process;
	a->id = read_u32(value, "id", 0);
	a->parent = yyjson_is_uint(parent) ? fact_of(yyjson_get_uint(parent))
					   : fact_absent(REASON_NONE);
	a->closed_ns = yyjson_is_false(yyjson_obj_get(value, "open")) ? fact_of(0)
								      : fact_absent(REASON_NONE);
	a->arch = read_arch(value);
	a->grid_x = read_u32(value, "grid_x", 0);
	a->grid_y = read_u32(value, "grid_y", 0);
	a->l1_bytes_per_core = read_fact(value, yyjson_obj_get(value, "unavailable"), NULL,
					 "l1_bytes_per_core", "l1_bytes_per_core");
	read_memories(value, a->memory);
	for (enum memory_type type = 0; type < MEMORY_TYPES; type++) {
		yyjson_val *one = yyjson_obj_get(counts, memory_type_key(type));

		a->base_address[type] = read_u64(one, "base_address");
		a->allocs[type] = read_u64(one, "allocs");
		a->frees[type] = read_u64(one, "frees");
		a->failures[type] = read_u64(one, "failures");
		a->has_held[type] = a->allocs[type] != 0;
	}
	return read_chips(snapshot, value, &a->chips);
}

static int read_failures(struct snapshot *snapshot, yyjson_val *object, struct process *process)
{
	yyjson_val *value;
	size_t i, max;

	process->failure_count = read_u64(object, "count");
	process->failures.first = snapshot->failure_count;
	yyjson_arr_foreach(yyjson_obj_get(object, "last"), i, max, value) {
		yyjson_val *notes = yyjson_obj_get(value, "unavailable");
		const char *name = yyjson_get_str(yyjson_obj_get(value, "type"));
		enum memory_type type;
		uint32_t index;
		int r = snapshot_add_failure(snapshot, &index);

		if (r < 0)
			return r;
		snapshot->failures[index] = (struct failure){
			.number = read_u64(value, "number"),
			.age_ns = read_u64(value, "age_ns"),
			.requested_bytes = read_u64(value, "requested_bytes"),
			.page_bytes = read_u64(value, "page_bytes"),
			.type = name && memory_type_parse(name, &type) == 0
					? fact_of(type)
					: fact_absent(REASON_NOT_EXPORTED),
			.allocator = read_fact(value, notes, NULL, "allocator", "allocator"),
			.bank_free_bytes = read_fact(value, notes, NULL, "bank_free_bytes",
						     "bank_free_bytes"),
			.bank_largest_free_bytes =
				read_fact(value, notes, NULL, "bank_largest_free_bytes",
					  "bank_largest_free_bytes"),
			.thread = read_u32(value, "thread", 0),
		};
		process->failures.count++;
	}
	return 0;
}

static int read_capabilities(struct snapshot *snapshot, yyjson_val *object, struct process *process)
{
	yyjson_val *key, *value;
	size_t i, max;

	process->capabilities.first = snapshot->capability_count;
	yyjson_obj_foreach(object, i, max, key, value) {
		const char *state = yyjson_get_str(yyjson_obj_get(value, "state"));
		uint32_t index;
		int r = snapshot_add_capability(snapshot, &index);

		if (r == 0)
			r = snapshot_string(snapshot, yyjson_get_str(key), yyjson_get_len(key),
					    &snapshot->capabilities[index].name);
		if (r == 0)
			r = read_string(snapshot, value, "reason",
					&snapshot->capabilities[index].reason);
		if (r < 0)
			return r;
		for (enum fact_availability a = 0; state && a <= AVAILABLE_OFF; a++)
			if (strcmp(state, availability_name(a)) == 0)
				snapshot->capabilities[index].state = (uint8_t)a;
		process->capabilities.count++;
	}
	return 0;
}

static int read_process_strings(struct snapshot *snapshot, yyjson_val *value, struct process *p)
{
	int r;

	if ((r = read_string(snapshot, value, "user", &p->user)) < 0 ||
	    (r = read_string(snapshot, value, "command", &p->command)) < 0 ||
	    (r = read_string(snapshot, value, "entry", &p->entry)) < 0 ||
	    (r = read_string(snapshot, value, "metal_version", &p->metal_version)) < 0)
		return r;
	return read_string(snapshot, value, "metal_build_id", &p->build_id);
}

static int read_process(struct snapshot *snapshot, yyjson_val *value)
{
	yyjson_val *losses = yyjson_obj_get(value, "losses"), *one;
	const char *state = yyjson_get_str(yyjson_obj_get(value, "state"));
	uint32_t index;
	size_t i, max;
	int r = snapshot_add_process(snapshot, &index);

	if (r < 0)
		return r;
	/* processes are added only here, so this pointer stays good */
	struct process *p = &snapshot->processes[index];

	p->pid = read_u32(value, "pid", 0);
	p->inner_pid = read_u32(value, "inner_pid", 0);
	p->uid = read_u32(value, "uid", UINT32_MAX);
	p->state = state && strcmp(state, "exited") == 0 ? PROCESS_EXITED : PROCESS_LIVE;
	p->event = read_u64(value, "event");
	p->losses = (struct losses){
		.full = read_u64(losses, "full"),
		.memory = read_u64(losses, "memory"),
		.allocator = read_u64(losses, "allocator"),
		.key = read_u64(losses, "key"),
		.replaced = read_u64(losses, "replaced"),
		.unknown_frees = read_u64(losses, "unknown_frees"),
		.left_at_close = read_u64(losses, "left_at_close"),
		.moves = read_u64(losses, "moves"),
	};
	r = read_process_strings(snapshot, value, p);
	if (r == 0)
		r = read_capabilities(snapshot, yyjson_obj_get(value, "capabilities"), p);
	if (r == 0)
		r = read_failures(snapshot, yyjson_obj_get(value, "failures"), p);
	p->allocators.first = snapshot->allocator_count;
	yyjson_arr_foreach(yyjson_obj_get(value, "allocators"), i, max, one) {
		if (r == 0)
			r = read_allocator(snapshot, one, index);
		p->allocators.count = snapshot->allocator_count - p->allocators.first;
	}
	if (r == 0)
		r = read_devices(snapshot, yyjson_obj_get(value, "devices"), index, &p->devices);
	return r;
}

static int read_document(yyjson_val *root, struct snapshot *snapshot)
{
	const char *schema = yyjson_get_str(yyjson_obj_get(root, "schema"));
	yyjson_val *value;
	size_t i, max;
	int r;

	if (!schema || strcmp(schema, "ttmem.snapshot/1") != 0)
		return -EBADMSG;
	r = read_string(snapshot, root, "server", &snapshot->server);
	yyjson_arr_foreach(yyjson_obj_get(root, "processes"), i, max, value) {
		if (r == 0)
			r = read_process(snapshot, value);
	}
	if (r == 0)
		r = read_devices(snapshot, yyjson_obj_get(root, "devices"), SNAPSHOT_NONE,
				 &snapshot->machine_devices);
	return r;
}

int json_read_snapshot(const char *json, size_t length, struct snapshot *ret_snapshot)
{
	yyjson_doc *doc = yyjson_read(json, length, 0);
	struct snapshot snapshot;

	if (!doc)
		return -EBADMSG;
	snapshot_init(&snapshot);
	snapshot.consistent = 1;
	int r = read_document(yyjson_doc_get_root(doc), &snapshot);

	yyjson_doc_free(doc);
	if (r < 0)
		snapshot_clear(&snapshot);
	else
		*ret_snapshot = snapshot;
	return r;
}
