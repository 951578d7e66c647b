/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one writer of a region: the process whose allocations it lists.
 *
 * Runs inside somebody else's program. After region_writer_create() it
 * allocates nothing, prints nothing and starts nothing; an event makes no
 * system call unless a block of slots must be backed or given back. errno is
 * left as found.
 *
 * The struct lies in a page that MADV_WIPEONFORK clears in every child, and
 * all zeros means "no region yet": a child starts clean without any handler.
 * Nothing that decides where the writer writes is read back from the shared
 * mapping without a bound.
 */
#ifndef TTMEM_REGION_WRITER_H
#define TTMEM_REGION_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "region/extents.h"
#include "region/format.h"
#include "region/index.h"
#include "region/lock.h"
#include "region/slot_map.h"

enum region_writer_state {
	REGION_WRITER_NONE = 0,
	REGION_WRITER_READY = 1,
	REGION_WRITER_OFF = 2, /* creation failed, or switched off: events are ignored */
};

/* Where a program runs, as far as the row of its allocator tells. */
struct region_home {
	uint32_t row;
	uint32_t chip_count;
	uint32_t l1_low, l1_high; /* where programs may have memory; 0: not known */
};

/* How much of one memory type is in use. */
struct region_level {
	uint64_t requested_bytes, bank_bytes;
};

/* What the writer knows of an allocator without reading the shared mapping. */
struct region_writer_allocator {
	uint64_t object;
	uint64_t device;
	uint64_t chips;	       /* bit n: covers the chip with logical id n (ids of 64 and more: none) */
	uint64_t closed_event; /* 0: open; else the event at which it was closed */
	uint64_t verify_request; /* the answer it owes; 0: none */
	struct region_home home;
	struct region_level peak[REGION_MEMORY_TYPES]; /* since the last region_writer_take_peaks */
};

/* What the writer knows of a program without reading the shared mapping. */
struct region_writer_program {
	uint32_t allocator; /* row */
	uint32_t first_kernel, kernel_count;
	uint32_t first_range, range_count;
	uint32_t is_stale; /* its circular buffers may have changed since they were described */
};

/* blocks of the three parts together, of which each takes whole ones */
#define REGION_PROGRAM_BLOCKS                                                                      \
	(REGION_PROGRAMS_MAX *                                                                     \
	 (sizeof(struct region_program) + REGION_PROGRAM_KERNELS * sizeof(struct region_kernel) +  \
	  REGION_PROGRAM_RANGES * sizeof(struct region_program_range)) /                           \
	 REGION_BLOCK_BYTES)

/* Programs (programs.c): which rows are taken, and by which objects. */
struct region_writer_programs {
	struct region_index index; /* ProgramImpl to row */
	struct extents rows, kernels, ranges;
	uint64_t row_words[REGION_PROGRAMS_MAX / 64];
	uint64_t kernel_words[REGION_PROGRAMS_MAX * REGION_PROGRAM_KERNELS / 64];
	uint64_t range_words[REGION_PROGRAMS_MAX * REGION_PROGRAM_RANGES / 64];
	uint64_t index_entries[REGION_PROGRAMS_MAX];
	uint32_t index_buckets[REGION_PROGRAMS_MAX];
	uint64_t block_backed[(REGION_PROGRAM_BLOCKS + 63) / 64]; /* blocks of the three parts, from the first of them */
	struct region_writer_program programs[REGION_PROGRAMS_MAX];
};

/* Sites (sites.c): what is there already, by hash. */
#define REGION_SITE_BUCKETS (2 * REGION_SITES_MAX)
#define REGION_SITE_PAGES                                                                          \
	(REGION_SITES_MAX * (sizeof(struct region_site) + REGION_SITE_STRING_BYTES +              \
			     REGION_SITE_STACK_WORDS * sizeof(uint64_t)) /                        \
	 REGION_PAGE_BYTES)

struct region_writer_sites {
	uint32_t site_buckets[REGION_SITE_BUCKETS];   /* number of a site; 0 free */
	uint32_t string_buckets[REGION_SITE_BUCKETS]; /* offset of a string */
	uint32_t stack_buckets[REGION_SITE_BUCKETS];  /* first word of a stack */
	uint32_t strings, stacks; /* how many */
	uint32_t used, string_bytes, stack_words, modules; /* as in the head */
	uint64_t page_backed[REGION_SITE_PAGES / 64];
};

/* What was left at the closing of devices (left.c): which row is whose. */
struct region_writer_left {
	uint64_t keys[REGION_LEFT_MAX];
	uint16_t buckets[2 * REGION_LEFT_MAX]; /* row + 1; 0 free */
	uint32_t used;	 /* rows, as in the head */
	uint32_t backed; /* rows whose pages exist */
};

