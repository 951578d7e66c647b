/* SPDX-License-Identifier: Apache-2.0 */
/* From names to columns: the lists of fields, then the aliases. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "view/query.h"

/* A list of fields that a kind of row has, and what stands in front of their names. */
struct source {
	const char *prefix;
	enum query_origin origin;
	const struct field_list *list;
	enum memory_type type;
};

#define MEMORY_SOURCES                                                                             \
	{"dram.", FROM_MEMORY, &memory_fields, MEMORY_DRAM},                                       \
		{"l1.", FROM_MEMORY, &memory_fields, MEMORY_L1},                                   \
		{"l1_small.", FROM_MEMORY, &memory_fields, MEMORY_L1_SMALL},                       \
		{"trace.", FROM_MEMORY, &memory_fields, MEMORY_TRACE}

/* Where two lists have a name, the first one is meant. */
static const struct source device_sources[] = {
	{"", FROM_DEVICE, &place_fields, 0},
	{"", FROM_DEVICE, &device_fields, 0},
	{"", FROM_DEVICE, &clash_gap_fields, 0},
	{"", FROM_CARD, &card_fields, 0},
	MEMORY_SOURCES,
	{0},
};
static const struct source process_sources[] = {
	{"", FROM_PROCESS, &process_fields, 0},
	MEMORY_SOURCES,
	{"device.", FROM_DEVICE, &place_fields, 0},
	{"device.", FROM_DEVICE, &device_fields, 0},
	{"device.", FROM_CARD, &card_fields, 0},
	{0},
};
static const struct source buffer_sources[] = {
	{"", FROM_BUFFER, &buffer_fields, 0},
	{"", FROM_SITE, &owner_fields, 0},
	{"site.", FROM_SITE, &site_fields, 0},
	{"", FROM_PROCESS, &process_fields, 0},
	{"allocator.", FROM_ALLOCATOR, &allocator_fields, 0},
	{0},
};
static const struct source *const sources[] = {
	[QUERY_DEVICES] = device_sources,
	[QUERY_PROCESSES] = process_sources,
	[QUERY_BUFFERS] = buffer_sources,
};

struct alias {
	const char *name;
	const char *header; /* what nvidia-smi prints for it; NULL: the name */
	const char *target; /* a name of ours; NULL: special */
	enum query_special special;
	enum query_unit unit;
	const char *meaning;
};

#define NOTHING(alias) {alias, NULL, NULL, SPECIAL_NONE, UNIT_OWN, "not known of these devices"}

