/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finding tables without a server: a process keeps its table open, so a link
 * under /proc/PID/fd says "/memfd:ttmem". Children inherit the descriptor, so
 * who the writer is comes from the kernel: the owner of the lock on byte 0, or
 * else the process that maps the file for writing.
 * A lock is not held at every moment: a writer that hands its table to a server
 * loses it and takes it again, and may lose its processor in between.
 *
 * We may be the writer ourselves, and then the way through /proc is a trap:
 * closing any descriptor of a file drops all locks that the process holds on
 * it, so that everybody else would believe the writer to be dead. A table of
 * which we hold a descriptor is therefore read through that one, which is
 * neither duplicated nor closed, wherever else it was met.
 */
#include "collect/tables.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/files.h"
#include "region/format.h"

#define LINK_PREFIX "/memfd:" REGION_NAME " ("

/* Tables of one machine that are looked at; a limit against a forest of forged ones. */
#define TABLES_MAX 4096

struct seen {
	uint64_t device, inode;
};

/* A table as it was met: `fd` is ours to close unless `is_own`. */
struct candidate {
	int fd;
	bool is_own;
	uint32_t holder; /* in whose /proc/PID/fd it was */
	struct stat st;
};

struct finder {
	const struct collect_options *options;
	table_visitor *visit;
	void *argument;
	struct collect_notes notes;
	struct seen *seen;
	uint32_t seen_count;
};

static bool is_number(const char *name)
{
	return isdigit((unsigned char)name[0]);
}

/* Return: 1 new; 0 known already (a child inherited it); -ENOMEM, -ENOSPC. */
static int remember(struct finder *finder, const struct stat *st)
{
	for (uint32_t i = 0; i < finder->seen_count; i++)
		if (finder->seen[i].inode == st->st_ino && finder->seen[i].device == st->st_dev)
			return 0;
	if (finder->seen_count == TABLES_MAX)
		return -ENOSPC;
	struct seen *memory =
		realloc(finder->seen, (finder->seen_count + 1) * sizeof *finder->seen);

	if (!memory)
		return -ENOMEM;
	finder->seen = memory;
	finder->seen[finder->seen_count++] = (struct seen){st->st_dev, st->st_ino};
	return 1;
}

int tables_is_written_by(uint32_t pid, uint64_t inode)
{
	char path[64], *line = NULL;
	size_t room = 0;
	int found = 0;

	(void)snprintf(path, sizeof path, "/proc/%u/maps", pid);
	FILE *maps = fopen(path, "re");

	if (!maps)
		return -errno;
	while (!found && getline(&line, &room, maps) > 0) {
		unsigned long long number;
		char rights[5];
		int at = 0;

		found = sscanf(line, "%*s %4s %*s %*s %llu %n", rights, &number, &at) == 2 &&
			(number == inode || inode == 0) && rights[1] == 'w' &&
			strncmp(line + at, LINK_PREFIX, sizeof LINK_PREFIX - 1) == 0;
	}
	free(line);
	(void)fclose(maps);
	return found;
}

/* The process that holds the writer's lock, in our PID namespace; 0 when nobody does. */
static uint32_t lock_owner(int fd)
{
	struct flock lock = {.l_type = F_RDLCK, .l_whence = SEEK_SET, .l_len = 1};

	if (fcntl(fd, F_GETLK, &lock) < 0 || lock.l_type == F_UNLCK)
		return 0;
	return lock.l_pid > 0 ? (uint32_t)lock.l_pid : 0;
}

/*
 * Who writes the table; 0 when nobody does: the writer is dead, or has become another program. A
 * writer that hands its table to a server drops the lock and takes it again at once, and may be
 * stopped in between: then its memory map tells, of whom we met or of whom the table names.
 */
static uint32_t owner_of(const struct candidate *table, const struct region_map *map)
{
	const struct region_head *head = (const struct region_head *)(const void *)map->base;
	uint32_t owner = lock_owner(table->fd);

	if (owner)
		return owner;
	/*
	 * Our own locks never stand in our way, so the kernel does not name us. A descriptor is closed
	 * at exec, and a child is another pid: who has both is the writer.
	 */
	if (table->is_own && head->pid == (uint32_t)getpid())
		return head->pid;
	if (tables_is_written_by(table->holder, table->st.st_ino) > 0)
		return table->holder;
	return tables_is_written_by(head->pid, table->st.st_ino) > 0 ? head->pid : 0;
}

static int look_at_table(struct finder *finder, const struct candidate *table)
{
	struct region_map map;
	int r = region_map_open(table->fd, &map);

	if (r < 0)
		return r == -ENOMEM ? r : 0;
	uint32_t owner = r > 0 ? lock_owner(table->fd) : owner_of(table, &map);
	uint32_t pid = owner ? owner : table->holder;
	bool is_wanted = !finder->options->pid || finder->options->pid == pid;

	if (r > 0) {
		finder->notes.tables_refused += is_wanted;
		finder->notes.last_refusal = (enum region_refusal)r;
		finder->notes.last_refused_pid = pid;
		return 0;
	}
	if (is_wanted && !region_is_moved(&map))
		r = finder->visit(finder->argument, &map, pid, (uint32_t)table->st.st_uid,
				  owner ? PROCESS_LIVE : PROCESS_EXITED);
	region_map_close(&map);
	return r;
}

