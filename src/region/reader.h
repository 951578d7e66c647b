/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading somebody's region. Everything in it may be a lie: sizes, indices,
 * sequence words, strings. A table is accepted or refused as a whole when it
 * is opened; afterwards every count is bounded, and only pages that hold data
 * are touched, because touching a hole of a shared file would allocate it.
 */
#ifndef TTMEM_REGION_READER_H
#define TTMEM_REGION_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "region/format.h"

#define REGION_FILE_BYTES_MAX (UINT64_C(256) << 20)

/* Why a descriptor is no table; each also has a text. */
enum region_refusal {
	REGION_ACCEPTED = 0,
	REGION_NOT_TMPFS = 1,	/* hugetlbfs, or no memfd at all */
	REGION_NOT_SEALED = 2,	/* could shrink under the reader */
	REGION_BAD_MAGIC = 3,
	REGION_BAD_VERSION = 4,
	REGION_BAD_SIZE = 5,	/* file size is not what the head says, or out of bounds */
	REGION_BAD_PARTS = 6,	/* a part lies outside the file, or its rows are too small */
};

const char *region_refusal_text(enum region_refusal refusal);

struct region_map {
	int fd; /* borrowed; -1 once the writer is gone and pages are what they are */
	const uint8_t *base;
	uint64_t bytes;
	struct region_part parts[REGION_PARTS_MAX]; /* checked copies; count 0 where unusable */
	uint8_t *pages;	    /* a bit per page: holds data */
	uint64_t page_count;
	bool slots_stale; /* which pages of slots hold data was not asked since the last refresh */
};

/*
 * region_map_open - checks and maps a table. `fd` is borrowed and must be readable.
 * Return: 0; a positive enum region_refusal; -errno (-ENOMEM, of fstat, mmap, lseek).
 */
int region_map_open(int fd, struct region_map *ret_map);
/* region_map_close - unmaps; NULL base is fine */
void region_map_close(struct region_map *map);
/*
 * region_map_refresh - looks again which pages hold data. For slots, which are nearly all of them,
 * that is left to the next region_read_slots: most readers want figures only. Return: 0 or -errno.
 */
int region_map_refresh(struct region_map *map);
/*
 * region_map_freeze - nobody writes the table any more: looks at all its pages a last time and
 * does without the descriptor from then on. Return: 0 or -errno (it is frozen all the same).
 */
int region_map_freeze(struct region_map *map);

/* One allocator with its figures, copied under their sequence words. */
struct region_row {
	uint32_t id;
	struct region_allocator allocator; /* chip_count is bounded by REGION_CHIPS_MAX */
	struct region_totals totals[REGION_MEMORY_TYPES];
	bool torn[REGION_MEMORY_TYPES]; /* these totals may be of two events, one after the other */
	struct region_verify verify[REGION_MEMORY_TYPES];
};

/* The table without its slots. */
struct region_image {
	struct region_head head; /* command, version, entry: NUL-terminated or full; counters */
	uint64_t event;		 /* last whole event; head.seq / 2 */
	uint64_t torn;		 /* rows that never stood still while they were read */
	uint32_t row_count;
	struct region_row *rows;
	uint32_t failure_count; /* newest first */
	struct region_failure failures[REGION_FAILURES_MAX];
	uint32_t capability_count;
	struct region_capability capabilities[REGION_CAPABILITIES_MAX];
};

/*
 * region_read_image - copies head and rows. Waits up to some milliseconds for a writer that lost its
 * processor in the middle of an event; of one that was stopped or killed there, the figures are torn.
 * Return: 0 or -ENOMEM. Free with region_image_clear.
 */
int region_read_image(const struct region_map *map, struct region_image *ret_image);
void region_image_clear(struct region_image *image);

struct region_slots {
	struct region_slot *slots;
	uint32_t count;
	uint32_t torn;	 /* slots left half written by a writer that died, or changed while read */
	bool consistent; /* no event happened between the first and the last slot */
	uint64_t event;	 /* event number at the start; slots born later are left out */
};

/*
 * region_read_slots - copies the live slots, in slot order, at most `limit` of them.
 * Retries a few times for a consistent cut when the table is small enough that it can succeed.
 * Return: 0; -ENOMEM; -errno of lseek(2). Free with region_slots_clear.
 */
int region_read_slots(struct region_map *map, uint32_t limit, struct region_slots *ret_slots);
void region_slots_clear(struct region_slots *slots);

/* Whoever looks at slots one by one, without a copy of them all. */
struct region_slot_visitor {
	void (*restart)(void *argument); /* another attempt: what was seen so far does not count */
	/* visit - 0: go on; positive: enough; negative: fails the walk */
	int (*visit)(void *argument, const struct region_slot *slot);
	void *argument;
};

/* region_visit_slots - likewise; ret_cut gets everything but the slots. */
int region_visit_slots(struct region_map *map, const struct region_slot_visitor *visitor,
		       struct region_slots *ret_cut);

/* The programs that were dispatched and still exist; first_kernel and first_range count here. */
struct region_programs {
	struct region_program *programs;
	struct region_kernel *kernels;
	struct region_program_range *ranges;
	uint32_t count, kernel_count, range_count;
	uint32_t torn;	 /* rows left half written, or that cannot be true */
	uint32_t unseen; /* left out: parts of them lie on pages backed after the last refresh */
	bool consistent; /* nothing was dispatched, added or ended while they were copied */
	uint64_t event;
	uint64_t dispatches; /* number of the last dispatch at the start */
};

/*
 * region_read_programs - copies programs with their kernels and ranges, in the order of rows.
 * Return: 0 or -ENOMEM. Free with region_programs_clear.
 */
int region_read_programs(const struct region_map *map, struct region_programs *ret_programs);
void region_programs_clear(struct region_programs *programs);

/*
 * The sites of a table, whole; every offset in them is checked by the functions below.
 * Rows that are longer than ours are not understood: then there are none.
 */
struct region_sites {
	struct region_site *sites; /* by number; 0 is no site */
	uint32_t count;
	char	*strings;
	uint32_t string_bytes;
	uint64_t *stacks;
	uint32_t stack_words;
	uint32_t module_count;
	struct region_site_module modules[REGION_SITE_MODULES_MAX];
};

/* region_read_sites - copies them. Return: 0; -ENOMEM; -errno of lseek(2). */
int region_read_sites(struct region_map *map, struct region_sites *ret_sites);
void region_sites_clear(struct region_sites *sites);
/* region_sites_string - NUL-terminated; "" where the offset leads nowhere */
const char *region_sites_string(const struct region_sites *sites, uint32_t offset);
/* region_sites_stack - the frames of a site, innermost first. Return: depth; 0: none. */
uint32_t region_sites_stack(const struct region_sites *sites, const struct region_site *site,
			    const uint64_t **ret_frames);

/* What was live when its device closed, by site and memory type, in the order of appearance. */
struct region_lefts {
	struct region_left *rows;
	uint32_t count;
};

/*
 * region_read_left - copies them; types are in range. Each row is whole unless the writer was
 * killed, or is, in the middle of a closing. Return: 0; -ENOMEM; -errno of lseek(2).
 */
int region_read_left(struct region_map *map, struct region_lefts *ret_lefts);
void region_lefts_clear(struct region_lefts *lefts);

/* region_event - the current event number, without reading anything else; 0 if unreadable */
uint64_t region_event(const struct region_map *map);
/* region_is_moved - has the process gone on in another file? */
bool region_is_moved(const struct region_map *map);

#endif
