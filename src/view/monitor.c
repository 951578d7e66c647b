/* SPDX-License-Identifier: Apache-2.0 */
#include "view/monitor.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

struct column {
	char group; /* 0: always */
	const char *title, *unit;
	unsigned width; /* 0: the rest of the line */
	const char *name;
	unsigned shift; /* bytes >> shift is what is shown */
};

static const struct column device_columns[] = {
	{0, "dev", "Idx", 5, "number", 0},
	{'p', "pwr", "W", 6, "power_w", 0},
	{'p', "temp", "C", 6, "temperature_c", 0},
	{'c', "aiclk", "MHz", 7, "aiclk_mhz", 0},
	{'v', "volt", "mV", 7, "voltage_mv", 0},
	{'m', "dram", "MiB", 9, "dram.occupied_bytes", 20},
	{'m', "dfree", "MiB", 9, "dram.free_bytes", 20},
	{'m', "l1", "KiB", 9, "l1.occupied_bytes", 10},
	{'m', "l1free", "KiB", 9, "l1.free_bytes", 10},
	{'m', "l1small", "KiB", 9, "l1_small.occupied_bytes", 10},
	{'m', "trace", "MiB", 9, "trace.occupied_bytes", 20},
	{'b', "bufs", "#", 9, "dram.buffers", 0},
	{'b', "l1bufs", "#", 9, "l1.buffers", 0},
	{0},
};
static const struct column process_columns[] = {
	{0, "dev", "Idx", 5, "device.number", 0},
	{0, "pid", "#", 12, "pid", 0},
	{0, "user", "name", 10, "user", 0},
	{'m', "dram", "MiB", 9, "dram.occupied_bytes", 20},
	{'m', "l1", "KiB", 9, "l1.occupied_bytes", 10},
	{'m', "l1small", "KiB", 9, "l1_small.occupied_bytes", 10},
	{'m', "trace", "MiB", 9, "trace.occupied_bytes", 20},
	{'h', "host", "MiB", 9, "host_memory_bytes", 20},
	{'h', "pinned", "MiB", 9, "pinned_memory_bytes", 20},
	{0, "command", "name", 0, "command", 0},
	{0},
};

static const struct column *columns_of(enum query_kind kind)
{
	return kind == QUERY_DEVICES ? device_columns : process_columns;
}

bool monitor_check_groups(enum query_kind kind, const char *groups)
{
	for (; *groups; groups++) {
		bool known = false;

		for (const struct column *c = columns_of(kind); c->title; c++)
			known |= c->group == *groups;
		if (!known)
			return false;
	}
	return true;
}

static bool is_shown(const struct column *column, const struct monitor_options *options)
{
	return !column->group || strchr(options->groups, column->group);
}

/* In CSV a comma follows; else the cell is as wide as its column, but never cut. */
static void put_cell(struct text *text, const struct column *column,
		     const struct monitor_options *options, const char *cell, bool first)
{
	if (options->csv)
		text_printf(text, "%s%s", first ? "" : ", ", cell);
	else
		text_printf(text, column->width ? "%*s" : "  %.*s",
			    column->width ? (int)column->width : 4096, cell);
}

static void put_time(struct text *text, const struct monitor_options *options, time_t seconds)
{
	struct tm tm;
	char when[64] = "";

	if (!options->date && !options->time)
		return;
	if (localtime_r(&seconds, &tm))
		(void)strftime(when, sizeof when,
			       options->date && options->time ? "%Y%m%d  %H:%M:%S"
			       : options->date		      ? "%Y%m%d"
							      : "%H:%M:%S",
			       &tm);
	text_printf(text, options->csv ? "%s, " : " %s ", when);
}

void monitor_header(struct text *text, enum query_kind kind, const struct monitor_options *options)
{
	for (int line = 0; line < (options->csv ? 1 : 2); line++) {
		bool first = true;

		text_putc(text, '#');
		if (options->date)
			text_puts(text, line ? "YYYYMMDD  " : "Date      ");
		if (options->time)
			text_puts(text, line ? "HH:MM:SS " : "Time     ");
		for (const struct column *c = columns_of(kind); c->title; c++) {
			if (!is_shown(c, options))
				continue;
			put_cell(text, c, options, line ? c->unit : c->title, first);
			first = false;
		}
		text_putc(text, '\n');
	}
}

struct tick {
	struct text *text;
	enum query_kind kind;
	const struct monitor_options *options;
	uint32_t lines;
};

static void put_value(const struct tick *tick, const struct column *column,
		      const struct query_row *row, bool first)
{
	text_auto cell = TEXT_INIT;
	char bad[QUERY_NAME_MAX];
	struct query_value value = {.kind = VALUE_MISSING};
	struct query query;

	if (query_parse(tick->kind, column->name, &query, bad) == 0)
		query_value_of(row, &query.columns[0], &value);
	if (value.kind == VALUE_NUMBER)
		value.fact.value >>= column->shift;
	if (value.kind == VALUE_MISSING)
		text_putc(&cell, '-');
	else
		query_put_cell(&cell, &value, false);
	put_cell(tick->text, column, tick->options, cell.bytes ? cell.bytes : "-", first);
}

static void put_row(void *context, const struct query_row *row)
{
	struct tick *tick = context;
	bool first = true;

	if (!tick->options->csv)
		text_putc(tick->text, ' ');
	put_time(tick->text, tick->options, (time_t)(row->snapshot->time_ns / UINT64_C(1000000000)));
	for (const struct column *c = columns_of(tick->kind); c->title; c++) {
		if (!is_shown(c, tick->options))
			continue;
		put_value(tick, c, row, first);
		first = false;
	}
	text_putc(tick->text, '\n');
	tick->lines++;
}

uint32_t monitor_rows(struct text *text, const struct snapshot *snapshot, enum query_kind kind,
		      const struct monitor_options *options)
{
	struct tick tick = {text, kind, options, 0};

	query_visit(snapshot, kind, put_row, &tick);
	return tick.lines;
}
