/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who allocates: at an allocation, the number of the site that this thread is
 * in. Only numbers are handed around; strings are interned once (region/sites.c)
 * and nothing is ever written at frees.
 *
 * Two halves feed it: the user's Python frame and the operation (python.h), and
 * the native stack (stack.h). TTMEM_SITES=off|python|native|all chooses; with
 * python, the default, a process without Python gets native stacks.
 */
#ifndef TTMEM_HOOK_SITES_H
#define TTMEM_HOOK_SITES_H

#include "region/writer.h"

/*
 * sites_here - the site of the allocation that is being handled on this thread, without a lock
 * held; REGION_SITE_UNKNOWN when it is not known. Keeps errno.
 */
uint32_t sites_here(struct region_writer *writer);

#endif