/* The private half, in one anonymous mapping; fresh zeros are a valid start. */
struct region_writer_private {
	struct slot_map map;
	uint16_t block_live[REGION_SLOTS_MAX / REGION_BLOCK_SLOTS];
	uint64_t block_backed[REGION_SLOTS_MAX / REGION_BLOCK_SLOTS / 64];
	struct region_writer_allocator allocators[REGION_ALLOCATORS_MAX];
	struct region_writer_programs programs;
	struct region_writer_sites sites;
	struct region_writer_left left;
};

struct region_writer {
	struct region_lock lock;
	uint32_t state; /* enum region_writer_state; stored with release when ready */
	uint32_t pid;
	uint32_t allocators_used;
	uint64_t event; /* number of the last event */
	uint64_t dispatch; /* number of the last dispatch */
	uint8_t *table;
	struct region_writer_private *private;
	struct region_index index;
	uint32_t slots_max;
	uint32_t programs_max;
	uint32_t sites_max;
	uint32_t live;
	uint32_t blocks_backed;
	uint32_t blocks_empty; /* backed, but without a live slot */
	uint64_t checked_ns; /* when the descriptor was last looked at */
	uint64_t doorbell;   /* last value seen in the control page */
	uint64_t verify_seen[CONTROL_SERVERS_MAX];
	uint32_t verify_rows; /* open allocators that still owe an answer */
	struct control_page *control;
	size_t	 private_bytes;
	uint64_t table_device, table_inode;
	uint64_t control_device, control_inode;
	uint64_t copy_device, copy_inode;
	uint64_t copied_ns; /* when the last copy was made; 0: never */
	int	 table_fd;
	int	 control_fd;
	int	 copy_fd; /* of the last copy, in reach of readers */
	int	 error; /* negative errno of a failed creation */
};

/* Who the process is; everything is copied. */
struct region_identity {
	const uint8_t *build_id; /* may be NULL */
	size_t	       build_id_bytes;
	const char    *metal_version; /* may be NULL */
	const char    *entry;
	uint32_t       slots_max; /* 0: REGION_SLOTS_MAX; tests take fewer. Rounded to blocks. */
	uint32_t       programs_max; /* used with slots_max only; rounded down to units */
	uint32_t       sites_max;    /* likewise */
};

struct region_buffer {
	uint64_t object;    /* address of the Buffer: the key */
	uint64_t allocator; /* address of its allocator */
	uint64_t device;    /* address of its device object */
	uint64_t address;
	uint64_t requested_bytes;
	uint64_t bank_bytes;
	uint64_t page_bytes;
	uint64_t pages;
	uint64_t time_ns;
	uint32_t cores; /* REGION_NONE: not sharded or not known */
	uint32_t site;
	uint32_t thread;
	uint8_t	 type; /* 0..3 */
	uint8_t	 layout;
	uint32_t row_hint; /* in: where the allocator was last time; out: its row */
};

/*
 * region_writer_create - makes table and control page for this process.
 * The writer's memory must be zero-filled or hold a failed creation.
 * Return: 0; -ENOMEM, -EMFILE, -EFBIG (RLIMIT_FSIZE or RLIMIT_AS leave no room for one block),
 * -errno of memfd_create(2). On failure the state is REGION_WRITER_OFF. -EBUSY: a signal handler has
 * interrupted this very thread in here; the state is as it was.
 */
int region_writer_create(struct region_writer *writer, const struct region_identity *identity);
/* region_writer_destroy - for tests and children of tests: unmaps and closes everything */
void region_writer_destroy(struct region_writer *writer);

/*
 * region_writer_share - the table opened read-only, to be sent to a server; the file is checked
 * (and moved if its descriptor was closed) first. Return: descriptor, or -errno.
 */
int region_writer_share(struct region_writer *writer);
/*
 * region_writer_unshare - closes that descriptor, and takes the lock on the file again: closing
 * any descriptor of a file drops the process's locks on it.
 */
void region_writer_unshare(struct region_writer *writer, int fd);
/*
 * region_writer_copy - the table as it is now, in a file of its own (FAILURE_NAME, same format,
 * at most REGION_COPY_BYTES_MAX of slots: the largest buffers), for a request that has just
 * failed. At most one a second; the last one stays open, so that readers find it. The newest row
 * of failures is its cause.
 * Return: a read-only descriptor to be sent and closed; -EAGAIN within that second; -errno.
 */
