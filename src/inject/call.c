/* SPDX-License-Identifier: Apache-2.0 */
#include "inject/call.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/files.h"

/* Where a function returns to. Nothing is ever mapped there. */
#define NOWHERE 0x10u

#define RED_ZONE   128u /* below its stack pointer a function may keep things */
#define TEXT_BYTES 4096u
#define CARRY	   0x1u
#define TRAP	   0x100u
#define DIRECTION  0x400u

/* A call that has not come back by then waits for something; one that does not wait may take longer. */
#define CALL_MS	 1000u
#define PATIENCE 10

static uint64_t text_at(const struct thread *thread)
{
	return (thread->registers.rsp - RED_ZONE - TEXT_BYTES) & ~UINT64_C(63);
}

int call_begin(struct thread *thread)
{
	/* a handler of the program's must not run in the middle of what is ours; the one signal that
	   we wait for must not be blocked, else the kernel would reset its handler */
	uint64_t all = ~(UINT64_C(1) << (SIGSEGV - 1));

	return ptrace(PTRACE_SETSIGMASK, thread->tid, sizeof all, &all) < 0 ? -errno : 0;
}

int call_text(struct thread *thread, const char *text, uint64_t *ret_address)
{
	size_t bytes = strlen(text) + 1;

	if (bytes > TEXT_BYTES)
		return -ENAMETOOLONG;
	*ret_address = text_at(thread);
	return target_write(thread->target, *ret_address, text, bytes);
}

/* Does it wait for somebody, after all this time? */
static bool is_waiting(const struct thread *thread)
{
	char path[64], line[256];

	(void)snprintf(path, sizeof path, "/proc/%u/task/%d/syscall", thread->target->pid, thread->tid);
	return file_read_at(AT_FDCWD, path, line, sizeof line) > 0 &&
	       strtol(line, NULL, 10) == SYS_futex && line[0] != 'r';
}

static int give_up(struct thread *thread)
{
	int status;

	thread_alarm_start(CALL_MS);
	if (ptrace(PTRACE_INTERRUPT, thread->tid, NULL, NULL) == 0)
		(void)thread_wait(thread->tid, &status);
	return -ETIMEDOUT;
}

/* Until the thread has come back with this stack. Return: 0, -errno. */
static int run(struct thread *thread, uint64_t stack, struct user_regs_struct *registers)
{
	int status, r, patience = PATIENCE;

	for (;;) {
		if (ptrace(PTRACE_CONT, thread->tid, NULL, NULL) < 0)
			return -ESRCH;
		while ((r = thread_wait(thread->tid, &status)) == -EINTR)
			if (is_waiting(thread) || --patience == 0)
				return give_up(thread);
			else
				thread_alarm_start(CALL_MS);
		if (r < 0)
			return r;
		/* somebody stops the whole process; that has to wait until we are done */
		if (WSTOPSIG(status) == SIGSTOP)
			thread->owes_stop = true;
		if (status >> 16 != 0 || WSTOPSIG(status) == SIGSTOP)
			continue;
		/* every other signal can be blocked and is, so it is ours or its own mistake */
		if (ptrace(PTRACE_GETREGS, thread->tid, NULL, registers) < 0)
			return -ESRCH;
		return WSTOPSIG(status) == SIGSEGV && registers->rip == NOWHERE &&
				       registers->rsp == stack
			       ? 0
			       : -EFAULT;
	}
}

int call_function(struct thread *thread, uint64_t function, uint64_t a, uint64_t b,
		  uint64_t *ret_result)
{
	struct user_regs_struct registers = thread->registers;
	uint64_t stack = text_at(thread), back = NOWHERE;

	/* as after a call instruction: the stack is 8 off a multiple of 16 */
	registers.rsp = stack - sizeof back;
	int r = target_write(thread->target, registers.rsp, &back, sizeof back);

	if (r < 0)
		return r;
	registers.rip = function;
	registers.rdi = a;
	registers.rsi = b;
	registers.rax = 0;
	registers.rbp = 0;
	registers.eflags &= ~(unsigned long long)(CARRY | TRAP | DIRECTION);
	/* no system call is to be started again on the way to the function */
	registers.orig_rax = ~0ull;
	if (ptrace(PTRACE_SETREGS, thread->tid, NULL, &registers) < 0)
		return -ESRCH;
	thread_alarm_start(CALL_MS);
	r = run(thread, stack, &registers);
	thread_alarm_stop();
	if (r == 0)
		*ret_result = registers.rax;
	return r;
}
