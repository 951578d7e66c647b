/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the stack that a thread stands on ends. From the kernel's list of
 * mappings, once a thread: pthread_getattr_np() allocates, and knows nothing of
 * stacks that somebody made himself.
 */
#ifndef TTMEM_HOOK_STACK_BOUNDS_H
#define TTMEM_HOOK_STACK_BOUNDS_H

#include <stdint.h>

/* stack_high - the first address above the stack that `sp` lies in; 0: not known. Keeps errno. */
uint64_t stack_high(uint64_t sp);

#endif
