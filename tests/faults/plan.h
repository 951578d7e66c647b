/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What TTMEM_FAULT asks for, and which of the calls that match is the one it
 * means. Knows nothing of the functions that are stepped into.
 */
#ifndef TTMEM_FAULTS_PLAN_H
#define TTMEM_FAULTS_PLAN_H

#include <stdbool.h>

enum call { CALL_OPEN, CALL_READ, CALL_LINK, CALL_STAT, CALL_LIST, CALLS };

enum kind {
	KIND_NONE, /* the call is to do what it does */
	KIND_ERROR,
	KIND_SHORT,
	KIND_HANG,
	KIND_SPIN,
	KIND_ONES,
};

/* plan_read - from the environment, at start; ends the process when it makes no sense, because a
 * fault that was misspelt would make every test pass */
void plan_read(void);
/* plan_wants - need the paths of calls be found out at all? */
bool plan_wants(enum call call);
/* plan_meet - counts a call on a path and tells what is to become of it; for KIND_ERROR errno is
 * set, a KIND_HANG or KIND_SPIN is over and is given as KIND_NONE */
enum kind plan_meet(enum call call, const char *name, const char *path);
/* plan_trace - one line for a path that was opened, or not (fd is negative) */
void plan_trace(const char *path, int fd, int flags);
/* path_of - "name" as seen from a directory, or the descriptor itself for a NULL name */
void path_of(int fd, const char *name, char *to, unsigned long size);

#endif