static bool is_table(int fds, const char *name)
{
	char target[sizeof LINK_PREFIX];
	ssize_t n = readlinkat(fds, name, target, sizeof target - 1);

	return n == (ssize_t)sizeof target - 1 && memcmp(target, LINK_PREFIX, sizeof target - 1) == 0;
}

/* A descriptor of ours for the file that was met, so that it need not be opened; -1: we have none. */
static int own_descriptor(const struct stat *met)
{
	DIR *own = opendir("/proc/self/fd");
	int found = -1;

	for (struct dirent *entry; own && found < 0 && (entry = readdir(own));) {
		struct stat st;
		int fd = is_number(entry->d_name) ? (int)strtol(entry->d_name, NULL, 10) : -1;

		if (fd >= 0 && fd != dirfd(own) && is_table(dirfd(own), entry->d_name) &&
		    fstat(fd, &st) == 0 && st.st_ino == met->st_ino && st.st_dev == met->st_dev)
			found = fd;
	}
	if (own)
		(void)closedir(own);
	return found;
}

static int look_at_descriptor(struct finder *finder, int fds, const char *name, uint32_t pid)
{
	struct candidate table = {.holder = pid};

	/* stat goes through the link without opening the file */
	if (!is_table(fds, name) || fstatat(fds, name, &table.st, 0) < 0)
		return 0;
	int r = remember(finder, &table.st);

	if (r <= 0)
		return r == -ENOMEM ? r : 0;
	table.fd = own_descriptor(&table.st);
	table.is_own = table.fd >= 0;
	if (!table.is_own)
		table.fd = openat(fds, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (table.fd < 0 || fstat(table.fd, &table.st) < 0)
		r = 0;
	else
		r = look_at_table(finder, &table);
	if (!table.is_own && table.fd >= 0)
		(void)close(table.fd);
	return r;
}

static int look_at_process(struct finder *finder, int proc, const char *name)
{
	char path[PATH_MAX];
	int r = 0;

	(void)snprintf(path, sizeof path, "%s/fd", name);
	int fd = openat(proc, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *directory = fd < 0 ? NULL : fdopendir(fd);

	if (!directory) {
		finder->notes.processes_denied += errno == EACCES || errno == EPERM;
		if (fd >= 0)
			(void)close(fd);
		return 0;
	}
	for (struct dirent *entry; r == 0 && (entry = readdir(directory));)
		if (is_number(entry->d_name))
			r = look_at_descriptor(finder, fd, entry->d_name,
					       (uint32_t)strtoul(name, NULL, 10));
	(void)closedir(directory);
	return r;
}

static int look_at_all(struct finder *finder, DIR *proc)
{
	int r = 0;

	for (struct dirent *entry; r == 0 && (entry = readdir(proc));) {
		if (!is_number(entry->d_name))
			continue;
		finder->notes.processes_seen++;
		r = look_at_process(finder, dirfd(proc), entry->d_name);
	}
	return r;
}

int tables_visit(const struct collect_options *options, table_visitor *visit, void *argument,
		 struct collect_notes *ret_notes)
{
	struct finder finder = {.options = options, .visit = visit, .argument = argument};
	DIR *proc = opendir("/proc");
	int r = 0;

	if (!proc)
		return -errno;
	if (options->pid == (uint32_t)getpid()) {
		char own[16];

		/* one's own is asked for often, and lies nowhere else */
		(void)snprintf(own, sizeof own, "%u", options->pid);
		finder.notes.processes_seen = 1;
		r = look_at_process(&finder, dirfd(proc), own);
	} else {
		r = look_at_all(&finder, proc);
	}
	(void)closedir(proc);
	free(finder.seen);
	if (ret_notes)
		*ret_notes = finder.notes;
	return r;
}

int tables_open_control(uint32_t pid)
{
	char path[64], target[64];

	(void)snprintf(path, sizeof path, "/proc/%u/fd", pid);
	DIR *directory = opendir(path);
	int found = -1;

	for (struct dirent *entry; directory && found < 0 && (entry = readdir(directory));) {
		ssize_t n = readlinkat(dirfd(directory), entry->d_name, target, sizeof target - 1);

		target[n > 0 ? n : 0] = '\0';
		if (strncmp(target, "/memfd:" CONTROL_NAME " (", sizeof CONTROL_NAME + 8) == 0)
			found = openat(dirfd(directory), entry->d_name, O_RDWR | O_CLOEXEC);
	}
	if (directory)
		(void)closedir(directory);
	return found;
}
