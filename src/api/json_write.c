/* SPDX-License-Identifier: Apache-2.0 */
#include "api/json.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <yyjson.h>

#include "api/fields.h"
#include "api/utf8.h"
#include "base/clock.h"

/* One object being built: its document, and the notes that end up beside the figures. */
struct object {
	yyjson_mut_doc *doc;
	yyjson_mut_val *value;
	yyjson_mut_val *unavailable; /* NULL until needed */
	yyjson_mut_val *estimates;
};

static struct object object_begin(yyjson_mut_doc *doc)
{
	return (struct object){.doc = doc, .value = yyjson_mut_obj(doc)};
}

static void note(struct object *object, yyjson_mut_val **notes, const char *field, const char *why)
{
	if (!*notes)
		*notes = yyjson_mut_obj(object->doc);
	yyjson_mut_obj_add_str(object->doc, *notes, field, why);
}

/* The notes go in last, so that the figures stand first. */
static yyjson_mut_val *object_end(struct object *object)
{
	if (object->estimates)
		yyjson_mut_obj_add_val(object->doc, object->value, "estimates", object->estimates);
	if (object->unavailable)
		yyjson_mut_obj_add_val(object->doc, object->value, "unavailable",
				       object->unavailable);
	return object->value;
}

static void add_number(struct object *object, const char *name, uint64_t value)
{
	yyjson_mut_obj_add_uint(object->doc, object->value, name, value);
}

/* A figure into `where` (the object itself or a group inside it), its notes into the object. */
static void add_fact_in(struct object *object, yyjson_mut_val *where, const char *name,
			const char *path, struct fact fact)
{
	if (!fact_is_known(fact)) {
		yyjson_mut_obj_add_null(object->doc, where, name);
		note(object, &object->unavailable, path,
		     fact_reason_text((enum fact_reason)fact.reason));
		return;
	}
	yyjson_mut_obj_add_uint(object->doc, where, name, fact.value);
	if (fact.state == FACT_ESTIMATE)
		note(object, &object->estimates, path,
		     fact_reason_text((enum fact_reason)fact.reason));
}

static void add_fact(struct object *object, const char *name, struct fact fact)
{
	add_fact_in(object, object->value, name, name, fact);
}

/* Bytes from strangers become valid UTF-8; the empty string is null. */
static void add_string(struct object *object, const char *name, const char *string)
{
	size_t length = strlen(string);
	char *clean = length ? malloc(3 * length + 1) : NULL;

	if (!clean) {
		yyjson_mut_obj_add_null(object->doc, object->value, name);
		return;
	}
	size_t n = utf8_clean(clean, string, length);

	yyjson_mut_obj_add_strncpy(object->doc, object->value, name, clean, n);
	free(clean);
}

/* 64 bits do not fit a double, so unique ids travel as decimal strings. */
static yyjson_mut_val *unique_id_value(yyjson_mut_doc *doc, struct fact unique_id)
{
	char digits[24];

	if (!fact_is_known(unique_id))
		return yyjson_mut_null(doc);
	(void)snprintf(digits, sizeof digits, "%" PRIu64, unique_id.value);
	return yyjson_mut_strcpy(doc, digits);
}

static void add_unique_id(struct object *object, struct fact unique_id)
{
	yyjson_mut_obj_add_val(object->doc, object->value, "unique_id",
			       unique_id_value(object->doc, unique_id));
	if (!fact_is_known(unique_id))
		note(object, &object->unavailable, "unique_id",
		     fact_reason_text((enum fact_reason)unique_id.reason));
}

static void add_name(struct object *object, const char *field, const char *name)
{
	if (name)
		yyjson_mut_obj_add_str(object->doc, object->value, field, name);
	else
		yyjson_mut_obj_add_null(object->doc, object->value, field);
}

static yyjson_mut_val *memory_value(yyjson_mut_doc *doc, const struct memory *memory)
{
	struct object object = object_begin(doc);
	yyjson_mut_val *bank = NULL;

	for (size_t i = 0; i < memory_field_count; i++) {
		const struct memory_field *field = &memory_fields[i];

		if (field->in_bank && !bank) {
			bank = yyjson_mut_obj(doc);
			yyjson_mut_obj_add_val(doc, object.value, "bank", bank);
		}
		add_fact_in(&object, field->in_bank ? bank : object.value, field->name,
			    field->path, *memory_field_get(memory, field));
	}
	return object_end(&object);
}

