/* SPDX-License-Identifier: Apache-2.0 */
#include "source/card_users.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/files.h"

/* One line a descriptor; more than so many bytes are no list of descriptors any more. */
#define LIST_MAX (UINT32_C(16) << 20)

/* UMD's robust mutex in shared memory (x86-64 glibc), and what UMD writes behind it. */
#if defined __aarch64__
#define LOCK_MUTEX_BYTES 48
#else
#define LOCK_MUTEX_BYTES 40
#endif
#define LOCK_MAGIC    UINT64_C(0x5454554d444d5458)
#define LOCK_TID_MASK UINT32_C(0x3fffffff)

struct umd_lock {
	uint32_t word; /* thread id of the holder, and flags */
	uint8_t rest[LOCK_MUTEX_BYTES - sizeof(uint32_t)];
	uint64_t magic;
	uint32_t owner_tid, owner_pid;
};

/* One number of the list; 0 is a process in a PID namespace that we do not see. */
static void add_handle(struct card_reading *reading, uint64_t pid)
{
	reading->handles.value++;
	if (pid == 0) {
		reading->foreign_handles.value++;
		return;
	}
	for (uint32_t i = 0; i < reading->user_count; i++)
		if (reading->users[i].pid == pid) {
			reading->users[i].handles++;
			return;
		}
	if (reading->user_count < CARD_USERS_MAX)
		reading->users[reading->user_count++] =
			(struct card_reader_user){(uint32_t)pid, 1};
}

/* A line is a decimal number; one that is anything else is passed over. */
struct line {
	uint64_t number;
	bool any, bad;
};

static void take_byte(struct card_reading *reading, struct line *line, char c)
{
	if (c == '\n') {
		if (line->any && !line->bad)
			add_handle(reading, line->number);
		*line = (struct line){0};
		return;
	}
	line->any = true;
	line->bad = line->bad || c < '0' || c > '9';
	if (!line->bad)
		line->number = line->number * 10 + (uint64_t)(c - '0');
	line->bad = line->bad || line->number > INT32_MAX;
}

/* Return: 0 or -errno; the list may be longer than any buffer. */
static int read_list(int fd, struct card_reading *reading)
{
	struct line line = {0};
	char chunk[4096];

	for (uint32_t total = 0; total < LIST_MAX;) {
		ssize_t n = read(fd, chunk, sizeof chunk);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		for (ssize_t i = 0; i < n; i++)
			take_byte(reading, &line, chunk[i]);
		total += (uint32_t)n;
	}
	take_byte(reading, &line, '\n');
	return 0;
}

static struct fact absent_list(int error)
{
	if (error == -ENOENT || error == -ENOTDIR)
		return fact_absent(REASON_USERS_UNKNOWN);
	if (error == -EACCES || error == -EPERM)
		return (struct fact){.state = FACT_DENIED, .reason = REASON_PERMISSION};
	return fact_absent(REASON_READ);
}

static bool read_lock(int fd, struct umd_lock *lock)
{
	size_t n = 0;

	while (n < sizeof *lock) {
		ssize_t got = read(fd, (char *)lock + n, sizeof *lock - n);

		if (got > 0)
			n += (size_t)got;
		else if (got == 0 || errno != EINTR)
			return false;
	}
	return true;
}

/* Read, never locked: a robust mutex that somebody tries from outside can be stolen. */
static struct fact lock_holder(int root, uint32_t number)
{
	struct umd_lock lock;
	char path[64];

	(void)snprintf(path, sizeof path, "dev/shm/TT_UMD_LOCK.CHIP_IN_USE_%u_PCIe", number);
	fd_auto fd = file_open_at(root, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);

	if (fd < 0 || !read_lock(fd, &lock) ||
	    lock.magic != LOCK_MAGIC || (lock.word & LOCK_TID_MASK) == 0 || lock.owner_pid == 0 ||
	    lock.owner_pid > INT32_MAX)
		return fact_absent(REASON_NONE);
	return fact_of(lock.owner_pid);
}

void card_read_users(int root, struct card_reading *reading)
{
	char path[64];

	(void)snprintf(path, sizeof path, "proc/driver/tenstorrent/%u/pids", reading->number);
	fd_auto fd = file_open_at(root, path, O_RDONLY | O_NONBLOCK);

	reading->user_count = 0;
	reading->handles = reading->foreign_handles = fact_of(0);
	reading->started_pid = lock_holder(root, reading->number);
	int r = fd < 0 ? fd : read_list(fd, reading);

	if (r < 0) {
		reading->user_count = 0;
		reading->handles = reading->foreign_handles = absent_list(r);
	}
}