static const struct alias device_aliases[] = {
	{"timestamp", NULL, NULL, SPECIAL_TIMESTAMP, UNIT_OWN, "when it was read, local time"},
	{"driver_version", NULL, NULL, SPECIAL_DRIVER_VERSION, UNIT_OWN, "of the kernel driver"},
	{"count", NULL, NULL, SPECIAL_COUNT, UNIT_OWN, "chips of this machine"},
	{"index", NULL, "number", 0, UNIT_OWN, "number"},
	{"name", NULL, NULL, SPECIAL_DEVICE_NAME, UNIT_OWN, "board, and which chip of it"},
	{"gpu_name", "name", NULL, SPECIAL_DEVICE_NAME, UNIT_OWN, "board, and which chip of it"},
	{"uuid", NULL, "unique_id", 0, UNIT_OWN, "unique_id"},
	{"gpu_uuid", "uuid", "unique_id", 0, UNIT_OWN, "unique_id"},
	{"gpu_serial", "serial", "serial", 0, UNIT_OWN, "serial"},
	{"pci.bus_id", NULL, "pci_address", 0, UNIT_OWN, "pci_address"},
	{"gpu_bus_id", "pci.bus_id", "pci_address", 0, UNIT_OWN, "pci_address"},
	{"pci.domain", NULL, NULL, SPECIAL_PCI_DOMAIN, UNIT_OWN, "part of pci_address"},
	{"pci.bus", NULL, NULL, SPECIAL_PCI_BUS, UNIT_OWN, "part of pci_address"},
	{"pci.device", NULL, NULL, SPECIAL_PCI_DEVICE, UNIT_OWN, "part of pci_address"},
	{"pcie.link.gen.gpucurrent", NULL, "pcie.generation", 0, UNIT_OWN, "pcie.generation"},
	{"pcie.link.gen.current", NULL, "pcie.generation", 0, UNIT_OWN, "pcie.generation"},
	{"pcie.link.gen.max", NULL, "pcie.generation_max", 0, UNIT_OWN, "pcie.generation_max"},
	{"pcie.link.width.current", NULL, "pcie.width", 0, UNIT_OWN, "pcie.width"},
	{"pcie.link.width.max", NULL, "pcie.width_max", 0, UNIT_OWN, "pcie.width_max"},
	{"memory.total", NULL, "dram.allocatable_bytes", 0, UNIT_MIB, "DRAM that can be allocated"},
	{"memory.used", NULL, "dram.occupied_bytes", 0, UNIT_MIB, "DRAM that is allocated"},
	{"memory.free", NULL, "dram.free_bytes", 0, UNIT_MIB, "DRAM that is free: total - used"},
	{"memory.reserved", NULL, NULL, SPECIAL_RESERVED, UNIT_MIB,
	 "DRAM on the board that cannot be allocated"},
	{"temperature.gpu", NULL, "temperature_c", 0, UNIT_OWN, "temperature_c"},
	{"power.draw", NULL, "power_w", 0, UNIT_HUNDREDTHS, "power_w: of the chip, not the board"},
	{"power.draw.instant", NULL, "power_w", 0, UNIT_HUNDREDTHS, "power_w"},
	{"power.limit", NULL, "power_limit_w", 0, UNIT_HUNDREDTHS, "power_limit_w"},
	{"clocks.sm", "clocks.current.sm", "aiclk_mhz", 0, UNIT_OWN, "aiclk_mhz"},
	{"clocks.current.sm", NULL, "aiclk_mhz", 0, UNIT_OWN, "aiclk_mhz"},
	{"clocks.gr", "clocks.current.graphics", "aiclk_mhz", 0, UNIT_OWN, "aiclk_mhz"},
	NOTHING("clocks.mem"),
	NOTHING("fan.speed"),
	NOTHING("pstate"),
	NOTHING("utilization.gpu"),
	NOTHING("utilization.memory"),
	NOTHING("temperature.memory"),
	NOTHING("compute_mode"),
	{0},
};
static const struct alias process_aliases[] = {
	{"timestamp", NULL, NULL, SPECIAL_TIMESTAMP, UNIT_OWN, "when it was read, local time"},
	{"gpu_name", NULL, NULL, SPECIAL_DEVICE_NAME, UNIT_OWN, "board, and which chip of it"},
	{"gpu_bus_id", NULL, "device.pci_address", 0, UNIT_OWN, "device.pci_address"},
	{"gpu_serial", NULL, "device.serial", 0, UNIT_OWN, "device.serial"},
	{"gpu_uuid", NULL, "device.unique_id", 0, UNIT_OWN, "device.unique_id"},
	{"process_name", NULL, "command", 0, UNIT_OWN, "command"},
	{"name", "process_name", "command", 0, UNIT_OWN, "command"},
	{"used_gpu_memory", NULL, "dram.occupied_bytes", 0, UNIT_MIB, "its DRAM on this chip"},
	{"used_memory", "used_gpu_memory", "dram.occupied_bytes", 0, UNIT_MIB,
	 "its DRAM on this chip"},
	{0},
};
static const struct alias buffer_aliases[] = {
	{"timestamp", NULL, NULL, SPECIAL_TIMESTAMP, UNIT_OWN, "when it was read, local time"},
	{0},
};
static const struct alias *const aliases[] = {
	[QUERY_DEVICES] = device_aliases,
	[QUERY_PROCESSES] = process_aliases,
	[QUERY_BUFFERS] = buffer_aliases,
};

