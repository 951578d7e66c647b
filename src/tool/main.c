/* SPDX-License-Identifier: Apache-2.0 */
/* ttmem: finds the sub-command; without one, the picture of the machine. */
#include <stdio.h>
#include <string.h>

#include "tool/exit_codes.h"
#include "tool/options.h"
#include "tool/output.h"

static const struct command *const commands[] = {
	&command_buffers,
	&command_sites,
	&command_growth,
	&command_dmon,
	&command_pmon,
	&command_dump,
	&command_l1,
	&command_explain,
	&command_failures,
	&command_fit,
	&command_map,
	&command_programs,
	&command_run,
	&command_env,
	&command_adopt,
	&command_attach,
	&command_detach,
	&command_doctor,
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

/*
 * ttmem --print-options: what man page and completion are made of, for packaging/listing.py.
 * One line each, fields between tabs:
 *     command NAME HELP
 *     option COMMAND --LONG -SHORT ARGUMENT VALUES HELP
 * COMMAND is * for an option of all commands and empty for one of ttmem alone; ARGUMENT is NAME,
 * [=NAME] when it may be left out, or [NAME] when it may then also stand apart.
 */
static int list_options(void)
{
	const size_t count = sizeof commands / sizeof commands[0];

	for (size_t i = 0; i < count; i++)
		printf("command\t%s\t%s\n", commands[i]->name, commands[i]->summary);
	puts("command\thelp\tPrints the options of ttmem, or of a command.\n"
	     "option\t*\t--help\t-h\t\t\tprint the options\n"
	     "option\t\t--version\t\t\t\tprint the version");
	options_list(&command_picture);
	for (size_t i = 0; i < count; i++)
		options_list(commands[i]);
	return EXIT_OK;
}

static int no_command(const char *name)
{
	output_error("usage", "see ttmem --help", "no command %s", name);
	return EXIT_USAGE;
}

static int help(const char *name)
{
	const struct command *command = name ? find(name) : NULL;

	if (name && !command)
		return no_command(name);
	if (command)
		options_help(command);
	else
		overview();
	return EXIT_OK;
}

static int dispatch(int argc, char **argv)
{
	const char *word = argc > 1 ? argv[1] : "";

	if (strcmp(word, "help") == 0 || strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0)
		return help(argc > 2 ? argv[2] : NULL);
	if (strcmp(word, "--version") == 0)
		return command_version.run(&command_version, 1, argv);
	if (strcmp(word, "--print-options") == 0)
		return list_options();
	if (argc < 2 || word[0] == '-')
		return command_picture.run(&command_picture, argc, argv);
	const struct command *command = find(word);

	return command ? command->run(command, argc - 1, argv + 1) : no_command(word);
}

int main(int argc, char **argv)
{
	return output_close(dispatch(argc, argv));
}
