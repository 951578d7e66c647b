/* SPDX-License-Identifier: Apache-2.0 */
#include "view/details.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "model/capability.h"
#include "view/devices.h"
#include "view/figures.h"
#include "view/query.h"

#define INDENT	     4u
#define LABEL_COLUMN 42u

int details_section_parse(const char *list, unsigned *ret_sections)
{
	static const char *const names[] = {"MEMORY",  "TEMPERATURE", "POWER", "CLOCK",
					    "VOLTAGE", "PIDS",	      "PCI"};
	unsigned sections = 0;

	while (*list) {
		size_t length = strcspn(list, ","), i = 0;

		while (i < sizeof names / sizeof names[0] &&
		       (strlen(names[i]) != length || strncasecmp(list, names[i], length) != 0))
			i++;
		if (i == sizeof names / sizeof names[0])
			return -EINVAL;
		sections |= 1u << i;
		list += length + (list[length] == ',');
	}
	*ret_sections = sections;
	return sections ? 0 : -EINVAL;
}

static void label(struct text *text, unsigned level, const char *name)
{
	text_pad(text, ' ', level * INDENT);
	text_printf(text, "%-*s: ", (int)(LABEL_COLUMN - level * INDENT), name);
}

static void title(struct text *text, unsigned level, const char *name)
{
	text_pad(text, ' ', level * INDENT);
	text_printf(text, "%s\n", name);
}

/* One named column of the query is one line here. */
static void line(struct text *text, unsigned level, const char *name, const struct query_row *row,
		 const char *column)
{
	char bad[QUERY_NAME_MAX];
	struct query_value value;
	struct query query;

	label(text, level, name);
	if (query_parse(row->process ? QUERY_PROCESSES : QUERY_DEVICES, column, &query, bad) < 0) {
		text_puts(text, "N/A\n");
		return;
	}
	query_value_of(row, &query.columns[0], &value);
	if (value.kind != VALUE_MISSING)
		query_put_cell(text, &value, true);
	else if (value.fact.reason == REASON_NONE)
		text_puts(text, "N/A");
	else
		text_printf(text, "N/A (%s)", fact_reason_text((enum fact_reason)value.fact.reason));
	if (value.kind == VALUE_NUMBER && value.fact.state == FACT_ESTIMATE)
		text_puts(text, " (estimate)");
	if (value.kind != VALUE_MISSING && value.fact.state == FACT_STALE)
		text_puts(text, " (old)");
	text_putc(text, '\n');
}

static void memory_lines(struct text *text, unsigned level, const struct query_row *row,
			 enum memory_type type)
{
	static const struct {
		const char *label, *field;
	} lines[] = {
		{"Allocatable", "allocatable_bytes"}, {"Used", "occupied_bytes"},
		{"Free", "free_bytes"},		      {"Largest hole", "largest_free_bytes"},
		{"Requested", "requested_bytes"},     {"Buffers", "buffers"},
		{"Peak used", "peak_occupied_bytes"},
	};
	char name[64];

	(void)snprintf(name, sizeof name, "%s Usage", memory_type_name(type));
	title(text, level, name);
	for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
		(void)snprintf(name, sizeof name, "%s.%s", memory_type_key(type), lines[i].field);
		line(text, level + 1, lines[i].label, row, name);
	}
}

static void memory_section(struct text *text, const struct query_row *row)
{
	line(text, 1, "DRAM on the chip", row, "dram_physical_bytes");
	line(text, 1, "L1 of all Tensix cores", row, "l1_physical_bytes");
	line(text, 1, "Tensix cores", row, "tensix_cores");
	for (enum memory_type type = 0; type < MEMORY_TYPES; type++)
		if (!figures_is_empty(&row->device->memory[type]))
			memory_lines(text, 1, row, type);
}

/* Who allocates: told or not, and what there is to say about it. */
static void sites_line(struct text *text, const struct snapshot *snapshot, const struct process *p)
{
	const struct capability *c = capability_of(snapshot, p, SITES_CAPABILITY);

	label(text, 3, "Sites");
	text_puts(text, c ? availability_name((enum fact_availability)c->state) : "N/A");
	if (c && c->reason) {
		text_puts(text, " (");
		text_escape(text, snapshot_text(snapshot, c->reason), 0, false);
		text_putc(text, ')');
	}
	text_putc(text, '\n');
}

static void process_lines(struct text *text, const struct snapshot *snapshot,
			  const struct device *device, uint32_t process)
{
	const struct process *p = &snapshot->processes[process];
	struct query_row row = {.snapshot = snapshot, .device = device, .process = p};

	for (uint32_t i = 0; i < p->devices.count; i++)
		if (device_same(&snapshot->devices[p->devices.first + i], device))
			row.share = &snapshot->devices[p->devices.first + i];
	line(text, 2, "Process ID", &row, "pid");
	line(text, 3, "Name", &row, "command");
	line(text, 3, "User", &row, "user");
	line(text, 3, "State", &row, "state");
	line(text, 3, "Came in by", &row, "entry");
	sites_line(text, snapshot, p);
	line(text, 3, "Container", &row, "container");
	line(text, 3, "Host memory", &row, "host_memory_bytes");
	line(text, 3, "Pinned host memory", &row, "pinned_memory_bytes");
	line(text, 3, "Used DRAM", &row, "dram.occupied_bytes");
	line(text, 3, "Used L1", &row, "l1.occupied_bytes");
}

