/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The native stack of an allocation: up to 32 calls from TT-Metal's own outwards,
 * ending at the interpreter, at the thread's first function, or where there is no
 * rule to go on. What is there is right; what cannot be told is cut, never guessed.
 *
 * No memory is allocated, and nothing is read but words of this thread's stack
 * between here and its end. Twice the same stack is one compare of its words.
 */
#ifndef TTMEM_HOOK_STACK_H
#define TTMEM_HOOK_STACK_H

#include "hook/stack_cache.h"
#include "region/writer.h"

/*
 * stack_find - the site that was remembered for this stack together with `key`, which stands for
 * all else that makes the site (0: nothing else). When there is none, `walk` has the frames.
 * No lock may be held. Keeps errno.
 */
bool stack_find(struct region_writer *writer, uint64_t key, struct stack_walk *ret_walk,
		uint32_t *ret_site);
/* stack_remember - the site that a walk has led to */
void stack_remember(const struct stack_walk *walk, uint32_t site);

#endif
