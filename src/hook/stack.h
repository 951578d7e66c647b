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

#include "region/writer.h"

/*
 * stack_site - the site that is as `base` and has the stack of this thread; `base` where there is
 * no stack to be had. REGION_SITE_UNKNOWN for a base of which nothing is known. Keeps errno.
 */
uint32_t stack_site(struct region_writer *writer, uint32_t base);

#endif
