/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Live buffers added up while they are read, one at a time: how many, and how
 * many bytes, by allocator, memory type and site. Room is needed for the groups,
 * never for the buffers.
 *
 * A table may be read several times for one cut in time, so what was added of
 * the present one can be taken back. A group belongs to one table: the buckets
 * are those of the present table only.
 */
#ifndef TTMEM_ANALYSE_TALLY_H
#define TTMEM_ANALYSE_TALLY_H

#include "model/site_row.h"
#include "model/snapshot.h"

/* Which buffers are old: by when they were allocated, CLOCK_MONOTONIC. All zeros: none is. */
struct tally_cut {
	uint64_t old_ns;  /* allocated no later than that */
	uint64_t kept_ns; /* likewise: those that were old when the same was added up before */
};

struct tally {
	uint32_t process, allocator; /* indices */
	uint32_t site, thread;	     /* thread 0: not asked for */
	uint8_t	 type;
	uint64_t buffers, requested_bytes, bank_bytes, oldest_ns;
	uint64_t old_bank_bytes, kept_bank_bytes; /* parts of bank_bytes, by the cut */
};

/* All zeros is an empty one. */
struct tallies {
	bool	      by_thread;
	struct tally_cut cut;
	uint64_t      now_ns; /* ages of buffers are counted back from here; of who collects them */
	struct tally *rows;
	uint32_t      count, capacity;
	uint32_t      table_first; /* of the present table */
	uint32_t     *buckets;	   /* row + 1; 0: free */
	uint32_t      bucket_count;
};

/* tallies_add - one live buffer of the present table. Return: 0 or -ENOMEM. */
int tallies_add(struct tallies *tallies, const struct buffer *buffer);
/* tallies_restart - what was added of the present table does not count */
void tallies_restart(struct tallies *tallies);
/* tallies_table_done - the next buffer is one of another table */
void tallies_table_done(struct tallies *tallies);
void tallies_clear(struct tallies *tallies);

/*
 * tallies_fold - one row for each group, those with the most occupied bytes first. By thread only what
 * was added up by thread can be. What a group is
 * named by (an op alone, a file alone) is added to the snapshot's sites. Growth is not known here.
 * Return: 0 or -ENOMEM; clear the list with site_list_clear.
 */
int tallies_fold(const struct tallies *tallies, struct snapshot *snapshot, enum group_by by,
		 struct site_list *ret_list);

#endif
