/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libttmem-faults.so: preloaded into ttmem or ttmemd, it makes files fail that
 * plain files cannot make fail.
 *
 *   TTMEM_FAULT=PATTERN:KIND:N[:COUNT]
 *       the Nth call on a path that contains PATTERN (and COUNT - 1 more; COUNT 0: all from
 *       there on). KIND: EIO ENODEV ENODATA ENOENT EACCES ... EINTR; short (one byte); ones (a
 *       dead chip's "4294967295"); hang=SECONDS; spin=SECONDS (busy all the while, as one that has
 *       lost its processor). CALL.KIND counts only calls of one sort: open, read, link, stat, list.
 *       A driver in reset is "/tt_:read.ENODATA:1:0".
 *   TTMEM_FAULT_COUNT=FILE   a line for each call that matched, so that a test can do every N
 *   TTMEM_TRACE_OPEN=FILE    a line for each open: name, TAB, file that it was, TAB, open or path
 *
 * A call by name is matched by the name, made absolute; a call by descriptor by
 * the kernel's name of it, in which links are resolved. N counts per process.
 * The libc functions are stepped into, so system calls made otherwise are not
 * seen: what is inside of fopen, readdir or realpath counts as that call, or
 * not at all.
 */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "plan.h"

#define EXPORT __attribute__((visibility("default")))
#define ONES   "4294967295\n"

/* The next definition of the function we stand in for; looked up again in each call, which costs
 * little and needs no state that threads would share. */
#define REAL(name) ((__typeof__(&(name)))next_of(NAME(name)))
#define NAME(name) #name

static void *next_of(const char *name)
{
	int before = errno;
	void *real = dlsym(RTLD_NEXT, name);

	errno = before;
	return real;
}

__attribute__((constructor)) static void start(void)
{
	plan_read();
}

/* What becomes of a call on a name, seen from a directory, or on a descriptor (name NULL). */
static enum kind meet(enum call call, const char *function, int fd, const char *name)
{
	char path[PATH_MAX];

	if (!plan_wants(call))
		return KIND_NONE;
	path_of(fd, name, path, sizeof path);
	return plan_meet(call, function, path);
}

static void trace(int directory, const char *name, int fd, int flags)
{
	char path[PATH_MAX];

	if (!plan_wants(CALL_OPEN))
		return;
	path_of(directory, name, path, sizeof path);
	plan_trace(path, fd, flags);
}

/* --- open --- */

static int open_at(const char *function, int directory, const char *name, int flags, mode_t mode)
{
	int fd = -1;

	if (meet(CALL_OPEN, function, directory, name) != KIND_ERROR)
		fd = REAL(openat)(directory, name, flags, mode);
	trace(directory, name, fd, flags);
	return fd;
}

/* The mode is there only with these flags; reading it otherwise would be reading anything. */
#define OPEN_VARIADIC(symbol, function, directory, ...)                                            \
	EXPORT int symbol(__VA_ARGS__, int flags, ...)                                             \
	{                                                                                          \
		mode_t mode = 0;                                                                   \
                                                                                                   \
		if (flags & O_CREAT || (flags & O_TMPFILE) == O_TMPFILE) {                         \
			va_list arguments;                                                         \
                                                                                                   \
			va_start(arguments, flags);                                                \
			mode = va_arg(arguments, mode_t);                                          \
			va_end(arguments);                                                         \
		}                                                                                  \
		return open_at(function, directory, name, flags, mode);                            \
	}
OPEN_VARIADIC(open, "open", AT_FDCWD, const char *name)
OPEN_VARIADIC(open64, "open", AT_FDCWD, const char *name)
OPEN_VARIADIC(openat, "openat", directory, int directory, const char *name)
OPEN_VARIADIC(openat64, "openat", directory, int directory, const char *name)

