/* SPDX-License-Identifier: Apache-2.0 */
#include "tool/query.h"

#include <string.h>

#include "tool/obtain.h"

static bool wants(const struct query *query, enum query_origin origin)
{
	for (uint32_t i = 0; i < query->count; i++)
		if (query->columns[i].origin == origin)
			return true;
	return false;
}

/* Holes cost a look at every buffer: only for who asks for them. */
static bool wants_holes(const struct query *query)
{
	for (uint32_t i = 0; i < query->count; i++)
		if (query->columns[i].field && strstr(query->columns[i].field->path, "largest_free"))
			return true;
	return false;
}

/*
 * A server's list of buffers names its processes by pid only; the columns of
 * processes come from the picture.
 */
static int join_processes(const struct collect_options *options, bool no_server,
			  struct snapshot *buffers)
{
	struct collect_options all = *options;
	struct snapshot picture;

	all.buffers = false;
	int r = obtain_snapshot(&all, no_server, &picture, NULL);

	for (uint32_t i = 0; r == 0 && i < buffers->process_count; i++)
		for (uint32_t k = 0; r == 0 && k < picture.process_count; k++)
			if (picture.processes[k].pid == buffers->processes[i].pid)
				r = snapshot_copy_process(buffers, i, &picture, k);
	if (r < 0)
		return r;
	snapshot_clear(&picture);
	return 0;
}

int query_obtain(const struct query *query, const struct view_options *view,
		 struct snapshot *ret_snapshot)
{
	const struct collect_options options = {
		.buffers = query->kind == QUERY_BUFFERS,
		.largest_free = wants_holes(query),
		.cards = query->kind != QUERY_BUFFERS,
		.root = view->root,
	};
	int r = obtain_snapshot(&options, view->no_server, ret_snapshot, NULL);

	if (r == 0 && options.buffers && ret_snapshot->server && wants(query, FROM_PROCESS)) {
		r = join_processes(&options, view->no_server, ret_snapshot);
		if (r < 0)
			snapshot_clear(ret_snapshot);
	}
	return r;
}

void query_write(struct text *text, const struct snapshot *snapshot, const struct query *query,
		 const struct view_options *view)
{
	const struct query_csv csv = {view->no_header, view->no_units};

	if (view->format == FORMAT_JSON || view->format == FORMAT_JSONL)
		query_write_json(text, snapshot, query, view->format == FORMAT_JSONL);
	else
		query_write_csv(text, snapshot, query, &csv);
}
