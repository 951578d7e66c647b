/* SPDX-License-Identifier: Apache-2.0 */
/* ttmem: finds the sub-command; without one, the picture of the machine. */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "tool/exit_codes.h"
#include "tool/options.h"

static const struct command *const commands[] = {
	&command_buffers,
	&command_run,
	&command_env,
	&command_version,
};

static const struct command *find(const char *name)
{
	for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
		if (strcmp(commands[i]->name, name) == 0)
			return commands[i];
	return NULL;
}

static void overview(void)
{
	options_help(&command_picture);
	puts("\ncommands:");
	for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
		printf("  %-10s %s\n", commands[i]->name, commands[i]->summary);
	puts("\nttmem COMMAND --help tells more.");
}

int main(int argc, char **argv)
{
	/* a reader that goes away is an error code of write(2), not a death */
	(void)signal(SIGPIPE, SIG_IGN);
	if (argc > 1 && (strcmp(argv[1], "help") == 0 || strcmp(argv[1], "--help") == 0 ||
			 strcmp(argv[1], "-h") == 0)) {
		overview();
		return EXIT_OK;
	}
	if (argc > 1 && strcmp(argv[1], "--version") == 0)
		return command_version.run(&command_version, 1, argv);
	if (argc < 2 || argv[1][0] == '-')
		return command_picture.run(&command_picture, argc, argv);
	const struct command *command = find(argv[1]);

	if (!command) {
		fprintf(stderr, "ttmem: no command %s; see ttmem --help\n", argv[1]);
		return EXIT_USAGE;
	}
	return command->run(command, argc - 1, argv + 1);
}
