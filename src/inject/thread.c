/* SPDX-License-Identifier: Apache-2.0 */
#include "inject/thread.h"

#include <dirent.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/files.h"

/* What a library and its loader need of a stack; the hook has no large frames. */
#define STACK_ROOM ((uint64_t)96 << 10)

/* So often we come back to a process that we may not trace. */
#define FORBIDDEN_LOOKS 250u

/* One that does not come to its stop by then hangs in the kernel. */
#define SETTLE_MS 1000u

/* The kernel's own codes for a system call that is to be started again; they never reach a program. */
enum { RESTARTSYS = -512, RESTARTNOINTR = -513, RESTARTNOHAND = -514, RESTART_RESTARTBLOCK = -516 };

/*
 * System calls in which threads wait for others. Not among them: those that malloc and the loader
 * make while they hold a lock (mmap, mprotect, brk, madvise, openat, fstat).
 */
static const uint16_t waits[] = {
	SYS_read,	SYS_readv,	 SYS_poll,	  SYS_select,	   SYS_pselect6,
	SYS_ppoll,	SYS_epoll_wait,	 SYS_epoll_pwait, SYS_futex,	   SYS_nanosleep,
	SYS_recvfrom,	SYS_recvmsg,	 SYS_recvmmsg,	  SYS_accept,	   SYS_accept4,
	SYS_wait4,	SYS_waitid,	 SYS_pause,	  SYS_rt_sigsuspend, SYS_rt_sigtimedwait,
	SYS_semop,	SYS_semtimedop,	 SYS_msgrcv,	  SYS_mq_timedreceive, SYS_io_getevents,
	SYS_connect,	SYS_sendto,	 SYS_sendmsg,	  SYS_write,	   SYS_clock_nanosleep,
	441 /* epoll_pwait2 */,		 449 /* futex_waitv */, 455 /* futex_wait */,
};

uint64_t thread_now_ns(void)
{
	struct timespec t = {0};

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * UINT64_C(1000000000) + (uint64_t)t.tv_nsec;
}

static void on_alarm(int number)
{
	(void)number;
}

void thread_alarm_start(unsigned milliseconds)
{
	/* no SA_RESTART: waitpid() must come back. Repeated, for an alarm just before the wait */
	const struct sigaction action = {.sa_handler = on_alarm};
	const struct itimerval timer = {.it_interval = {0, 50000},
					.it_value = {milliseconds / 1000, milliseconds % 1000 * 1000}};

	(void)sigaction(SIGALRM, &action, NULL);
	(void)setitimer(ITIMER_REAL, &timer, NULL);
}

void thread_alarm_stop(void)
{
	const struct itimerval none = {0};

	(void)setitimer(ITIMER_REAL, &none, NULL);
}

/* Time spent in want of a processor: by that thread and by this one. */
static uint64_t delays_ns(const struct thread *thread)
{
	char path[64], text[128];
	uint64_t sum = 0, delay;

	(void)snprintf(path, sizeof path, "/proc/%u/task/%d/schedstat", thread->target->pid,
		       thread->tid);
	if (file_read_at(AT_FDCWD, path, text, sizeof text) > 0 &&
	    sscanf(text, "%*s %" SCNu64, &delay) == 1)
		sum += delay;
	if (file_read_at(AT_FDCWD, "/proc/thread-self/schedstat", text, sizeof text) > 0 &&
	    sscanf(text, "%*s %" SCNu64, &delay) == 1)
		sum += delay;
	return sum;
}

static bool is_wait(uint64_t number)
{
	for (size_t i = 0; i < sizeof waits / sizeof waits[0]; i++)
		if (waits[i] == number)
			return true;
	return false;
}

int thread_wait(pid_t tid, int *ret_status)
{
	pid_t r = waitpid(tid, ret_status, __WALL);

	if (r < 0)
		return errno == EINTR ? -EINTR : -ESRCH;
	return WIFSTOPPED(*ret_status) ? 0 : -ESRCH;
}

/* Where the kernel says that it is, without stopping it: a wait in a system call, with stack below? */
static bool seems_to_wait(const struct target *target, const char *tid)
{
	uint64_t stack, at;
	char path[64], line[256];
	unsigned number;

	(void)snprintf(path, sizeof path, "/proc/%u/task/%.20s/syscall", target->pid, tid);
	if (file_read_at(AT_FDCWD, path, line, sizeof line) <= 0)
		return true; /* a kernel that does not tell: the registers will */
	if (sscanf(line, "%u %*s %*s %*s %*s %*s %*s %" SCNx64 " %" SCNx64, &number, &stack, &at) < 3)
		return false; /* "running", or no system call */
	return is_wait(number) && target_stack_room(target, stack) >= STACK_ROOM;
}

static bool is_in_wait(const struct target *target, const struct user_regs_struct *r)
{
	uint8_t code[2];
	int64_t result = (int64_t)r->rax;

	return r->cs == 0x33 && (int64_t)r->orig_rax >= 0 && is_wait(r->orig_rax) &&
	       (result == RESTARTSYS || result == RESTARTNOINTR || result == RESTARTNOHAND ||
		result == RESTART_RESTARTBLOCK) &&
	       target_stack_room(target, r->rsp) >= STACK_ROOM &&
	       target_read(target, r->rip - 2, code, sizeof code) == 0 && code[0] == 0x0f &&
	       code[1] == 0x05;
}

