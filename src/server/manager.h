/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The service manager, by its own small protocol: sockets and stored
 * descriptors come in by number, messages go out as datagrams. Without a
 * manager everything here does nothing.
 *
 * Tables are put into its descriptor store, so a restart loses nothing, not
 * even the last state of processes that have ended.
 */
#ifndef TTMEM_SERVER_MANAGER_H
#define TTMEM_SERVER_MANAGER_H

#include <stdbool.h>
#include <stdint.h>

#define MANAGER_FDS_MAX 4096

/* What the manager passed on. */
struct manager_stored {
	int fd;
	uint32_t pid, uid, gid, line;
};

struct manager_inherited {
	int registrations, api; /* listening sockets; -1: make them yourself */
	uint32_t stored_count;
	struct manager_stored *stored; /* freed by the caller; descriptors are its too */
};

/* manager_inherit - takes what came in and clears the environment of it. Return: 0 or -ENOMEM. */
int manager_inherit(struct manager_inherited *ret_inherited);
/* manager_ready, manager_stopping - tells the manager; failures do not matter */
void manager_ready(void);
void manager_stopping(void);
/* manager_store - puts a table into the store; manager_unstore takes it out again */
void manager_store(int table, uint32_t pid, uint32_t uid, uint32_t gid, uint32_t line);
void manager_unstore(uint32_t pid, uint32_t uid, uint32_t gid, uint32_t line);

#endif
