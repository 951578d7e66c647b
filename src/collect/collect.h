/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Everything this viewer can see, as one snapshot: finds the tables of
 * processes under /proc, reads them, and adds up devices.
 */
#ifndef TTMEM_COLLECT_COLLECT_H
#define TTMEM_COLLECT_COLLECT_H

#include <stdbool.h>
#include <stdint.h>

#include "analyse/ranges.h"
#include "analyse/tally.h"
#include "collect/choice.h"
#include "collect/sites.h"
#include "model/snapshot.h"
#include "region/reader.h"
#include "source/cgroup.h"
#include "source/procfs.h"
#include "source/sampler.h"

/* Buffers are added up instead of listed; which of them is asked for every live one. */
struct collect_tally {
	struct tallies *tallies;
	bool (*passes)(const void *argument, const struct snapshot *snapshot,
		       const struct buffer *buffer); /* NULL: all */
	const void *argument;
};

struct collect_options {
	bool buffers;	   /* list every live buffer */
	bool stacks;	   /* native stacks of what is listed, as far as they were taken */
	bool leftovers;	   /* what was live when devices closed, by site */
	bool programs;	   /* list programs with what they use of L1 */
	bool brief;	   /* from a server: no more of processes than the picture shows */
	bool largest_free; /* compute largest free ranges: reads the slots as well */
	uint32_t pid;	   /* only this process; 0: all */
	bool cards;	   /* what the driver tells: cards, telemetry, who has them open */
	const char *root; /* where devices are looked for; NULL: "/" */
	uint32_t slot_limit; /* list so many buffers at most, as they lie in the tables; 0: all */
	const struct collect_choice *choice; /* list the first in an order; means buffers_only */
	const struct collect_tally *tally; /* add buffers up, list none; means buffers_only */
	bool buffers_only; /* neither devices nor holes, which a list of buffers does not show */
	bool no_children; /* in somebody else's process: cards are read by threads */
};

/* What was looked at, for the message of an empty machine and for doctor. */
struct collect_notes {
	uint32_t processes_seen;   /* under /proc */
	uint32_t processes_denied; /* whose descriptors we may not look at */
	uint32_t tables_refused;
	enum region_refusal last_refusal;
	uint32_t last_refused_pid;
	bool has_class; /* there is a directory of cards in sysfs */
};

/* Where facts come from that no table holds. */
struct collect_sources {
	int root, real;
	struct sampler sampler;
	struct process_cache strangers; /* processes that the driver names, below the root */
	struct process_cache own;	/* processes that keep a table: the real /proc */
};

/*
 * collect_sources_open - below `root` (NULL: "/"); a tool uses processes, a server threads.
 * Return: 0 or -errno (then there is nothing to close).
 */
int collect_sources_open(struct collect_sources *sources, const char *root,
			 enum sampler_workers workers);
void collect_sources_close(struct collect_sources *sources);

/*
 * collect_local - without a server: the viewer's own processes, root: all.
 * Return: 0; -ENOMEM; -errno of opening /proc. ret_notes may be NULL.
 */
int collect_local(const struct collect_options *options, struct snapshot *ret_snapshot,
		  struct collect_notes *ret_notes);

/* The address ranges in use of one allocator and memory type, sorted and merged. */
struct collect_ranges {
	struct range *ranges;
	size_t count;
};

/* A snapshot in the making. */
struct collection {
	struct collect_options options;
	struct collect_sources *sources; /* NULL: tables only */
	uint64_t now_monotonic_ns; /* ages are counted back from here */
	struct snapshot snapshot;
	struct collect_ranges (*ranges)[MEMORY_TYPES]; /* per allocator; NULL ranges: not read */
	uint32_t ranges_capacity;
	struct choice choice;
};

/* collection_age - from a time in a table; 0 for one that is yet to come */
static inline uint64_t collection_age(const struct collection *collection, uint64_t time_ns)
{
	return collection->now_monotonic_ns > time_ns ? collection->now_monotonic_ns - time_ns : 0;
}

void collection_init(struct collection *collection, const struct collect_options *options);
/* collection_clear - frees everything, the snapshot too unless collection_finish gave it away */
void collection_clear(struct collection *collection);
/*
 * collection_add_table - one process's table. `pid`, `uid` and `state` come from the kernel, never
 * from the table. Return: 0 or -ENOMEM.
 */
int collection_add_table(struct collection *collection, struct region_map *map, uint32_t pid,
			 uint32_t uid, enum process_state state);
/* collection_set_container - of a process that was added. Return: 0 or -ENOMEM. */
int collection_set_container(struct collection *collection, uint32_t process,
			     const struct container *container);
/* collection_add_user_name - the name of a uid, or its number. Return: 0 or -ENOMEM. */
int collection_add_user_name(struct collection *collection, uint32_t uid, string_id *ret_id);
/* collection_finish - adds cards and the machine's devices and hands the snapshot over. 0 or -ENOMEM. */
int collection_finish(struct collection *collection, struct snapshot *ret_snapshot);

/*
 * slots_add - what is wanted of a table's slots, after its allocators are there: buffers, ranges
 * and with them the largest free ranges (slots.c). Return: 0 or -errno.
 */
int slots_add(struct collection *collection, struct region_map *map, struct table_sites *sites,
	      uint32_t process);

/* leftovers_add - what a table says of the closings of devices (leftovers.c). Return: 0 or -errno. */
int leftovers_add(struct collection *collection, struct region_map *map, struct table_sites *sites,
		  uint32_t process);

/* l1_of_allocator - the terms of its cores' L1 (programs.c) */
void l1_of_allocator(const struct region_allocator *row, struct l1_terms *ret_terms);
/* programs_of_process - its programs, after its allocators are there (programs.c). 0 or -ENOMEM. */
int programs_of_process(struct collection *collection, const struct region_map *map,
			uint32_t process);
/* devices_of_process - the chips of one process, after its allocators are there (devices.c) */
int devices_of_process(struct collection *collection, uint32_t process);
/* l1_of_process, l1_of_machine - the L1 figures of their devices (l1.c). 0 or -ENOMEM. */
int l1_of_process(struct collection *collection, uint32_t process);
void l1_of_machine(struct collection *collection);
/* devices_of_machine - the chips of all live processes, last */
int devices_of_machine(struct collection *collection);

#endif
