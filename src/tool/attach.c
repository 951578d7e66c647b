/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ttmem attach and detach: the hook comes into a process that was started without it, and goes.
 *
 * Everything that can be known from outside is looked at first, so that a process that cannot take
 * it is never stopped. What is found is a hint: the process may change in between, and then the
 * injection fails by itself.
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/files.h"
#include "inject/inject.h"
#include "source/inspect.h"
#include "tool/exit_codes.h"
#include "tool/hook_path.h"
#include "tool/options.h"
#include "tool/output.h"

#define PRELOADED "process %" PRIu32 " was started with the hook"

static const struct option_row attach_rows[] = {
	{"seccomp", 0, ARGUMENT_NONE, NULL,
	 "also under a seccomp filter, as containers have one; a filter that kills would end it", NULL},
	{0},
};

static const struct option_row detach_rows[] = {{0}};

struct request {
	uint32_t pid;
	bool seccomp;
};

/* Of /proc/PID/status. */
struct standing {
	unsigned uid, tracer, seccomp;
	bool shadow_stack, ignores_faults;
};

static int on_option(void *context, unsigned row, const char *value)
{
	struct request *request = context;

	(void)row;
	(void)value;
	request->seccomp = true;
	return 0;
}

static void read_standing(uint32_t pid, struct standing *ret_standing)
{
	static const char *const names[] = {"\nUid:", "\nTracerPid:", "\nSeccomp:"};
	unsigned *const values[] = {&ret_standing->uid, &ret_standing->tracer,
				    &ret_standing->seccomp};
	char path[32], text[8192];

	*ret_standing = (struct standing){.uid = UINT_MAX};
	(void)snprintf(path, sizeof path, "/proc/%" PRIu32 "/status", pid);
	if (file_read_at(AT_FDCWD, path, text, sizeof text) <= 0)
		return;
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		const char *at = strstr(text, names[i]);

		if (at)
			*values[i] = (unsigned)strtoul(at + strlen(names[i]), NULL, 10);
	}
	const char *ignored = strstr(text, "\nSigIgn:");

	ret_standing->ignores_faults =
		ignored && strtoull(ignored + 8, NULL, 16) >> (SIGSEGV - 1) & 1;

	const char *features = strstr(text, "\nx86_Thread_features:");

	ret_standing->shadow_stack = features && strstr(features, "shstk") != NULL;
}

/* yama(5): 0 nothing forbidden, 1 descendants only, 2 with CAP_SYS_PTRACE, 3 nobody */
static int yama_scope(void)
{
	char text[16];

	return file_read_at(AT_FDCWD, "/proc/sys/kernel/yama/ptrace_scope", text, sizeof text) > 0
		       ? (int)strtol(text, NULL, 10)
		       : 0;
}

static int refuse_denied(uint32_t pid)
{
	struct standing standing;
	int scope = yama_scope();

	read_standing(pid, &standing);
	if (standing.uid != UINT_MAX && standing.uid != getuid())
		output_error("denied", "become its user, or root",
			     "process %" PRIu32 " belongs to user %u", pid, standing.uid);
	else if (scope > 0)
		output_error("denied",
			     scope < 3 ? "become root, or set kernel.yama.ptrace_scope to 0"
				       : "start it with ttmem run: this cannot be changed before a reboot",
			     "kernel.yama.ptrace_scope is %d: the kernel lets nobody %sinto process "
			     "%" PRIu32,
			     scope, scope < 3 ? "but root " : "", pid);
	else
		output_error("denied", "become root; in a container, with CAP_SYS_PTRACE",
			     "the kernel does not let us into process %" PRIu32, pid);
	return EXIT_PERMISSION;
}

/* Its program is one of this architecture, as far as the file tells. */
static bool is_foreign(uint32_t pid)
{
	char path[32];
	Elf64_Ehdr head;

	(void)snprintf(path, sizeof path, "/proc/%" PRIu32 "/exe", pid);
	fd_auto fd = open(path, O_RDONLY | O_CLOEXEC);

	return fd >= 0 && read(fd, &head, sizeof head) == (ssize_t)sizeof head &&
	       memcmp(head.e_ident, ELFMAG, SELFMAG) == 0 &&
	       (head.e_ident[EI_CLASS] != ELFCLASS64 || head.e_machine != EM_X86_64);
}

