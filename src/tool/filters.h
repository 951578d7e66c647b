/* SPDX-License-Identifier: Apache-2.0 */
/* Which buffers are meant: the options that lists of buffers, sites and growth share. */
#ifndef TTMEM_TOOL_FILTERS_H
#define TTMEM_TOOL_FILTERS_H

#include "tool/view_options.h"
#include "view/selection.h"

#define FILTER_ROWS(what)                                                                          \
	{"pid", 'p', ARGUMENT_REQUIRED, "PID", "only " what " of this process", NULL},             \
		{"chip", 'i', ARGUMENT_REQUIRED, "ID",                                             \
		 "only " what " on this chip: number, unique id, serial number or PCI address",    \
		 NULL},                                                                            \
		{"type", 't', ARGUMENT_REQUIRED, "TYPE", "only DRAM, L1, L1_SMALL or TRACE",       \
		 "DRAM,L1,L1_SMALL,TRACE"},                                                        \
		{"op", 0, ARGUMENT_REQUIRED, "TEXT", "only operations with TEXT in their name",    \
		 NULL},                                                                            \
		{"site", 0, ARGUMENT_REQUIRED, "TEXT",                                             \
		 "only sites with TEXT in file or function, or model.py:214", NULL},               \
	{                                                                                          \
		"tag", 0, ARGUMENT_REQUIRED, "TEXT",                                               \
			"only what the program has tagged with TEXT (ttmem.tag)", NULL             \
	}

enum { FILTER_PID, FILTER_CHIP, FILTER_TYPE, FILTER_OP, FILTER_SITE, FILTER_TAG, FILTER_COUNT };

struct filter_options {
	struct buffer_filter filter;
	const char *chip; /* as given; the picture knows what it means */
};

/* filter_option - handles one of the rows above. Return: 0 or exit code. */
int filter_option(struct filter_options *options, unsigned row, const char *value);
/* filter_number - a number that is not 0. Return: 0 or exit code. */
int filter_number(const char *value, uint32_t *ret_number);
/*
 * filter_resolve_in - pid and chip as a snapshot with devices has them. Return: 0, or an exit code
 * after it was said that there is no such process or chip. filter_resolve gets that snapshot itself,
 * if it takes one.
 */
int filter_resolve_in(const struct filter_options *options, const struct snapshot *picture,
		      struct buffer_filter *filter);
int filter_resolve(const struct filter_options *options, const struct view_options *view,
		   struct buffer_filter *filter);

#endif
