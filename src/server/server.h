/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ttmemd as an object: the sockets, the registry behind them, and what the
 * routes need to know. One thread, one loop.
 */
#ifndef TTMEM_SERVER_SERVER_H
#define TTMEM_SERVER_SERVER_H

#include "base/loop.h"
#include "collect/collect.h"
#include "model/policy.h"
#include "server/failures.h"
#include "server/gaps.h"
#include "server/registry.h"
#include "server/watch.h"
#include "view/selection.h"

struct http;

struct server_options {
	const char *socket_dir; /* NULL: /run/ttmem as root, else $XDG_RUNTIME_DIR/ttmem */
	uint64_t sample_ms;
	enum policy_share share;
	const char *root; /* where devices are looked for; NULL: "/" */
	bool growth;	  /* watch what grows before anybody asks */
	uint64_t growth_every_ns; /* 0: as usual; tests are in a hurry */
};

/* A connection whose message has not come yet. */
struct arrival {
	struct loop_watch watch;
	struct server *server;
	struct arrival *next;
	uint64_t since_ns;
};

struct server {
	struct server_options options;
	struct loop loop;
	struct registry registry;
	struct failures failures;
	struct gaps gaps;
	struct watch watch;
	struct collect_sources sources;
	struct http *http;
	struct arrival *arrivals;
	uint32_t arrival_count;
	struct loop_watch registrations, signals;
	char directory[96];
	int directory_lock; /* one server per directory */
	bool has_sources;
	bool owns_sockets;  /* false: a manager holds them, and removes them */
	uint64_t started_ns; /* CLOCK_REALTIME */
	uint64_t samples, sample_cpu_ns;
	struct collect_notes notes; /* of the search at start */
};

/* server_start - directory, sockets, tables that are there already. Return: 0, or an exit code. */
int server_start(struct server *server, const struct server_options *options);
/* server_run - until SIGTERM or SIGINT. Return: exit code. */
int server_run(struct server *server);
void server_stop(struct server *server);

/*
 * server_snapshot - what this viewer may see now. Return: 0 or -errno; clear it with
 * snapshot_clear.
 */
int server_snapshot(struct server *server, const struct collect_options *options,
		    const struct policy_viewer *viewer, struct snapshot *ret_snapshot);

/*
 * server_sites - live bytes in groups, of what passes and this viewer may see; growth is not filled
 * in. Of processes that have ended only when one is asked for by pid. Return: 0 or -errno.
 */
int server_sites(struct server *server, const struct buffer_filter *filter, enum group_by by,
		 const struct policy_viewer *viewer, struct snapshot *ret_snapshot,
		 struct site_list *ret_list);

/* server_look_at_sites - one look for server->watch, if it is time for one */
void server_look_at_sites(struct server *server, uint64_t now_ns);

/* server_failure_snapshot - the same of one failed allocation: its table as it was then */
int server_failure_snapshot(struct server *server, struct failure_table *table,
			    const struct policy_viewer *viewer, struct snapshot *ret_snapshot);

/* server_log - one line to stderr; with a priority prefix when a journal reads it */
void server_log(int priority, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
