/* SPDX-License-Identifier: Apache-2.0 */
#include "server/registry.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/files.h"
#include "collect/tables.h"
#include "collect/verify.h"
#include "server/manager.h"
#include "source/procfs.h"

const char *refusal_name(enum refusal refusal)
{
	static const char *const names[REFUSALS] = {"message", "table", "duplicate", "uid_limit",
						    "limit"};

	return refusal < REFUSALS ? names[refusal] : "?";
}

int registry_init(struct registry *registry, struct loop *loop, uint64_t descriptors)
{
	uint64_t tables = descriptors / 2;

	*registry = (struct registry){
		.loop = loop,
		.tables_max = tables < REGISTRY_TABLES_MAX ? (uint32_t)tables : REGISTRY_TABLES_MAX,
	};
	if (getrandom(&registry->owner, sizeof registry->owner, 0) != sizeof registry->owner)
		return -errno;
	registry->owner |= 1; /* 0 means that a line is free */
	return 0;
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
	*fd = -1;
}

static void stop_watching(struct entry *entry)
{
	if (entry->exit.fd >= 0)
		loop_remove(entry->registry->loop, &entry->exit);
	close_fd(&entry->exit.fd);
}

static void unmap_control(struct entry *entry)
{
	if (entry->control)
		(void)munmap(entry->control, sizeof *entry->control);
	entry->control = NULL;
}

static void entry_free(struct entry *entry)
{
	stop_watching(entry);
	unmap_control(entry);
	region_map_close(&entry->map);
	close_fd(&entry->table);
	free(entry);
}

/* A process has more than one table when it became another program: all stored under one name. */
static bool has_namesake(const struct registry *registry, const struct entry *entry)
{
	for (const struct entry *e = registry->entries; e; e = e->next)
		if (e->pid == entry->pid && e->uid == entry->uid && e->gid == entry->gid &&
		    e->line == entry->line)
			return true;
	return false;
}

static void unlink_entry(struct registry *registry, struct entry *entry)
{
	struct entry **link = &registry->entries;

	while (*link && *link != entry)
		link = &(*link)->next;
	if (*link)
		*link = entry->next;
	registry->count--;
	registry->dead -= entry->state == PROCESS_EXITED;
	registry->generation++;
	if (!has_namesake(registry, entry))
		manager_unstore(entry->pid, entry->uid, entry->gid, entry->line);
	entry_free(entry);
}

void registry_finish(struct registry *registry)
{
	struct entry *next;

	/* what a manager has stored stays there: that is what the store is for */
	for (struct entry *e = registry->entries; e; e = next) {
		next = e->next;
		entry_free(e);
	}
	registry->entries = NULL;
	registry->count = registry->dead = 0;
}

static void look_at_size(struct entry *entry)
{
	struct stat st;

	if (entry->table >= 0 && fstat(entry->table, &st) == 0)
		entry->bytes = (uint64_t)st.st_blocks * 512;
}

/* Newest 64, and not more memory than agreed: the oldest dead go first. */
static void forget_old_dead(struct registry *registry)
{
	uint64_t bytes = 0;

	for (struct entry *e = registry->entries; e; e = e->next)
		bytes += e->state == PROCESS_EXITED ? e->bytes : 0;
	while (registry->dead > REGISTRY_DEAD_MAX ||
	       (bytes > REGISTRY_DEAD_BYTES_MAX && registry->dead > 1)) {
		struct entry *oldest = NULL;

		for (struct entry *e = registry->entries; e; e = e->next)
			if (e->state == PROCESS_EXITED &&
			    (!oldest || e->exited_ns < oldest->exited_ns))
				oldest = e;
		if (!oldest)
			return;
		bytes -= oldest->bytes;
		unlink_entry(registry, oldest);
	}
}

static void entry_died(struct entry *entry)
{
	if (entry->state == PROCESS_EXITED)
		return;
	entry->state = PROCESS_EXITED;
	entry->exited_ns = clock_realtime_ns();
	/* the writer is gone: what holds data now will always; then the mapping is enough */
	(void)region_map_freeze(&entry->map);
	look_at_size(entry);
	stop_watching(entry);
	unmap_control(entry);
	close_fd(&entry->table);
	entry->registry->dead++;
	entry->registry->generation++;
	forget_old_dead(entry->registry);
}

static void on_exit_ready(struct loop_watch *watch)
{
	entry_died((struct entry *)(void *)((char *)watch - offsetof(struct entry, exit)));
}

static struct entry *find_file(struct registry *registry, const struct stat *st)
{
	for (struct entry *e = registry->entries; e; e = e->next)
		if (e->inode == st->st_ino && e->device == st->st_dev)
			return e;
	return NULL;
}

