/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ttmem alone: the picture of the machine; and what fingers expect that know
 * nvidia-smi: -L, -q, -i, -l, --query-gpu=... It is one command with one table
 * of options, as it is there.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "api/json.h"
#include "collect/collect.h"
#include "tool/exit_codes.h"
#include "tool/obtain.h"
#include "tool/query.h"
#include "tool/select.h"
#include "tool/view_options.h"
#include "view/details.h"
#include "view/picture.h"

#define QUERY_ROWS(name, kind)                                                                     \
	{"query-" name, 0, ARGUMENT_REQUIRED, "FIELDS", "columns of " kind                         \
	 ", see --help-query-" name, NULL},                                                        \
		{"help-query-" name, 0, ARGUMENT_NONE, NULL, "list the columns of " kind, NULL}

static const struct option_row rows[] = {
	{"format", 0, ARGUMENT_REQUIRED, "FORMAT",
	 "table (default), json, jsonl, csv[,noheader][,nounits]",
	 "table,json,jsonl,csv"},
	VIEW_OTHER_ROWS,
	{"id", 'i', ARGUMENT_REQUIRED, "LIST",
	 "only these devices: numbers, unique ids, serial numbers or PCI addresses", NULL},
	{"list-devices", 'L', ARGUMENT_NONE, NULL, "list the devices", NULL},
	{"list-gpus", 0, ARGUMENT_NONE, NULL, "the same", NULL},
	{"query", 'q', ARGUMENT_NONE, NULL, "everything of every device, a field a line", NULL},
	{"display", 'd', ARGUMENT_REQUIRED, "LIST",
	 "with -q: only MEMORY, TEMPERATURE, POWER, CLOCK, VOLTAGE, PIDS, PCI", NULL},
	{"filename", 'f', ARGUMENT_REQUIRED, "FILE", "write to FILE instead of standard output", NULL},
	{"loop-ms", 0, ARGUMENT_REQUIRED, "MS", "repeat every MS milliseconds; also -lms", NULL},
	{"lms", 0, ARGUMENT_REQUIRED, "MS", "the same", NULL},
	QUERY_ROWS("device", "devices"),
	QUERY_ROWS("gpu", "devices"),
	QUERY_ROWS("processes", "processes"),
	QUERY_ROWS("compute-apps", "processes"),
	QUERY_ROWS("buffers", "live buffers"),
	{0},
};

enum {
	ROW_ID = VIEW_OPTION_COUNT,
	ROW_LIST,
	ROW_LIST_GPUS,
	ROW_QUERY,
	ROW_DISPLAY,
	ROW_FILENAME,
	ROW_LOOP_MS,
	ROW_LMS,
	ROW_QUERY_DEVICE,
	ROW_HELP_DEVICE,
	ROW_QUERY_GPU,
	ROW_HELP_GPU,
	ROW_QUERY_PROCESSES,
	ROW_HELP_PROCESSES,
	ROW_QUERY_APPS,
	ROW_HELP_APPS,
	ROW_QUERY_BUFFERS,
	ROW_HELP_BUFFERS,
};

enum mode { MODE_PICTURE, MODE_LIST, MODE_DETAILS, MODE_QUERY, MODE_HELP };

struct request {
	struct view_options view;
	enum mode mode;
	const char *devices;  /* of -i; NULL: all */
	const char *filename;
	unsigned sections;    /* of -d; 0: all */
	const char *fields;   /* of --query-... */
	enum query_kind kind; /* of those, and of the help for them */
	struct query query;
};

static int set_mode(struct request *request, enum mode mode)
{
	/* two of them together have no meaning */
	if (request->mode != MODE_PICTURE && request->mode != mode)
		return EXIT_USAGE;
	request->mode = mode;
	return 0;
}

static int query_option(struct request *request, unsigned row, const char *value)
{
	static const enum query_kind kinds[] = {
		[ROW_QUERY_DEVICE - ROW_QUERY_DEVICE] = QUERY_DEVICES,
		[ROW_QUERY_GPU - ROW_QUERY_DEVICE] = QUERY_DEVICES,
		[ROW_QUERY_PROCESSES - ROW_QUERY_DEVICE] = QUERY_PROCESSES,
		[ROW_QUERY_APPS - ROW_QUERY_DEVICE] = QUERY_PROCESSES,
		[ROW_QUERY_BUFFERS - ROW_QUERY_DEVICE] = QUERY_BUFFERS,
	};
	bool help = (row - ROW_QUERY_DEVICE) % 2 == 1;

	request->kind = kinds[row - ROW_QUERY_DEVICE - help];
	request->fields = value;
	return set_mode(request, help ? MODE_HELP : MODE_QUERY);
}

static int on_option(void *context, unsigned row, const char *value)
{
	struct request *request = context;

	switch (row) {
	case VIEW_ROW_FORMAT:
		return view_format(&request->view, value);
	case ROW_ID:
		request->devices = value;
		return *value ? 0 : EXIT_USAGE;
	case ROW_LIST:
	case ROW_LIST_GPUS:
		return set_mode(request, MODE_LIST);
	case ROW_QUERY:
		return set_mode(request, MODE_DETAILS);
	case ROW_DISPLAY:
		return details_section_parse(value, &request->sections) < 0 ? EXIT_USAGE : 0;
	case ROW_FILENAME:
		request->filename = value;
		return 0;
	case ROW_LOOP_MS:
	case ROW_LMS:
		return view_interval(&request->view, value, true);
	default:
		return row >= ROW_QUERY_DEVICE ? query_option(request, row, value)
					       : view_option(&request->view, row, value);
	}
}

