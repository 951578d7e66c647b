/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Command lines. A command has one table of options; parsing and --help read its rows, and
 * `ttmem --print-options` prints them, from which man page and completion are made.
 */
#ifndef TTMEM_TOOL_OPTIONS_H
#define TTMEM_TOOL_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

enum argument {
	ARGUMENT_NONE,
	ARGUMENT_REQUIRED,
	ARGUMENT_OPTIONAL,	  /* only with "=" */
	ARGUMENT_OPTIONAL_NUMBER, /* may also stand apart, as with nvidia-smi: "-l 2" */
};

struct option_row {
	const char *name;	/* long name; also with one dash */
	char	    letter;	/* 0: none */
	enum argument argument;
	const char *argument_name; /* for help */
	const char *help;
	const char *values; /* all that the argument may be, with commas; NULL: not a list */
};

/* What programs with the hook look at, for --help of those commands that start them. */
#define VARIABLES_NOTE                                                                             \
	"variables of the programs that are started:\n"                                            \
	"  TTMEM=off                    the hook does nothing\n"                                   \
	"  TTMEM_SITES=WHAT             what is kept of who allocates: python (default: line and\n" \
	"                               operation), native (native stack), all or off\n"

struct command {
	const char *name; /* "" for ttmem alone */
	const char *synopsis;
	const char *summary;
	const struct option_row *options; /* ends with a NULL name */
	int (*run)(const struct command *command, int argc, char **argv);
	bool operands_anywhere; /* options may stand behind them as well */
	const char *notes; /* below the options of --help, whole lines; NULL: none */
};

/* Called for each option: index of its row, its argument (NULL: none). Return: 0 or exit code. */
typedef int option_handler(void *context, unsigned row, const char *value);

/*
 * options_parse - walks argv; --help is handled here. Return: -1 to go on (*ret_rest is the index
 * of the first operand), else the exit code to leave with.
 */
int options_parse(const struct command *command, int argc, char **argv, option_handler *handler,
		  void *context, int *ret_rest);
void options_help(const struct command *command);
/* options_list - the rows of one command for programs: see list_options() in main.c */
void options_list(const struct command *command);

/* parse_u64 - decimal, or hexadecimal after 0x. Return: 0 or -EINVAL. */
int parse_u64(const char *text, uint64_t *ret_value);
/* parse_size - "4096", "64KiB", "1.5M", "2GB": powers of 1024 all. Return: 0 or -EINVAL. */
int parse_size(const char *text, uint64_t *ret_bytes);

/* usage_error - what is wrong, and the way to --help. Return: EXIT_USAGE. */
int usage_error(const struct command *command, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

extern const struct command command_adopt, command_attach, command_buffers, command_detach,
	command_dmon, command_doctor, command_dump, command_env, command_explain, command_failures,
	command_fit, command_growth, command_l1, command_map, command_picture, command_pmon,
	command_programs, command_run, command_sites, command_version;

#endif
