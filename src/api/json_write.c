/* SPDX-License-Identifier: Apache-2.0 */
#include "api/json.h"

#include <inttypes.h>

#include "api/encode.h"
#include "base/clock.h"

/* Values go out one at a time, each in a document of its own; their memory is used again. */
struct writer {
	struct text *text;
	yyjson_alc *memory;
};

static struct writer writer_begin(struct text *text)
{
	struct writer writer = {text, yyjson_alc_dyn_new()};

	if (!writer.memory)
		text->failed = true;
	return writer;
}

static void writer_end(struct writer *writer)
{
	yyjson_alc_dyn_free(writer->memory);
}

static yyjson_mut_doc *writer_doc(const struct writer *writer)
{
	return writer->memory ? yyjson_mut_doc_new(writer->memory) : NULL;
}

static void write_value(struct writer *writer, yyjson_mut_doc *doc, yyjson_mut_val *value)
{
	size_t length = 0;
	char *json = value ? yyjson_mut_val_write_opts(value, 0, writer->memory, &length, NULL)
			   : NULL;

	if (json) {
		text_append(writer->text, json, length);
		writer->memory->free(writer->memory->ctx, json);
	} else {
		writer->text->failed = true;
	}
	yyjson_mut_doc_free(doc);
}

static void add_memories(struct encoded *object, const struct memory memory[MEMORY_TYPES])
{
	yyjson_mut_val *all = yyjson_mut_obj(object->doc);

	for (enum memory_type type = 0; type < MEMORY_TYPES; type++) {
		struct encoded one = encode_begin(object->doc, NULL);

		encode_fields(&one, &memory_fields, &memory[type]);
		yyjson_mut_obj_add_val(object->doc, all, memory_type_key(type), encode_end(&one));
	}
	encode_value(object, "memory", all);
}

static yyjson_mut_val *device_value(yyjson_mut_doc *doc, const struct device *device)
{
	struct encoded object = encode_begin(doc, NULL);

	encode_fields(&object, &device_fields, device);
	add_memories(&object, device->memory);
	return encode_end(&object);
}

static void add_chips(struct encoded *object, const struct allocator *allocator)
{
	yyjson_mut_doc *doc = object->doc;
	yyjson_mut_val *chips = yyjson_mut_arr(doc), *ids = yyjson_mut_arr(doc);

	for (uint32_t i = 0; i < allocator->chips.count; i++) {
		const struct chip *chip = &object->snapshot->chips[allocator->chips.first + i];

		yyjson_mut_arr_append(chips, encode_id(doc, chip->unique_id));
		yyjson_mut_arr_add_uint(doc, ids, chip->chip_id);
	}
	encode_value(object, "chips", chips);
	encode_value(object, "chip_ids", ids);
}

static yyjson_mut_val *allocator_value(yyjson_mut_doc *doc, const struct snapshot *snapshot,
				       const struct allocator *allocator)
{
	struct encoded object = encode_begin(doc, snapshot);
	yyjson_mut_val *all = yyjson_mut_obj(doc);

	encode_fields(&object, &allocator_fields, allocator);
	add_chips(&object, allocator);
	for (enum memory_type type = 0; type < MEMORY_TYPES; type++) {
		struct field_counts counts = field_counts_of(allocator, type);
		struct encoded one = encode_begin(doc, NULL);

		encode_fields(&one, &count_fields, &counts);
		yyjson_mut_obj_add_val(doc, all, memory_type_key(type), encode_end(&one));
	}
	encode_value(&object, "counts", all);
	add_memories(&object, allocator->memory);
	return encode_end(&object);
}

static yyjson_mut_val *capabilities_value(yyjson_mut_doc *doc, const struct snapshot *snapshot,
					  const struct process *process)
{
	yyjson_mut_val *all = yyjson_mut_obj(doc);

	for (uint32_t i = 0; i < process->capabilities.count; i++) {
		const struct capability *c =
			&snapshot->capabilities[process->capabilities.first + i];
		struct encoded object = encode_begin(doc, snapshot);
		const char *name = snapshot_text(snapshot, c->name);

		/* a name is a key, and a key is no null */
		if (!*name)
			continue;
		encode_fields(&object, &capability_fields, c);
		yyjson_mut_obj_add(all, encode_text(doc, name), encode_end(&object));
	}
	return all;
}

static yyjson_mut_val *failures_value(yyjson_mut_doc *doc, const struct snapshot *snapshot,
				      const struct process *process)
{
	yyjson_mut_val *object = yyjson_mut_obj(doc), *last = yyjson_mut_arr(doc);

	for (uint32_t i = 0; i < process->failures.count; i++) {
		struct encoded one = encode_begin(doc, NULL);

		encode_fields(&one, &failure_fields,
			      &snapshot->failures[process->failures.first + i]);
		yyjson_mut_arr_append(last, encode_end(&one));
	}
	yyjson_mut_obj_add_uint(doc, object, "count", process->failure_count);
	yyjson_mut_obj_add_val(doc, object, "last", last);
	return object;
}

static yyjson_mut_val *losses_value(yyjson_mut_doc *doc, const struct losses *losses)
{
	struct encoded object = encode_begin(doc, NULL);

	encode_fields(&object, &loss_fields, losses);
	return encode_end(&object);
}

