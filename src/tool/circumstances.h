/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One process with its allocators and buffers, for the commands that reason about one: explain and
 * fit. A server's list of buffers does not have the geometry, so there are two documents.
 */
#ifndef TTMEM_TOOL_CIRCUMSTANCES_H
#define TTMEM_TOOL_CIRCUMSTANCES_H

#include "analyse/holdings.h"

struct circumstances {
	struct snapshot picture;
	struct snapshot buffers; /* of `process` alone; empty until circumstances_buffers */
	const struct process *process; /* in picture; NULL: none, or more than one */
	bool no_server;
	bool is_moment; /* the buffers are those of the failure that was named */
};

/* circumstances_open - looks at the machine. Return: 0 or -errno. End with circumstances_close. */
int circumstances_open(bool no_server, struct circumstances *ret_circumstances);
void circumstances_close(struct circumstances *circumstances);
/*
 * circumstances_choose - the process with this pid (a live one before one that has ended); 0: the
 * only one that has allocators. Return: 0; -ENOENT: there is none; -ENOTUNIQ: there are several.
 */
int circumstances_choose(struct circumstances *circumstances, uint32_t pid);
/*
 * circumstances_buffers - of the chosen process; with `failure`, a number of its, those of that
 * moment, if a server kept them. Return: 0 or -errno.
 */
int circumstances_buffers(struct circumstances *circumstances, uint64_t failure);
/*
 * circumstances_allocator - of the chosen process, for a memory type: the open one that holds the
 * most of it, else the last one opened. NULL: it has none.
 */
const struct allocator *circumstances_allocator(const struct circumstances *circumstances,
						enum memory_type type);

#endif