static void add_memories(struct object *object, const struct memory memory[MEMORY_TYPES])
{
	yyjson_mut_val *all = yyjson_mut_obj(object->doc);

	for (enum memory_type type = 0; type < MEMORY_TYPES; type++)
		yyjson_mut_obj_add_val(object->doc, all, memory_type_key(type),
				       memory_value(object->doc, &memory[type]));
	yyjson_mut_obj_add_val(object->doc, object->value, "memory", all);
}

static yyjson_mut_val *device_value(yyjson_mut_doc *doc, const struct device *device)
{
	struct object object = object_begin(doc);

	add_unique_id(&object, device->unique_id);
	add_number(&object, "chip_id", device->chip_id);
	add_name(&object, "arch", arch_name(device->arch));
	add_memories(&object, device->memory);
	return object_end(&object);
}

static yyjson_mut_val *chips_value(yyjson_mut_doc *doc, const struct snapshot *snapshot,
				   const struct allocator *allocator)
{
	yyjson_mut_val *chips = yyjson_mut_arr(doc);

	for (uint32_t i = 0; i < allocator->chips.count; i++)
		yyjson_mut_arr_append(
			chips, unique_id_value(
				       doc,
				       snapshot->chips[allocator->chips.first + i].unique_id));
	return chips;
}

static yyjson_mut_val *allocator_value(yyjson_mut_doc *doc, const struct snapshot *snapshot,
				       const struct allocator *allocator)
{
	struct object object = object_begin(doc);
	yyjson_mut_val *ids = yyjson_mut_arr(doc), *held = yyjson_mut_obj(doc);

	for (uint32_t i = 0; i < allocator->chips.count; i++)
		yyjson_mut_arr_add_uint(doc, ids,
					snapshot->chips[allocator->chips.first + i].chip_id);
	add_number(&object, "id", allocator->id);
	if (fact_is_known(allocator->parent))
		add_number(&object, "parent", allocator->parent.value);
	else
		yyjson_mut_obj_add_null(doc, object.value, "parent");
	yyjson_mut_obj_add_bool(doc, object.value, "open", !fact_is_known(allocator->closed_ns));
	yyjson_mut_obj_add_val(doc, object.value, "chips", chips_value(doc, snapshot, allocator));
	yyjson_mut_obj_add_val(doc, object.value, "chip_ids", ids);
	add_name(&object, "arch", arch_name(allocator->arch));
	add_number(&object, "grid_x", allocator->grid_x);
	add_number(&object, "grid_y", allocator->grid_y);
	add_fact(&object, "l1_bytes_per_core", allocator->l1_bytes_per_core);
	for (enum memory_type type = 0; type < MEMORY_TYPES; type++) {
		yyjson_mut_val *one = yyjson_mut_obj(doc);

		yyjson_mut_obj_add_uint(doc, one, "base_address", allocator->base_address[type]);
		yyjson_mut_obj_add_uint(doc, one, "allocs", allocator->allocs[type]);
		yyjson_mut_obj_add_uint(doc, one, "frees", allocator->frees[type]);
		yyjson_mut_obj_add_uint(doc, one, "failures", allocator->failures[type]);
		yyjson_mut_obj_add_val(doc, held, memory_type_key(type), one);
	}
	yyjson_mut_obj_add_val(doc, object.value, "counts", held);
	add_memories(&object, allocator->memory);
	return object_end(&object);
}

static yyjson_mut_val *failure_value(yyjson_mut_doc *doc, const struct failure *failure)
{
	struct object object = object_begin(doc);

	add_number(&object, "number", failure->number);
	add_number(&object, "age_ns", failure->age_ns);
	add_name(&object, "type",
		 fact_is_known(failure->type)
			 ? memory_type_key((enum memory_type)failure->type.value)
			 : NULL);
	add_number(&object, "requested_bytes", failure->requested_bytes);
	add_number(&object, "page_bytes", failure->page_bytes);
	add_fact(&object, "allocator", failure->allocator);
	add_fact(&object, "bank_free_bytes", failure->bank_free_bytes);
	add_fact(&object, "bank_largest_free_bytes", failure->bank_largest_free_bytes);
	add_number(&object, "thread", failure->thread);
	return object_end(&object);
}

