/* SPDX-License-Identifier: Apache-2.0 */
/* Bounded reads below a directory descriptor: nothing here follows a path it was not given. */
#ifndef TTMEM_BASE_FILES_H
#define TTMEM_BASE_FILES_H

#include <dirent.h>
#include <stddef.h>
#include <unistd.h>

static inline void fd_cleanup(int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
}
#define fd_auto __attribute__((cleanup(fd_cleanup))) int

/* file_open_at - openat() with O_CLOEXEC. Return: descriptor, or -errno. EINTR is retried. */
int file_open_at(int directory, const char *path, int flags);
/* file_next_entry - readdir() that retries EINTR. NULL: the end, errno 0, or a failure. */
struct dirent *file_next_entry(DIR *directory);
/*
 * file_read_at - up to size - 1 bytes of a small file, NUL-terminated.
 * Return: bytes read, or -errno. EINTR is retried.
 */
ssize_t file_read_at(int directory, const char *path, char *to, size_t size);
/*
 * file_read_line_at - the same for files of one line (sysfs): the newline ends it, which saves
 * the read that would only say "end". The newline is taken off.
 */
ssize_t file_read_line_at(int directory, const char *path, char *to, size_t size);

#endif
