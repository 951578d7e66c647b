/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The plan is read once and then only looked at; what changes is one counter.
 * Files are written with single writes to descriptors opened for appending, so
 * that lines of several threads and processes stay whole. Everything here is
 * by system call: a libc function might be one that is stepped into.
 */
#include "plan.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define BAD_PLAN   97 /* exit code */
#define LINE_BYTES (3 * PATH_MAX)

static const char *const call_names[CALLS] = {"open", "read", "link", "stat", "list"};

static const struct {
	const char *name;
	int number;
} errors[] = {{"EIO", EIO},	  {"ENODEV", ENODEV}, {"ENODATA", ENODATA}, {"ENOENT", ENOENT},
	      {"EACCES", EACCES}, {"EPERM", EPERM},   {"EINTR", EINTR},	    {"EMFILE", EMFILE},
	      {"ENOMEM", ENOMEM}, {"ESRCH", ESRCH},   {"EAGAIN", EAGAIN},   {"ELOOP", ELOOP}};

static struct {
	char text[PATH_MAX]; /* of TTMEM_FAULT, cut into pieces */
	const char *pattern; /* NULL: no fault */
	enum kind kind;
	int only; /* an enum call, or -1 for all */
	int error;
	struct timespec hang;
	unsigned long first, count; /* count 0: from the first on, for ever */
	const char *count_path, *trace_path; /* NULL: not wanted */
} plan;
static atomic_ulong seen;

static void __attribute__((noreturn)) bad_plan(const char *what, const char *value)
{
	dprintf(STDERR_FILENO, "libttmem-faults: %s: %s\n", what, value);
	_exit(BAD_PLAN);
}

