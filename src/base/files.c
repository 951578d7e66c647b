/* SPDX-License-Identifier: Apache-2.0 */
#include "base/files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>

int file_open_at(int directory, const char *path, int flags)
{
	int fd;

	do {
		fd = openat(directory, path, flags | O_CLOEXEC);
	} while (fd < 0 && errno == EINTR);
	return fd < 0 ? -errno : fd;
}

struct dirent *file_next_entry(DIR *directory)
{
	struct dirent *entry;

	do {
		errno = 0;
		entry = readdir(directory);
	} while (!entry && errno == EINTR);
	return entry;
}

static ssize_t read_at(int directory, const char *path, char *to, size_t size, bool line)
{
	fd_auto fd = file_open_at(directory, path, O_RDONLY | O_NONBLOCK);
	size_t n = 0;

	if (fd < 0)
		return fd;
	while (n < size - 1) {
		ssize_t got = read(fd, to + n, size - 1 - n);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		if (got == 0)
			break;
		n += (size_t)got;
		if (line && to[n - 1] == '\n') {
			n--;
			break;
		}
	}
	to[n] = '\0';
	return (ssize_t)n;
}

ssize_t file_read_at(int directory, const char *path, char *to, size_t size)
{
	return read_at(directory, path, to, size, false);
}

ssize_t file_read_line_at(int directory, const char *path, char *to, size_t size)
{
	return read_at(directory, path, to, size, true);
}
