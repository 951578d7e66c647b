/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How words of the region are stored and loaded, and the two halves of the
 * sequence scheme. Writer and reader use the same six functions, so the memory
 * orders stand in one place.
 */
#ifndef TTMEM_REGION_WORDS_H
#define TTMEM_REGION_WORDS_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Release, for every data word: a reader that sees this word also sees the odd
 * (or zero) sequence word stored before it, and so discards the row.
 */
static inline void word_store(uint64_t *word, uint64_t value)
{
	__atomic_store_n(word, value, __ATOMIC_RELEASE);
}

/* Acquire: the second look at the sequence word cannot move before this load. */
static inline uint64_t word_load(const uint64_t *word)
{
	return __atomic_load_n(word, __ATOMIC_ACQUIRE);
}

static inline void word_store32(uint32_t *word, uint32_t value)
{
	__atomic_store_n(word, value, __ATOMIC_RELEASE);
}

static inline uint32_t word_load32(const uint32_t *word)
{
	return __atomic_load_n(word, __ATOMIC_ACQUIRE);
}

static inline void seq_begin(uint64_t *seq, uint64_t event)
{
	__atomic_store_n(seq, 2 * event + 1, __ATOMIC_RELEASE);
}

/* Release: pairs with the reader's acquire of an even value, which then sees the whole row. */
static inline void seq_end(uint64_t *seq, uint64_t event)
{
	__atomic_store_n(seq, 2 * event, __ATOMIC_RELEASE);
}

static inline bool seq_is_stable(uint64_t first, uint64_t second)
{
	return first == second && (first & 1) == 0;
}

#endif