static int save(struct thread *thread)
{
	struct iovec state = {thread->xstate, sizeof thread->xstate};

	if (ptrace(PTRACE_GETREGSET, thread->tid, NT_X86_XSTATE, &state) < 0 ||
	    ptrace(PTRACE_GETSIGMASK, thread->tid, sizeof thread->mask, &thread->mask) < 0)
		return -errno;
	thread->xstate_bytes = state.iov_len;
	return 0;
}

/* Until it has come to the stop that PTRACE_INTERRUPT asked for; signals go on their way. */
static int settle(pid_t tid)
{
	int status, r;

	while ((r = thread_wait(tid, &status)) == 0) {
		int signal_number = WSTOPSIG(status);

		if (status >> 16 == PTRACE_EVENT_STOP)
			return signal_number == SIGTRAP ? 0 : -EBUSY;
		if (ptrace(PTRACE_CONT, tid, NULL, (long)signal_number) < 0)
			return -errno;
	}
	return r;
}

/* Return: 0: it is stopped in a good place; 1: it is not, and goes on; -errno. */
static int try_thread(struct thread *thread, pid_t tid)
{
	if (ptrace(PTRACE_SEIZE, tid, NULL, 0) < 0)
		return errno == ESRCH ? 1 : -errno;
	thread->tid = tid;
	thread->delays_ns = delays_ns(thread);
	thread->stopped_at_ns = thread_now_ns();
	thread_alarm_start(SETTLE_MS);
	int r = ptrace(PTRACE_INTERRUPT, tid, NULL, NULL) < 0 ? -errno : settle(tid);

	thread_alarm_stop();
	if (r == 0 && ptrace(PTRACE_GETREGS, tid, NULL, &thread->registers) < 0)
		r = -errno;
	if (r == 0 && !is_in_wait(thread->target, &thread->registers))
		r = 1;
	if (r == 0)
		r = save(thread);
	if (r != 0) {
		(void)ptrace(PTRACE_DETACH, tid, NULL, NULL);
		return r == -ESRCH ? 1 : r;
	}
	return 0;
}

/* All threads once. Return: 0: one is stopped; 1: none was in a good place; -errno. */
static int try_all(struct thread *thread)
{
	char path[32];
	int r = 1;

	(void)snprintf(path, sizeof path, "/proc/%u/task", thread->target->pid);
	DIR *tasks = opendir(path);

	if (!tasks)
		return -ESRCH;
	for (struct dirent *entry; r == 1 && (entry = file_next_entry(tasks));)
		if (entry->d_name[0] != '.' && seems_to_wait(thread->target, entry->d_name))
			r = try_thread(thread, (pid_t)strtol(entry->d_name, NULL, 10));
	(void)closedir(tasks);
	return r;
}

int thread_stop(struct thread *thread, const struct target *target, uint64_t deadline_ns)
{
	const struct timespec pause = {.tv_nsec = 200000};
	unsigned forbidden = 0;
	int r;

	thread->target = target;
	/* "forbidden" is also what the kernel says where another tracer is, and one of ours is soon done */
	while (((r = try_all(thread)) == 1 && target_is_there(target) && thread_now_ns() < deadline_ns) ||
	       (r == -EPERM && forbidden++ < FORBIDDEN_LOOKS))
		(void)nanosleep(&pause, NULL);
	if (r == 1 && !target_is_there(target))
		return -ESRCH;
	return r == -EINTR || r == 1 ? -ETIMEDOUT : r;
}

/* A SIGCONT after the SIGSTOP would still be pending: all signals are blocked. */
static bool is_continued(const struct thread *thread)
{
	static const char *const lines[] = {"\nSigPnd:", "\nShdPnd:"};
	char path[64], text[4096];

	(void)snprintf(path, sizeof path, "/proc/%u/task/%d/status", thread->target->pid, thread->tid);
	if (file_read_at(AT_FDCWD, path, text, sizeof text) <= 0)
		return false;
	for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
		const char *line = strstr(text, lines[i]);

		if (line && strtoull(line + strlen(lines[i]), NULL, 16) >> (SIGCONT - 1) & 1)
			return true;
	}
	return false;
}

static void pay_stop(struct thread *thread)
{
	if (thread->owes_stop && !is_continued(thread))
		(void)syscall(SYS_tgkill, thread->target->pid, thread->tid, SIGSTOP);
	thread->owes_stop = false;
}

uint64_t thread_release(struct thread *thread, uint64_t *ret_starved_ns)
{
	struct iovec state = {thread->xstate, thread->xstate_bytes};
	uint64_t starved = delays_ns(thread) - thread->delays_ns;

	pay_stop(thread);
	(void)ptrace(PTRACE_SETREGSET, thread->tid, NT_X86_XSTATE, &state);
	(void)ptrace(PTRACE_SETSIGMASK, thread->tid, sizeof thread->mask, &thread->mask);
	(void)ptrace(PTRACE_SETREGS, thread->tid, NULL, &thread->registers);
	(void)ptrace(PTRACE_DETACH, thread->tid, NULL, NULL);
	uint64_t stopped = thread_now_ns() - thread->stopped_at_ns;

	*ret_starved_ns = starved < stopped ? starved : stopped;
	return stopped;
}