static int open_log(const char *path)
{
	return (int)syscall(SYS_openat, AT_FDCWD, path,
			    O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
}

/* Opened for each line: a child that closes all descriptors would take the log with them. */
static const char *append_to(const char *variable)
{
	const char *path = getenv(variable);

	if (!path)
		return NULL;
	int fd = open_log(path);

	if (fd < 0)
		bad_plan(variable, path);
	syscall(SYS_close, fd);
	return path;
}

/* Cuts ":digits" off the end of a text; false when there is none. */
static bool cut_number(char *text, unsigned long *number)
{
	char *colon = strrchr(text, ':'), *end;

	if (!colon || colon[1] < '0' || colon[1] > '9')
		return false;
	*number = strtoul(colon + 1, &end, 10);
	if (*end)
		return false;
	*colon = '\0';
	return true;
}

static void read_kind(const char *kind)
{
	const char *dot = strchr(kind, '.');

	plan.only = -1;
	for (int i = 0; dot && i < CALLS; i++) {
		if (strlen(call_names[i]) == (size_t)(dot - kind) &&
		    strncmp(kind, call_names[i], (size_t)(dot - kind)) == 0) {
			plan.only = i;
			kind = dot + 1;
			break;
		}
	}
	for (size_t i = 0; i < sizeof errors / sizeof *errors; i++) {
		if (strcmp(kind, errors[i].name) == 0) {
			plan.kind = KIND_ERROR;
			plan.error = errors[i].number;
			return;
		}
	}
	if (strcmp(kind, "short") == 0) {
		plan.kind = KIND_SHORT;
	} else if (strcmp(kind, "ones") == 0) {
		plan.kind = KIND_ONES;
	} else if ((strncmp(kind, "hang=", 5) == 0 || strncmp(kind, "spin=", 5) == 0) &&
		   strtod(kind + 5, NULL) > 0) {
		double seconds = strtod(kind + 5, NULL);

		plan.kind = kind[0] == 'h' ? KIND_HANG : KIND_SPIN;
		plan.hang.tv_sec = (time_t)seconds;
		plan.hang.tv_nsec = (long)((seconds - (double)plan.hang.tv_sec) * 1e9);
	} else {
		bad_plan("no such kind of fault", kind);
	}
}

void plan_read(void)
{
	const char *text = getenv("TTMEM_FAULT");
	unsigned long last;
	char *kind;

	plan.count_path = append_to("TTMEM_FAULT_COUNT");
	plan.trace_path = append_to("TTMEM_TRACE_OPEN");
	if (!text)
		return;
	if (strlen(text) >= sizeof plan.text)
		bad_plan("TTMEM_FAULT too long", text);
	strcpy(plan.text, text);
	/* from the right: a pattern may be a PCI address, with colons */
	if (!cut_number(plan.text, &last))
		bad_plan("TTMEM_FAULT is no PATTERN:KIND:N[:COUNT]", text);
	if (cut_number(plan.text, &plan.first)) {
		plan.count = last;
	} else {
		plan.first = last;
		plan.count = 1;
	}
	kind = strrchr(plan.text, ':');
	if (!kind || kind == plan.text)
		bad_plan("TTMEM_FAULT is no PATTERN:KIND:N[:COUNT]", text);
	*kind = '\0';
	read_kind(kind + 1);
	plan.pattern = plan.text;
}

bool plan_wants(enum call call)
{
	return (plan.pattern && (plan.only < 0 || plan.only == (int)call)) ||
	       (call == CALL_OPEN && plan.trace_path);
}

static void __attribute__((format(printf, 2, 3))) add_line(const char *path, const char *format, ...)
{
	char line[LINE_BYTES];
	va_list arguments;
	int n;

	va_start(arguments, format);
	n = vsnprintf(line, sizeof line - 1, format, arguments);
	va_end(arguments);
	if (n < 0)
		return;
	if (n > LINE_BYTES - 2)
		n = LINE_BYTES - 2;
	for (int i = 0; i < n; i++)
		line[i] = line[i] == '\n' ? '?' : line[i];
	line[n] = '\n';
	int fd = open_log(path);

	if (fd >= 0) {
		syscall(SYS_write, fd, line, n + 1);
		syscall(SYS_close, fd);
	}
}

/* To its end, whatever signals come: a stuck read does not come back for them either. */
static void sleep_through(struct timespec left)
{
	while (nanosleep(&left, &left) < 0 && errno == EINTR)
		;
}

/* As one that is ready to run and does not come to it. */
static void spin_through(struct timespec left)
{
	struct timespec start, now;

	clock_gettime(CLOCK_MONOTONIC, &start);
	do
		clock_gettime(CLOCK_MONOTONIC, &now);
	while (now.tv_sec - start.tv_sec < left.tv_sec ||
	       (now.tv_sec - start.tv_sec == left.tv_sec && now.tv_nsec - start.tv_nsec < left.tv_nsec));
}

enum kind plan_meet(enum call call, const char *name, const char *path)
{
	int before = errno;
	unsigned long n;

	if (!plan.pattern || (plan.only >= 0 && plan.only != (int)call) ||
	    !strstr(path, plan.pattern))
		return KIND_NONE;
	/* relaxed: it orders nothing but itself */
	n = atomic_fetch_add_explicit(&seen, 1, memory_order_relaxed) + 1;
	if (plan.count_path)
		add_line(plan.count_path, "%s %s", name, path);
	errno = before;
	if (n < plan.first || (plan.count && n - plan.first >= plan.count))
		return KIND_NONE;
	if (plan.kind == KIND_HANG || plan.kind == KIND_SPIN) {
		if (plan.kind == KIND_HANG)
			sleep_through(plan.hang);
		else
			spin_through(plan.hang);
		errno = before;
		return KIND_NONE;
	}
	if (plan.kind == KIND_ERROR)
		errno = plan.error;
	return plan.kind;
}

void plan_trace(const char *path, int fd, int flags)
{
	char real[PATH_MAX] = "";
	int before = errno;

	if (!plan.trace_path)
		return;
	if (fd >= 0)
		path_of(fd, NULL, real, sizeof real);
	add_line(plan.trace_path, "%s\t%s\t%s", path, real, flags & O_PATH ? "path" : "open");
	errno = before;
}

void path_of(int fd, const char *name, char *to, unsigned long size)
{
	char link[64];
	int before = errno;
	long n;

	if (name && *name == '/') {
		snprintf(to, size, "%s", name);
		return;
	}
	if (fd == AT_FDCWD)
		strcpy(link, "/proc/self/cwd");
	else
		snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	n = syscall(SYS_readlinkat, AT_FDCWD, link, to, size - 1);
	if (n < 0)
		n = 0;
	if (name)
		snprintf(to + n, size - (unsigned long)n, "/%s", name);
	else
		to[n] = '\0';
	errno = before;
}
