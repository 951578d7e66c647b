/* SPDX-License-Identifier: Apache-2.0 */
/* ttmem env: the lines that switch the hook on for a whole shell. */
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "tool/exit_codes.h"
#include "tool/hook_path.h"
#include "tool/options.h"

static const struct option_row rows[] = {
	{"shell", 0, ARGUMENT_REQUIRED, "SHELL", "sh (default: also bash, zsh) or fish",
	 "sh,bash,zsh,fish"},
	{"docker", 0, ARGUMENT_NONE, NULL, "the options for docker run instead", NULL},
	{0},
};

struct request {
	bool fish, docker;
};

static int on_option(void *context, unsigned row, const char *value)
{
	struct request *request = context;

	if (row == 1) {
		request->docker = true;
		return 0;
	}
	request->fish = strcmp(value, "fish") == 0;
	return request->fish || strcmp(value, "sh") == 0 || strcmp(value, "bash") == 0 ||
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

/*
 * What a container needs: the hook as a file, and the server's directory. It
 * needs no shared /dev/shm, PID namespace or user.
 */
static void print_docker(const char *path)
{
	fputs("-v ", stdout);
	print_quoted(path, false);
	fputs(":/opt/ttmem/libttmem-hook.so:ro -v /run/ttmem:/run/ttmem "
	      "-e LD_PRELOAD=/opt/ttmem/libttmem-hook.so\n",
	      stdout);
}

static int run(const struct command *command, int argc, char **argv)
{
	char path[PATH_MAX];
	struct request request = {0};
	int rest, r = options_parse(command, argc, argv, on_option, &request, &rest);
	bool fish = request.fish;

	if (r >= 0)
		return r;
	if (rest < argc)
		return usage_error(command, "what is %s?", argv[rest]);
	r = hook_path(path, sizeof path);
	if (r < 0)
		return hook_refused(path, r);
	if (request.docker) {
		print_docker(path);
		return EXIT_OK;
	}
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
	.synopsis = "[--shell=SHELL | --docker]",
	.summary = "Prints the shell lines that make every later program visible.",
	.options = rows,
	.run = run,
	.notes = VARIABLES_NOTE,
};
