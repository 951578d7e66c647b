/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One thread of another process, stopped: the others go on.
 *
 * It is taken where it waits in a system call, which is the one place where it surely holds no lock
 * of the loader or of malloc, and where it would do nothing anyway. When it is let go, all of its
 * registers are what they were, and the kernel starts the system call again as after any other
 * interruption that no signal handler has seen.
 */
#ifndef TTMEM_INJECT_THREAD_H
#define TTMEM_INJECT_THREAD_H

#include <signal.h>
#include <stdbool.h>
#include <sys/types.h>
#include <sys/user.h>

#include "inject/target.h"

#define THREAD_XSTATE_BYTES 16384u

struct thread {
	const struct target *target;
	pid_t	 tid;
	uint64_t stopped_at_ns;
	uint64_t delays_ns; /* of it and of us, before */
	uint64_t mask;	 /* blocked signals */
	bool	 owes_stop; /* a SIGSTOP came, which cannot be blocked, and is sent again at the end */
	uint64_t xstate_bytes;
	struct user_regs_struct registers;
	uint8_t	 xstate[THREAD_XSTATE_BYTES];
};

/*
 * thread_stop - takes a thread that waits in a system call, trying all of them until `deadline_ns`
 * (CLOCK_MONOTONIC). Return: 0; -EPERM: the kernel forbids it; -ESRCH: the process is gone;
 * -EBUSY: it is stopped by job control; -ETIMEDOUT: no thread was in such a place.
 */
int thread_stop(struct thread *thread, const struct target *target, uint64_t deadline_ns);
/*
 * thread_release - puts everything back. Return: nanoseconds that it was stopped; `ret_starved_ns`:
 * how many of them it, or we, were ready to go on and had no processor, as far as the kernel tells.
 */
uint64_t thread_release(struct thread *thread, uint64_t *ret_starved_ns);

/* thread_wait - for its next stop, until the alarm. Return: 0, -EINTR or -ESRCH. */
int thread_wait(pid_t tid, int *ret_status);
/* thread_alarm_start - waits end after so many milliseconds; thread_alarm_stop - not any more */
void thread_alarm_start(unsigned milliseconds);
void thread_alarm_stop(void);
uint64_t thread_now_ns(void);

#endif
