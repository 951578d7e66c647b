/* SPDX-License-Identifier: Apache-2.0 */
/* ttmem sites: who holds how much. */
#include "view/sites.h"

#include <errno.h>

#include "api/json_rows.h"
#include "tool/exit_codes.h"
#include "tool/filters.h"
#include "tool/obtain.h"

static const struct option_row rows[] = {
	{"format", 0, ARGUMENT_REQUIRED, "FORMAT",
	 "table (default), json or csv[,noheader][,nounits]", "table,json,csv"},
	VIEW_OTHER_ROWS,
	FILTER_ROWS("buffers"),
	{"by", 'b', ARGUMENT_REQUIRED, "WHAT",
	 "groups: site (default: file, line, function, operation and tag), op, file, tag, type or thread",
	 "site,op,file,tag,type,thread"},
	{"top", 'n', ARGUMENT_REQUIRED, "N", "only the first N of the table", NULL},
	{0},
};

enum { ROW_FILTER = VIEW_OPTION_COUNT, ROW_BY = ROW_FILTER + FILTER_COUNT, ROW_TOP };

struct request {
	struct view_options view;
	struct filter_options filters;
	enum group_by by;
	uint32_t top;
};

static int on_option(void *context, unsigned row, const char *value)
{
	struct request *request = context;

	switch (row) {
	case VIEW_ROW_FORMAT:
		return view_format(&request->view, value) || request->view.format == FORMAT_JSONL
			       ? EXIT_USAGE
			       : 0;
	case ROW_BY:
		return group_by_parse(value, &request->by) < 0 ? EXIT_USAGE : 0;
	case ROW_TOP:
		return filter_number(value, &request->top);
	default:
		return row >= ROW_FILTER
			       ? filter_option(&request->filters, row - ROW_FILTER, value)
			       : view_option(&request->view, row, value);
	}
}

static int write_list(const struct request *request, const struct snapshot *snapshot,
		      const struct site_list *list)
{
	const struct query_csv csv = {request->view.no_header, request->view.no_units};
	text_auto text = TEXT_INIT;

	if (request->view.format == FORMAT_JSON) {
		json_write_sites(&text, snapshot, list);
		text_putc(&text, '\n');
	} else if (request->view.format == FORMAT_CSV) {
		sites_write_csv(&text, snapshot, list, &csv, false);
	} else {
		struct style style = view_style(&request->view);

		sites_write(&text, snapshot, &style, list, request->top);
	}
	return view_print(&text);
}

static int once(void *context)
{
	const struct request *request = context;
	struct obtain_sites wanted = {
		request->filters.filter, request->view.root, request->view.no_server};
	struct snapshot snapshot;
	struct site_list list;
	int r = filter_resolve(&request->filters, &request->view, &wanted.filter);

	if (r)
		return r;
	r = obtain_sites(&wanted, request->by, &snapshot, &list);
	if (r < 0)
		return view_failed(r);
	r = write_list(request, &snapshot, &list);
	site_list_clear(&list);
	snapshot_clear(&snapshot);
	return r;
}

static int run(const struct command *command, int argc, char **argv)
{
	struct request request = {.filters.filter.type = -1};
	int rest, r = options_parse(command, argc, argv, on_option, &request, &rest);

	if (r >= 0)
		return r;
	if (rest < argc)
		return usage_error(command, "what is %s?", argv[rest]);
	return view_repeat(&request.view, once, &request);
}

const struct command command_sites = {
	.name = "sites",
	.synopsis = "[OPTIONS]",
	.summary = "Tells who holds how much: live bytes by place in the program.",
	.options = rows,
	.run = run,
};