#define REGION_COPY_BYTES_MAX (16u << 20)
int region_writer_copy(struct region_writer *writer, uint64_t now_ns);
/* region_writer_start_ticks - when this process started, field 22 of its /proc/PID/stat */
uint64_t region_writer_start_ticks(struct region_writer *writer);

/*
 * region_writer_allocator_add - a row for an allocator met for the first time.
 * `row` is copied but for seq, flags' OPEN bit and the times. Two threads may race to add the
 * same (object, device): the second one gets the row of the first. When all rows are taken the
 * one that was closed longest ago is used again.
 * Return: 0; -ENOSPC when every row is open; -ENOMEM.
 */
int region_writer_allocator_add(struct region_writer *writer, const struct region_allocator *row,
				uint64_t now_ns, uint32_t *ret_row);
/* region_writer_allocator_find - the open row of an allocator, or REGION_NONE */
uint32_t region_writer_allocator_find(struct region_writer *writer, uint64_t object,
				      uint64_t device);
/*
 * region_writer_close_device - the device object is gone: its rows close, their buffers leave the
 * table and are counted as left_at_close, by site. region_writer_close_chip does the same for every row
 * that covers a chip: a closed chip takes all meshes over it along.
 */
void region_writer_close_device(struct region_writer *writer, uint64_t device, uint64_t now_ns);
void region_writer_close_chip(struct region_writer *writer, uint32_t chip_id, uint64_t now_ns);
/* region_writer_close_all - likewise every row: nothing is seen from now on (the hook goes) */
void region_writer_close_all(struct region_writer *writer, uint64_t now_ns);

/*
 * region_writer_alloc - records a live buffer. One whose site is REGION_SITE_BEFORE_ATTACH was not
 * seen being allocated: it never takes the place of one that was.
 * Return: 0; -ENOENT when its allocator has no open row (add it, call again); -EEXIST when a buffer
 * from before the attach is in the table; -ENOSPC, -ENOMEM, -EINVAL when it could not be recorded,
 * which is counted in the head.
 */
int region_writer_alloc(struct region_writer *writer, struct region_buffer *buffer);
/*
 * region_writer_keep_live - of the buffers of a row that were taken over, those that is_live() does
 * not know leave the table. It is called with the lock held, so it may look at private memory only.
 * Return: how many are left of them.
 */
uint32_t region_writer_keep_live(struct region_writer *writer, uint32_t row,
				 bool (*is_live)(const void *context, uint64_t object),
				 const void *context);
/* region_writer_dropped_allocator - counts a buffer whose allocator could not get a row */
void region_writer_dropped_allocator(struct region_writer *writer);
/* region_writer_free - forgets a buffer. Return: true if it was known. */
bool region_writer_free(struct region_writer *writer, uint64_t object);
/* region_writer_fail - counts a failure and keeps it in the ring */
void region_writer_fail(struct region_writer *writer, const struct region_failure *failure);

/* region_writer_lowest - address of the lowest live buffer of a row and type; ~0: there is none */
uint64_t region_writer_lowest(struct region_writer *writer, uint32_t row, uint32_t type);

/* A program as it was found at its first dispatch; everything is copied. */
struct region_program_found {
	/* all but seq, first and last times, numbers of dispatches and places of kernels and ranges */
	struct region_program row;
	const struct region_kernel *kernels; /* row.kernel_count of them */
	const struct region_program_range *ranges; /* row.range_count; `program` is filled in */
	bool is_restated; /* of a dispatch that region_writer_program_dispatch has recorded */
};

/*
 * region_writer_program_dispatch - a program was dispatched: if it is known this stores a number.
 * Return: 0; 1 if it has to be described anew (region_writer_program_add); -ENOENT when it is not
 * known, -ENODEV without a table. Only with 0 and 1 has the dispatch been recorded.
 */
int region_writer_program_dispatch(struct region_writer *writer, uint64_t object, uint64_t now_ns);
/*
 * region_writer_program_add - a program's first dispatch, or what has become of a known one: then
 * its description is replaced and its dispatches go on.
 * Return: 0; -ENOSPC or -ENOMEM when there is no room, which is counted in the head; -ENOENT when
 * its allocator's row is not open.
 */
int region_writer_program_add(struct region_writer *writer,
			      const struct region_program_found *found, uint64_t now_ns);
/* region_writer_program_touch - its circular buffers may be laid out anew at the next dispatch */
void region_writer_program_touch(struct region_writer *writer, uint64_t object);
/* region_writer_program_end - the object is being destroyed. Return: was it known? */
bool region_writer_program_end(struct region_writer *writer, uint64_t object);
/* region_writer_program_unknown - counts a dispatch whose program could not be told */
void region_writer_program_unknown(struct region_writer *writer);
/* region_writer_home - of the open row of a device object. Return: false if there is none. */
bool region_writer_home(struct region_writer *writer, uint64_t device,
			struct region_home *ret_home);

