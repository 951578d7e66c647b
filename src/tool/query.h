/* SPDX-License-Identifier: Apache-2.0 */
/* Columns of devices, processes or buffers: what they need of the machine, and how they leave. */
#ifndef TTMEM_TOOL_QUERY_H
#define TTMEM_TOOL_QUERY_H

#include "tool/view_options.h"
#include "view/query.h"

/* query_obtain - a snapshot that has all the columns. Return: 0 or -errno. */
int query_obtain(const struct query *query, const struct view_options *view,
		 struct snapshot *ret_snapshot);
/* query_write - as CSV, unless JSON was asked for */
void query_write(struct text *text, const struct snapshot *snapshot, const struct query *query,
		 const struct view_options *view);

#endif
