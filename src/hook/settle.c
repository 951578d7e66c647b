/* SPDX-License-Identifier: Apache-2.0 */
#include "hook/settle.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "hook/now.h"

#define ROUNDS 3

/* Much longer than what is waited for takes, once it runs. */
#define WORK_NS 50000
#define NAP_NS	100000

/* As the kernel lays it out. */
struct entry {
	uint64_t inode;
	int64_t offset;
	uint16_t bytes;
	uint8_t type;
	char name[];
};

/* What the thread has used of a processor, up to now. Return: false: it has ended. */
static bool work_of(pid_t tid, uint64_t *ret_ns)
{
	/* the clock of a thread by its number, as pthread_getcpuclockid() makes it */
	int clock = (int)((~(uint32_t)tid << 3) | 6u);
	struct timespec t;

	if (syscall(SYS_clock_gettime, clock, &t) < 0)
		return false;
	*ret_ns = (uint64_t)t.tv_sec * UINT64_C(1000000000) + (uint64_t)t.tv_nsec;
	return true;
}

/* Ready to run, or held up on its way; who waits for an event is where it will be. */
static bool is_on_its_way(int tasks, const char *name)
{
	char path[32], stat[256];

	(void)snprintf(path, sizeof path, "%.20s/stat", name);
	int fd = (int)syscall(SYS_openat, tasks, path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : syscall(SYS_read, fd, stat, sizeof stat - 1);

	if (fd >= 0)
		(void)syscall(SYS_close, fd);
	if (n <= 0)
		return false;
	stat[n] = '\0';
	/* behind a name in parentheses, which may hold anything */
	const char *p = strrchr(stat, ')');

	return p && p[1] == ' ' && strchr("RDTt", p[2]);
}

static int settle_one(int tasks, const char *name, uint64_t end_ns)
{
	const struct timespec nap = {.tv_nsec = NAP_NS};
	pid_t tid = (pid_t)strtol(name, NULL, 10);
	uint64_t before, now;

	if (tid == syscall(SYS_gettid) || !work_of(tid, &before))
		return 0;
	while (is_on_its_way(tasks, name)) {
		if (hook_now_ns() >= end_ns)
			return -EAGAIN;
		(void)syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, &nap, NULL);
		if (!work_of(tid, &now) || now - before >= WORK_NS)
			break;
	}
	return 0;
}

/* All that are listed; one that is born meanwhile has not been anywhere. */
static int settle_round(int tasks, uint64_t end_ns)
{
	_Alignas(8) char entries[2048];
	long n;
	int r = 0;

	if (syscall(SYS_lseek, tasks, 0, SEEK_SET) < 0)
		return -errno;
	while (r == 0 && (n = syscall(SYS_getdents64, tasks, entries, sizeof entries)) > 0)
		for (long at = 0; r == 0 && at < n;) {
			const struct entry *entry = (const struct entry *)(const void *)(entries + at);

			if (entry->name[0] != '.')
				r = settle_one(tasks, entry->name, end_ns);
			at += entry->bytes;
		}
	return r;
}

int settle_threads(uint64_t limit_ns)
{
	uint64_t end_ns = hook_now_ns() + limit_ns;
	int tasks = (int)syscall(SYS_openat, AT_FDCWD, "/proc/self/task",
				 O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r = tasks < 0 ? -errno : 0;

	for (int round = 0; r == 0 && round < ROUNDS; round++)
		r = settle_round(tasks, end_ns);
	if (tasks >= 0)
		(void)syscall(SYS_close, tasks);
	return r;
}
