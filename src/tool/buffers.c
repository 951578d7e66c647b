/* SPDX-License-Identifier: Apache-2.0 */
/* ttmem buffers: every live buffer, filtered and sorted. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "api/json.h"
#include "collect/collect.h"
#include "tool/exit_codes.h"
#include "tool/filters.h"
#include "tool/obtain.h"
#include "tool/view_options.h"
#include "view/buffers.h"
#include "view/selection.h"

static const struct option_row rows[] = {
	VIEW_OPTION_ROWS,
	FILTER_ROWS("buffers"),
	{"min-size", 'm', ARGUMENT_REQUIRED, "SIZE", "only buffers of at least SIZE, e.g. 64KiB",
	 NULL},
	{"sort", 's', ARGUMENT_REQUIRED, "KEY",
	 "size (requested, default), bank (bytes per bank), age, address, pid or slot",
	 "size,bank,age,address,pid,slot"},
	{"stack", 'S', ARGUMENT_NONE, NULL, "with the native stack of each, where one was taken", NULL},
	{"top", 'n', ARGUMENT_REQUIRED, "N", "only the first N after sorting", NULL},
	{0},
};

enum {
	ROW_FILTER = VIEW_OPTION_COUNT,
	ROW_MIN_SIZE = ROW_FILTER + FILTER_COUNT,
	ROW_SORT,
	ROW_STACK,
	ROW_TOP
};

struct request {
	struct view_options view;
	struct filter_options filters;
	bool stacks;
};

static int parse_order(const char *value, enum buffer_order *ret_order)
{
	static const struct {
		const char *name;
		enum buffer_order order;
	} orders[] = {{"size", ORDER_SIZE}, {"bank", ORDER_BANK},	  {"age", ORDER_AGE},
		      {"pid", ORDER_PID},   {"address", ORDER_ADDRESS}, {"slot", ORDER_SLOT}};

	for (size_t i = 0; i < sizeof orders / sizeof orders[0]; i++)
		if (strcmp(value, orders[i].name) == 0) {
			*ret_order = orders[i].order;
			return 0;
		}
	return EXIT_USAGE;
}

static int on_option(void *context, unsigned row, const char *value)
{
	struct request *request = context;
	struct buffer_filter *filter = &request->filters.filter;

	switch (row) {
	case ROW_MIN_SIZE:
		return parse_size(value, &filter->min_bytes) < 0 ? EXIT_USAGE : 0;
	case ROW_SORT:
		return parse_order(value, &filter->order);
	case ROW_STACK:
		request->stacks = true;
		return 0;
	case ROW_TOP:
		return filter_number(value, &filter->top);
	default:
		return row >= ROW_FILTER
			       ? filter_option(&request->filters, row - ROW_FILTER, value)
			       : view_option(&request->view, row, value);
	}
}

static int write_selected(const struct request *request, const struct snapshot *snapshot,
			  const struct buffer_filter *filter)
{
	uint32_t *indices = NULL, count = 0;
	text_auto text = TEXT_INIT;
	int r = buffers_select(snapshot, filter, &indices, &count);

	if (r < 0)
		return view_failed(r);
	if (request->view.format == FORMAT_JSON) {
		json_write_buffers(&text, snapshot, indices, count);
		text_putc(&text, '\n');
	} else {
		struct style style = view_style(&request->view);

		buffers_write(&text, snapshot, &style, indices, count);
	}
	free(indices);
	return view_print(&text);
}

/*
 * Pids and chip numbers are those of the picture: from a server it takes two
 * documents, of which only one has the buffers.
 */
static int resolve(const struct request *request, const struct snapshot *buffers,
		   struct buffer_filter *filter)
{
	return buffers->server ? filter_resolve(&request->filters, &request->view, filter)
			       : filter_resolve_in(&request->filters, buffers, filter);
}

static int once(void *context)
{
	const struct request *request = context;
	/* chips are numbered over all processes, so --chip needs them all */
	const struct collect_options options = {
		.buffers = true,
		.stacks = request->stacks,
		.pid = request->filters.chip ? 0 : request->filters.filter.pid,
		.cards = request->filters.chip != NULL,
		.root = request->view.root,
	};
	struct buffer_filter filter = request->filters.filter;
	struct snapshot snapshot;
	int r = obtain_snapshot(&options, request->view.no_server, &snapshot, NULL);

	if (r < 0)
		return view_failed(r);
	r = resolve(request, &snapshot, &filter);
	if (r == 0)
		r = write_selected(request, &snapshot, &filter);
	snapshot_clear(&snapshot);
	return r;
}

static int run(const struct command *command, int argc, char **argv)
{
	struct request request = {.filters.filter = {.type = -1, .order = ORDER_SIZE}};
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
	.summary = "Lists live buffers of every process that this user may see.",
	.options = rows,
	.run = run,
};
