/* SPDX-License-Identifier: Apache-2.0 */
/* Rows and their cells. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "view/devices.h"
#include "view/query.h"

static void missing(struct query_value *value, struct fact why)
{
	value->kind = VALUE_MISSING;
	value->fact = why;
}

static void of_text(struct query_value *value, const char *text)
{
	value->kind = *text ? VALUE_TEXT : VALUE_MISSING;
	value->text = text;
}

static void timestamp(const struct snapshot *snapshot, struct query_value *value)
{
	time_t seconds = (time_t)(snapshot->time_ns / UINT64_C(1000000000));
	struct tm tm;
	size_t n = 0;

	if (localtime_r(&seconds, &tm))
		n = strftime(value->buffer, sizeof value->buffer, "%Y/%m/%d %H:%M:%S", &tm);
	(void)snprintf(value->buffer + n, sizeof value->buffer - n, ".%03u",
		       (unsigned)(snapshot->time_ns / 1000000 % 1000));
	of_text(value, value->buffer);
}

/* "0000:c1:00.0" in parts, hexadecimal as nvidia-smi writes them. */
static void pci_part(const char *address, enum query_special part, struct query_value *value)
{
	unsigned domain, bus, device;

	if (sscanf(address, "%x:%x:%x.", &domain, &bus, &device) != 3)
		return missing(value, fact_absent(REASON_NO_ATTRIBUTE));
	if (part == SPECIAL_PCI_DOMAIN)
		(void)snprintf(value->buffer, sizeof value->buffer, "0x%04X", domain);
	else
		(void)snprintf(value->buffer, sizeof value->buffer, "0x%02X",
			       part == SPECIAL_PCI_BUS ? bus : device);
	of_text(value, value->buffer);
}

static void number(struct query_value *value, struct fact fact, const char *unit)
{
	value->kind = fact_is_known(fact) ? VALUE_NUMBER : VALUE_MISSING;
	value->fact = fact;
	value->unit = unit;
}

static struct fact to_mib(struct fact bytes)
{
	if (fact_is_known(bytes))
		bytes.value = bytes.value / (1 << 20) + (bytes.value % (1 << 20) >= 1 << 19);
	return bytes;
}

static void device_label(const struct query_row *row, struct query_value *value)
{
	text_auto name = TEXT_INIT;

	device_name(&name, row->snapshot, row->device);
	(void)snprintf(value->buffer, sizeof value->buffer, "%s", name.bytes ? name.bytes : "");
	of_text(value, value->buffer);
}

static void reserved(const struct device *device, struct query_value *value)
{
	struct fact physical = device->dram_physical_bytes;
	struct fact usable = device->memory[MEMORY_DRAM].allocatable_bytes;

	if (!fact_is_known(physical) || !fact_is_known(usable) || usable.value > physical.value)
		return missing(value, fact_is_known(physical) ? usable : physical);
	number(value,
	       to_mib(fact_estimate(physical.value - usable.value, (enum fact_reason)physical.reason)),
	       "MiB");
}

static void special(const struct query_row *row, enum query_special special,
		    struct query_value *value)
{
	const struct snapshot *snapshot = row->snapshot;
	const struct card *card = row->device ? snapshot_card(snapshot, row->device) : NULL;

	switch (special) {
	case SPECIAL_TIMESTAMP:
		return timestamp(snapshot, value);
	case SPECIAL_DRIVER_VERSION:
		return of_text(value, snapshot_text(snapshot, snapshot->driver_version));
	case SPECIAL_COUNT:
		return number(value, fact_of(snapshot->machine_devices.count), "");
	case SPECIAL_DEVICE_NAME:
		if (row->device)
			device_label(row, value);
		return;
	case SPECIAL_RESERVED:
		if (row->device)
			reserved(row->device, value);
		return;
	case SPECIAL_PCI_DOMAIN:
	case SPECIAL_PCI_BUS:
	case SPECIAL_PCI_DEVICE:
		if (card)
			pci_part(snapshot_text(snapshot, card->pci_address), special, value);
		return;
	case SPECIAL_NONE:
		return;
	}
}

static const void *object_of(const struct query_row *row, const struct query_column *column)
{
	const struct device *holder = row->share ? row->share : row->process ? NULL : row->device;

	switch (column->origin) {
	case FROM_DEVICE:
		return row->device;
	case FROM_CARD:
		return row->device ? snapshot_card(row->snapshot, row->device) : NULL;
	case FROM_MEMORY:
		return holder ? &holder->memory[column->type] : NULL;
	case FROM_PROCESS:
		return row->process;
	case FROM_BUFFER:
		return row->buffer;
	case FROM_ALLOCATOR:
		return row->buffer ? &row->snapshot->allocators[row->buffer->allocator] : NULL;
	case FROM_SITE:
		return row->buffer ? snapshot_site(row->snapshot, row->buffer->site) : NULL;
	case FROM_SPECIAL:
		break;
	}
	return NULL;
}

static bool is_telemetry(const struct field *field)
{
	return strncmp(field->path, "telemetry.", 10) == 0;
}