static int refuse(uint32_t pid, const char *hint, const char *why)
{
	output_error("refused", hint, "process %" PRIu32 " %s", pid, why);
	return EXIT_REFUSED;
}

/* What can be known without stopping it. Return: 0 or exit code. */
static int look(const struct request *request, const struct inspection *i)
{
	struct standing standing;
	uint32_t pid = request->pid;

	read_standing(pid, &standing);
	if (is_foreign(pid))
		return refuse(pid, NULL, "is of another architecture: the hook is for x86-64");
	if (i->is_static)
		return refuse(pid, "link it with TT-Metal's shared library",
			      "is linked statically: it has no loader to bring the hook in");
	if (!i->has_metal)
		return refuse(pid, "wait until it has loaded TT-Metal, or name the one that has",
			      "has no TT-Metal in it");
	if (i->is_off)
		return refuse(pid, "start it without that variable",
			      "was started with TTMEM=off");
	if (standing.tracer)
		return refuse(pid, "let the debugger go first",
			      "is being traced already, by a debugger or by another ttmem");
	if (standing.shadow_stack)
		return refuse(pid, "start it with ttmem run",
			      "has a shadow stack, on which no call can be put");
	if (standing.ignores_faults)
		return refuse(pid, "start it with ttmem run", "ignores SIGSEGV, which is needed for it");
	if (standing.seccomp && !request->seccomp)
		return refuse(pid,
			      "--seccomp attaches all the same; a filter that kills would end it",
			      "runs under a seccomp filter, which may forbid what the hook needs");
	return 0;
}

/* Does the process see another file under that path, or none? */
static bool is_elsewhere(uint32_t pid, const char *path)
{
	char below[PATH_MAX + 32];
	struct stat ours, theirs;

	(void)snprintf(below, sizeof below, "/proc/%" PRIu32 "/root%s", pid, path);
	return stat(path, &ours) < 0 || stat(below, &theirs) < 0 ||
	       ours.st_dev != theirs.st_dev || ours.st_ino != theirs.st_ino;
}

static int explain_error(uint32_t pid, int error, const struct injection *injection)
{
	switch (error) {
	case -EPERM:
	case -EACCES:
		return refuse_denied(pid);
	case -ENOENT:
	case -ESRCH:
		output_error("not_found", NULL, "there is no process %" PRIu32 " any more", pid);
		return EXIT_NOT_FOUND;
	case -EBUSY:
		return refuse(pid, "let it go on first (SIGCONT)", "is stopped");
	case -ENOSYS:
		return refuse(pid, "start it with ttmem run",
			      "has a C library that is no glibc, or too old a one");
	case -ELIBACC:
		output_error("refused", "start it with ttmem run",
			     "the loader of process %" PRIu32 " does not take the hook: %s", pid,
			     injection->text);
		return EXIT_REFUSED;
	case -ETIMEDOUT:
		return refuse(pid, "try again: it goes on as before",
			      "had no thread that waited in a system call within a second");
	default:
		output_error("failed", NULL, "process %" PRIu32 ": %s", pid, strerror(-error));
		return EXIT_FAILED;
	}
}

/* What the hook itself answered. */
static int explain_result(uint32_t pid, int result)
{
	if (result == -ECANCELED)
		return refuse(pid, "start it without that variable", "has TTMEM=off in its environment");
	if (result == -ENOENT)
		return refuse(pid, NULL, "has a TT-Metal that calls nothing the hook knows");
	if (result == -EBUSY)
		return refuse(pid, "try again", "is being attached to or detached from by itself");
	output_error("failed", NULL, "process %" PRIu32 ": the slots cannot be written: %s", pid,
		     strerror(-result));
	return EXIT_FAILED;
}

/* On a busy machine most of it is waiting for a processor, which it would have done anyway. */
static void say_stopped(const struct injection *injection)
{
	printf("one thread stood still for %.1f ms", (double)injection->stopped_ns / 1e6);
	if (injection->starved_ns > injection->stopped_ns / 4)
		printf(", %.1f ms of them in want of a processor",
		       (double)injection->starved_ns / 1e6);
	putchar('\n');
}

static int say_attached(uint32_t pid, const struct injection *injection)
{
	if (injection->status.state == LATE_PRELOADED) {
		printf(PRELOADED ": nothing to do\n", pid);
		return EXIT_OK;
	}
	printf("attached to process %" PRIu32 ": %" PRIu32 " slots; ", pid,
	       injection->status.slots);
	say_stopped(injection);
	puts("what it holds already is seen from the next allocation of each device on");
	return EXIT_OK;
}

