/* SPDX-License-Identifier: Apache-2.0 */
#include "server/server.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/files.h"
#include "base/socket.h"
#include "collect/tables.h"
#include "server/http.h"
#include "server/manager.h"

#define API_SOCKET "api.sock"

/* How soon a request that waits for a process is looked at again. */
#define WAITING_MS 3

/* How soon a round of cards that is not over is looked at again. */
#define SAMPLER_MIND_MS 30

/* Connections to register.sock that have not said anything yet, and for how long. */
#define ARRIVALS_MAX 1024u
#define SILENT_NS    UINT64_C(2000000000)

void server_log(int priority, const char *format, ...)
{
	va_list args;

	/* the journal reads the level off the line's head; a terminal should not see it */
	if (getenv("JOURNAL_STREAM"))
		fprintf(stderr, "<%d>", priority);
	fputs("ttmemd: ", stderr);
	va_start(args, format);
	(void)vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
}

static int choose_directory(struct server *server)
{
	const char *runtime = getenv("XDG_RUNTIME_DIR");
	int n;

	if (server->options.socket_dir)
		n = snprintf(server->directory, sizeof server->directory, "%s",
			     server->options.socket_dir);
	else if (geteuid() == 0)
		n = snprintf(server->directory, sizeof server->directory, "/run/ttmem");
	else if (runtime && *runtime)
		n = snprintf(server->directory, sizeof server->directory, "%s/ttmem", runtime);
	else
		return -ENOENT;
	/* a socket's name has to fit its address */
	if (n < 0 || (size_t)n >= sizeof server->directory - sizeof REGISTRATION_SOCKET)
		return -ENAMETOOLONG;
	return mkdir(server->directory, 0755) < 0 && errno != EEXIST ? -errno : 0;
}

/* One server a directory. The lock dies with its holder, so it is never stale. */
static int take_directory(struct server *server)
{
	char path[160], who[32] = "";

	(void)snprintf(path, sizeof path, "%s/lock", server->directory);
	server->directory_lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	if (server->directory_lock < 0)
		return -errno;
	if (flock(server->directory_lock, LOCK_EX | LOCK_NB) < 0) {
		ssize_t n = pread(server->directory_lock, who, sizeof who - 1, 0);

		who[n > 0 ? n : 0] = '\0';
		server_log(LOG_ERR, "a server with pid %s already serves %s", n > 0 ? who : "?",
			   server->directory);
		return -EBUSY;
	}
	int n = snprintf(who, sizeof who, "%d", getpid());

	if (ftruncate(server->directory_lock, 0) < 0 ||
	    pwrite(server->directory_lock, who, (size_t)n, 0) < 0)
		return -errno;
	return 0;
}

static int listen_api(const char *path)
{
	struct sockaddr_un address;
	int r = socket_address(path, &address);

	if (r < 0)
		return r;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -errno;
	/* everybody may ask: what they get is decided by who they are */
	if (bind(fd, (struct sockaddr *)&address, sizeof address) < 0 || chmod(path, 0666) < 0 ||
	    listen(fd, SOMAXCONN) < 0) {
		r = -errno;

		(void)close(fd);
		return r;
	}
	return fd;
}

/* What is no table: connections, those that have not said anything yet, and our own few. */
#define OTHER_DESCRIPTORS (HTTP_CONNECTIONS_MAX + ARRIVALS_MAX + 64)

/*
 * The descriptors of thousands of processes: as many as we are allowed to have, and where that is
 * too few and we may raise it, as many as we need. Return: how many are left for tables.
 */
static uint64_t raise_descriptor_limit(void)
{
	const rlim_t needed = REGISTRY_DESCRIPTORS_MAX + OTHER_DESCRIPTORS;
	struct rlimit limit, more = {needed, needed};

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return 0;
	if (limit.rlim_max < needed && setrlimit(RLIMIT_NOFILE, &more) == 0)
		return REGISTRY_DESCRIPTORS_MAX;
	if (limit.rlim_cur < limit.rlim_max) {
		limit.rlim_cur = limit.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &limit);
	}
	if (limit.rlim_max >= needed)
		return REGISTRY_DESCRIPTORS_MAX;
	/* half of very few, so that nothing is without any */
	uint64_t left = limit.rlim_max > 2 * OTHER_DESCRIPTORS
				? limit.rlim_max - OTHER_DESCRIPTORS
				: limit.rlim_max / 2;

	server_log(LOG_WARNING, "%llu descriptors are enough for %llu processes, not for %u",
		   (unsigned long long)limit.rlim_max, (unsigned long long)left / 2,
		   REGISTRY_TABLES_MAX);
	return left;
}

