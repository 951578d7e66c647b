/* SPDX-License-Identifier: Apache-2.0 */
/* ttmem failures: what did not work, of allocations and of programs. */
#include <errno.h>

#include "api/json.h"
#include "tool/exit_codes.h"
#include "tool/obtain.h"
#include "tool/view_options.h"
#include "view/failures.h"

static const struct option_row rows[] = {
	{"format", 0, ARGUMENT_REQUIRED, "FORMAT", "table (default) or json", "table,json"},
	{"pid", 'p', ARGUMENT_REQUIRED, "PID", "of this process", NULL},
	{"no-server", 0, ARGUMENT_NONE, NULL, "do not ask a server, look at the processes", NULL},
	{0},
};

enum { ROW_FORMAT, ROW_PID, ROW_NO_SERVER };

struct request {
	struct view_options view;
	uint64_t pid;
};

static int on_option(void *context, unsigned row, const char *value)
{
	struct request *request = context;

	switch (row) {
	case ROW_FORMAT:
		return view_option(&request->view, VIEW_ROW_FORMAT, value);
	case ROW_PID:
		return parse_u64(value, &request->pid) < 0 || request->pid == 0 ? EXIT_USAGE : 0;
	default:
		return view_option(&request->view, VIEW_ROW_NO_SERVER, value);
	}
}

/* Only processes with a failure stay, and neither cards nor devices. */
static void keep_failures(struct snapshot *snapshot, uint64_t pid)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < snapshot->process_count; i++)
		if (snapshot->processes[i].failure_count &&
		    (!pid || snapshot->processes[i].pid == pid))
			snapshot->processes[kept++] = snapshot->processes[i];
	snapshot->process_count = kept;
	snapshot->machine_devices.count = 0;
	snapshot->card_count = 0;
}

static int write_failures(const struct request *request, const struct snapshot *snapshot)
{
	text_auto text = TEXT_INIT;
	int r = 0;

	if (request->view.format == FORMAT_JSON) {
		json_write_snapshot(&text, snapshot);
		text_putc(&text, '\n');
	} else if (snapshot->process_count == 0) {
		text_puts(&text, "No failures.\n");
	} else {
		struct style style = view_style(&request->view);

		r = failures_write(&text, snapshot, &style);
	}
	if (r < 0)
		return view_failed(r);
	r = output_text(&text);
	return r == 0 || r == -EPIPE ? EXIT_OK : EXIT_FAILED;
}

static int run(const struct command *command, int argc, char **argv)
{
	struct request request = {.pid = 0};
	struct snapshot snapshot;
	int rest, r = options_parse(command, argc, argv, on_option, &request, &rest);

	if (r >= 0)
		return r;
	if (rest < argc)
		return usage_error(command, "what is %s?", argv[rest]);
	r = obtain_failures(request.view.no_server, &snapshot);
	if (r < 0)
		return view_failed(r);
	keep_failures(&snapshot, request.pid);
	r = write_failures(&request, &snapshot);
	snapshot_clear(&snapshot);
	return r;
}

const struct command command_failures = {
	.name = "failures",
	.synopsis = "[OPTIONS]",
	.summary = "Lists allocations and programs that failed: out of memory, clashes, too large.",
	.options = rows,
	.run = run,
};