/* A name: bytes of UTF-8 or whatever they are, not necessarily with a NUL. */
struct region_text {
	const char *start;
	uint32_t    bytes;
	bool	    keep_end; /* when it has to be cut; set by the writer */
};

/* A place that allocates, as it was found; everything is copied. */
struct region_site_found {
	struct region_text op, file, function; /* 0 bytes: not known */
	uint32_t	   line;
	uint32_t	   depth;  /* frames of the native stack; 0: not taken */
	const uint64_t	  *frames; /* region_stack_frame, innermost first */
};

/*
 * region_writer_site - the number of a site, which is added when it is new. Takes the lock; not for
 * every event: remember the number, it is the same as long as the table lives.
 * Return: REGION_SITE_UNKNOWN when there is no room, which is counted in the head.
 */
uint32_t region_writer_site(struct region_writer *writer, const struct region_site_found *found);
/*
 * region_writer_site_stack - likewise, the site that is as `base` (REGION_SITE_UNKNOWN: nothing is
 * known of it) and has this native stack.
 */
uint32_t region_writer_site_stack(struct region_writer *writer, uint32_t base,
				  const uint64_t *frames, uint32_t depth);
/* region_writer_site_tag - likewise, with what the program says that it is for */
uint32_t region_writer_site_tag(struct region_writer *writer, uint32_t base,
				struct region_text tag);
/* region_writer_module - the number of a file for frames; REGION_MODULE_NONE when there is no room */
#define REGION_MODULE_NONE UINT32_C(0xffff)
uint32_t region_writer_module(struct region_writer *writer, struct region_text path,
			      const uint8_t *build_id, uint32_t build_id_bytes);

/* region_writer_capability - says what is known of one kind of fact; NULL detail means none */
void region_writer_capability(struct region_writer *writer, const char *name,
			      enum capability_state state, const char *detail);

/* Whose statistics are wanted, found by region_writer_verify_due. */
struct region_verify_due {
	uint64_t allocator; /* the object to ask: alive, because one of its buffers is being handled */
	uint64_t request;
	uint32_t row;
};

/*
 * region_writer_asked - does anybody wait for verification? Two loads. When true, the hook calls
 * region_writer_verify_due with the buffer of its event.
 */
static inline bool region_writer_asked(struct region_writer *writer)
{
	/* acquire: pairs with the requester's release after it filled its line */
	uint64_t doorbell = __atomic_load_n(&writer->control->doorbell, __ATOMIC_ACQUIRE);

	return __builtin_expect(doorbell != __atomic_load_n(&writer->doorbell, __ATOMIC_RELAXED) ||
					__atomic_load_n(&writer->verify_rows, __ATOMIC_RELAXED) != 0,
				0);
}

/*
 * region_writer_verify_due - takes note of new requests: every open allocator owes one answer, at
 * its own next event. Return: true when the allocator of this live buffer owes one; the debt is
 * then taken off, and region_writer_verify is to be called for each of its types.
 */
bool region_writer_verify_due(struct region_writer *writer, uint64_t object,
			      struct region_verify_due *ret_due);
/*
 * region_writer_tick - to be called with the time of an event, without the lock: once a second it
 * looks whether the descriptors still mean our files, and moves the table if they do not.
 */
void region_writer_tick(struct region_writer *writer, uint64_t now_ns);

/* region_writer_totals - a consistent copy of one row of totals and the event it belongs to */
void region_writer_totals(struct region_writer *writer, uint32_t row, uint32_t type,
			  struct region_totals *ret_totals);
void region_writer_verify(struct region_writer *writer, uint32_t row, uint32_t type,
			  const struct region_verify *verify);

/*
 * The highest figures of one (allocator, type) since they were taken last, for the process itself.
 * Also what ttmem_hook_take_peaks gives and ttmemPeak_t is: the layout is a contract.
 */
struct region_peak {
	uint32_t row, type;
	struct region_level peak, now;
};

/*
 * region_writer_take_peaks - of all rows and types, closed ones too; the next ones begin with what is in use now.
 * With `room` too small (or 0) nothing is written and nothing begins anew. Return: how many there are.
 */
uint32_t region_writer_take_peaks(struct region_writer *writer, struct region_peak *peaks,
				  uint32_t room);

/* region_writer_is_valid - for tests: map, index, blocks, slots and totals agree with each other */
bool region_writer_is_valid(struct region_writer *writer);

#endif