static void arrival_end(struct arrival *arrival)
{
	struct server *server = arrival->server;
	struct arrival **link = &server->arrivals;

	while (*link != arrival)
		link = &(*link)->next;
	*link = arrival->next;
	server->arrival_count--;
	loop_remove(&server->loop, &arrival->watch);
	(void)close(arrival->watch.fd);
	free(arrival);
}

static void take_failure(struct server *server, struct received *received)
{
	int r = failures_add(&server->failures, received);

	if (r != 0)
		server->registry.refused[r == -EEXIST ? REFUSED_DUPLICATE : REFUSED_TABLE]++;
	receive_close(received);
}

/* Return: whether the connection has served its purpose. */
static bool take_message(struct server *server, int connection)
{
	struct received received;
	int r = receive_message(connection, &received);

	if (r == 0 && received.message.kind == REGISTRATION_FAILURE)
		take_failure(server, &received);
	else if (r == 0)
		registry_add(&server->registry, &received);
	else if (r != -EAGAIN)
		server->registry.refused[REFUSED_MESSAGE]++;
	return r != -EAGAIN;
}

static void on_arrival(struct loop_watch *watch)
{
	struct arrival *arrival =
		(struct arrival *)(void *)((char *)watch - offsetof(struct arrival, watch));

	if (take_message(arrival->server, watch->fd))
		arrival_end(arrival);
}

/* Those that connected and said nothing; called with the time of a sample. */
static void end_silent_arrivals(struct server *server, uint64_t now_ns)
{
	for (struct arrival *a = server->arrivals, *next; a; a = next) {
		next = a->next;
		if (now_ns - a->since_ns < SILENT_NS)
			continue;
		server->registry.refused[REFUSED_MESSAGE]++;
		arrival_end(a);
	}
}

/* We may be faster than the sender, which is still between connect and send. */
static void wait_for_message(struct server *server, int connection)
{
	struct arrival *arrival =
		server->arrival_count < ARRIVALS_MAX ? calloc(1, sizeof *arrival) : NULL;

	if (!arrival) {
		server->registry.refused[REFUSED_LIMIT]++;
		(void)close(connection);
		return;
	}
	*arrival = (struct arrival){.watch = {connection, on_arrival},
				    .server = server,
				    .next = server->arrivals,
				    .since_ns = clock_monotonic_ns()};
	server->arrivals = arrival;
	server->arrival_count++;
	if (loop_add(&server->loop, &arrival->watch) < 0)
		arrival_end(arrival);
}

static void on_registration(struct loop_watch *watch)
{
	struct server *server =
		(struct server *)(void *)((char *)watch - offsetof(struct server, registrations));
	int connection = receive_accept(watch->fd);

	if (connection < 0)
		return;
	if (take_message(server, connection))
		(void)close(connection);
	else
		wait_for_message(server, connection);
}

static void on_signal(struct loop_watch *watch)
{
	struct server *server =
		(struct server *)(void *)((char *)watch - offsetof(struct server, signals));
	struct signalfd_siginfo info;

	if (read(watch->fd, &info, sizeof info) == (ssize_t)sizeof info)
		server->loop.stopping = true;
}

/* Tables that were there before us; the processes register by themselves as well. */
static int adopt(void *argument, struct region_map *map, uint32_t pid, uint32_t uid,
		 enum process_state state)
{
	struct server *server = argument;
	char path[32];
	struct stat st;
	int table = fcntl(map->fd, F_DUPFD_CLOEXEC, 0);

	(void)snprintf(path, sizeof path, "/proc/%u", pid);
	if (table < 0 || state != PROCESS_LIVE || stat(path, &st) < 0) {
		if (table >= 0)
			(void)close(table);
		return 0;
	}
	registry_adopt(&server->registry, table, tables_open_control(pid), pid, uid, (uint32_t)st.st_gid);
	return 0;
}

/* The sockets that a manager holds for us, else our own. */
static int start_sockets(struct server *server, const struct manager_inherited *inherited)
{
	int registrations = inherited->registrations, api = inherited->api;
	char path[160];

	server->owns_sockets = registrations < 0 || api < 0;
	if (registrations < 0) {
		(void)snprintf(path, sizeof path, "%s/" REGISTRATION_SOCKET, server->directory);
		(void)unlink(path); /* we hold the lock: whatever is there is stale */
		registrations = receive_listen(path, 0666);
	}
	if (registrations < 0)
		return registrations;
	(void)fcntl(registrations, F_SETFL, O_NONBLOCK);
	server->registrations = (struct loop_watch){registrations, on_registration};
	if (api < 0) {
		(void)snprintf(path, sizeof path, "%s/" API_SOCKET, server->directory);
		(void)unlink(path);
		api = listen_api(path);
	}
	if (api < 0)
		return api;
	(void)fcntl(api, F_SETFL, O_NONBLOCK);
	/* once more for a manager's: then it is we whom the kernel names to clients, and not the manager */
	(void)listen(api, SOMAXCONN);
	int r = http_start(server, api, &server->http);

	return r < 0 ? r : loop_add(&server->loop, &server->registrations);
}