static yyjson_mut_val *process_value(yyjson_mut_doc *doc, const struct snapshot *snapshot,
				     const struct process *process)
{
	struct encoded object = encode_begin(doc, snapshot);
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
	encode_fields(&object, &process_fields, process);
	encode_value(&object, "source", yyjson_mut_str(doc, "hook"));
	encode_value(&object, "capabilities", capabilities_value(doc, snapshot, process));
	encode_value(&object, "failures", failures_value(doc, snapshot, process));
	encode_value(&object, "losses", losses_value(doc, &process->losses));
	encode_value(&object, "allocators", allocators);
	encode_value(&object, "devices", devices);
	return encode_end(&object);
}

static yyjson_mut_val *buffer_value(yyjson_mut_doc *doc, const struct snapshot *snapshot,
				    const struct buffer *buffer)
{
	const struct allocator *allocator = &snapshot->allocators[buffer->allocator];
	struct encoded object = encode_begin(doc, snapshot);

	yyjson_mut_obj_add_uint(doc, object.value, "pid", snapshot->processes[buffer->process].pid);
	yyjson_mut_obj_add_uint(doc, object.value, "allocator", allocator->id);
	add_chips(&object, allocator);
	encode_fields(&object, &buffer_fields, buffer);
	return encode_end(&object);
}

static void write_head(struct writer *writer, const struct snapshot *snapshot, const char *schema)
{
	yyjson_mut_doc *doc = writer_doc(writer);
	char time[40];

	clock_rfc3339(snapshot->time_ns, time, sizeof time);
	text_printf(writer->text, "{\"schema\":\"%s\",\"time\":\"%s\",\"server\":", schema, time);
	write_value(writer, doc, encode_text(doc, snapshot_text(snapshot, snapshot->server)));
}

void json_write_snapshot(struct text *text, const struct snapshot *snapshot)
{
	struct writer writer = writer_begin(text);
	struct span machine = snapshot->machine_devices;

	write_head(&writer, snapshot, "ttmem.snapshot/1");
	text_puts(text, ",\"devices\":[");
	for (uint32_t i = 0; i < machine.count && !text->failed; i++) {
		yyjson_mut_doc *doc = writer_doc(&writer);

		if (i)
			text_putc(text, ',');
		write_value(&writer, doc, device_value(doc, &snapshot->devices[machine.first + i]));
	}
	text_puts(text, "],\"processes\":[");
	for (uint32_t i = 0; i < snapshot->process_count && !text->failed; i++) {
		yyjson_mut_doc *doc = writer_doc(&writer);

		if (i)
			text_putc(text, ',');
		write_value(&writer, doc, process_value(doc, snapshot, &snapshot->processes[i]));
	}
	text_puts(text, "]}");
	writer_end(&writer);
}

static void write_rows(struct writer *writer, const struct snapshot *snapshot,
		       const uint32_t *order, uint32_t count)
{
	text_putc(writer->text, '[');
	for (uint32_t i = 0; i < count && !writer->text->failed; i++) {
		yyjson_mut_doc *doc = writer_doc(writer);
		const struct buffer *buffer = &snapshot->buffers[order ? order[i] : i];

		if (i)
			text_putc(writer->text, ',');
		write_value(writer, doc, buffer_value(doc, snapshot, buffer));
	}
	text_putc(writer->text, ']');
}

void json_write_buffer_rows(struct text *text, const struct snapshot *snapshot,
			    const uint32_t *order, uint32_t count)
{
	struct writer writer = writer_begin(text);

	write_rows(&writer, snapshot, order, count);
	writer_end(&writer);
}

void json_write_string(struct text *text, const char *string)
{
	struct writer writer = writer_begin(text);
	yyjson_mut_doc *doc = writer_doc(&writer);

	write_value(&writer, doc, encode_text(doc, string));
	writer_end(&writer);
}

void json_write_fact(struct text *text, struct fact fact)
{
	if (fact_is_known(fact))
		text_printf(text, "%" PRIu64, fact.value);
	else
		text_puts(text, "null");
}

void json_write_buffers(struct text *text, const struct snapshot *snapshot, const uint32_t *order,
			uint32_t count)
{
	struct writer writer = writer_begin(text);

	if (!order)
		count = snapshot->buffer_count;
	write_head(&writer, snapshot, "ttmem.buffers/1");
	text_printf(text, ",\"consistent\":%s,\"total\":%" PRIu64 ",\"buffers\":",
		    snapshot->consistent ? "true" : "false", snapshot_buffers_total(snapshot));
	write_rows(&writer, snapshot, order, count);
	text_putc(text, '}');
	writer_end(&writer);
}

void json_write_error(struct text *text, const char *code, const char *message, const char *hint)
{
	struct writer writer = writer_begin(text);
	yyjson_mut_doc *doc = writer_doc(&writer);
	yyjson_mut_val *error = yyjson_mut_obj(doc), *outer = yyjson_mut_obj(doc);

	yyjson_mut_obj_add_val(doc, error, "code", encode_text(doc, code));
	yyjson_mut_obj_add_val(doc, error, "message", encode_text(doc, message));
	yyjson_mut_obj_add_val(doc, error, "hint", encode_text(doc, hint ? hint : ""));
	yyjson_mut_obj_add_val(doc, outer, "error", error);
	write_value(&writer, doc, outer);
	writer_end(&writer);
}
