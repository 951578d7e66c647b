/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A futex lock in one word that lives in somebody else's process.
 *
 * Why not a pthread mutex: the word lies in a page that a fork turns into
 * zeros, and zero must mean "free", whoever held it in the parent. Nothing may
 * be called out of our code while it is held.
 */
#ifndef TTMEM_REGION_LOCK_H
#define TTMEM_REGION_LOCK_H

#include <stdint.h>

/* 0 free, 1 held, 2 held and somebody may sleep. */
struct region_lock {
	uint32_t word;
};

void region_lock_slow(struct region_lock *lock);
void region_lock_wake(struct region_lock *lock);

static inline void region_lock_take(struct region_lock *lock)
{
	uint32_t expected = 0;

	/* acquire: pairs with the exchange in region_lock_give */
	if (__builtin_expect(!__atomic_compare_exchange_n(&lock->word, &expected, 1, 0,
							  __ATOMIC_ACQUIRE, __ATOMIC_RELAXED),
			     0))
		region_lock_slow(lock);
}

static inline void region_lock_give(struct region_lock *lock)
{
	/* release: the next holder sees everything written under the lock */
	if (__builtin_expect(__atomic_exchange_n(&lock->word, 0, __ATOMIC_RELEASE) == 2, 0))
		region_lock_wake(lock);
}

#endif
