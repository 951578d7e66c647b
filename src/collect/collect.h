/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Everything this viewer can see, as one snapshot: finds the tables of
 * processes under /proc, reads them, and adds up devices.
 */
#ifndef TTMEM_COLLECT_COLLECT_H
#define TTMEM_COLLECT_COLLECT_H

#include <stdbool.h>
#include <stdint.h>

#include "model/snapshot.h"
#include "region/reader.h"

struct collect_options {
	bool buffers;	   /* list every live buffer */
	bool largest_free; /* compute largest free ranges: reads the slots as well */
	uint32_t pid;	   /* only this process; 0: all */
};

/* What was looked at, for the message of an empty machine and for doctor. */
struct collect_notes {
	uint32_t processes_seen;   /* under /proc */
	uint32_t processes_denied; /* whose descriptors we may not look at */
	uint32_t tables_refused;
	enum region_refusal last_refusal;
	uint32_t last_refused_pid;
};

/*
 * collect_local - without a server: the viewer's own processes, root: all.
 * Return: 0; -ENOMEM; -errno of opening /proc. ret_notes may be NULL.
 */
int collect_local(const struct collect_options *options, struct snapshot *ret_snapshot,
		  struct collect_notes *ret_notes);

/*
 * collect_add_table - one process's table into a snapshot. `pid` and `state` come from the kernel,
 * never from the table. `now_monotonic_ns` is the clock for ages.
 * Return: 0 or -ENOMEM.
 */
int collect_add_table(struct snapshot *snapshot, const struct region_map *map, uint32_t pid,
		      uint32_t uid, enum process_state state,
		      const struct collect_options *options, uint64_t now_monotonic_ns);
/* collect_finish - the machine's devices, after all tables were added. Return: 0 or -ENOMEM. */
int collect_finish(struct snapshot *snapshot, const struct collect_options *options);

#endif
