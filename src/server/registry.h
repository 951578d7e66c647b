/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every process that has handed over its table, and the last state of those
 * that have ended.
 *
 * An entry owns its mapping; the file lives as long as somebody maps it, so a
 * killed process's table stays whole. The kernel tells who sent a table and
 * when that process ends (pidfd); that it became another program is told by
 * the lock on the table.
 */
#ifndef TTMEM_SERVER_REGISTRY_H
#define TTMEM_SERVER_REGISTRY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/loop.h"
#include "model/snapshot.h"
#include "region/reader.h"
#include "region/receive.h"
#include "source/cgroup.h"

#define REGISTRY_TABLES_MAX	4096u
#define REGISTRY_DESCRIPTORS_MAX (2u * REGISTRY_TABLES_MAX)
#define REGISTRY_DEAD_MAX	64u
#define REGISTRY_DEAD_BYTES_MAX (UINT64_C(256) << 20)
#define REGISTRY_UID_BYTES_MAX	(UINT64_C(1) << 30)
#define REGISTRY_UID_TABLES_MAX 1024u

struct registry;

struct entry {
	struct loop_watch exit; /* the pidfd; fd -1: none */
	struct registry *registry;
	struct entry *next; /* oldest first */
	struct region_map map;
	int table; /* its descriptor; -1 once the process is dead */
	struct control_page *control; /* NULL: could not be mapped */
	uint32_t line;
	uint32_t pid, uid, gid;
	uint64_t device, inode;
	uint8_t random_id[16];
	uint64_t created_ns; /* CLOCK_REALTIME, of the table, as it says */
	uint8_t state; /* enum process_state */
	bool departed; /* it lives, but as another program */
	uint64_t exited_ns; /* CLOCK_REALTIME */
	uint64_t bytes; /* memory of the table when last looked at */
	struct container container; /* asked while it lived */
};

enum refusal {
	REFUSED_MESSAGE,   /* garbage on the socket */
	REFUSED_TABLE,	   /* no table, or a forged one */
	REFUSED_DUPLICATE, /* known already: the hook repeats itself until it hears us */
	REFUSED_UID_LIMIT,
	REFUSED_LIMIT,
	REFUSALS
};

struct registry {
	struct loop *loop;
	struct entry *entries; /* oldest first */
	uint32_t count, dead;
	uint32_t tables_max; /* what the limit of descriptors has room for */
	uint64_t owner; /* our random id in control pages */
	uint64_t accepted, refused[REFUSALS];
	uint64_t generation; /* changes whenever an entry comes, goes or dies */
};

const char *refusal_name(enum refusal refusal);

/*
 * registry_init - `descriptors`: how many it may hold; each live table takes two (its own, for the
 * lock and the page map, and its process's pidfd). What is too much is refused, so that there are
 * always some left to hear and answer with.
 */
int registry_init(struct registry *registry, struct loop *loop, uint64_t descriptors);
void registry_finish(struct registry *registry);
/* registry_add - takes a message over; its descriptors are closed or kept, never the caller's. */
void registry_add(struct registry *registry, struct received *received);
/*
 * registry_adopt - a table found under /proc: opened by us, with the pid that the kernel names as
 * owner of its lock. `control` may be -1. Takes both descriptors over.
 */
void registry_adopt(struct registry *registry, int table, int control, uint32_t pid, uint32_t uid,
		    uint32_t gid);
/* registry_restore - a table that a service manager kept; its process may have ended meanwhile */
void registry_restore(struct registry *registry, int table, int control, uint32_t pid, uint32_t uid,
		      uint32_t gid, uint32_t line);
/* registry_tick - once a second: heartbeats, tables whose process became another program */
void registry_tick(struct registry *registry, uint64_t now_monotonic_ns);
/* registry_find - a live entry; NULL */
struct entry *registry_find(struct registry *registry, uint32_t pid);
/* registry_event_sum - changes whenever any table or the list does: the ETag of a snapshot */
uint64_t registry_event_sum(const struct registry *registry);

#endif