/* "telemetry.power_w" is power_w here: nobody wants to type the object it lies in. */
static const char *short_path(const struct field *field)
{
	static const char inner[] = "telemetry.";

	return strncmp(field->path, inner, sizeof inner - 1) == 0 ? field->path + sizeof inner - 1
								   : field->path;
}

static bool find_own(enum query_kind kind, const char *name, struct query_column *column)
{
	for (const struct source *source = sources[kind]; source->list; source++) {
		size_t n = strlen(source->prefix);

		if (strncmp(name, source->prefix, n) != 0)
			continue;
		for (size_t i = 0; i < source->list->count; i++) {
			const struct field *field = &source->list->fields[i];

			if (strcmp(name + n, short_path(field)) != 0)
				continue;
			column->origin = source->origin;
			column->type = source->type;
			column->field = field;
			return true;
		}
	}
	return false;
}

static bool find_alias(enum query_kind kind, const char *name, struct query_column *column)
{
	for (const struct alias *alias = aliases[kind]; alias->name; alias++) {
		if (strcmp(alias->name, name) != 0)
			continue;
		column->origin = FROM_SPECIAL;
		column->special = alias->special;
		column->unit = alias->unit;
		if (alias->header)
			(void)snprintf(column->name, sizeof column->name, "%s", alias->header);
		return !alias->target || find_own(kind, alias->target, column);
	}
	return false;
}

int query_parse(enum query_kind kind, const char *list, struct query *ret_query,
		char bad_name[QUERY_NAME_MAX])
{
	*ret_query = (struct query){.kind = kind};
	bad_name[0] = '\0';
	while (*list) {
		size_t length = strcspn(list, ",");
		const char *begin = list;

		list += length + (list[length] == ',');
		for (; length && *begin == ' '; begin++)
			length--;
		while (length && begin[length - 1] == ' ')
			length--;
		if (ret_query->count == QUERY_COLUMNS_MAX)
			return -E2BIG;
		struct query_column *column = &ret_query->columns[ret_query->count];

		*column = (struct query_column){0};
		(void)snprintf(column->name, sizeof column->name, "%.*s", (int)length, begin);
		if (length >= sizeof column->name || (!find_own(kind, column->name, column) &&
						      !find_alias(kind, column->name, column))) {
			(void)snprintf(bad_name, QUERY_NAME_MAX, "%.*s", (int)length, begin);
			return -EINVAL;
		}
		ret_query->count++;
	}
	return ret_query->count ? 0 : -EINVAL;
}

/* Has an earlier list the same name? Then this one cannot be asked for. */
static bool is_hidden(const struct source *all, const struct source *own, const char *path)
{
	for (const struct source *source = all; source != own; source++)
		if (strcmp(source->prefix, own->prefix) == 0)
			for (size_t i = 0; i < source->list->count; i++)
				if (strcmp(short_path(&source->list->fields[i]), path) == 0)
					return true;
	return false;
}

void query_help(struct text *text, enum query_kind kind)
{
	for (const struct source *source = sources[kind]; source->list; source++) {
		for (size_t i = 0; i < source->list->count; i++) {
			const struct field *field = &source->list->fields[i];
			char name[QUERY_NAME_MAX + 24];

			if (is_hidden(sources[kind], source, short_path(field)))
				continue;
			(void)snprintf(name, sizeof name, "%s%s%s%s%s", source->prefix,
				       short_path(field), field->unit[0] ? " [" : "", field->unit,
				       field->unit[0] ? "]" : "");
			text_printf(text, "%-38s %s\n", name, field->help);
		}
	}
	text_puts(text, "\nNames of nvidia-smi, for scripts that were written for it:\n");
	for (const struct alias *alias = aliases[kind]; alias->name; alias++)
		text_printf(text, "%-38s %s\n", alias->name, alias->meaning);
}
