/* SPDX-License-Identifier: Apache-2.0 */
/* ttmem alone: devices and processes, once or again and again. */
#include <errno.h>
#include <inttypes.h>
#include <unistd.h>

#include "api/json.h"
#include "collect/collect.h"
#include "tool/exit_codes.h"
#include "tool/obtain.h"
#include "tool/view_options.h"
#include "view/picture.h"

static const struct option_row rows[] = {
	VIEW_OPTION_ROWS,
	{0},
};

struct request {
	struct view_options view;
};

static int on_option(void *context, unsigned row, const char *value)
{
	struct request *request = context;

	return view_option(&request->view, row, value);
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

static int once(void *context)
{
	struct request *request = context;
	const struct collect_options options = {
		.largest_free = true, .cards = true, .root = request->view.root};
	struct collect_notes notes;
	struct snapshot snapshot;
	text_auto text = TEXT_INIT;
	int r = obtain_snapshot(&options, request->view.no_server, &snapshot, &notes);

	if (r < 0)
		return view_failed(r);
	if (request->view.format == FORMAT_JSON) {
		json_write_snapshot(&text, &snapshot);
		text_putc(&text, '\n');
	} else {
		struct style style = view_style(&request->view);

		picture_write(&text, &snapshot, &style);
		if (snapshot.process_count == 0 && !snapshot.server)
			empty_machine(&text, &snapshot, request->view.root, &notes);
	}
	snapshot_clear(&snapshot);
	r = output_text(&text);
	return r == 0 || r == -EPIPE ? r : EXIT_FAILED;
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

const struct command command_picture = {
	.name = "",
	.synopsis = "[OPTIONS] | COMMAND ...",
	.summary = "Shows the device memory of this machine and who uses it. Never opens a device.",
	.options = rows,
	.run = run,
};
