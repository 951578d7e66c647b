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

/* What TTMEM_SITES asks for; read once. */
enum sites_mode {
	SITES_OFF = 0,
	SITES_PYTHON = 1,
	SITES_NATIVE = 2,
	SITES_ALL = SITES_PYTHON | SITES_NATIVE,
};

enum sites_mode sites_mode(void);

/*
 * sites_here - the site of the allocation that is being handled on this thread, without a lock
 * held; REGION_SITE_UNKNOWN when it is not known. Keeps errno.
 */
uint32_t sites_here(struct region_writer *writer);
/*
 * sites_freed - to be called at frees, which come with Python's GIL held: the moment at which what
 * is read without it can be compared with what Python says. Keeps errno.
 */
void sites_freed(struct region_writer *writer);
/* sites_publish - whether sites can be told, and why not, for a new table or when it has changed */
void sites_publish(struct region_writer *writer);

#endif