/* What _FORTIFY_SOURCE makes of the above, and of others below. */
int __open_2(const char *name, int flags);
int __open64_2(const char *name, int flags);
int __openat_2(int directory, const char *name, int flags);
int __openat64_2(int directory, const char *name, int flags);
EXPORT int __open_2(const char *name, int flags)
{
	return open_at("open", AT_FDCWD, name, flags, 0);
}
EXPORT int __open64_2(const char *name, int flags)
{
	return open_at("open", AT_FDCWD, name, flags, 0);
}
EXPORT int __openat_2(int directory, const char *name, int flags)
{
	return open_at("openat", directory, name, flags, 0);
}
EXPORT int __openat64_2(int directory, const char *name, int flags)
{
	return open_at("openat", directory, name, flags, 0);
}

EXPORT DIR *opendir(const char *name)
{
	DIR *directory = NULL;

	if (meet(CALL_OPEN, "opendir", AT_FDCWD, name) != KIND_ERROR)
		directory = REAL(opendir)(name);
	trace(AT_FDCWD, name, directory ? dirfd(directory) : -1, O_DIRECTORY);
	return directory;
}

static FILE *open_stream(const char *symbol, const char *name, const char *mode)
{
	FILE *(*real)(const char *, const char *) =
	    (FILE * (*)(const char *, const char *)) next_of(symbol);
	FILE *file = NULL;

	if (meet(CALL_OPEN, "fopen", AT_FDCWD, name) != KIND_ERROR)
		file = real(name, mode);
	trace(AT_FDCWD, name, file ? fileno(file) : -1, 0);
	return file;
}

EXPORT FILE *fopen(const char *name, const char *mode)
{
	return open_stream("fopen", name, mode);
}
EXPORT FILE *fopen64(const char *name, const char *mode)
{
	return open_stream("fopen64", name, mode);
}

/* --- read --- */

/* All ones once, then the end, as a reader that reads to the end expects of an attribute. */
static ssize_t read_ones(int fd, void *to, size_t size)
{
	ssize_t n = REAL(read)(fd, to, size);

	if (n <= 0)
		return n;
	lseek(fd, 0, SEEK_END);
	n = (ssize_t)(size < strlen(ONES) ? size : strlen(ONES));
	memcpy(to, ONES, (size_t)n);
	return n;
}

EXPORT ssize_t read(int fd, void *to, size_t size)
{
	switch (meet(CALL_READ, "read", fd, NULL)) {
	case KIND_ERROR:
		return -1;
	case KIND_SHORT:
		return REAL(read)(fd, to, size ? 1 : 0);
	case KIND_ONES:
		return read_ones(fd, to, size);
	default:
		return REAL(read)(fd, to, size);
	}
}

EXPORT ssize_t pread(int fd, void *to, size_t size, off_t at)
{
	switch (meet(CALL_READ, "pread", fd, NULL)) {
	case KIND_ERROR:
		return -1;
	case KIND_SHORT:
		return REAL(pread)(fd, to, size ? 1 : 0, at);
	case KIND_ONES:
		if (at >= (off_t)strlen(ONES))
			return 0;
		if (size > strlen(ONES) - (size_t)at)
			size = strlen(ONES) - (size_t)at;
		memcpy(to, &ONES[at], size);
		return (ssize_t)size;
	default:
		return REAL(pread)(fd, to, size, at);
	}
}

EXPORT ssize_t pread64(int fd, void *to, size_t size, off64_t at)
{
	return pread(fd, to, size, at);
}

ssize_t __read_chk(int fd, void *to, size_t size, size_t room);
ssize_t __pread_chk(int fd, void *to, size_t size, off_t at, size_t room);
ssize_t __pread64_chk(int fd, void *to, size_t size, off64_t at, size_t room);
void __chk_fail(void) __attribute__((noreturn));
EXPORT ssize_t __read_chk(int fd, void *to, size_t size, size_t room)
{
	if (size > room)
		__chk_fail();
	return read(fd, to, size);
}
EXPORT ssize_t __pread_chk(int fd, void *to, size_t size, off_t at, size_t room)
{
	if (size > room)
		__chk_fail();
	return pread(fd, to, size, at);
}
EXPORT ssize_t __pread64_chk(int fd, void *to, size_t size, off64_t at, size_t room)
{
	return __pread_chk(fd, to, size, at, room);
}

