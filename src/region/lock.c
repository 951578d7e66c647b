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

static long futex(struct region_lock *lock, int op, uint64_t value)
{
	/* a futex has 32 bits: the low ones. Raw, so that it is no cancellation point of the application's */
	return syscall(SYS_futex, &lock->word, op, (uint32_t)value, NULL, NULL, 0);
}

void region_lock_slow(struct region_lock *lock)
{
	uint64_t self = region_lock_self();
	int saved_errno = errno;

	for (int look = 0, pauses = 4; look < LOOKS; look++) {
		uint64_t expected = 0;

		if (__atomic_load_n(&lock->word, __ATOMIC_RELAXED) == 0 &&
		    __atomic_compare_exchange_n(&lock->word, &expected, self, 0, __ATOMIC_ACQUIRE,
						__ATOMIC_RELAXED))
			return;
		for (int i = 0; i < pauses; i++)
			__builtin_ia32_pause();
		pauses = 2 * pauses > PAUSES_MAX ? PAUSES_MAX : 2 * pauses;
	}
	for (;;) {
		uint64_t word = __atomic_load_n(&lock->word, __ATOMIC_RELAXED);

		/* from here on the word is odd, so that whoever gives it back wakes us, or the next one */
		if (word == 0) {
			if (__atomic_compare_exchange_n(&lock->word, &word, self | 1, 0,
							__ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
				break;
			continue;
		}
		if (word & 1 || __atomic_compare_exchange_n(&lock->word, &word, word | 1, 0,
							    __ATOMIC_RELAXED, __ATOMIC_RELAXED))
			(void)futex(lock, FUTEX_WAIT_PRIVATE, word | 1);
	}
	errno = saved_errno;
}

void region_lock_wake(struct region_lock *lock)
{
	int saved_errno = errno;

	(void)futex(lock, FUTEX_WAKE_PRIVATE, 1);
	errno = saved_errno;
}
