/* SPDX-License-Identifier: Apache-2.0 */
/* The slow half of the futex lock: a short spin, then sleep in the kernel. */
#include "region/lock.h"

#include <errno.h>
#include <linux/futex.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

/*
 * The lock is held for tens of nanoseconds; sleeping costs microseconds. Each
 * failed look doubles the wait before the next: a holder that comes back at
 * once then finds table and lock still in its own cache, which is worth more
 * than fairness between two threads that do nothing else.
 */
#define LOOKS	   12
#define PAUSES_MAX 64

static long futex(uint32_t *word, int op, uint32_t value)
{
	/* raw, so that it is no cancellation point of the application's threads */
	return syscall(SYS_futex, word, op, value, NULL, NULL, 0);
}

void region_lock_slow(struct region_lock *lock)
{
	int saved_errno = errno;

	for (int look = 0, pauses = 4; look < LOOKS; look++) {
		uint32_t expected = 0;

		if (__atomic_load_n(&lock->word, __ATOMIC_RELAXED) == 0 &&
		    __atomic_compare_exchange_n(&lock->word, &expected, 1, 0, __ATOMIC_ACQUIRE,
						__ATOMIC_RELAXED))
			return;
		for (int i = 0; i < pauses; i++)
			__builtin_ia32_pause();
		pauses = 2 * pauses > PAUSES_MAX ? PAUSES_MAX : 2 * pauses;
	}
	/* From here on the word says 2, so that whoever gives it back wakes us. */
	while (__atomic_exchange_n(&lock->word, 2, __ATOMIC_ACQUIRE) != 0)
		(void)futex(&lock->word, FUTEX_WAIT_PRIVATE, 2);
	errno = saved_errno;
}

void region_lock_wake(struct region_lock *lock)
{
	int saved_errno = errno;

	(void)futex(&lock->word, FUTEX_WAKE_PRIVATE, 1);
	errno = saved_errno;
}
