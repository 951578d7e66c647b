/* SPDX-License-Identifier: Apache-2.0 */
/* ttmem programs: programs of every process, as JSON: what the tests and other tools read. */
#include <errno.h>

#include "api/programs.h"
#include "collect/collect.h"
#include "tool/exit_codes.h"
#include "tool/view_options.h"

static const struct option_row rows[] = {
	{"format", 0, ARGUMENT_REQUIRED, "FORMAT", "json", "json"},
	{0},
};

static int on_option(void *context, unsigned row, const char *value)
{
	return view_option(context, row, value);
}

static int run(const struct command *command, int argc, char **argv)
{
	const struct collect_options options = {.programs = true};
	struct view_options view = {0};
	struct snapshot snapshot;
	text_auto text = TEXT_INIT;
	int rest, r = options_parse(command, argc, argv, on_option, &view, &rest);

	if (r >= 0)
		return r;
	if (rest < argc)
		return usage_error(command, "what is %s?", argv[rest]);
	r = collect_local(&options, &snapshot, NULL);
	if (r < 0)
		return view_failed(r);
	json_write_programs(&text, &snapshot);
	text_putc(&text, '\n');
	snapshot_clear(&snapshot);
	r = output_text(&text);
	return r == 0 || r == -EPIPE ? EXIT_OK : EXIT_FAILED;
}

const struct command command_programs = {
	.name = "programs",
	.synopsis = "--format=json",
	.summary = "Lists programs and their L1, of every process that this user may see, as JSON.",
	.options = rows,
	.run = run,
};