static yyjson_mut_val *failures_value(yyjson_mut_doc *doc, const struct snapshot *snapshot,
				      const struct process *process)
{
	struct object object = object_begin(doc);
	yyjson_mut_val *last = yyjson_mut_arr(doc);

	for (uint32_t i = 0; i < process->failures.count; i++)
		yyjson_mut_arr_append(
			last,
			failure_value(doc, &snapshot->failures[process->failures.first + i]));
	add_number(&object, "count", process->failure_count);
	yyjson_mut_obj_add_val(doc, object.value, "last", last);
	return object_end(&object);
}

static yyjson_mut_val *capabilities_value(yyjson_mut_doc *doc, const struct snapshot *snapshot,
					  const struct process *process)
{
	yyjson_mut_val *all = yyjson_mut_obj(doc);

	for (uint32_t i = 0; i < process->capabilities.count; i++) {
		const struct capability *c =
			&snapshot->capabilities[process->capabilities.first + i];
		struct object object = object_begin(doc);
		char clean[128];
		const char *name = snapshot_text(snapshot, c->name);
		size_t n = strnlen(name, sizeof clean / 3 - 1);

		n = utf8_clean(clean, name, n);
		add_name(&object, "state", availability_name((enum fact_availability)c->state));
		add_string(&object, "reason", snapshot_text(snapshot, c->reason));
		yyjson_mut_obj_add(all, yyjson_mut_strncpy(doc, clean, n), object_end(&object));
	}
	return all;
}

static yyjson_mut_val *losses_value(yyjson_mut_doc *doc, const struct losses *losses)
{
	struct object object = object_begin(doc);

	add_number(&object, "full", losses->full);
	add_number(&object, "memory", losses->memory);
	add_number(&object, "allocator", losses->allocator);
	add_number(&object, "key", losses->key);
	add_number(&object, "replaced", losses->replaced);
	add_number(&object, "unknown_frees", losses->unknown_frees);
	add_number(&object, "left_at_close", losses->left_at_close);
	add_number(&object, "moves", losses->moves);
	return object_end(&object);
}

static void add_process_head(struct object *object, const struct snapshot *snapshot,
			     const struct process *process)
{
	char started[40];

	clock_rfc3339(process->started_ns, started, sizeof started);
	add_number(object, "pid", process->pid);
	add_number(object, "inner_pid", process->inner_pid);
	add_number(object, "uid", process->uid);
	add_string(object, "user", snapshot_text(snapshot, process->user));
	add_string(object, "command", snapshot_text(snapshot, process->command));
	add_name(object, "state", process->state == PROCESS_LIVE ? "live" : "exited");
	add_name(object, "source", "hook");
	add_string(object, "entry", snapshot_text(snapshot, process->entry));
	yyjson_mut_obj_add_strcpy(object->doc, object->value, "started", started);
	add_number(object, "event", process->event);
	add_string(object, "metal_version", snapshot_text(snapshot, process->metal_version));
	add_string(object, "metal_build_id", snapshot_text(snapshot, process->build_id));
}

static yyjson_mut_val *process_value(yyjson_mut_doc *doc, const struct snapshot *snapshot,
				     const struct process *process)
{
	struct object object = object_begin(doc);
	yyjson_mut_val *allocators = yyjson_mut_arr(doc), *devices = yyjson_mut_arr(doc);

	for (uint32_t i = 0; i < process->allocators.count; i++)
		yyjson_mut_arr_append(
			allocators,
			allocator_value(doc, snapshot,
					&snapshot->allocators[process->allocators.first + i]));
	for (uint32_t i = 0; i < process->devices.count; i++)
		yyjson_mut_arr_append(
			devices,
			device_value(doc, &snapshot->devices[process->devices.first + i]));
	add_process_head(&object, snapshot, process);
	yyjson_mut_obj_add_val(doc, object.value, "capabilities",
			       capabilities_value(doc, snapshot, process));
	yyjson_mut_obj_add_val(doc, object.value, "failures",
			       failures_value(doc, snapshot, process));
	yyjson_mut_obj_add_val(doc, object.value, "losses", losses_value(doc, &process->losses));
	yyjson_mut_obj_add_val(doc, object.value, "allocators", allocators);
	yyjson_mut_obj_add_val(doc, object.value, "devices", devices);
	return object_end(&object);
}

