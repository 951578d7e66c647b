/* SPDX-License-Identifier: Apache-2.0 */
#include "inject/inject.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/files.h"
#include "inject/call.h"

#define HOOK_NAME  "libttmem-hook.so"
#define SECOND_NS  UINT64_C(1000000000)
#define DLOPEN_BIT 0x80000000u /* __RTLD_DLOPEN, which __libc_dlopen_mode wants to see */

/* The functions of the process's C library, looked up before anything is stopped. */
struct loader {
	uint64_t open, find, error; /* error 0: an old libc, which says nothing */
	uint64_t memfd_create, close;
	uint32_t open_flags;
};

/* From glibc 2.34 on everything is in libc; before, libdl has it where somebody has loaded it. */
static int find_loader(const struct target *target, struct loader *loader)
{
	struct target_object libc, libdl;

	*loader = (struct loader){.open_flags = RTLD_NOW};
	if (target_find(target, "libc.so.6", &libc) < 0 && target_find(target, "libc-2.", &libc) < 0)
		return -ENOSYS;
	(void)target_symbol(target, &libc, "memfd_create", &loader->memfd_create);
	(void)target_symbol(target, &libc, "close", &loader->close);
	if (target_symbol(target, &libc, "dlopen", &loader->open) == 0) {
		(void)target_symbol(target, &libc, "dlerror", &loader->error);
		return target_symbol(target, &libc, "dlsym", &loader->find);
	}
	if ((target_find(target, "libdl.so.2", &libdl) == 0 ||
	     target_find(target, "libdl-2.", &libdl) == 0) &&
	    target_symbol(target, &libdl, "dlopen", &loader->open) == 0 &&
	    target_symbol(target, &libdl, "dlsym", &loader->find) == 0) {
		(void)target_symbol(target, &libdl, "dlerror", &loader->error);
		return 0;
	}
	loader->open_flags |= DLOPEN_BIT;
	if (target_symbol(target, &libc, "__libc_dlopen_mode", &loader->open) < 0 ||
	    target_symbol(target, &libc, "__libc_dlsym", &loader->find) < 0)
		return -ENOSYS;
	return 0;
}

static int read_status(const struct target *target, const struct target_object *hook,
		       struct late_status *ret_status)
{
	struct late_status status;
	uint64_t at;

	if (target_symbol(target, hook, "ttmem_hook_status", &at) < 0 ||
	    target_read(target, at, &status, sizeof status) < 0 || status.magic != LATE_MAGIC)
		return -ENOENT;
	status.entry[sizeof status.entry - 1] = '\0';
	*ret_status = status;
	return 0;
}

int inject_status(uint32_t pid, struct late_status *ret_status)
{
	struct target target;
	struct target_object hook;
	int r = target_open(&target, pid);

	if (r < 0)
		return r;
	*ret_status = (struct late_status){0};
	if (target_find(&target, HOOK_NAME, &hook) == 0)
		(void)read_status(&target, &hook, ret_status);
	target_close(&target);
	return 0;
}

/* Whoever interrupts us in the middle of it would not learn what has become of it. */
static void hold_signals(sigset_t *before)
{
	sigset_t all;

	(void)sigfillset(&all);
	(void)sigdelset(&all, SIGALRM);
	(void)sigprocmask(SIG_SETMASK, &all, before);
}

/* What is to be done in a thread of the process. */
struct work {
	const struct target *target;
	int (*run)(struct thread *thread, struct work *work);
	const char *library;
	int copy; /* of the library, for who does not see it; -1: none */
	struct loader loader;
	uint64_t function;
	struct injection *injection;
};

static int work_there(struct work *work)
{
	static struct thread thread;

	/* a thread waits for us: nobody else should come first, where that is ours to say */
	(void)setpriority(PRIO_PROCESS, 0, -20);

	int r = thread_stop(&thread, work->target, thread_now_ns() + SECOND_NS);
	if (r == 0) {
		r = call_begin(&thread);
		if (r == 0)
			r = work->run(&thread, work);
		work->injection->stopped_ns =
			thread_release(&thread, &work->injection->starved_ns);
	}
	return r;
}

