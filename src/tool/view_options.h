/* SPDX-License-Identifier: Apache-2.0 */
/* What all views of the tool share: --format, -l, -c, --ascii, --width, --no-server. */
#ifndef TTMEM_TOOL_VIEW_OPTIONS_H
#define TTMEM_TOOL_VIEW_OPTIONS_H

#include <stdint.h>

#include "tool/options.h"
#include "tool/output.h"
#include "view/style.h"

struct view_options {
	enum format format;
	bool no_header, no_units; /* of CSV */
	bool ascii;
	unsigned width;	      /* 0: as wide as the terminal */
	uint64_t interval_ms; /* 0: once */
	uint64_t count;	      /* 0: without end */
	const char *root;     /* where devices are looked for; NULL: "/" */
	bool no_server;	      /* collect ourselves even when a server is there */
};

/* The views that are no list of named columns have no CSV. */
#define VIEW_FORMAT_ROW                                                                            \
	{"format", 0, ARGUMENT_REQUIRED, "FORMAT", "table (default) or json", "table,json"}

#define VIEW_OPTION_ROWS VIEW_FORMAT_ROW, VIEW_OTHER_ROWS

/* The others, without the row for the format. */
#define VIEW_OTHER_ROWS                                                                            \
	{"loop", 'l', ARGUMENT_OPTIONAL_NUMBER, "SEC",                                     \
		 "repeat every SEC seconds (default 5)", NULL},                                    \
		{"count", 'c', ARGUMENT_REQUIRED, "N", "repeat N times in all", NULL},             \
		{"ascii", 0, ARGUMENT_NONE, NULL, "draw with plain ASCII characters", NULL},       \
		{"width", 0, ARGUMENT_REQUIRED, "COLUMNS", "draw that wide, at least 80", NULL},   \
		{"root", 0, ARGUMENT_REQUIRED, "DIR", "look for devices below DIR instead of /",   \
		 NULL},                                                                            \
		{"no-server", 0, ARGUMENT_NONE, NULL,                                              \
		 "do not ask a server, look at the processes", NULL}

enum {
	VIEW_ROW_FORMAT,
	VIEW_ROW_LOOP,
	VIEW_ROW_COUNT,
	VIEW_ROW_ASCII,
	VIEW_ROW_WIDTH,
	VIEW_ROW_ROOT,
	VIEW_ROW_NO_SERVER,
	VIEW_OPTION_COUNT
};

/*
 * view_format - "table", "json", "jsonl", "csv[,noheader][,nounits]", whatever the command takes.
 * Return: 0 or exit code.
 */
int view_format(struct view_options *view, const char *value);
/* view_interval - seconds with a fraction, or milliseconds. Return: 0 or exit code. */
int view_interval(struct view_options *view, const char *value, bool milliseconds);
/* view_option - handles one of the rows above. Return: 0 or exit code. */
int view_option(struct view_options *view, unsigned row, const char *value);
/* view_style - width, character set and colour for this run */
struct style view_style(const struct view_options *view);
/*
 * view_repeat - calls `once` as often as -l and -c say. Return: the first exit code that is not 0,
 * else 0; also 0 when nobody reads standard output any more (-EPIPE of `once`).
 */
int view_repeat(const struct view_options *view, int (*once)(void *context), void *context);
/*
 * view_print - what one repetition has to show. Return: 0; -EPIPE: nobody reads any more; an exit
 * code, after the reason was said.
 */
int view_print(const struct text *text);
/* view_failed - says why collecting failed. Return: exit code. */
int view_failed(int error);

#endif