/* Is there nothing to do? Return: exit code, or -1 to go on. */
static int say_present(uint32_t pid, const struct inspection *inspection)
{
	struct late_status status = {0};

	if (!inspection->has_hook)
		return -1;
	int r = inject_status(pid, &status);

	if (r < 0)
		return explain_error(pid, r, NULL);
	if (status.state == LATE_ATTACHED)
		printf("process %" PRIu32 " has the hook already (%.15s): nothing to do\n", pid,
		       status.entry);
	else if (status.state == LATE_PRELOADED || inspection->is_preloaded)
		printf(PRELOADED ": nothing to do\n", pid);
	else
		return -1;
	return EXIT_OK;
}

static int attach(const struct request *request)
{
	struct inspection inspection;
	struct injection injection;
	char path[PATH_MAX];
	uint32_t pid = request->pid;
	fd_auto root = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	inspect_process(root, pid, &inspection);
	if (!inspection.exists) {
		output_error("not_found", NULL, "there is no process %" PRIu32, pid);
		return EXIT_NOT_FOUND;
	}
	if (inspection.is_denied)
		return refuse_denied(pid);
	int r = say_present(pid, &inspection);

	if (r >= 0)
		return r;
	r = look(request, &inspection);
	if (r != 0)
		return r;
	r = hook_path(path, sizeof path);
	if (r < 0 && r != -EINVAL)
		return hook_refused(path, r);
	r = inject_attach(pid, path, is_elsewhere(pid, path), &injection);
	if (r == -ENOSYS) {
		/* what has become another program since has not loaded its libraries yet */
		inspect_process(root, pid, &inspection);
		r = inspection.has_metal ? r : -ESRCH;
	}
	if (r < 0)
		return explain_error(pid, r, &injection);
	return injection.result < 0 ? explain_result(pid, injection.result)
				    : say_attached(pid, &injection);
}

static int detach(const struct request *request)
{
	struct late_status status;
	struct injection injection;
	uint32_t pid = request->pid;
	int r = inject_status(pid, &status);

	if (r < 0)
		return explain_error(pid, r, NULL);
	if (status.magic == 0)
		return refuse(pid, NULL, "does not have the hook");
	if (status.state == LATE_DETACHED) {
		printf("process %" PRIu32 " is detached already: nothing to do\n", pid);
		return EXIT_OK;
	}
	r = status.state == LATE_ATTACHED ? inject_detach(pid, &injection) : 0;
	if (r < 0)
		return explain_error(pid, r, &injection);
	if (status.state != LATE_ATTACHED || injection.result == -EPERM)
		return refuse(pid, "it goes when the process ends",
			      "was started with the hook, which cannot be taken out");
	if (injection.result < 0)
		return explain_result(pid, injection.result);
	printf("detached from process %" PRIu32 ": ", pid);
	say_stopped(&injection);
	return EXIT_OK;
}

static int run_with(const struct command *command, int argc, char **argv,
		    int (*act)(const struct request *request))
{
	struct request request = {0};
	uint64_t pid;
	int rest, r = options_parse(command, argc, argv, on_option, &request, &rest);

	if (r >= 0)
		return r;
	if (rest + 1 != argc)
		return usage_error(command, rest == argc ? "which process?" : "one process at a time");
	if (parse_u64(argv[rest], &pid) < 0 || pid == 0 || pid > INT_MAX)
		return usage_error(command, "%s is no process id", argv[rest]);
	request.pid = (uint32_t)pid;
	return act(&request);
}

static int run_attach(const struct command *command, int argc, char **argv)
{
	return run_with(command, argc, argv, attach);
}

static int run_detach(const struct command *command, int argc, char **argv)
{
	return run_with(command, argc, argv, detach);
}

const struct command command_attach = {
	.name = "attach",
	.synopsis = "[--seccomp] PID",
	.summary = "Makes the device memory of a running process visible.",
	.options = attach_rows,
	.run = run_attach,
	.operands_anywhere = true,
};

const struct command command_detach = {
	.name = "detach",
	.synopsis = "PID",
	.summary = "Takes back what ttmem attach has changed in a process.",
	.options = detach_rows,
	.run = run_detach,
	.operands_anywhere = true,
};
