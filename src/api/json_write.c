/* SPDX-License-Identifier: Apache-2.0 */
#include "api/json.h"

#include <inttypes.h>

#include "api/json_cards.h"
#include "api/json_parts.h"
#include "api/json_sites.h"
#include "base/clock.h"

static void separate(struct text *text, uint32_t index)
{
	if (index)
		text_putc(text, ',');
}

static void put_memories(struct encoded *object, const struct memory memory[MEMORY_TYPES])
{
	struct encoded all, one;

	encode_key(object, "memory");
	encode_begin(&all, object->text, NULL);
	for (enum memory_type type = 0; type < MEMORY_TYPES; type++) {
		encode_key(&all, memory_type_key(type));
		encode_begin(&one, object->text, NULL);
		encode_fields(&one, &memory_fields, &memory[type]);
		encode_end(&one);
	}
	encode_end(&all);
}

static void put_l1(struct encoded *object, const struct device *device)
{
	struct encoded one;

	encode_key(object, "l1");
	encode_begin(&one, object->text, NULL);
	encode_fields(&one, &l1_fields, &device->l1);
	encode_fields(&one, &clash_gap_fields, device);
	encode_end(&one);
}

static void put_device(struct text *text, const struct snapshot *snapshot,
		       const struct device *device)
{
	struct encoded object;

	encode_begin(&object, text, snapshot);
	encode_fields(&object, &device_fields, device);
	if (device->process == SNAPSHOT_NONE)
		put_place(&object, device);
	put_memories(&object, device->memory);
	if (device->process == SNAPSHOT_NONE || !snapshot->is_brief)
		put_l1(&object, device);
	encode_end(&object);
}

void put_chips(struct encoded *object, const struct allocator *allocator)
{
	const struct chip *chips = SPAN_START(object->snapshot->chips, allocator->chips);

	encode_key(object, "chips");
	text_putc(object->text, '[');
	for (uint32_t i = 0; i < allocator->chips.count; i++) {
		separate(object->text, i);
		(void)encode_id(object->text, chips[i].unique_id);
	}
	text_putc(object->text, ']');
	encode_key(object, "chip_ids");
	text_putc(object->text, '[');
	for (uint32_t i = 0; i < allocator->chips.count; i++) {
		separate(object->text, i);
		encode_number(object->text, chips[i].chip_id);
	}
	text_putc(object->text, ']');
}

static void put_counts(struct encoded *object, const struct allocator *allocator)
{
	struct encoded all, one;

	encode_key(object, "counts");
	encode_begin(&all, object->text, NULL);
	for (enum memory_type type = 0; type < MEMORY_TYPES; type++) {
		struct field_counts counts = field_counts_of(allocator, type);

		encode_key(&all, memory_type_key(type));
		encode_begin(&one, object->text, NULL);
		encode_fields(&one, &count_fields, &counts);
		encode_end(&one);
	}
	encode_end(&all);
}

static void put_allocator(struct text *text, const struct snapshot *snapshot,
			  const struct allocator *allocator)
{
	struct encoded object;

	encode_begin(&object, text, snapshot);
	encode_fields(&object, &allocator_fields, allocator);
	put_chips(&object, allocator);
	put_counts(&object, allocator);
	if (!snapshot->is_brief)
		put_memories(&object, allocator->memory);
	encode_end(&object);
}

static void put_capabilities(struct encoded *object, const struct process *process)
{
	const struct snapshot *snapshot = object->snapshot;
	struct text *text = object->text;
	uint32_t shown = 0;

	encode_key(object, "capabilities");
	text_putc(text, '{');
	for (uint32_t i = 0; i < process->capabilities.count; i++) {
		const struct capability *c =
			&snapshot->capabilities[process->capabilities.first + i];
		const char *name = snapshot_text(snapshot, c->name);
		struct encoded one;

		/* a name is a key, and a key is no null */
		if (!*name)
			continue;
		separate(text, shown++);
		(void)encode_text(text, name);
		text_putc(text, ':');
		encode_begin(&one, text, snapshot);
		encode_fields(&one, &capability_fields, c);
		encode_end(&one);
	}
	text_putc(text, '}');
}

static void put_failures(struct encoded *object, const struct process *process)
{
	struct text *text = object->text;
	struct encoded one;

	encode_key(object, "failures");
	text_puts(text, "{\"count\":");
	encode_number(text, process->failure_count);
	text_puts(text, ",\"last\":[");
	for (uint32_t i = 0; i < process->failures.count; i++) {
		separate(text, i);
		const struct failure *failure =
			&object->snapshot->failures[process->failures.first + i];

		encode_begin(&one, text, object->snapshot);
		encode_fields(&one, &failure_fields, failure);
		put_site(&one, failure->site);
		encode_end(&one);
	}
	text_puts(text, "]}");
}

