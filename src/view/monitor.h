/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The scrolling lists of dmon and pmon: a line for each device or process a
 * tick, under two lines of titles that begin with '#'. Columns are those of
 * the query; '-' is a value that is not there.
 */
#ifndef TTMEM_VIEW_MONITOR_H
#define TTMEM_VIEW_MONITOR_H

#include "view/query.h"

struct monitor_options {
	const char *groups; /* letters of columns, see monitor_check_groups */
	bool date, time;    /* in front of each line */
	bool csv, no_header, no_units;
};

/* monitor_check_groups - are all letters groups of this kind? */
bool monitor_check_groups(enum query_kind kind, const char *groups);
void monitor_header(struct text *text, enum query_kind kind, const struct monitor_options *options);
/* monitor_rows - one tick. Return: how many lines. */
uint32_t monitor_rows(struct text *text, const struct snapshot *snapshot, enum query_kind kind,
		      const struct monitor_options *options);

#endif
