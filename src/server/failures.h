/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tables as they were when an allocation or a program failed: sent by the process at that
 * moment, kept after it has ended. Newest 16, and not more memory than agreed.
 */
#ifndef TTMEM_SERVER_FAILURES_H
#define TTMEM_SERVER_FAILURES_H

#include <stdint.h>

#include "region/reader.h"
#include "region/receive.h"

#define FAILURES_MAX	   16u
#define FAILURES_BYTES_MAX (UINT64_C(64) << 20)
#define FAILURES_UID_MAX   8u /* of one user, so that nobody pushes everybody else out */

struct failure_table {
	struct region_map map; /* its file is closed: the mapping keeps it */
	uint64_t number;       /* 1 is the first that this server got */
	uint64_t time_ns;      /* CLOCK_REALTIME, of its arrival */
	uint64_t failure;      /* of the process: the number of the one that it was made for */
	uint64_t left_out;     /* buffers it had no room for, as its writer says */
	uint64_t bytes, inode, device;
	uint32_t pid, uid, gid;
};

struct failures {
	struct failure_table tables[FAILURES_MAX]; /* oldest first */
	uint32_t count;
	uint64_t accepted;
};

/*
 * failures_add - takes the table of a message; the message stays the caller's to close.
 * Return: 0; a positive enum region_refusal; -errno; -EEXIST when it is there already.
 */
int failures_add(struct failures *failures, const struct received *received);
/* failures_find - by number; NULL */
struct failure_table *failures_find(struct failures *failures, uint64_t number);
void failures_clear(struct failures *failures);

#endif