static void time_text(struct query_value *value, uint64_t realtime_ns)
{
	clock_rfc3339(realtime_ns, value->buffer, sizeof value->buffer);
	of_text(value, value->buffer);
}

static void field_value(const struct query_row *row, const struct query_column *column,
			struct fact fact, struct query_value *value)
{
	const struct field *field = column->field;
	const char *word;

	value->fact = fact;
	switch (field->type) {
	case FIELD_SIGNED:
		value->kind = VALUE_SIGNED;
		return;
	case FIELD_FLAG:
		value->kind = VALUE_FLAG;
		return;
	case FIELD_OPEN:
		value->kind = VALUE_FLAG;
		value->fact = fact_of(!fact_is_known(fact));
		return;
	case FIELD_ID:
		(void)snprintf(value->buffer, sizeof value->buffer, "%" PRIu64, fact.value);
		return of_text(value, value->buffer);
	case FIELD_HEX:
		(void)snprintf(value->buffer, sizeof value->buffer, "%016" PRIX64, fact.value);
		return of_text(value, value->buffer);
	case FIELD_TIME:
		return time_text(value, fact.value);
	case FIELD_WORD:
		word = field_word(field, fact.value);
		return of_text(value, word ? word : "");
	case FIELD_TEXT:
		return of_text(value, snapshot_text(row->snapshot, (string_id)fact.value));
	case FIELD_NUMBER:
		break;
	}
	value->kind = VALUE_NUMBER;
	value->hundredths = column->unit == UNIT_HUNDREDTHS;
	if (column->unit == UNIT_MIB)
		value->fact = to_mib(fact);
}

const char *query_unit_of(const struct query_column *column)
{
	if (column->unit == UNIT_MIB)
		return "MiB";
	return column->field ? column->field->unit : "";
}

void query_value_of(const struct query_row *row, const struct query_column *column,
		    struct query_value *ret_value)
{
	ret_value->kind = VALUE_MISSING;
	ret_value->fact = fact_absent(REASON_NONE);
	ret_value->unit = query_unit_of(column);
	ret_value->hundredths = false;
	if (column->origin == FROM_SPECIAL && !column->field)
		return special(row, column->special, ret_value);
	const void *object = object_of(row, column);

	if (!object)
		return;
	/* the driver's figures are those of the card's own chip */
	if (column->origin == FROM_CARD && row->device->remote && is_telemetry(column->field))
		return missing(ret_value, fact_absent(REASON_REMOTE));
	struct fact fact = field_load(object, column->field);

	if (!fact_is_known(fact) && column->field->type != FIELD_OPEN)
		return missing(ret_value, fact);
	field_value(row, column, fact, ret_value);
}

/* The machine's entry of a chip that a process uses; NULL: it is not among those shown. */
static const struct device *machine_device(const struct snapshot *snapshot,
					   const struct device *share)
{
	for (uint32_t i = 0; i < snapshot->machine_devices.count; i++) {
		const struct device *device =
			&snapshot->devices[snapshot->machine_devices.first + i];

		if (device_same(device, share))
			return device;
	}
	return NULL;
}

static void visit_cards(const struct snapshot *snapshot, uint32_t process, query_visitor *visit,
			void *context)
{
	bool any = false;

	for (uint32_t i = 0; i < snapshot->machine_devices.count; i++) {
		const struct device *device =
			&snapshot->devices[snapshot->machine_devices.first + i];

		if (device->remote || !snapshot_has_open(snapshot, process, device))
			continue;
		visit(context, &(struct query_row){.snapshot = snapshot, .device = device,
						   .process = &snapshot->processes[process]});
		any = true;
	}
	if (!any)
		visit(context, &(struct query_row){.snapshot = snapshot,
						   .process = &snapshot->processes[process]});
}

static void visit_process(const struct snapshot *snapshot, uint32_t index, query_visitor *visit,
			  void *context)
{
	const struct process *process = &snapshot->processes[index];

	if (process->devices.count == 0)
		return visit_cards(snapshot, index, visit, context);
	for (uint32_t i = 0; i < process->devices.count; i++) {
		const struct device *share = &snapshot->devices[process->devices.first + i];

		visit(context, &(struct query_row){.snapshot = snapshot,
						   .device = machine_device(snapshot, share),
						   .share = share,
						   .process = process});
	}
}

void query_visit(const struct snapshot *snapshot, enum query_kind kind, query_visitor *visit,
		 void *context)
{
	struct query_row row = {.snapshot = snapshot};

	switch (kind) {
	case QUERY_DEVICES:
		for (uint32_t i = 0; i < snapshot->machine_devices.count; i++) {
			row.device = &snapshot->devices[snapshot->machine_devices.first + i];
			visit(context, &row);
		}
		return;
	case QUERY_PROCESSES:
		for (uint32_t i = 0; i < snapshot->process_count; i++)
			visit_process(snapshot, i, visit, context);
		return;
	case QUERY_BUFFERS:
		for (uint32_t i = 0; i < snapshot->buffer_count; i++) {
			row.buffer = &snapshot->buffers[i];
			row.process = &snapshot->processes[row.buffer->process];
			visit(context, &row);
		}
		return;
	}
}
