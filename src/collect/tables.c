/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finding tables without a server: a process keeps its table open, so a link
 * under /proc/PID/fd says "/memfd:ttmem". Children inherit the descriptor, so
 * who the writer is comes from the kernel: the owner of the lock on byte 0.
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

/*
 * The process that holds the writer's lock, in our PID namespace; 0 when
 * nobody does: the writer is dead, or has become another program.
 */
static uint32_t lock_owner(int fd)
{
	/* a writer that hands its table to a server drops the lock and takes it again at once */
	for (int look = 0; look < 3; look++) {
		struct flock lock = {.l_type = F_RDLCK, .l_whence = SEEK_SET, .l_len = 1};

		if (fcntl(fd, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK)
			return lock.l_pid > 0 ? (uint32_t)lock.l_pid : 0;
		(void)usleep(200);
	}
	return 0;
}

static int look_at_table(struct finder *finder, int fd, uint32_t holder, const struct stat *st)
{
	struct region_map map;
	uint32_t owner = lock_owner(fd);
	uint32_t pid = owner ? owner : holder;

	if (finder->options->pid && finder->options->pid != pid)
		return 0;
	int r = region_map_open(fd, &map);

	if (r > 0) {
		finder->notes.tables_refused++;
		finder->notes.last_refusal = (enum region_refusal)r;
		finder->notes.last_refused_pid = pid;
		return 0;
	}
	if (r < 0)
		return r == -ENOMEM ? r : 0;
	if (!region_is_moved(&map))
		r = finder->visit(finder->argument, &map, pid, (uint32_t)st->st_uid,
				  owner ? PROCESS_LIVE : PROCESS_EXITED);
	region_map_close(&map);
	return r;
}

static int look_at_descriptor(struct finder *finder, int fds, const char *name, uint32_t pid)
{
	char target[sizeof LINK_PREFIX];
	ssize_t n = readlinkat(fds, name, target, sizeof target - 1);
	struct stat st;

	if (n != (ssize_t)sizeof target - 1 || memcmp(target, LINK_PREFIX, sizeof target - 1) != 0)
		return 0;
	fd_auto fd = openat(fds, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0 || fstat(fd, &st) < 0)
		return 0;
	int r = remember(finder, &st);

	return r > 0 ? look_at_table(finder, fd, pid, &st) : r == -ENOMEM ? r : 0;
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

int tables_visit(const struct collect_options *options, table_visitor *visit, void *argument,
		 struct collect_notes *ret_notes)
{
	struct finder finder = {.options = options, .visit = visit, .argument = argument};
	DIR *proc = opendir("/proc");
	int r = 0;

	if (!proc)
		return -errno;
	for (struct dirent *entry; r == 0 && (entry = readdir(proc));) {
		if (!is_number(entry->d_name))
			continue;
		finder.notes.processes_seen++;
		r = look_at_process(&finder, dirfd(proc), entry->d_name);
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
