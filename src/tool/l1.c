/* SPDX-License-Identifier: Apache-2.0 */
/* ttmem l1: every byte of every core's L1. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "api/json.h"
#include "base/clock.h"
#include "collect/collect.h"
#include "tool/exit_codes.h"
#include "tool/select.h"
#include "tool/view_options.h"
#include "view/l1.h"
#include "view/lacks.h"

static const struct option_row rows[] = {
	VIEW_OPTION_ROWS,
	{"id", 'i', ARGUMENT_REQUIRED, "LIST", "only these devices", NULL},
	{"core", 0, ARGUMENT_REQUIRED, "X,Y", "this core as a column of address ranges", NULL},
	{0},
};

enum { ROW_ID = VIEW_OPTION_COUNT, ROW_CORE };

struct request {
	struct view_options view;
	const char *devices;
	bool one_core;
	unsigned x, y;
};

static int on_option(void *context, unsigned row, const char *value)
{
	struct request *request = context;
	int end = 0;

	switch (row) {
	case ROW_ID:
		request->devices = value;
		return *value ? 0 : EXIT_USAGE;
	case ROW_CORE:
		request->one_core = true;
		return sscanf(value, "%u,%u%n", &request->x, &request->y, &end) == 2 &&
				       value[end] == '\0'
			       ? 0
			       : EXIT_USAGE;
	default:
		return view_option(&request->view, row, value);
	}
}

static int no_core(const struct request *request, const struct chip_map *map)
{
	output_error("not_found", "ttmem l1 shows the grid", "no core %u,%u: the grid is %u x %u",
		     request->x, request->y, map->worker_x, map->worker_y);
	return EXIT_NOT_FOUND;
}

static int write_device(const struct request *request, const struct snapshot *snapshot,
			const struct device *device, struct text *text, bool *any)
{
	struct style style = view_style(&request->view);
	struct chip_map map;
	int r = chip_map_init(&map, snapshot, device);

	/* a chip that no process uses, or of a release that does not tell */
	if (r == -ENODATA)
		return 0;
	if (r < 0)
		return view_failed(r);
	if (request->one_core && (request->x >= map.worker_x || request->y >= map.worker_y)) {
		r = no_core(request, &map);
	} else if (request->view.format == FORMAT_JSON) {
		r = l1_write_json(text, device, &map, any);
	} else {
		style_rule(text, &style, *any ? RULE_MIDDLE : RULE_TOP);
		*any = true;
		r = request->one_core ? l1_write_core(text, &style, device, &map, request->x,
						      request->y)
				      : l1_write_grid(text, &style, device, &map);
	}
	chip_map_clear(&map);
	return r < 0 ? view_failed(r) : r;
}

static int write_all(const struct request *request, const struct snapshot *snapshot,
		     struct text *text)
{
	bool json = request->view.format == FORMAT_JSON, any = false;
	struct style style = view_style(&request->view);
	char time[40];
	int r = 0;

	clock_rfc3339(snapshot->time_ns, time, sizeof time);
	if (json) {
		text_printf(text,
			    "{\"schema\":\"ttmem.l1/1\",\"time\":\"%s\",\"consistent\":%s,"
			    "\"incomplete\":",
			    time, snapshot->consistent ? "true" : "false");
		json_write_incomplete(text, snapshot);
		text_puts(text, ",\"cores\":[");
	}
	for (uint32_t i = 0; r == 0 && i < snapshot->machine_devices.count; i++)
		r = write_device(request, snapshot,
				 &snapshot->devices[snapshot->machine_devices.first + i], text,
				 &any);
	if (json)
		text_puts(text, "]}\n");
	else if (any)
		style_rule(text, &style, RULE_BOTTOM);
	if (r == 0 && !json && !any)
		text_puts(text, "No process tells how the L1 of a device is used.\n");
	if (!json)
		lacks_incomplete(text, snapshot);
	return r;
}

static int once(void *context)
{
	const struct request *request = context;
	const struct collect_options options = {
		.buffers = true, .programs = true, .cards = true, .root = request->view.root};
	struct snapshot snapshot;
	text_auto text = TEXT_INIT;
	int r = collect_local(&options, &snapshot, NULL);

	if (r < 0)
		return view_failed(r);
	r = select_devices(&snapshot, request->devices);
	if (r == 0)
		r = write_all(request, &snapshot, &text);
	snapshot_clear(&snapshot);
	if (r)
		return r;
	return view_print(&text);
}

static int run(const struct command *command, int argc, char **argv)
{
	struct request request = {0};
	int rest, r = options_parse(command, argc, argv, on_option, &request, &rest);

	if (r >= 0)
		return r;
	if (rest < argc)
		return usage_error(command, "what is %s?", argv[rest]);
	return view_repeat(&request.view, once, &request);
}

const struct command command_l1 = {
	.name = "l1",
	.synopsis = "[OPTIONS]",
	.summary = "Shows how full the L1 of each core is, and what every byte of it is for.",
	.options = rows,
	.run = run,
};