static void pids_section(struct text *text, const struct snapshot *snapshot,
			 const struct device *device)
{
	bool any = false;

	title(text, 1, "Processes");
	for (uint32_t i = 0; i < snapshot->process_count; i++) {
		if (!snapshot_uses(snapshot, i, device))
			continue;
		process_lines(text, snapshot, device, i);
		any = true;
	}
	if (!any)
		title(text, 2, "None");
}

static void identity(struct text *text, const struct query_row *row)
{
	line(text, 1, "Product Name", row, "name");
	line(text, 1, "Architecture", row, "arch");
	line(text, 1, "Unique ID", row, "unique_id");
	line(text, 1, "Serial Number", row, "serial");
	line(text, 1, "ASIC ID", row, "asic_id");
	line(text, 1, "Firmware Bundle Version", row, "firmware");
	line(text, 1, "State", row, "state");
}

struct entry {
	const char *label, *column;
};

static void section(struct text *text, const struct query_row *row, const char *name,
		    const struct entry *entries)
{
	title(text, 1, name);
	for (; entries->label; entries++)
		line(text, 2, entries->label, row, entries->column);
}

static void telemetry(struct text *text, const struct query_row *row, unsigned sections)
{
	static const struct entry pci[] = {
		{"Bus ID", "pci_address"},	{"Generation", "pcie.generation"},
		{"Width", "pcie.width"},	{"Max Generation", "pcie.generation_max"},
		{"Max Width", "pcie.width_max"}, {"NUMA Node", "pcie.numa_node"}, {0}};
	static const struct entry temperature[] = {{"Chip", "temperature_c"},
						   {"Throttle Limit", "temperature_limit_c"}, {0}};
	static const struct entry power[] = {{"Chip", "power_w"},     {"Limit", "power_limit_w"},
					     {"Current", "current_a"}, {"Current Limit", "current_limit_a"},
					     {"Fan", "fan_rpm"}, {0}};
	static const struct entry clocks[] = {
		{"Tensix", "aiclk_mhz"}, {"NoC", "axiclk_mhz"}, {"ARC", "arcclk_mhz"}, {0}};
	static const struct entry voltage[] = {{"Core", "voltage_mv"},
					       {"Core Limit", "voltage_limit_mv"}, {0}};

	if (sections & DETAILS_PCI)
		section(text, row, "PCI", pci);
	if (sections & DETAILS_TEMPERATURE)
		section(text, row, "Temperature", temperature);
	if (sections & DETAILS_POWER)
		section(text, row, "Power Readings", power);
	if (sections & DETAILS_CLOCK)
		section(text, row, "Clocks", clocks);
	if (sections & DETAILS_VOLTAGE)
		section(text, row, "Voltage", voltage);
}

static void device_details(struct text *text, const struct snapshot *snapshot,
			   const struct device *device, unsigned sections)
{
	const struct query_row row = {.snapshot = snapshot, .device = device};
	const struct card *card = snapshot_card(snapshot, device);

	text_printf(text, "\nDevice %" PRIu32, device->number);
	if (card && card->pci_address) {
		text_puts(text, " ");
		text_escape(text, snapshot_text(snapshot, card->pci_address), 32, false);
	}
	text_putc(text, '\n');
	if (sections == DETAILS_ALL)
		identity(text, &row);
	if (sections & DETAILS_MEMORY)
		memory_section(text, &row);
	telemetry(text, &row, sections);
	if (sections & DETAILS_PIDS)
		pids_section(text, snapshot, device);
}

void details_write(struct text *text, const struct snapshot *snapshot, unsigned sections)
{
	time_t seconds = (time_t)(snapshot->time_ns / UINT64_C(1000000000));
	struct tm tm;
	char when[64] = "";

	if (localtime_r(&seconds, &tm))
		(void)strftime(when, sizeof when, "%a %b %e %H:%M:%S %Y", &tm);
	text_puts(text, "\n==============TTMEM LOG==============\n\n");
	label(text, 0, "Timestamp");
	text_printf(text, "%s\n", when);
	label(text, 0, "ttmem Version");
	text_puts(text, TTMEM_VERSION "\n");
	label(text, 0, "Driver Version");
	if (snapshot->driver_version)
		text_escape(text, snapshot_text(snapshot, snapshot->driver_version), 32, false);
	else
		text_puts(text, "N/A");
	text_putc(text, '\n');
	label(text, 0, "Devices");
	text_printf(text, "%" PRIu32 "\n", snapshot->machine_devices.count);
	for (uint32_t i = 0; i < snapshot->machine_devices.count; i++)
		device_details(text, snapshot,
			       &snapshot->devices[snapshot->machine_devices.first + i], sections);
}

void details_list(struct text *text, const struct snapshot *snapshot)
{
	for (uint32_t i = 0; i < snapshot->machine_devices.count; i++) {
		const struct device *d = &snapshot->devices[snapshot->machine_devices.first + i];
		const struct card *card = snapshot_card(snapshot, d);
		bool known = fact_is_known(d->unique_id);

		text_printf(text, "Device %" PRIu32 ": ", d->number);
		device_name(text, snapshot, d);
		text_puts(text, " (Unique ID: ");
		if (known)
			text_printf(text, "%" PRIu64, d->unique_id.value);
		else
			text_puts(text, "N/A");
		if (card && fact_is_known(card->serial))
			text_printf(text, ", Serial: %016" PRIX64, card->serial.value);
		if (card && card->pci_address) {
			text_puts(text, ", PCI: ");
			text_escape(text, snapshot_text(snapshot, card->pci_address), 32, false);
		}
		text_puts(text, ")\n");
	}
}