/* The process moved its table to another file: the same random id, from the same process. */
static void drop_moved(struct registry *registry, const struct entry *fresh)
{
	for (struct entry *e = registry->entries, *next; e; e = next) {
		next = e->next;
		if (e != fresh && e->pid == fresh->pid && e->uid == fresh->uid &&
		    memcmp(e->random_id, fresh->random_id, sizeof e->random_id) == 0)
			unlink_entry(registry, e);
	}
}

static bool over_uid_limit(const struct registry *registry, uint32_t uid)
{
	uint64_t bytes = 0;
	uint32_t tables = 0;

	for (const struct entry *e = registry->entries; e; e = e->next)
		if (e->uid == uid) {
			bytes += e->bytes;
			tables++;
		}
	return bytes > REGISTRY_UID_BYTES_MAX || (uid != 0 && tables >= REGISTRY_UID_TABLES_MAX);
}

static void map_control(struct entry *entry, int control)
{
	struct control_page *page = verify_map_control(control);

	if (!page)
		return;
	entry->control = page;
	__atomic_store_n(&entry->control->servers[entry->line].owner, entry->registry->owner,
			 __ATOMIC_RELEASE);
}

static void beat(struct entry *entry, uint64_t now_ns)
{
	if (entry->control)
		__atomic_store_n(&entry->control->servers[entry->line].heartbeat_ns, now_ns,
				 __ATOMIC_RELEASE);
}

static bool lives(int pidfd)
{
	struct pollfd exit = {.fd = pidfd, .events = POLLIN};

	return pidfd >= 0 && poll(&exit, 1, 0) == 0;
}

/* Return: 0 with the entry in the list; else the refusal + 1. Takes table and pidfd on success. */
static int add(struct registry *registry, int table, int control, int pidfd, struct entry seed)
{
	struct region_image image;
	struct stat st;

	if (fstat(table, &st) < 0)
		return REFUSED_TABLE + 1;
	struct entry *known = find_file(registry, &st);

	/* who speaks is not dead, whatever we believed */
	if (known && known->state == PROCESS_EXITED && lives(pidfd)) {
		unlink_entry(registry, known);
		known = NULL;
	}
	if (known) {
		if (!known->control)
			map_control(known, control);
		/* it did not hear us: most likely we are a restarted server on the same line */
		beat(known, clock_monotonic_ns());
		return REFUSED_DUPLICATE + 1;
	}
	if (registry->count >= registry->tables_max)
		return REFUSED_LIMIT + 1;
	if (over_uid_limit(registry, seed.uid))
		return REFUSED_UID_LIMIT + 1;
	struct entry *entry = malloc(sizeof *entry);

	if (!entry)
		return REFUSED_LIMIT + 1;
	*entry = seed;
	entry->registry = registry;
	entry->exit = (struct loop_watch){-1, on_exit_ready};
	entry->table = table;
	entry->device = st.st_dev;
	entry->inode = st.st_ino;
	entry->bytes = (uint64_t)st.st_blocks * 512;
	cgroup_of(entry->pid, &entry->container);
	if (region_map_open(table, &entry->map) != 0) {
		free(entry);
		return REFUSED_TABLE + 1;
	}
	if (region_read_image(&entry->map, &image) == 0) {
		memcpy(entry->random_id, image.head.random_id, sizeof entry->random_id);
		entry->created_ns = image.head.created_realtime_ns;
		region_image_clear(&image);
	}
	struct entry **link = &registry->entries;

	while (*link)
		link = &(*link)->next;
	*link = entry;
	registry->count++;
	registry->generation++;
	registry->accepted++;
	drop_moved(registry, entry);
	map_control(entry, control);
	beat(entry, clock_monotonic_ns());
	manager_store(table, entry->pid, entry->uid, entry->gid, entry->line);
	entry->exit.fd = pidfd;
	if (pidfd < 0 || loop_add(registry->loop, &entry->exit) < 0) {
		/* a process that the kernel no longer knows: all that is left is its last state */
		close_fd(&entry->exit.fd);
		entry_died(entry);
	}
	return 0;
}

static void adopt_for_root(struct registry *registry, struct received *received)
{
	char path[32];
	struct stat st;

	(void)snprintf(path, sizeof path, "/proc/%u", received->message.pid);
	if (stat(path, &st) < 0) {
		registry->refused[REFUSED_MESSAGE]++;
		return;
	}
	registry_adopt(registry, received->table, received->control, received->message.pid,
		       st.st_uid, st.st_gid);
	received->table = received->control = -1;
}