/* --- links --- */

static ssize_t link_at(const char *function, int directory, const char *name, char *to, size_t size)
{
	switch (meet(CALL_LINK, function, directory, name)) {
	case KIND_ERROR:
		return -1;
	case KIND_SHORT:
		return REAL(readlinkat)(directory, name, to, 1);
	default:
		return REAL(readlinkat)(directory, name, to, size);
	}
}

EXPORT ssize_t readlink(const char *name, char *to, size_t size)
{
	return link_at("readlink", AT_FDCWD, name, to, size);
}
EXPORT ssize_t readlinkat(int directory, const char *name, char *to, size_t size)
{
	return link_at("readlinkat", directory, name, to, size);
}

ssize_t __readlink_chk(const char *name, char *to, size_t size, size_t room);
ssize_t __readlinkat_chk(int directory, const char *name, char *to, size_t size, size_t room);
EXPORT ssize_t __readlink_chk(const char *name, char *to, size_t size, size_t room)
{
	if (size > room)
		__chk_fail();
	return readlink(name, to, size);
}
EXPORT ssize_t __readlinkat_chk(int directory, const char *name, char *to, size_t size, size_t room)
{
	if (size > room)
		__chk_fail();
	return readlinkat(directory, name, to, size);
}

/* --- what is there --- */

#define STAT_FUNCTIONS(suffix)                                                                     \
	EXPORT int fstatat##suffix(int directory, const char *name, struct stat##suffix *st,       \
				   int flags)                                                      \
	{                                                                                          \
		if (meet(CALL_STAT, "fstatat", directory, name) == KIND_ERROR)                     \
			return -1;                                                                 \
		return REAL(fstatat##suffix)(directory, name, st, flags);                          \
	}                                                                                          \
	EXPORT int stat##suffix(const char *name, struct stat##suffix *st)                         \
	{                                                                                          \
		if (meet(CALL_STAT, "stat", AT_FDCWD, name) == KIND_ERROR)                         \
			return -1;                                                                 \
		return REAL(stat##suffix)(name, st);                                               \
	}                                                                                          \
	EXPORT int lstat##suffix(const char *name, struct stat##suffix *st)                        \
	{                                                                                          \
		if (meet(CALL_STAT, "lstat", AT_FDCWD, name) == KIND_ERROR)                        \
			return -1;                                                                 \
		return REAL(lstat##suffix)(name, st);                                              \
	}
STAT_FUNCTIONS()
STAT_FUNCTIONS(64)

EXPORT int statx(int directory, const char *name, int flags, unsigned mask, struct statx *st)
{
	if (meet(CALL_STAT, "statx", directory, name) == KIND_ERROR)
		return -1;
	return REAL(statx)(directory, name, flags, mask, st);
}
EXPORT int faccessat(int directory, const char *name, int mode, int flags)
{
	if (meet(CALL_STAT, "faccessat", directory, name) == KIND_ERROR)
		return -1;
	return REAL(faccessat)(directory, name, mode, flags);
}
EXPORT int access(const char *name, int mode)
{
	if (meet(CALL_STAT, "access", AT_FDCWD, name) == KIND_ERROR)
		return -1;
	return REAL(access)(name, mode);
}

/* --- directories: one call is one entry --- */

EXPORT struct dirent *readdir(DIR *directory)
{
	if (meet(CALL_LIST, "readdir", dirfd(directory), NULL) == KIND_ERROR)
		return NULL;
	return REAL(readdir)(directory);
}
EXPORT struct dirent64 *readdir64(DIR *directory)
{
	if (meet(CALL_LIST, "readdir", dirfd(directory), NULL) == KIND_ERROR)
		return NULL;
	return REAL(readdir64)(directory);
}
EXPORT ssize_t getdents64(int fd, void *to, size_t size)
{
	if (meet(CALL_LIST, "getdents64", fd, NULL) == KIND_ERROR)
		return -1;
	return REAL(getdents64)(fd, to, size);
}
