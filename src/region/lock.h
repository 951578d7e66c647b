/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A futex lock in one word that lives in somebody else's process.
 *
 * Why not a pthread mutex: the word lies in a page that a fork turns into
 * zeros, and zero must mean "free", whoever held it in the parent. Nothing may
 * be called out of our code while it is held. The word names the holder, so
 * that a signal handler which comes into the middle of its thread's own event
 * is told from another thread: waiting would be for ever.
 */
#ifndef TTMEM_REGION_LOCK_H
#define TTMEM_REGION_LOCK_H

#include <stdbool.h>
#include <stdint.h>

/* 0 free; else the thread pointer of who holds it, which is even, and 1 more when somebody may sleep. */
struct region_lock {
	uint64_t word;
};

void region_lock_slow(struct region_lock *lock);
void region_lock_wake(struct region_lock *lock);

static inline uint64_t region_lock_self(void)
{
	uint64_t pointer;

	/* its own address is the first word there */
	__asm__("mov %%fs:0, %0" : "=r"(pointer));
	return pointer;
}

/* region_lock_is_ours - does this very thread hold it? */
static inline bool region_lock_is_ours(const struct region_lock *lock)
{
	uint64_t word = __atomic_load_n(&lock->word, __ATOMIC_RELAXED);

	return __builtin_expect(word != 0, 0) && (word & ~UINT64_C(1)) == region_lock_self();
}

static inline void region_lock_take(struct region_lock *lock)
{
	uint64_t expected = 0;

	/* acquire: pairs with the exchange in region_lock_give */
	if (__builtin_expect(!__atomic_compare_exchange_n(&lock->word, &expected,
							  region_lock_self(), 0,
							  __ATOMIC_ACQUIRE, __ATOMIC_RELAXED),
			     0))
		region_lock_slow(lock);
}

static inline void region_lock_give(struct region_lock *lock)
{
	/* release: the next holder sees everything written under the lock */
	if (__builtin_expect(__atomic_exchange_n(&lock->word, 0, __ATOMIC_RELEASE) & 1, 0))
		region_lock_wake(lock);
}

#endif