static int start_signals(struct server *server)
{
	sigset_t set;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGINT);
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
	(void)signal(SIGPIPE, SIG_IGN);
	server->signals = (struct loop_watch){signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK), on_signal};
	return server->signals.fd < 0 ? -errno : loop_add(&server->loop, &server->signals);
}

/* Tables that a manager kept while we were away. */
static void adopt_stored(struct server *server, struct manager_inherited *inherited)
{
	for (uint32_t i = 0; i < inherited->stored_count; i++) {
		const struct manager_stored *s = &inherited->stored[i];

		registry_restore(&server->registry, s->fd, tables_open_control(s->pid), s->pid,
				 s->uid, s->gid, s->line);
	}
	free(inherited->stored);
	inherited->stored = NULL;
}

int server_start(struct server *server, const struct server_options *options)
{
	const struct collect_options all = {0};
	struct manager_inherited inherited;
	int r = manager_inherit(&inherited);

	if (r < 0)
		return 1;

	*server = (struct server){.options = *options,
				  .directory_lock = -1,
				  .registrations.fd = -1,
				  .signals.fd = -1,
				  .loop.epoll = -1,
				  .watch = {.always = options->growth,
					    .every_ns = options->growth_every_ns},
				  .started_ns = clock_realtime_ns()};
	uint64_t descriptors = raise_descriptor_limit();

	r = choose_directory(server);
	if (r < 0) {
		server_log(LOG_ERR, "no directory for the sockets: %s; give one with --socket-dir",
			   strerror(-r));
		return 1;
	}
	r = take_directory(server);
	if (r == -EBUSY)
		return 1;
	if (r == 0)
		r = loop_init(&server->loop);
	if (r == 0)
		r = registry_init(&server->registry, &server->loop, descriptors);
	if (r == 0)
		r = start_signals(server);
	if (r == 0)
		r = start_sockets(server, &inherited);
	if (r < 0) {
		server_log(LOG_ERR, "cannot serve %s: %s", server->directory, strerror(-r));
		return 1;
	}
	r = collect_sources_open(&server->sources, options->root, SAMPLER_THREADS);
	if (r < 0) {
		server_log(LOG_ERR, "cannot look for devices below %s: %s",
			   options->root ? options->root : "/", strerror(-r));
		return 1;
	}
	server->has_sources = true;
	sampler_begin(&server->sources.sampler, clock_monotonic_ns());
	adopt_stored(server, &inherited);
	(void)tables_visit(&all, adopt, server, &server->notes);
	manager_ready();
	server_log(LOG_INFO, "serving %s, %u tables found", server->directory,
		   server->registry.count);
	return 0;
}

/* Root's eyes, because chips are everybody's; of the snapshot only the chips are kept. */
static int look_at_chips(struct server *server, bool largest_free, struct snapshot *ret_snapshot)
{
	const struct collect_options options = {.largest_free = largest_free};
	const struct policy_viewer viewer = {.uid = 0};

	return server_snapshot(server, &options, &viewer, ret_snapshot);
}

static uint64_t live_buffers(const struct snapshot *snapshot)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < snapshot->process_count; i++)
		if (snapshot->processes[i].state == PROCESS_LIVE)
			sum += snapshot->processes[i].live_buffers;
	return sum;
}

static void sample_gaps(struct server *server, uint64_t now_ns)
{
	struct snapshot snapshot;

	if (!gaps_due(&server->gaps, now_ns, registry_event_sum(&server->registry)))
		return;
	/* first without addresses: how many are there? */
	bool few = look_at_chips(server, false, &snapshot) == 0;

	if (few) {
		few = live_buffers(&snapshot) <= GAPS_BUFFERS_MAX;
		snapshot_clear(&snapshot);
	}
	few = few && look_at_chips(server, true, &snapshot) == 0;
	gaps_add(&server->gaps, few ? &snapshot : NULL, now_ns);
	if (few)
		snapshot_clear(&snapshot);
}

static void sample(struct server *server, uint64_t now_ns)
{
	uint64_t before = clock_thread_cpu_ns();

	registry_tick(&server->registry, now_ns);
	http_tick(server->http, now_ns);
	sampler_begin(&server->sources.sampler, now_ns);
	end_silent_arrivals(server, now_ns);
	sample_gaps(server, now_ns);
	server_look_at_sites(server, now_ns);
	server->samples++;
	server->sample_cpu_ns += clock_thread_cpu_ns() - before;
}

