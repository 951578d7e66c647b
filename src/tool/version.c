/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "tool/exit_codes.h"
#include "tool/options.h"

static const struct option_row rows[] = {{0}};

static int on_option(void *context, unsigned row, const char *value)
{
	(void)context;
	(void)row;
	(void)value;
	return EXIT_USAGE;
}

static int run(const struct command *command, int argc, char **argv)
{
	int rest, r = options_parse(command, argc, argv, on_option, NULL, &rest);

	if (r >= 0)
		return r;
	if (rest < argc)
		return usage_error(command, "what is %s?", argv[rest]);
	puts("ttmem " TTMEM_VERSION);
	return EXIT_OK;
}

const struct command command_version = {
	.name = "version",
	.synopsis = "",
	.summary = "Prints the version.",
	.options = rows,
	.run = run,
};
