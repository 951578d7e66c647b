/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What each site held in the last turns: a ring of 60 samples for each group of
 * (process, chips, memory type, site), and another for each thread.
 *
 * Pure: who owns it says when a turn is and what was there. Sites are known by
 * hashes of their texts, so no text is kept; names come from what is live when
 * somebody asks. A process is known by pid and by when its table was made: a pid
 * that is used again is another process.
 *
 * Memory is bounded: GROWTH_SERIES_MAX series of 1,024 bytes with 8 of index,
 * 16.5 MiB, and 48 bytes for each process. A process has at most a quarter of them, and of these
 * few for threads.
 */
#ifndef TTMEM_ANALYSE_GROWTH_H
#define TTMEM_ANALYSE_GROWTH_H

#include "analyse/tally.h"
#include "model/site_row.h"
#include "model/snapshot.h"

#define GROWTH_POINTS	   60u
#define GROWTH_SERIES_MAX  16384u
#define GROWTH_PROCESS_MAX (GROWTH_SERIES_MAX / 4) /* series of one process */
#define GROWTH_THREADS_MAX 256u /* of these, for its threads */
#define GROWTH_PROCESSES   4096u

struct growth_process {
	uint64_t started_ns; /* when its table was made */
	uint64_t event;	     /* number of the last event that was seen */
	uint64_t old_ns; /* what was allocated no later was old when it was last read */
	uint32_t pid;
	uint32_t series, threads; /* how many it has: of sites, of threads */
	/* groups that there was no room for when it was last read */
	uint32_t left_out, threads_left_out;
	uint32_t first_turn; /* before it, nothing is known */
	uint32_t place;	 /* used at the end of a turn */
	uint8_t	 state;	 /* of the present turn */
};

struct growth_series {
	uint32_t process; /* index */
	uint32_t turn;	  /* of the last sample */
	uint64_t by_thread; /* 1: of a thread, whose key is the first one; a part of nothing else */
	uint64_t keys[GROUP_THREAD]; /* of what it is a part of, by site, op, file, tag and type */
	uint64_t bytes[GROWTH_POINTS]; /* of one bank; UINT64_MAX: not known */
	uint64_t old[GROWTH_POINTS];   /* of these, what was old */
	uint64_t freed; /* bit: something that was old a sample ago was not there any more */
};

struct growth {
	struct growth_process *processes;
	struct growth_series *series;
	uint32_t *buckets; /* series + 1, by its key as a site; 0 free */
	uint32_t process_count, process_capacity, series_count, series_capacity, bucket_count;
	uint64_t old_after_ns; /* the age at which a buffer is old; the owner sets it once */
	uint64_t time_ns[GROWTH_POINTS]; /* of the turns; a ring */
	uint64_t old_ns; /* of the present turn: what was allocated no later is old */
	uint32_t turn;	   /* number of the present one; 0: there was none yet */
	uint64_t left_out; /* of all processes together */
};

void growth_clear(struct growth *growth);

/*
 * A turn: begin; for each live process either growth_unchanged, or growth_scanned and its rows
 * among those of growth_add; end. What is not named has ended.
 */
void growth_begin(struct growth *growth, uint64_t now_ns);
/* growth_unchanged - no event since the last turn: what was true is so still. Return: is it so? */
bool growth_unchanged(struct growth *growth, uint32_t pid, uint64_t started_ns, uint64_t event);
/* growth_cut - in a turn, before growth_scanned: how the buffers of a process are to be added up */
struct tally_cut growth_cut(const struct growth *growth, uint32_t pid, uint64_t started_ns);
/* growth_scanned - it was read in this turn; `event` from before the reading. 0 or -ENOMEM, -ENOSPC. */
int growth_scanned(struct growth *growth, uint32_t pid, uint64_t started_ns, uint64_t event);
/* growth_add - rows by site, or by thread, of processes that were scanned. Return: 0 or -ENOMEM. */
int growth_add(struct growth *growth, const struct snapshot *snapshot,
	       const struct site_list *list);
void growth_end(struct growth *growth);

/*
 * growth_last_minute - fills growth_bytes of rows of any kind: what is live now, less what was a
 * minute ago.
 */
void growth_last_minute(const struct growth *growth, const struct snapshot *snapshot,
			struct site_list *list, uint64_t now_ns);
/*
 * growth_select - of rows by site keeps those that rise and never fall within the window, or of
 * which what is old only adds up and the whole window was seen; where memory is full the soonest first, with slope and
 * the time until a bank is full.
 */
void growth_select(const struct growth *growth, const struct snapshot *snapshot,
		   struct site_list *list, uint64_t now_ns, uint64_t window_ns);

#endif