int server_run(struct server *server)
{
	uint64_t interval_ns = server->options.sample_ms * 1000000;
	uint64_t next = clock_monotonic_ns();

	while (!server->loop.stopping) {
		uint64_t now = clock_monotonic_ns();

		if (now >= next) {
			sample(server, now);
			next = now + interval_ns;
		}
		int wait_ms = (int)((next - now) / 1000000) + 1;

		if (http_is_waiting(server->http)) {
			http_look_again(server->http);
			wait_ms = wait_ms < WAITING_MS ? wait_ms : WAITING_MS;
		}
		/* a card that does not answer is passed by, so that the others are not late */
		if (!sampler_mind(&server->sources.sampler, clock_monotonic_ns()))
			wait_ms = wait_ms < SAMPLER_MIND_MS ? wait_ms : SAMPLER_MIND_MS;
		int r = loop_once(&server->loop, wait_ms);

		if (r < 0) {
			server_log(LOG_ERR, "waiting failed: %s", strerror(-r));
			return 1;
		}
	}
	server_log(LOG_INFO, "stopping");
	return 0;
}

void server_stop(struct server *server)
{
	char path[160];

	manager_stopping();
	http_stop(server->http);
	while (server->arrivals)
		arrival_end(server->arrivals);
	registry_finish(&server->registry);
	failures_clear(&server->failures);
	growth_clear(&server->watch.growth);
	if (server->has_sources)
		collect_sources_close(&server->sources);
	if (server->registrations.fd >= 0) {
		(void)close(server->registrations.fd);
	}
	if (server->registrations.fd >= 0 && server->owns_sockets) {
		(void)snprintf(path, sizeof path, "%s/" REGISTRATION_SOCKET, server->directory);
		(void)unlink(path);
		(void)snprintf(path, sizeof path, "%s/" API_SOCKET, server->directory);
		(void)unlink(path);
	}
	if (server->signals.fd >= 0)
		(void)close(server->signals.fd);
	loop_finish(&server->loop);
	if (server->directory_lock >= 0)
		(void)close(server->directory_lock);
}

/* Names the server, hands the snapshot over and takes out what is not for this viewer. */
static int finish(struct server *server, struct collection *collection,
		  const struct policy_viewer *viewer, int r, struct snapshot *ret_snapshot)
{
	if (r == 0)
		r = snapshot_string(&collection->snapshot, server->directory,
				    strlen(server->directory), &collection->snapshot.server);
	if (r == 0)
		r = collection_finish(collection, ret_snapshot);
	collection_clear(collection);
	if (r == 0)
		policy_apply(ret_snapshot, viewer, server->options.share);
	return r;
}

int server_snapshot(struct server *server, const struct collect_options *options,
		    const struct policy_viewer *viewer, struct snapshot *ret_snapshot)
{
	struct collection collection;
	int r = 0;

	collection_init(&collection, options);
	collection.sources = options->buffers_only ? NULL : &server->sources;
	/* the first question may come before the first round is over */
	if (server->sources.sampler.rounds == 1)
		sampler_wait(&server->sources.sampler);
	for (struct entry *e = server->registry.entries; r == 0 && e; e = e->next) {
		uint32_t index = collection.snapshot.process_count;

		if (options->pid && options->pid != e->pid)
			continue;
		/* pages that were only reserved when we looked last may hold rows by now */
		(void)region_map_refresh(&e->map);
		/* what this viewer will not see need not be read, and must not use up the limit */
		const struct process owner = {.uid = e->uid, .gid = e->gid};

		collection.options.buffers =
			options->buffers && policy_allows(&owner, viewer, server->options.share);
		r = collection_add_table(&collection, &e->map, e->pid, e->uid,
					 (enum process_state)e->state);
		if (r < 0)
			break;
		collection.snapshot.processes[index].gid = e->gid;
		r = collection_set_container(&collection, index, &e->container);
		if (e->state == PROCESS_EXITED)
			collection.snapshot.processes[index].exited_ns = fact_of(e->exited_ns);
	}
	r = finish(server, &collection, viewer, r, ret_snapshot);
	if (r == 0)
		gaps_fill(&server->gaps, ret_snapshot, clock_monotonic_ns());
	return r;
}

int server_failure_snapshot(struct server *server, struct failure_table *table,
			    const struct policy_viewer *viewer, struct snapshot *ret_snapshot)
{
	const struct collect_options options = {.buffers = true, .buffers_only = true};
	struct collection collection;

	collection_init(&collection, &options);
	int r = collection_add_table(&collection, &table->map, table->pid, table->uid, PROCESS_LIVE);

	if (r == 0)
		collection.snapshot.processes[0].gid = table->gid;
	return finish(server, &collection, viewer, r, ret_snapshot);
}
