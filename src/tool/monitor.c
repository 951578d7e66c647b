/* SPDX-License-Identifier: Apache-2.0 */
/* ttmem dmon and ttmem pmon: one line for each device or process, again and again. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "collect/collect.h"
#include "tool/exit_codes.h"
#include "tool/obtain.h"
#include "tool/select.h"
#include "tool/view_options.h"
#include "view/monitor.h"

/* Lines between two headers when the terminal does not say how high it is. */
#define SCREEN_LINES 24u

static const struct option_row device_rows[] = {
	{"id", 'i', ARGUMENT_REQUIRED, "LIST", "only these devices", NULL},
	{"select", 's', ARGUMENT_REQUIRED, "GROUPS",
	 "p power and temperature, c clock, v voltage, m memory, b buffers (default pcm)", NULL},
	{"delay", 'd', ARGUMENT_REQUIRED, "SEC", "a line every SEC seconds (default 1)", NULL},
	{"count", 'c', ARGUMENT_REQUIRED, "N", "stop after N times", NULL},
	{"options", 'o', ARGUMENT_REQUIRED, "DT", "D: with the date, T: with the time", NULL},
	{"filename", 'f', ARGUMENT_REQUIRED, "FILE", "write to FILE", NULL},
	{"format", 0, ARGUMENT_REQUIRED, "FORMAT", "csv[,noheader][,nounit]", "csv"},
	{"root", 0, ARGUMENT_REQUIRED, "DIR", "look for devices below DIR instead of /", NULL},
	{"no-server", 0, ARGUMENT_NONE, NULL, "do not ask a server, look at the processes", NULL},
	{0},
};
static const struct option_row process_rows[] = {
	{"id", 'i', ARGUMENT_REQUIRED, "LIST", "only these devices", NULL},
	{"select", 's', ARGUMENT_REQUIRED, "GROUPS", "m memory, h host memory (default m)", NULL},
	{"delay", 'd', ARGUMENT_REQUIRED, "SEC", "a line every SEC seconds (default 1)", NULL},
	{"count", 'c', ARGUMENT_REQUIRED, "N", "stop after N times", NULL},
	{"options", 'o', ARGUMENT_REQUIRED, "DT", "D: with the date, T: with the time", NULL},
	{"filename", 'f', ARGUMENT_REQUIRED, "FILE", "write to FILE", NULL},
	{"format", 0, ARGUMENT_REQUIRED, "FORMAT", "csv[,noheader][,nounit]", "csv"},
	{"root", 0, ARGUMENT_REQUIRED, "DIR", "look for devices below DIR instead of /", NULL},
	{"no-server", 0, ARGUMENT_NONE, NULL, "do not ask a server, look at the processes", NULL},
	{0},
};

enum {
	ROW_ID,
	ROW_SELECT,
	ROW_DELAY,
	ROW_COUNT,
	ROW_OPTIONS,
	ROW_FILENAME,
	ROW_FORMAT,
	ROW_ROOT,
	ROW_NO_SERVER
};

struct request {
	enum query_kind kind;
	struct view_options view;
	struct monitor_options monitor;
	const char *devices, *filename;
	unsigned left; /* lines until the next header */
};

static int format_option(struct request *request, const char *value)
{
	if (strncmp(value, "csv", 3) != 0 || (value[3] && value[3] != ','))
		return EXIT_USAGE;
	for (const char *word = strchr(value, ','); word; word = strchr(word, ',')) {
		word++;
		size_t length = strcspn(word, ",");

		if (length == 8 && strncmp(word, "noheader", 8) == 0)
			request->monitor.no_header = true;
		else if (!(length == 6 && strncmp(word, "nounit", 6) == 0) &&
			 !(length == 7 && strncmp(word, "nounits", 7) == 0))
			return EXIT_USAGE;
	}
	request->monitor.csv = true;
	return 0;
}

static int on_option(void *context, unsigned row, const char *value)
{
	struct request *request = context;

	switch (row) {
	case ROW_ID:
		request->devices = value;
		return *value ? 0 : EXIT_USAGE;
	case ROW_SELECT:
		request->monitor.groups = value;
		return monitor_check_groups(request->kind, value) ? 0 : EXIT_USAGE;
	case ROW_DELAY:
		return view_interval(&request->view, value, false);
	case ROW_COUNT:
		return view_option(&request->view, VIEW_ROW_COUNT, value);
	case ROW_OPTIONS:
		request->monitor.date = strpbrk(value, "Dd") != NULL;
		request->monitor.time = strpbrk(value, "Tt") != NULL;
		return value[strspn(value, "DdTt")] ? EXIT_USAGE : 0;
	case ROW_FILENAME:
		request->filename = value;
		return 0;
	case ROW_FORMAT:
		return format_option(request, value);
	case ROW_ROOT:
		request->view.root = value;
		return 0;
	default:
		request->view.no_server = true;
		return 0;
	}
}

static unsigned screen_lines(void)
{
	struct winsize window;

	if (isatty(STDOUT_FILENO) && ioctl(STDOUT_FILENO, TIOCGWINSZ, &window) == 0 &&
	    window.ws_row > 3)
		return window.ws_row - 2u;
	return SCREEN_LINES;
}

static int once(void *context)
{
	struct request *request = context;
	const struct collect_options options = {.cards = true, .root = request->view.root};
	struct snapshot snapshot;
	text_auto text = TEXT_INIT;
	int r = obtain_snapshot(&options, request->view.no_server, &snapshot, NULL);

	if (r < 0)
		return view_failed(r);
	r = select_devices(&snapshot, request->devices);
	if (r == 0 && request->left == 0 && !request->monitor.no_header) {
		monitor_header(&text, request->kind, &request->monitor);
		/* one header is enough for a program */
		request->left = request->monitor.csv ? UINT32_MAX : screen_lines();
	}
	uint32_t lines = r ? 0 : monitor_rows(&text, &snapshot, request->kind, &request->monitor);

	request->left = request->left > lines ? request->left - lines : 0;
	snapshot_clear(&snapshot);
	if (r)
		return r;
	return view_print(&text);
}

static int monitor(const struct command *command, enum query_kind kind, int argc, char **argv)
{
	struct request request = {.kind = kind,
				  .view.interval_ms = 1000,
				  .monitor.groups = kind == QUERY_DEVICES ? "pcm" : "m"};
	int rest, r = options_parse(command, argc, argv, on_option, &request, &rest);

	if (r >= 0)
		return r;
	if (rest < argc)
		return usage_error(command, "what is %s?", argv[rest]);
	if (request.filename && (r = output_to(request.filename)) != 0)
		return r;
	return view_repeat(&request.view, once, &request);
}

static int run_devices(const struct command *command, int argc, char **argv)
{
	return monitor(command, QUERY_DEVICES, argc, argv);
}

static int run_processes(const struct command *command, int argc, char **argv)
{
	return monitor(command, QUERY_PROCESSES, argc, argv);
}

const struct command command_dmon = {
	.name = "dmon",
	.synopsis = "[OPTIONS]",
	.summary = "A line for each device, every second.",
	.options = device_rows,
	.run = run_devices,
};
const struct command command_pmon = {
	.name = "pmon",
	.synopsis = "[OPTIONS]",
	.summary = "A line for each process and device, every second.",
	.options = process_rows,
	.run = run_processes,
};