/* What the child that does the work leaves behind. */
struct outcome {
	int result;
	struct injection injection;
};

/*
 * In a child with a session and a name of its own. A tracer that is killed leaves the thread in the
 * middle of a call that was not its own, and the program dies of that: whoever kills ttmem, by its
 * number, by its name or with its terminal, does not kill the child, which is done soon.
 */
static int do_work(struct work *work)
{
	struct injection *injection = work->injection;
	sigset_t before;
	int status = 0, r = 0;
	struct outcome *outcome = mmap(NULL, sizeof *outcome, PROT_READ | PROT_WRITE,
				       MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (outcome == MAP_FAILED)
		return -errno;
	hold_signals(&before);
	pid_t child = fork();

	if (child == 0) {
		(void)setsid();
		(void)prctl(PR_SET_NAME, "injection", 0, 0, 0);
		work->injection = &outcome->injection;
		outcome->result = work_there(work);
		_exit(0);
	}
	r = child < 0 ? -errno : 0;
	while (r == 0 && waitpid(child, &status, 0) < 0)
		r = errno == EINTR ? 0 : -errno;
	if (r == 0 && (!WIFEXITED(status) || WEXITSTATUS(status) != 0))
		r = -ESRCH;
	if (r == 0) {
		*injection = outcome->injection;
		r = outcome->result;
	}
	(void)munmap(outcome, sizeof *outcome);
	(void)sigprocmask(SIG_SETMASK, &before, NULL);
	return r;
}

static void say_error(struct thread *thread, const struct work *work)
{
	struct injection *injection = work->injection;
	uint64_t text = 0;

	(void)snprintf(injection->text, sizeof injection->text, "it gives no reason");
	if (work->loader.error &&
	    call_function(thread, work->loader.error, 0, 0, &text) == 0 && text)
		(void)target_read_string(thread->target, text, injection->text,
					 sizeof injection->text);
}

/* The library's bytes into a file in the process's own memory; its descriptor there. */
static int put_copy(struct thread *thread, const struct work *work, uint64_t *ret_fd)
{
	static const char expected[] = "/memfd:/" HOOK_NAME " (deleted)";
	char path[64], bytes[16384], name_there[sizeof expected];
	uint64_t name = 0;
	ssize_t n;
	int r = work->loader.memfd_create && work->loader.close ? 0 : -ENOSYS;

	/* a slash, so that the name in its memory map looks like a path */
	if (r == 0)
		r = call_text(thread, "/" HOOK_NAME, &name);
	if (r == 0)
		r = call_function(thread, work->loader.memfd_create, name, 1 /* MFD_CLOEXEC */, ret_fd);
	if (r < 0 || (int)*ret_fd < 0)
		return r < 0 ? r : -ENOSYS;
	(void)snprintf(path, sizeof path, "/proc/%u/fd/%d", thread->target->pid, (int)*ret_fd);
	fd_auto to = open(path, O_WRONLY | O_CLOEXEC);

	if (to < 0 || lseek(work->copy, 0, SEEK_SET) < 0)
		return -errno;
	/* its other threads go on: one may have closed the number and opened another file there */
	(void)snprintf(path, sizeof path, "/proc/self/fd/%d", to);
	if (readlink(path, name_there, sizeof name_there) != (ssize_t)sizeof expected - 1 ||
	    memcmp(name_there, expected, sizeof expected - 1) != 0)
		return -EIO;
	while ((n = read(work->copy, bytes, sizeof bytes)) > 0)
		if (write(to, bytes, (size_t)n) != n)
			return -EIO;
	return n < 0 ? -errno : 0;
}

static int load(struct thread *thread, struct work *work, uint64_t *ret_handle)
{
	char own[64];
	const char *path = work->library;
	uint64_t text = 0, fd = 0, ignored;
	int r = 0;

	if (work->copy >= 0) {
		r = put_copy(thread, work, &fd);
		(void)snprintf(own, sizeof own, "/proc/self/fd/%d", (int)fd);
		path = own;
	}
	if (r == 0)
		r = call_text(thread, path, &text);
	if (r == 0)
		r = call_function(thread, work->loader.open, text, work->loader.open_flags,
				  ret_handle);
	if (r == 0 && *ret_handle == 0) {
		say_error(thread, work);
		r = -ELIBACC;
	}
	if (work->copy >= 0 && (r == 0 || r == -ELIBACC)) {
		int closed = call_function(thread, work->loader.close, fd, 0, &ignored);

		r = r ? r : closed;
	}
	return r;
}

static int run_attach(struct thread *thread, struct work *work)
{
	uint64_t handle = 0, text = 0, result = 0;
	int r = 0;

	if (!work->function) {
		r = load(thread, work, &handle);
		if (r == 0)
			r = call_text(thread, "ttmem_hook_attach", &text);
		if (r == 0)
			r = call_function(thread, work->loader.find, handle, text, &work->function);
		if (r == 0 && !work->function)
			r = -ELIBACC;
	}
	if (r == 0)
		r = call_text(thread, "attach", &text);
	if (r == 0)
		r = call_function(thread, work->function, text, 0, &result);
	if (r == 0)
		work->injection->result = (int)result;
	return r;
}

static int run_detach(struct thread *thread, struct work *work)
{
	uint64_t result;
	int r = call_function(thread, work->function, 0, 0, &result);

	if (r == 0)
		work->injection->result = (int)result;
	return r;
}

static void look_again(struct target *target, struct injection *injection)
{
	struct target_object hook;

	if (target_look(target) == 0 && target_find(target, HOOK_NAME, &hook) == 0)
		(void)read_status(target, &hook, &injection->status);
}

int inject_attach(uint32_t pid, const char *library, int is_own, struct injection *ret_injection)
{
	struct target target;
	struct target_object hook;
	struct work work = {.target = &target,
			    .run = run_attach,
			    .library = library,
			    .copy = -1,
			    .injection = ret_injection};
	int r = target_open(&target, pid);

	if (r < 0)
		return r;
	*ret_injection = (struct injection){0};
	/* there since an earlier time: the loader is not needed */
	if (target_find(&target, HOOK_NAME, &hook) == 0)
		(void)target_symbol(&target, &hook, "ttmem_hook_attach", &work.function);
	if (!work.function)
		r = find_loader(&target, &work.loader);
	if (r == -ENOSYS && !target_is_there(&target))
		r = -ESRCH;
	if (r == 0 && is_own && !work.function) {
		work.copy = open(library, O_RDONLY | O_CLOEXEC);
		r = work.copy < 0 ? -errno : 0;
	}
	if (r == 0)
		r = do_work(&work);
	if (r == 0)
		look_again(&target, ret_injection);
	if (work.copy >= 0)
		(void)close(work.copy);
	target_close(&target);
	return r;
}

int inject_detach(uint32_t pid, struct injection *ret_injection)
{
	struct target target;
	struct target_object hook;
	struct work work = {.target = &target, .run = run_detach, .copy = -1,
			    .injection = ret_injection};
	int r = target_open(&target, pid);

	if (r < 0)
		return r;
	*ret_injection = (struct injection){0};
	if (target_find(&target, HOOK_NAME, &hook) < 0 ||
	    target_symbol(&target, &hook, "ttmem_hook_detach", &work.function) < 0)
		r = -ENOENT;
	if (r == 0)
		r = do_work(&work);
	if (r == 0)
		look_again(&target, ret_injection);
	target_close(&target);
	return r;
}
