/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What sites hold, by the tables of the registry: looks for the ring of
 * server/watch.h, and the rows of an answer.
 */
#include <errno.h>

#include "base/clock.h"
#include "server/server.h"

/* Live tables in which something has happened, added up by site and thread; the others are as they were. */
static int look_at_tables(struct server *server, struct collection *collection,
			  struct tallies *tallies)
{
	struct growth *growth = &server->watch.growth;
	int r = 0;

	for (struct entry *e = server->registry.entries; r == 0 && e; e = e->next) {
		uint64_t event = region_event(&e->map);

		if (e->state != PROCESS_LIVE ||
		    growth_unchanged(growth, e->pid, e->created_ns, event))
			continue;
		(void)region_map_refresh(&e->map);
		tallies->cut = growth_cut(growth, e->pid, e->created_ns);
		r = growth_scanned(growth, e->pid, e->created_ns, event);
		if (r == 0)
			r = collection_add_table(collection, &e->map, e->pid, e->uid, PROCESS_LIVE);
		else if (r == -ENOSPC)
			r = 0;
	}
	return r;
}

static int remember(struct server *server, struct snapshot *snapshot, const struct tallies *tallies,
		    enum group_by by)
{
	struct site_list list;
	int r = tallies_fold(tallies, snapshot, by, &list);

	if (r < 0)
		return r;
	r = growth_add(&server->watch.growth, snapshot, &list);
	site_list_clear(&list);
	return r;
}

static int look_at_sites(struct server *server)
{
	struct tallies tallies = {.by_thread = true};
	const struct collect_tally tally = {.tallies = &tallies};
	const struct collect_options options = {.buffers = true, .tally = &tally};
	struct collection collection;

	collection_init(&collection, &options);
	int r = look_at_tables(server, &collection, &tallies);

	if (r == 0)
		r = remember(server, &collection.snapshot, &tallies, GROUP_SITE);
	if (r == 0)
		r = remember(server, &collection.snapshot, &tallies, GROUP_THREAD);
	tallies_clear(&tallies);
	collection_clear(&collection);
	return r;
}

void server_look_at_sites(struct server *server, uint64_t now_ns)
{
	uint64_t before = clock_thread_cpu_ns();

	if (!watch_due(&server->watch, now_ns))
		return;
	growth_begin(&server->watch.growth, now_ns);
	int r = look_at_sites(server);

	growth_end(&server->watch.growth);
	/* without memory for it a part of the ring would be a lie */
	if (r < 0)
		growth_clear(&server->watch.growth);
	watch_looked(&server->watch, now_ns, clock_thread_cpu_ns() - before);
}

/* Of what has ended only what is asked for by name: it holds nothing any more. */
static bool live_passes(const void *argument, const struct snapshot *snapshot,
			const struct buffer *buffer)
{
	const struct buffer_filter *filter = argument;

	return (filter->pid || snapshot->processes[buffer->process].state == PROCESS_LIVE) &&
	       buffer_passes(filter, snapshot, buffer);
}

int server_sites(struct server *server, const struct buffer_filter *filter, enum group_by by,
		 const struct policy_viewer *viewer, struct snapshot *ret_snapshot,
		 struct site_list *ret_list)
{
	struct tallies tallies = {.by_thread = by == GROUP_THREAD};
	const struct collect_tally tally = {&tallies, live_passes, filter};
	const struct collect_options options = {
		.buffers = true, .buffers_only = true, .tally = &tally, .pid = filter->pid};
	int r = server_snapshot(server, &options, viewer, ret_snapshot);

	if (r == 0) {
		r = tallies_fold(&tallies, ret_snapshot, by, ret_list);
		if (r < 0)
			snapshot_clear(ret_snapshot);
	}
	tallies_clear(&tallies);
	return r;
}
