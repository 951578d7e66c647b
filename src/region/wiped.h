/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory of this process alone: a forked child finds zeros in its place. For what
 * means something to one table only, and for locks whose owner is not in the child.
 */
#ifndef TTMEM_REGION_WIPED_H
#define TTMEM_REGION_WIPED_H

#include <stddef.h>

/*
 * wiped_map - zeros, of which only what is touched is there, and nothing of it in a core file. NULL
 * where the kernel has no memory, or cannot clear it in children.
 */
void *wiped_map(size_t bytes);
void wiped_unmap(void *memory, size_t bytes);

#endif
