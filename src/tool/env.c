/* SPDX-License-Identifier: Apache-2.0 */
/* ttmem env: the lines that switch the hook on for a whole shell. */
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "tool/exit_codes.h"
#include "tool/hook_path.h"
#include "tool/options.h"

static const struct option_row rows[] = {
	{"shell", 0, ARGUMENT_REQUIRED, "SHELL", "sh (default: also bash, zsh) or fish"},
	{0},
};

static int on_option(void *context, unsigned row, const char *value)
{
	bool *fish = context;

	(void)row;
	*fish = strcmp(value, "fish") == 0;
	return *fish || strcmp(value, "sh") == 0 || strcmp(value, "bash") == 0 ||
			       strcmp(value, "zsh") == 0
		       ? 0
		       : EXIT_USAGE;
}

/* In single quotes nothing is special but the quote itself. */
static void print_quoted(const char *path, bool fish)
{
	putchar('\'');
	for (; *path; path++) {
		if (*path == '\'')
			fputs(fish ? "\\'" : "'\\''", stdout);
		else if (*path == '\\' && fish)
			fputs("\\\\", stdout);
		else
			putchar(*path);
	}
	putchar('\'');
}

static int run(const struct command *command, int argc, char **argv)
{
	char path[PATH_MAX];
	bool fish = false;
	int rest, r = options_parse(command, argc, argv, on_option, &fish, &rest);

	if (r >= 0)
		return r;
	if (rest < argc)
		return usage_error(command, "what is %s?", argv[rest]);
	r = hook_path(path, sizeof path);
	if (r < 0)
		return hook_refused(path, r);
	fputs(fish ? "set -gx LD_PRELOAD (string join : $LD_PRELOAD "
		   : "export LD_PRELOAD=\"${LD_PRELOAD:+$LD_PRELOAD:}\"",
	      stdout);
	print_quoted(path, fish);
	/* at the end, where it does no harm to `eval $(ttmem env)` without quotes */
	puts(fish ? ")  # ttmem env --shell=fish | source"
		  : "  # eval \"$(ttmem env)\" makes all later programs of this shell visible");
	return EXIT_OK;
}

const struct command command_env = {
	.name = "env",
	.synopsis = "[--shell=SHELL]",
	.summary = "Prints the shell lines that make every later program visible.",
	.options = rows,
	.run = run,
};