void registry_add(struct registry *registry, struct received *received)
{
	struct entry seed = {
		.pid = received->pid,
		.uid = received->uid,
		.gid = received->gid,
		.line = received->message.line,
	};

	/* root speaks for a process that cannot reach us, and only root */
	if (received->message.kind == REGISTRATION_ADOPTED) {
		if (received->uid != 0)
			registry->refused[REFUSED_MESSAGE]++;
		else
			adopt_for_root(registry, received);
		receive_close(received);
		return;
	}
	/* before kernel 6.5 the pidfd was opened by number: it must be the sender's still */
	if (received->pidfd >= 0 && received->pid != 0 &&
	    process_start_ticks(received->pid) != received->message.start_ticks)
		close_fd(&received->pidfd);
	int r = add(registry, received->table, received->control, received->pidfd, seed);

	if (r == 0)
		received->table = received->pidfd = -1;
	else
		registry->refused[r - 1]++;
	receive_close(received);
}

static void add_found(struct registry *registry, int table, int control, int pidfd,
		      struct entry seed)
{
	int r = add(registry, table, control, pidfd, seed);

	if (r != 0) {
		registry->refused[r - 1]++;
		close_fd(&table);
		close_fd(&pidfd);
	}
	close_fd(&control);
}

void registry_adopt(struct registry *registry, int table, int control, uint32_t pid, uint32_t uid,
		    uint32_t gid)
{
	struct entry seed = {.pid = pid, .uid = uid, .gid = gid, .line = REGISTRATION_LINES - 1};

	add_found(registry, table, control, (int)syscall(SYS_pidfd_open, pid, 0), seed);
}

/* Without its lock, which it may be taking again. */
static bool still_writes(int table, uint32_t pid)
{
	struct region_head head;
	struct stat st;
	int r = fstat(table, &st) < 0 ? -errno : tables_is_written_by(pid, st.st_ino);

	if (r >= 0)
		return r > 0;
	/* its memory map is not for us to see */
	return pread(table, &head, sizeof head, 0) == (ssize_t)sizeof head &&
	       process_is(pid, head.pid, head.start_ticks);
}

void registry_restore(struct registry *registry, int table, int control, uint32_t pid, uint32_t uid,
		      uint32_t gid, uint32_t line)
{
	struct entry seed = {.pid = pid, .uid = uid, .gid = gid, .line = line};
	struct flock lock = {.l_type = F_RDLCK, .l_whence = SEEK_SET, .l_len = 1};
	bool is_locked = fcntl(table, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
	bool alive = is_locked ? lock.l_pid <= 0 || (uint32_t)lock.l_pid == pid
			       : still_writes(table, pid);

	/* else the number may be another process by now */
	add_found(registry, table, control, alive ? (int)syscall(SYS_pidfd_open, pid, 0) : -1, seed);
}

/*
 * Nobody holds the lock, but the process lives: it became another program, or it is about to take the
 * lock again, or it closed all descriptors and has had no event since. Its memory map tells. Of a
 * table that has moved nothing is mapped; then any other one will do.
 */
static bool became_another_program(const struct entry *entry)
{
	struct flock lock = {.l_type = F_RDLCK, .l_whence = SEEK_SET, .l_len = 1};
	bool is_moved = region_is_moved(&entry->map);

	if (entry->table < 0 || fcntl(entry->table, F_GETLK, &lock) < 0 || lock.l_type != F_UNLCK)
		return false;
	/* not for us to see: then it counts as alive */
	return tables_is_written_by(entry->pid, is_moved ? 0 : entry->inode) == 0;
}

static struct entry *find_departed(struct registry *registry)
{
	for (struct entry *e = registry->entries; e; e = e->next)
		if (e->departed && e->state == PROCESS_LIVE)
			return e;
	return NULL;
}

void registry_tick(struct registry *registry, uint64_t now_monotonic_ns)
{
	struct entry *departed;

	for (struct entry *e = registry->entries; e; e = e->next)
		if (e->state == PROCESS_LIVE) {
			beat(e, now_monotonic_ns);
			e->departed = became_another_program(e);
		}
	/* a death may forget other entries, so each search starts anew */
	while ((departed = find_departed(registry)))
		entry_died(departed);
}

struct entry *registry_find(struct registry *registry, uint32_t pid)
{
	for (struct entry *e = registry->entries; e; e = e->next)
		if (e->pid == pid && e->state == PROCESS_LIVE)
			return e;
	return NULL;
}

uint64_t registry_event_sum(const struct registry *registry)
{
	uint64_t sum = registry->generation * UINT64_C(0x9e3779b97f4a7c15);

	for (const struct entry *e = registry->entries; e; e = e->next)
		sum = (sum ^ region_event(&e->map)) * UINT64_C(0x100000001b3);
	return sum;
}