/* With nothing to show: what was looked for, where, and what to do. */
static void empty_machine(struct text *text, const struct snapshot *snapshot, const char *root,
			  const struct collect_notes *notes)
{
	const char *under = root ? root : "";

	if (snapshot->card_count == 0) {
		text_printf(text, "No card: %s/sys/class/tenstorrent %s", under,
			    notes->has_class ? "is empty" : "is not there");
		text_puts(text, snapshot->has_driver ? ", though the driver is loaded.\n"
						     : "; the driver is not loaded.\n");
	}
	text_printf(text,
		    "Looked at %" PRIu32 " processes for a table of live buffers; none has one%s\n",
		    notes->processes_seen, notes->processes_denied ? "," : ".");
	if (notes->processes_denied)
		text_printf(text, "but %" PRIu32 " of them belong to others%s.\n",
			    notes->processes_denied,
			    geteuid() == 0 ? "" : "; root sees those of all users");
	if (notes->tables_refused)
		text_printf(text,
			    "%" PRIu32 " were refused, the last of process %" PRIu32 ": %s.\n",
			    notes->tables_refused, notes->last_refused_pid,
			    region_refusal_text(notes->last_refusal));
	text_puts(text, "A program is seen when it is started by ttmem, for example:\n"
			"    ttmem run -- python app.py\n");
}

/* A script that asks for devices is told by the exit code that there can be none. */
static int check_devices(const struct request *request, const struct snapshot *snapshot)
{
	if (request->mode == MODE_PICTURE || snapshot->machine_devices.count ||
	    (request->mode == MODE_QUERY && request->kind != QUERY_DEVICES))
		return 0;
	if (snapshot->has_driver || snapshot->process_count) {
		output_error("not_found", "is the card seated, and does lspci list it?",
			     "no device was found");
		return EXIT_NOT_FOUND;
	}
	output_error("no_driver", "load the tenstorrent kernel module",
		     "the driver is not loaded, and no process reports its memory");
	return EXIT_NO_DRIVER;
}

static void write_view(const struct request *request, const struct snapshot *snapshot,
		       const struct collect_notes *notes, struct text *text)
{
	enum format format = request->view.format;
	struct style style = view_style(&request->view);

	if (request->mode == MODE_QUERY) {
		query_write(text, snapshot, &request->query, &request->view);
	} else if (format != FORMAT_TABLE) {
		json_write_snapshot(text, snapshot);
		text_putc(text, '\n');
	} else if (request->mode == MODE_LIST) {
		details_list(text, snapshot);
	} else if (request->mode == MODE_DETAILS) {
		details_write(text, snapshot,
			      request->sections ? request->sections : DETAILS_ALL);
	} else {
		picture_write(text, snapshot, &style);
		if (snapshot->process_count == 0 && !snapshot->server)
			empty_machine(text, snapshot, request->view.root, notes);
	}
}

static int once(void *context)
{
	struct request *request = context;
	const struct collect_options options = {
		.brief = request->mode == MODE_PICTURE && request->view.format == FORMAT_TABLE,
		.largest_free = true, .cards = true, .programs = true, .root = request->view.root};
	struct collect_notes notes;
	struct snapshot snapshot;
	text_auto text = TEXT_INIT;
	int r = request->mode == MODE_QUERY
			? query_obtain(&request->query, &request->view, &snapshot)
			: obtain_snapshot(&options, request->view.no_server, &snapshot, &notes);

	if (r < 0)
		return view_failed(r);
	r = check_devices(request, &snapshot);
	if (r == 0)
		r = select_devices(&snapshot, request->devices);
	if (r == 0)
		write_view(request, &snapshot, &notes, &text);
	snapshot_clear(&snapshot);
	if (r)
		return r;
	return view_print(&text);
}

static int help(enum query_kind kind)
{
	text_auto text = TEXT_INIT;

	query_help(&text, kind);
	return output_text(&text) == 0 ? EXIT_OK : EXIT_FAILED;
}

static int parse_query(const struct command *command, struct request *request)
{
	char bad[QUERY_NAME_MAX];
	int r = query_parse(request->kind, request->fields, &request->query, bad);

	if (r == -E2BIG)
		return usage_error(command, "more than %u columns", QUERY_COLUMNS_MAX);
	if (r < 0)
		return usage_error(command, "no column %s; --help-query-%s lists them",
				   bad[0] ? bad : "is asked for",
				   request->kind == QUERY_DEVICES	? "device"
				   : request->kind == QUERY_PROCESSES ? "processes"
									: "buffers");
	return 0;
}

static int run(const struct command *command, int argc, char **argv)
{
	struct request request = {0};
	int rest, r = options_parse(command, argc, argv, on_option, &request, &rest);

	if (r >= 0)
		return r;
	if (rest < argc)
		return usage_error(command, "what is %s?", argv[rest]);
	if (request.mode == MODE_HELP)
		return help(request.kind);
	if (request.mode == MODE_QUERY && (r = parse_query(command, &request)) != 0)
		return r;
	if (request.mode != MODE_QUERY && request.view.format == FORMAT_CSV)
		return usage_error(command, "--format=csv needs columns: --query-device=...");
	if (request.sections && request.mode != MODE_DETAILS)
		return usage_error(command, "-d needs -q");
	if (request.filename && (r = output_to(request.filename)) != 0)
		return r;
	return view_repeat(&request.view, once, &request);
}

const struct command command_picture = {
	.name = "",
	.synopsis = "[OPTIONS] | COMMAND ...",
	.summary = "Shows the device memory of this machine and who uses it. Never opens a device.",
	.options = rows,
	.run = run,
};
