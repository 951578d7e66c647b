/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Programs of a process and the terms of a core's L1: what a snapshot knows of
 * them. A program is resident on a core when it was the last one dispatched
 * there, cached when it would be used if it ran again.
 */
#ifndef TTMEM_MODEL_PROGRAM_H
#define TTMEM_MODEL_PROGRAM_H

#include <stdint.h>

#include "model/memory.h"

#define KERNEL_BINARIES_MAX 4
#define L1_PIECES	    5
#define DISPATCH_CORES_MAX  48

enum l1_source {
	L1_SOURCE_UNKNOWN = 0,
	L1_SOURCE_DISPATCHER = 1, /* what the dispatcher of the process was given */
	L1_SOURCE_HAL = 2,	  /* the tables of its hardware abstraction layer */
};

enum l1_piece { L1_BARRIER, L1_MAILBOX, L1_ROUTING_TABLE, L1_FABRIC_CONNECTIONS, L1_FABRIC_LOCK };

/* l1_piece_name - "barrier", "mailbox", ... */
const char *l1_piece_name(enum l1_piece piece);

struct l1_extent {
	uint32_t base;
	uint32_t bytes; /* 0: not known or not there */
};

/*
 * One worker core's L1, from its bottom: reserved, kernel-config ring, then from unreserved_base
 * programs and buffers, at the top L1_SMALL.
 */
struct l1_terms {
	struct fact reserved_bytes;
	struct fact ring_bytes;
	struct fact unreserved_base;
	struct fact small_bytes;
	struct fact program_peak_bytes; /* most that one program ever took of one core */
	struct fact dispatch_cores, dispatch_cores_used;
	uint32_t worker_x, worker_y; /* grid of all worker cores; 0 unknown */
	uint8_t	 source;	     /* enum l1_source: of reserved and ring */
	struct l1_extent pieces[L1_PIECES]; /* named parts of reserved */
	uint8_t dispatch_at[DISPATCH_CORES_MAX][2];
};

/*
 * What a chip's cores hold, figures of one core: of the fullest one where cores
 * differ. Absent where no process tells.
 */
struct l1_summary {
	struct fact core_bytes;
	struct fact reserved_bytes, barrier_bytes, mailbox_bytes, fabric_bytes, other_bytes;
	struct fact ring_bytes;
	struct fact resident_bytes;	/* of the programs dispatched last on that core */
	struct fact cached_union_bytes; /* of all programs that are kept, united */
	struct fact peak_bytes;		/* most that one program ever took of one core */
	struct fact programs;
	struct fact circular_buffer_bytes, dataflow_buffer_bytes, scratchpad_bytes; /* resident */
};

/* Of a chip: between the highest that programs have reached and the lowest L1 buffer. */
struct clash_gap {
	struct fact bytes;
	struct fact trend_bytes; /* change in the last minute, two's complement; only a server knows */
	struct fact program_end, lowest_buffer; /* the two addresses */
};

enum kernel_kind { KERNEL_OTHER, KERNEL_DATA_MOVEMENT, KERNEL_COMPUTE, KERNEL_ETHERNET };
/* kernel_kind_name - "other", "data_movement", "compute", "ethernet" */
const char *kernel_kind_name(enum kernel_kind kind);
/* risc_name - of bit n of a kernel's riscs: "brisc", "ncrisc", "trisc0".. */
const char *risc_name(unsigned bit);

struct program_kernel {
	uint32_t name; /* string */
	uint8_t	 kind; /* enum kernel_kind */
	uint8_t	 riscs; /* bits 0..4: BRISC, NCRISC, TRISC0..2; binary i is of the i-th bit set */
	uint32_t binaries;
	struct fact packed_bytes[KERNEL_BINARIES_MAX]; /* what is loaded */
	struct fact text_bytes[KERNEL_BINARIES_MAX];   /* its code */
};

enum range_kind {
	RANGE_KERNEL = 1, /* cores of a kernel; its code lies in the ring */
	RANGE_CIRCULAR_BUFFER = 2,
	RANGE_DATAFLOW_BUFFER = 3,
	RANGE_SCRATCHPAD = 4,
};

/* range_kind_name - "kernel", "circular_buffer", "dataflow_buffer", "scratchpad"; NULL else */
const char *range_kind_name(unsigned kind);

#define PROGRAM_CORE_MAX 64u /* logical coordinates are below */

/* The same bytes on each core of a rectangle of logical cores, both ends included. */
struct program_range {
	uint8_t	 kind; /* enum range_kind */
	uint8_t	 is_borrowed; /* lies in an L1 buffer, which counts already */
	uint8_t	 is_alias;    /* shares the memory of another */
	uint16_t object; /* number of the kernel or buffer inside its program */
	uint16_t x0, y0, x1, y1;
	struct fact address; /* absent of a kernel, and where it may have moved since it was read */
	uint32_t bytes; /* on each core */
};

/* program_range_counts - is it memory of the program: neither a kernel, nor borrowed, nor an alias */
static inline bool program_range_counts(const struct program_range *range)
{
	return range->kind != RANGE_KERNEL && !range->is_borrowed && !range->is_alias;
}

struct program {
	uint32_t process;   /* index */
	uint32_t allocator; /* index */
	uint64_t id;	    /* the process's own number of it */
	uint64_t chips;	    /* bit i: the i-th chip of its allocator */
	uint32_t op;	    /* string: folder of its kernels' operation; 0 unknown */
	uint64_t last_dispatch; /* orders dispatches of one process */
	uint64_t dispatches;
	uint64_t age_ns, last_age_ns; /* since its first and last dispatch */
	struct fact dram_bytes; /* its binaries; already counted among the buffers */
	uint64_t dram_address;
	struct fact ring_bytes, text_bytes, runtime_args_bytes, semaphore_bytes, cb_config_bytes,
		dfb_config_bytes;
	uint32_t core_bytes; /* most that it takes of one core */
	uint32_t cores;	     /* that it runs on, of one chip */
	struct fact resident_cores; /* on all its chips: where it was the last one dispatched */
	uint32_t first_kernel, kernel_count;
	uint32_t first_range, range_count;
	uint8_t	 is_cut;	  /* not everything is listed */
	uint8_t	 lacks_dataflow; /* has dataflow buffers that could not be read */
};

#endif
