/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The first so many of all live buffers in some order, kept while the tables
 * are read: a bounded heap whose root is the last of those kept. So a page of
 * 100 of a million buffers needs room for 100.
 *
 * Equal keys are in the order of tables, and in a table of slots: the order in
 * which a list of all buffers would have them. A table may be read several
 * times for one cut in time, so it has a heap of its own until that is done.
 */
#ifndef TTMEM_COLLECT_CHOICE_H
#define TTMEM_COLLECT_CHOICE_H

#include <stdbool.h>
#include <stdint.h>

#include "model/snapshot.h"

/* Which buffers, and in which order; both questions are asked for every live buffer. */
struct collect_choice {
	uint32_t count; /* as many are wanted; 0: they are only counted */
	bool (*passes)(const void *argument, const struct snapshot *snapshot,
		       const struct buffer *buffer);
	/* key - the smallest are wanted */
	uint64_t (*key)(const void *argument, const struct snapshot *snapshot,
			const struct buffer *buffer);
	const void *argument;
};

struct choice_rank {
	uint64_t key;
	uint64_t place; /* in the order of tables and slots */
	uint32_t row;	/* where the buffer is */
};

/* Ranks are a heap, largest first; rows stay where they were put until they are replaced. */
struct choice_heap {
	struct choice_rank *ranks;
	struct buffer *rows;
	uint32_t count, capacity;
};

/* All zeros is an empty one. */
struct choice {
	struct choice_heap all, table;
	uint64_t seen, passing;		    /* in the tables that are done */
	uint64_t table_seen, table_passing; /* in the one that is being read */
};

/* choice_restart - what was offered of the present table does not count */
void choice_restart(struct choice *choice);
/* choice_offer - one live buffer of the present table. Return: 0 or -ENOMEM. */
int choice_offer(struct choice *choice, const struct collect_choice *wanted,
		 const struct snapshot *snapshot, const struct buffer *buffer);
/* choice_table_done - adds the present table's to all. Return: 0 or -ENOMEM. */
int choice_table_done(struct choice *choice, const struct collect_choice *wanted);
/* choice_finish - puts them into the snapshot, in the order of tables. Return: 0 or -ENOMEM. */
int choice_finish(struct choice *choice, struct snapshot *snapshot);
void choice_clear(struct choice *choice);

#endif