static void put_losses(struct encoded *object, const struct losses *losses)
{
	struct encoded one;

	encode_key(object, "losses");
	encode_begin(&one, object->text, NULL);
	encode_fields(&one, &loss_fields, losses);
	encode_end(&one);
}

static void put_process(struct text *text, const struct snapshot *snapshot,
			const struct process *process)
{
	struct encoded object;

	encode_begin(&object, text, snapshot);
	encode_fields(&object, &process_fields, process);
	put_capabilities(&object, process);
	put_failures(&object, process);
	put_losses(&object, &process->losses);
	encode_key(&object, "allocators");
	text_putc(text, '[');
	for (uint32_t i = 0; i < process->allocators.count; i++) {
		separate(text, i);
		put_allocator(text, snapshot,
			      &snapshot->allocators[process->allocators.first + i]);
	}
	text_putc(text, ']');
	encode_key(&object, "devices");
	text_putc(text, '[');
	for (uint32_t i = 0; i < process->devices.count; i++) {
		separate(text, i);
		put_device(text, snapshot, &snapshot->devices[process->devices.first + i]);
	}
	text_putc(text, ']');
	encode_end(&object);
}

static void put_buffer(struct text *text, const struct snapshot *snapshot,
		       const struct buffer *buffer)
{
	const struct allocator *allocator = &snapshot->allocators[buffer->allocator];
	struct encoded object;

	encode_begin(&object, text, snapshot);
	encode_key(&object, "pid");
	encode_number(text, snapshot->processes[buffer->process].pid);
	encode_key(&object, "allocator");
	encode_number(text, allocator->id);
	put_chips(&object, allocator);
	encode_fields(&object, &buffer_fields, buffer);
	put_site(&object, buffer->site);
	if (snapshot->has_stacks)
		put_stack(&object, buffer->site);
	encode_end(&object);
}

void put_head(struct text *text, const struct snapshot *snapshot, const char *schema)
{
	char time[40];

	clock_rfc3339(snapshot->time_ns, time, sizeof time);
	text_printf(text, "{\"schema\":\"%s\",\"time\":\"%s\",\"server\":", schema, time);
	(void)encode_text(text, snapshot_text(snapshot, snapshot->server));
}

void json_write_snapshot(struct text *text, const struct snapshot *snapshot)
{
	struct span machine = snapshot->machine_devices;

	struct encoded cards = {.text = text, .snapshot = snapshot, .has_members = true};

	put_head(text, snapshot, "ttmem.snapshot/1");
	put_cards(&cards);
	text_puts(text, ",\"devices\":[");
	for (uint32_t i = 0; i < machine.count && !text->failed; i++) {
		separate(text, i);
		put_device(text, snapshot, &snapshot->devices[machine.first + i]);
	}
	text_puts(text, "],\"processes\":[");
	for (uint32_t i = 0; i < snapshot->process_count && !text->failed; i++) {
		separate(text, i);
		put_process(text, snapshot, &snapshot->processes[i]);
	}
	text_puts(text, "]}");
}

void json_write_buffer_rows(struct text *text, const struct snapshot *snapshot,
			    const uint32_t *order, uint32_t count)
{
	text_putc(text, '[');
	for (uint32_t i = 0; i < count && !text->failed; i++) {
		separate(text, i);
		put_buffer(text, snapshot, &snapshot->buffers[order ? order[i] : i]);
	}
	text_putc(text, ']');
}

void json_write_string(struct text *text, const char *string)
{
	(void)encode_text(text, string);
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
	if (!order)
		count = snapshot->buffer_count;
	put_head(text, snapshot, "ttmem.buffers/1");
	text_printf(text, ",\"consistent\":%s,\"total\":%" PRIu64,
		    snapshot->consistent ? "true" : "false", snapshot_buffers_total(snapshot));
	put_lacks(text, snapshot);
	text_puts(text, ",\"buffers\":");
	json_write_buffer_rows(text, snapshot, order, count);
	text_putc(text, '}');
}

void json_write_error(struct text *text, const char *code, const char *message, const char *hint)
{
	text_puts(text, "{\"error\":{\"code\":");
	(void)encode_text(text, code);
	text_puts(text, ",\"message\":");
	(void)encode_text(text, message);
	text_puts(text, ",\"hint\":");
	(void)encode_text(text, hint ? hint : "");
	text_puts(text, "}}");
}
