/* SPDX-License-Identifier: Apache-2.0 */
/* ttmem buffers: every live buffer, filtered and sorted. */
#include "view/buffers.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "api/json.h"
#include "collect/collect.h"
#include "tool/exit_codes.h"
#include "tool/options.h"

static const struct option_row rows[] = {
	VIEW_OPTION_ROWS,
	{"pid", 'p', ARGUMENT_REQUIRED, "PID", "only buffers of this process"},
	{"chip", 'i', ARGUMENT_REQUIRED, "ID", "only buffers on the chip with this unique id"},
	{"type", 't', ARGUMENT_REQUIRED, "TYPE", "only DRAM, L1, L1_SMALL or TRACE"},
	{"min-size", 'm', ARGUMENT_REQUIRED, "SIZE", "only buffers of at least SIZE, e.g. 64KiB"},
	{"sort", 's', ARGUMENT_REQUIRED, "KEY",
	 "size (bytes per bank, default), requested, age, address, pid or slot"},
	{"top", 'n', ARGUMENT_REQUIRED, "N", "only the first N after sorting"},
	{0},
};

enum { ROW_PID = VIEW_OPTION_COUNT, ROW_CHIP, ROW_TYPE, ROW_MIN_SIZE, ROW_SORT, ROW_TOP };

struct request {
	struct view_options view;
	struct buffer_filter filter;
};

static int parse_order(const char *value, enum buffer_order *ret_order)
{
	static const struct {
		const char *name;
		enum buffer_order order;
	} orders[] = {{"size", ORDER_SIZE},   {"requested", ORDER_REQUESTED}, {"age", ORDER_AGE},
		      {"address", ORDER_ADDRESS}, {"pid", ORDER_PID},	      {"slot", ORDER_SLOT}};

	for (size_t i = 0; i < sizeof orders / sizeof orders[0]; i++)
		if (strcmp(value, orders[i].name) == 0) {
			*ret_order = orders[i].order;
			return 0;
		}
	return EXIT_USAGE;
}

static int parse_u32(const char *value, uint32_t *ret_number)
{
	uint64_t number;

	if (parse_u64(value, &number) < 0 || number == 0 || number > UINT32_MAX)
		return EXIT_USAGE;
	*ret_number = (uint32_t)number;
	return 0;
}

static int on_option(void *context, unsigned row, const char *value)
{
	struct request *request = context;
	struct buffer_filter *filter = &request->filter;
	enum memory_type type;

	switch (row) {
	case ROW_PID:
		return parse_u32(value, &filter->pid);
	case ROW_CHIP:
		filter->by_chip = true;
		return parse_u64(value, &filter->unique_id) < 0 ? EXIT_USAGE : 0;
	case ROW_TYPE:
		if (memory_type_parse(value, &type) < 0)
			return EXIT_USAGE;
		filter->type = (int)type;
		return 0;
	case ROW_MIN_SIZE:
		return parse_size(value, &filter->min_bytes) < 0 ? EXIT_USAGE : 0;
	case ROW_SORT:
		return parse_order(value, &filter->order);
	case ROW_TOP:
		return parse_u32(value, &filter->top);
	default:
		return view_option(&request->view, row, value);
	}
}

static int once(void *context)
{
	struct request *request = context;
	const struct collect_options options = {.buffers = true, .pid = request->filter.pid};
	struct snapshot snapshot;
	uint32_t *indices = NULL, count = 0;
	text_auto text = TEXT_INIT;
	int r = collect_local(&options, &snapshot, NULL);

	if (r == 0)
		r = buffers_select(&snapshot, &request->filter, &indices, &count);
	if (r < 0) {
		report_error(request->view.format, "collect_failed", "is /proc mounted?",
			     "cannot look at the processes of this machine: %s", strerror(-r));
		return EXIT_FAILED;
	}
	if (request->view.format == FORMAT_JSON) {
		json_write_buffers(&text, &snapshot, indices, count);
		text_putc(&text, '\n');
	} else {
		buffers_write(&text, &snapshot, indices, count);
	}
	free(indices);
	snapshot_clear(&snapshot);
	r = write_out(&text);
	return r == 0 || r == -EPIPE ? r : EXIT_FAILED;
}

static int run(const struct command *command, int argc, char **argv)
{
	struct request request = {.filter = {.type = -1, .order = ORDER_SIZE}};
	int rest, r = options_parse(command, argc, argv, on_option, &request, &rest);

	if (r >= 0)
		return r;
	if (rest < argc)
		return usage_error(command, "what is %s?", argv[rest]);
	return view_repeat(&request.view, once, &request);
}

const struct command command_buffers = {
	.name = "buffers",
	.synopsis = "[OPTIONS]",
	.summary = "Lists every live buffer of every process that this user may see.",
	.options = rows,
	.run = run,
};
