/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Command lines. A command has one table of options; parsing, --help and (later)
 * man page and completion read the same rows.
 */
#ifndef TTMEM_TOOL_OPTIONS_H
#define TTMEM_TOOL_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "view/buffers.h"

enum argument { ARGUMENT_NONE, ARGUMENT_REQUIRED, ARGUMENT_OPTIONAL };

struct option_row {
	const char *name;	/* long name; also with one dash */
	char	    letter;	/* 0: none */
	enum argument argument;
	const char *argument_name; /* for help */
	const char *help;
};

struct command {
	const char *name; /* "" for ttmem alone */
	const char *synopsis;
	const char *summary;
	const struct option_row *options; /* ends with a NULL name */
	int (*run)(const struct command *command, int argc, char **argv);
};

/* Called for each option: its index in the table and its argument (NULL if none). 0 or exit code. */
typedef int option_handler(void *context, unsigned row, const char *value);

/*
 * options_parse - walks argv; --help is handled here. Return: -1 to go on (*ret_rest is the index
 * of the first operand), else the exit code to leave with.
 */
int options_parse(const struct command *command, int argc, char **argv, option_handler *handler,
		  void *context, int *ret_rest);
void options_help(const struct command *command);

enum format { FORMAT_TABLE, FORMAT_JSON };

/* What all views share: --format, -l, -c, --ascii, --width. */
struct view_options {
	enum format format;
	bool ascii;
	unsigned width; /* 0: as wide as the terminal */
	uint64_t interval_ms; /* 0: once */
	uint64_t count;	      /* 0: without end */
};

#define VIEW_OPTION_ROWS                                                                           \
	{"format", 0, ARGUMENT_REQUIRED, "FORMAT", "table (default) or json"},                     \
		{"loop", 'l', ARGUMENT_OPTIONAL, "SEC", "repeat every SEC seconds (default 5)"},   \
		{"count", 'c', ARGUMENT_REQUIRED, "N", "stop after N times"},                      \
		{"ascii", 0, ARGUMENT_NONE, NULL, "draw with plain ASCII characters"},             \
		{"width", 0, ARGUMENT_REQUIRED, "COLUMNS", "draw that wide"}
#define VIEW_OPTION_COUNT 5u

/* view_option - handles one of the rows above (0..4). Return: 0 or exit code. */
int view_option(struct view_options *view, unsigned row, const char *value);
/* view_style - width, character set and colour for this run */
struct style view_style(const struct view_options *view);
/*
 * view_repeat - calls `once` as often as -l and -c say. Return: the first exit code that is not 0,
 * else 0; also 0 when nobody reads standard output any more.
 */
int view_repeat(const struct view_options *view, int (*once)(void *context), void *context);

/* parse_u64, parse_size ("64KiB", "1.5M", "4096"). Return: 0 or -EINVAL. */
int parse_u64(const char *text, uint64_t *ret_value);
int parse_size(const char *text, uint64_t *ret_bytes);

/* usage_error - "ttmem: ..." and the way to --help, on stderr. Return: EXIT_USAGE. */
int usage_error(const struct command *command, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* report_error - an error that is not the caller's fault; as JSON on stdout with --format=json */
void report_error(enum format format, const char *code, const char *hint, const char *message, ...)
	__attribute__((format(printf, 4, 5)));
/* write_out - all of a text to standard output. Return: 0, or -errno (-EPIPE: nobody reads). */
int write_out(const struct text *text);

extern const struct command command_picture, command_buffers, command_run, command_env,
	command_version;

#endif