static yyjson_mut_val *buffer_value(yyjson_mut_doc *doc, const struct snapshot *snapshot,
				    const struct buffer *buffer)
{
	struct object object = object_begin(doc);
	const struct allocator *allocator = &snapshot->allocators[buffer->allocator];

	add_number(&object, "pid", snapshot->processes[buffer->process].pid);
	add_number(&object, "allocator", allocator->id);
	yyjson_mut_obj_add_val(doc, object.value, "chips", chips_value(doc, snapshot, allocator));
	add_name(&object, "type", memory_type_key((enum memory_type)buffer->type));
	add_name(&object, "layout", buffer_layout_name(buffer->layout));
	add_number(&object, "address", buffer->address);
	add_number(&object, "requested_bytes", buffer->requested_bytes);
	add_number(&object, "bank_bytes", buffer->bank_bytes);
	add_number(&object, "page_bytes", buffer->page_bytes);
	add_fact(&object, "pages",
		 buffer->pages == UINT64_MAX ? fact_absent(REASON_NONE) : fact_of(buffer->pages));
	if (buffer->cores == SNAPSHOT_NONE)
		yyjson_mut_obj_add_null(doc, object.value, "cores");
	else
		add_number(&object, "cores", buffer->cores);
	add_number(&object, "thread", buffer->thread);
	add_number(&object, "age_ns", buffer->age_ns);
	return object_end(&object);
}

/* Writes one value and throws its document away. */
static void append_value(struct text *text, yyjson_mut_doc *doc, yyjson_mut_val *value)
{
	size_t length = 0;
	char *json = value ? yyjson_mut_val_write(value, 0, &length) : NULL;

	if (json)
		text_append(text, json, length);
	else
		text->failed = true;
	free(json);
	yyjson_mut_doc_free(doc);
}

static void begin_document(struct text *text, const struct snapshot *snapshot, const char *schema)
{
	char time[40];

	clock_rfc3339(snapshot->time_ns, time, sizeof time);
	text_printf(text, "{\"schema\":\"%s\",\"time\":\"%s\"", schema, time);
}

void json_write_snapshot(struct text *text, const struct snapshot *snapshot)
{
	struct span machine = snapshot->machine_devices;

	begin_document(text, snapshot, "ttmem.snapshot/1");
	text_puts(text, ",\"server\":");
	if (snapshot->server) {
		yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);

		append_value(text, doc,
			     yyjson_mut_strcpy(doc, snapshot_text(snapshot, snapshot->server)));
	} else {
		text_puts(text, "null");
	}
	text_puts(text, ",\"devices\":[");
	for (uint32_t i = 0; i < machine.count; i++) {
		yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);

		if (i)
			text_putc(text, ',');
		append_value(text, doc, device_value(doc, &snapshot->devices[machine.first + i]));
	}
	text_puts(text, "],\"processes\":[");
	for (uint32_t i = 0; i < snapshot->process_count; i++) {
		yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);

		if (i)
			text_putc(text, ',');
		append_value(text, doc, process_value(doc, snapshot, &snapshot->processes[i]));
	}
	text_puts(text, "]}");
}

void json_write_buffers(struct text *text, const struct snapshot *snapshot, const uint32_t *order,
			uint32_t count)
{
	if (!order)
		count = snapshot->buffer_count;
	begin_document(text, snapshot, "ttmem.buffers/1");
	text_printf(text, ",\"consistent\":%s,\"buffers\":[",
		    snapshot->consistent ? "true" : "false");
	for (uint32_t i = 0; i < count; i++) {
		yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);

		if (i)
			text_puts(text, ",");
		append_value(text, doc,
			     buffer_value(doc, snapshot, &snapshot->buffers[order ? order[i] : i]));
	}
	text_puts(text, "]}");
}

void json_write_error(struct text *text, const char *code, const char *message, const char *hint)
{
	yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
	struct object outer = object_begin(doc), inner = object_begin(doc);

	add_name(&inner, "code", code);
	add_string(&inner, "message", message);
	add_string(&inner, "hint", hint ? hint : "");
	yyjson_mut_obj_add_val(doc, outer.value, "error", object_end(&inner));
	append_value(text, doc, object_end(&outer));
}
