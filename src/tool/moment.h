/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One process with all its buffers at one moment: its list of buffers between
 * two pictures. When no event came between those two the list is one cut in
 * time, whoever made it and whatever other processes did.
 */
#ifndef TTMEM_TOOL_MOMENT_H
#define TTMEM_TOOL_MOMENT_H

#include "model/snapshot.h"

struct moment {
	struct snapshot listing; /* has the buffers */
	struct snapshot picture; /* the later one; has process and allocators */
	uint32_t process;	 /* in the picture */
	bool is_cut;
};

/*
 * moment_take - of the process with this pid or, with 0, of the only one there is; from a server
 * unless `no_server`. A process that never holds still is taken as it is, with is_cut false.
 * Return: 0, and the caller clears it; else an exit code, and why has been said.
 */
int moment_take(uint32_t pid, bool no_server, struct moment *ret_moment);
/*
 * moment_listed_allocator - where the listing has this allocator of the picture; SNAPSHOT_NONE:
 * it holds no buffers
 */
uint32_t moment_listed_allocator(const struct moment *moment, uint32_t allocator);
void moment_clear(struct moment *moment);

#endif
