/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What was learnt of stacks: rules by return address, and whole stacks with the
 * site they led to. Both of fixed size, without a lock: an entry has a sequence
 * word, odd while one thread fills it; whoever comes second goes without.
 *
 * The invariant of a remembered stack: it is the list of all words that the
 * walk depended on, in the order in which it came upon them. As long as they
 * are equal, each next one is a word that the walk would have read as well; so
 * they are compared in order, up to the first difference, and what lies beyond
 * is never touched.
 *
 * Code may be unloaded and its addresses used again: entries carry the loader's
 * count of unloaded files. A forked child finds all of it empty.
 */
#ifndef TTMEM_HOOK_STACK_CACHE_H
#define TTMEM_HOOK_STACK_CACHE_H

#include <stdbool.h>
#include <stdint.h>

#include "hook/stack_rules.h"

#define STACK_FRAMES_MAX 32u /* as many as the region takes */
#define STACK_WORDS_MAX	 56u /* that a remembered stack depends on */

/* Where one function is and how it is left. */
struct stack_step {
	struct stack_rule rule;
	uint8_t place;	/* enum stack_place */
	uint64_t frame; /* as the region has it: module and offset of the call */
};

enum stack_place {
	STACK_PLACE_CODE = 0,
	STACK_PLACE_HOOK = 1, /* our own function: not part of the stack */
	STACK_PLACE_LAST = 2, /* the walk ends with it: the interpreter, or no rule to go on */
	STACK_PLACE_NOWHERE = 3, /* the walk ends before it */
};

/* A walk and what it depended on; offsets in words from `sp`, ever further out or found before. */
struct stack_walk {
	uint64_t sp, bp, key, unloads;
	bool	 uses_bp;   /* the frame pointer with which it began */
	bool	 is_whole;  /* every word it depended on is in the list */
	uint32_t words, depth;
	uint32_t at[STACK_WORDS_MAX];
	uint64_t value[STACK_WORDS_MAX];
	uint64_t frames[STACK_FRAMES_MAX];
};

struct stack_cache;

/* stack_cache_get - the one of this process; NULL when there is no memory for it */
struct stack_cache *stack_cache_get(void);

/* stack_cache_is_new - true once in a process, for what is to be said once of it */
bool stack_cache_is_new(struct stack_cache *cache);

bool stack_cache_step(struct stack_cache *cache, uint64_t pc, uint64_t unloads,
		      struct stack_step *ret_step);
void stack_cache_keep_step(struct stack_cache *cache, uint64_t pc, uint64_t unloads,
			   const struct stack_step *step);

/*
 * stack_cache_find - the site of the stack that lies above `walk->sp` now; sp, bp, key and unloads
 * are given. `high`: where the stack ends. Return: is one remembered?
 */
bool stack_cache_find(struct stack_cache *cache, const struct stack_walk *walk, uint64_t high,
		      uint32_t *ret_site);
void stack_cache_keep(struct stack_cache *cache, const struct stack_walk *walk, uint32_t site);

#endif
