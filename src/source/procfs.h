/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What /proc tells of a process, below a root directory: whose it is, what it
 * runs, since when, in which container, and its host memory.
 *
 * A server asks for the same processes again and again, so answers are kept
 * for a few seconds; a pid that was given to another process is noticed by its
 * start time at the next look.
 */
#ifndef TTMEM_SOURCE_PROCFS_H
#define TTMEM_SOURCE_PROCFS_H

#include <stdbool.h>
#include <stdint.h>

#include "model/memory.h"
#include "source/cgroup.h"

struct process_facts {
	uint32_t pid;
	uint32_t inner_pid; /* as it sees itself */
	bool exists;
	uint32_t uid, gid; /* UINT32_MAX unknown */
	uint32_t command_bytes;
	char command[256]; /* arguments end in NUL */
	uint64_t started_ns; /* CLOCK_REALTIME; 0 unknown */
	struct fact host_bytes, pinned_bytes;
	struct container container;
};

#define PROCESS_CACHE_ENTRIES 512u

struct process_cache {
	int root;
	uint64_t boot_s; /* when the machine was booted; 0: not looked yet, or unknown */
	struct process_cache_entry {
		struct process_facts facts;
		uint64_t read_ns; /* CLOCK_MONOTONIC; 0: free */
	} *entries;
};

int process_cache_init(struct process_cache *cache, int root);
void process_cache_clear(struct process_cache *cache);
/*
 * process_cache_get - at most a few seconds old; valid until the next call. A process that is not
 * there has exists false. Never fails.
 */
const struct process_facts *process_cache_get(struct process_cache *cache, uint32_t pid,
					      uint64_t now_ns);

/* process_start_ticks - of the machine itself; 0: there is no such process */
uint64_t process_start_ticks(uint32_t pid);
/* process_is - is it the one that calls itself `inner_pid` and was started then? */
bool process_is(uint32_t pid, uint32_t inner_pid, uint64_t ticks);

#endif
