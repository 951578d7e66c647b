/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Live bytes of one group of buffers: what `ttmem sites` and `ttmem growth` are
 * lists of, and what a server answers to them.
 *
 * Bytes are those on one chip. A buffer of a mesh lies at the same address on
 * each of its chips, so one row stands for all of them: the sum of the rows that
 * name a chip is what that chip holds.
 */
#ifndef TTMEM_MODEL_SITE_ROW_H
#define TTMEM_MODEL_SITE_ROW_H

#include "model/memory.h"

/* What buffers have in common; process, chips and memory type in any case. */
enum group_by { GROUP_SITE, GROUP_OP, GROUP_FILE, GROUP_TAG, GROUP_TYPE, GROUP_THREAD, GROUPS };

/* group_by_name - "site", "op", "file", "tag", "type", "thread" */
const char *group_by_name(enum group_by by);
/* group_by_parse - the other way. Return: 0 or -EINVAL. */
int group_by_parse(const char *text, enum group_by *ret_by);

/* How it was found that a site grows. */
enum found_by {
	FOUND_BY_RISE = 0, /* its live bytes rise and never fall */
	FOUND_BY_AGE = 1,  /* they do fall, but what is old only adds up */
	FOUND_BYS
};

/* found_by_name - "rise", "age" */
const char *found_by_name(unsigned found_by);

struct site_row {
	uint32_t process;   /* index */
	uint32_t allocator; /* index of one that covers these chips: it names them */
	uint32_t site;	    /* number; by op and by file of one that has nothing else; 0 not known */
	uint32_t thread;    /* 0: not grouped by thread */
	uint8_t	 type;	    /* enum memory_type */
	uint64_t buffers;
	uint64_t requested_bytes;
	uint64_t bank_bytes;	    /* of one bank */
	uint64_t old_bank_bytes, kept_bank_bytes; /* of these, what is old; and was old before */
	struct fact occupied_bytes; /* of all banks */
	uint64_t oldest_ns;	    /* age of the oldest buffer */
	struct fact growth_bytes;   /* signed, of occupied bytes: within the last minute or the window */
	/* of what grows */
	struct fact bytes_per_second; /* occupied */
	uint8_t	    found_by;	      /* enum found_by */
	uint32_t    rises;	      /* samples that showed more than the one before */
	struct fact full_ns;	      /* until a bank is full */
};

/* What a list of rows tells of itself. */
struct site_list {
	struct site_row *rows;
	uint32_t count;
	enum group_by by;
	/* of what grows */
	uint64_t window_ns;
	uint64_t watched_ns;  /* how much of the window has been seen */
	uint64_t interval_ns; /* between two looks */
	uint64_t old_after_ns; /* at that age a buffer is old */
	bool	 is_slowed;   /* the interval is longer than wanted: a look costs too much */
	uint64_t left_out;    /* groups that are not watched for want of room */
};

/* site_list_clear - frees the rows; the struct is empty again */
void site_list_clear(struct site_list *list);

#endif
