/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The region: the live-allocation table that one process keeps in a memfd.
 *
 * This header is the layout and nothing else; docs/region.md is its normative
 * text and tests/unit/test_format.c holds both together. The process itself is
 * the only writer (region/writer.c); everybody else maps it read-only and
 * trusts nothing in it (region/reader.c).
 *
 *   0x000000  head           one page: identity, the directory of parts, counters
 *   0x001000  capabilities   what this TT-Metal lets us know, one row a fact
 *   0x002000  failures       a ring of the last failures: of allocations and of programs
 *   0x004000  totals         one row per (allocator, memory type)
 *   0x014000  verify         the allocator's own statistics, parallel to totals
 *   0x024000  allocators     geometry and chips, one row per allocator
 *   0x0a4000  site modules   the files that native stacks lead through
 *   0x0a5000  left           what was live when its device closed, one row per (site, memory type)
 *   0x0c5000  (room for events)
 *   0x100000  slots          one row per live buffer, up to 1 Mi rows
 *   after it  programs       one row per program that ran, up to 4,096 rows,
 *             kernels        then their kernels,
 *             ranges         then what they use of L1, core range by core range,
 *             sites          one row per place that allocates, up to 65,536 rows,
 *             site strings   then their names,
 *             site stacks    then native stacks; all three only ever grow
 *
 * The file has its final size from the start and is sealed against growing and
 * shrinking; what is not used is a hole. So a reader compares one number, and
 * no later write can meet RLIMIT_FSIZE.
 *
 * Readers find every part by offset, element size and count in the head: a
 * newer writer may append fields to a row or add parts, and an older reader
 * still reads what it knows.
 *
 * Sequence words. Head (at `seq`), totals, verify, failures, allocators, left,
 * slots and programs each have one: 2 x the process-wide event number of the last change,
 * odd while the row is being written, 0 for a row never used or free. Event
 * numbers only grow, so a value never comes back with other contents. Words
 * are stored with release and loaded with acquire; no stand-alone fences,
 * because gcc's ThreadSanitizer does not understand them.
 */
#ifndef TTMEM_REGION_FORMAT_H
#define TTMEM_REGION_FORMAT_H

#include <stddef.h>
#include <stdint.h>

#define REGION_MAGIC   UINT64_C(0x004e47526d656d74) /* "tmemRGN\0" */
#define REGION_VERSION UINT32_C(1)
#define REGION_NAME    "ttmem"		/* memfd name: "/memfd:ttmem (deleted)" under /proc */
#define CONTROL_NAME   "ttmem-control"
#define FAILURE_NAME   "ttmem-failure" /* a copy of a table, made when an allocation failed */
#define CONTROL_MAGIC  UINT64_C(0x004c54436d656d74) /* "tmemCTL\0" */

#define REGION_PAGE_BYTES	4096u
#define REGION_BLOCK_BYTES	65536u	/* slots are backed and given back in such blocks */
#define REGION_BLOCK_SLOTS	1024u
#define REGION_SLOTS_MAX	(1u << 20)
#define REGION_ALLOCATORS_MAX	256u
#define REGION_CHIPS_MAX	64u
#define REGION_FAILURES_MAX	64u
#define REGION_CAPABILITIES_MAX 32u
#define REGION_MEMORY_TYPES	4u	/* order of enum memory_type: DRAM, L1, L1_SMALL, TRACE */
#define REGION_PARTS_MAX	16u
#define REGION_COMMAND_BYTES	256u
#define REGION_PROGRAMS_MAX	4096u
#define REGION_PROGRAMS_UNIT	256u /* there is room for a multiple of so many programs */
#define REGION_PROGRAM_KERNELS	4u   /* rows of kernels for each program there is room for */
#define REGION_PROGRAM_RANGES	16u  /* rows of ranges likewise */
#define REGION_BINARIES_MAX	4u   /* binaries of one kernel */
#define REGION_SITES_MAX	65536u
#define REGION_SITES_UNIT	1024u /* there is room for a multiple of so many sites */
#define REGION_SITE_STRING_BYTES 24u  /* bytes of strings for each site there is room for */
#define REGION_SITE_STACK_WORDS 2u    /* words of stacks likewise */
#define REGION_SITE_MODULES_MAX 64u
#define REGION_LEFT_MAX		2048u
#define REGION_L1_PIECES	8u
#define REGION_DISPATCH_CORES	48u

#define REGION_HEAD_OFFSET	    UINT64_C(0x000000)
#define REGION_CAPABILITIES_OFFSET  UINT64_C(0x001000)
#define REGION_FAILURES_OFFSET	    UINT64_C(0x002000)
#define REGION_TOTALS_OFFSET	    UINT64_C(0x004000)
#define REGION_VERIFY_OFFSET	    UINT64_C(0x014000)
#define REGION_ALLOCATORS_OFFSET    UINT64_C(0x024000)
#define REGION_SITE_MODULES_OFFSET  UINT64_C(0x0a4000)
#define REGION_LEFT_OFFSET	    UINT64_C(0x0a5000)
#define REGION_SLOTS_OFFSET	    UINT64_C(0x100000)
#define REGION_FILE_BYTES(slots)    (REGION_SLOTS_OFFSET + (uint64_t)(slots) * 64u)

/* Index into region_head.parts. Numbers are for ever; unused ones have count 0. */
enum region_part_id {
	REGION_PART_CAPABILITIES = 0,
	REGION_PART_FAILURES = 1,
	REGION_PART_TOTALS = 2,
	REGION_PART_VERIFY = 3,
	REGION_PART_ALLOCATORS = 4,
	REGION_PART_SLOTS = 5,
	REGION_PART_PROGRAMS = 6,
	REGION_PART_SITES = 7,	  /* append-only, like the three other parts of sites */
	REGION_PART_EVENTS = 8,	  /* later: a ring, written only while somebody records */
	REGION_PART_KERNELS = 9,
	REGION_PART_PROGRAM_RANGES = 10,
	REGION_PART_SITE_STRINGS = 11,
	REGION_PART_SITE_STACKS = 12,
	REGION_PART_SITE_MODULES = 13,
	REGION_PART_LEFT = 14,
	REGION_PARTS_KNOWN = 15,
};

struct region_part {
	uint64_t offset;	/* from the start of the file, a multiple of 64 */
	uint32_t element_bytes; /* a multiple of 8, not smaller than version 1's */
	uint32_t count;		/* rows there is room for */
};

/*
 * The head. Everything up to `command` is written once, before the file can be
 * found; the counters from `seq` on move with every event. An odd `seq` means
 * an event is half written: totals and slots may disagree until it is even.
 */
struct region_head {
	uint64_t magic;
	uint32_t version;
	uint32_t head_bytes; /* sizeof(struct region_head) of the writer */
	uint64_t file_bytes; /* the exact size of the file */
	uint8_t	 random_id[16];
	uint32_t pid; /* in the writer's own PID namespace: a label, never an identity */
	uint32_t uid;
	uint64_t start_ticks;	       /* field 22 of /proc/self/stat, clock ticks since boot */
	uint64_t created_realtime_ns;  /* CLOCK_REALTIME */
	uint64_t created_monotonic_ns; /* CLOCK_MONOTONIC, the clock of every `_ns` below */
	uint32_t part_count;
	uint32_t build_id_bytes; /* 0: unknown */
	uint8_t	 build_id[32];	 /* NT_GNU_BUILD_ID of the library that holds TT-Metal */
	char	 metal_version[32]; /* release by build id, "" when unknown; NUL-terminated */
	char	 entry[16];	    /* the way the hook came in: "preload" */
	struct region_part parts[REGION_PARTS_MAX];
	char command[REGION_COMMAND_BYTES]; /* first bytes of /proc/self/cmdline, NULs kept */
	uint8_t reserved0[352];

	/* 1024: the hot line */
	uint64_t seq;
	uint32_t slots_high_water; /* slots at or above this index were never used */
	uint32_t slots_live;
	uint64_t allocators_used; /* rows at or above this index were never used */
	uint64_t failures_count;  /* failures so far, of any kind; ring index = count % rows */
	uint64_t moved; /* 1: the process went on in another file; this one is history */
	uint64_t left_out; /* of a copy: live buffers it had no room for, the smallest */
	uint64_t reserved1[2];

	/* 1088: what could not be recorded, each a count of buffers unless said */
	uint64_t dropped_full;	    /* more than `slots` live buffers */
	uint64_t dropped_memory;    /* the kernel gave no memory for a block */
	uint64_t dropped_allocator; /* no row left for the allocator, or its geometry not known */
	uint64_t dropped_key;	    /* object address outside what the index can hold */
	uint64_t replaced;	    /* object seen again without a free in between */
	uint64_t unknown_frees;	    /* frees of objects not in the table (views, before attach) */
	uint64_t left_at_close;	    /* buffers that were alive when their device closed */
	uint64_t copies;	    /* times the table moved to a new file (descriptor was closed) */

	/* 1152: programs. A dispatch moves these alone, and not `seq`. */
	uint64_t dispatches;	     /* so far; the last one has this number */
	uint32_t programs_high_water; /* rows at or above this index hold nothing */
	uint32_t programs_live;
	uint64_t programs_dropped;   /* dispatches of programs there was no room for */
	uint64_t programs_unknown;   /* dispatches whose program could not be told */
	uint64_t dispatch_unrecorded; /* number of the last one of both kinds; 0: none */

	/* 1192: sites. Each count is stored with release after what it counts. */
	uint32_t sites_used;	    /* sites with a smaller number are there; 0 and 1: none */
	uint32_t site_string_bytes; /* of the strings part, from its start */
	uint32_t site_stack_words;  /* likewise of the stacks */
	uint32_t site_modules;	    /* rows */
	uint64_t sites_dropped;	    /* new sites there was no room for */

	/* 1216 */
	uint64_t left_rows; /* rows of `left` from here on were never used */
	uint8_t	 reserved2[2872];
};

/* Is a kind of fact known in this process, and if not, why. */
enum capability_state {
	CAPABILITY_UNKNOWN = 0, /* nothing asked for it yet */
	CAPABILITY_PRESENT = 1,
	CAPABILITY_MISSING = 2, /* this TT-Metal does not export it: `detail` names the symbol */
	CAPABILITY_FAILED = 3,	/* exported, but the self-check did not pass */
	CAPABILITY_OFF = 4,	/* switched off by the user */
};

struct region_capability {
	uint32_t state; /* enum capability_state */
	uint32_t half_written; /* 1: name and detail are not those of the state yet */
	char	 name[24];   /* "buffers", "failures", ... ; NUL-terminated, "" = unused row */
	char	 detail[96]; /* NUL-terminated */
};

/* What did not work, and which of the fields below mean anything. */
enum region_failure_kind {
	REGION_FAILURE_ALLOCATION = 0,
	REGION_FAILURE_CLASH = 1,     /* a program's memory and a buffer want the same addresses */
	REGION_FAILURE_TOO_LARGE = 2, /* a program is larger than L1, or than the kernel-config ring */
};

struct region_failure {
	uint64_t seq;
	uint64_t time_ns;
	uint64_t requested_bytes;
	uint64_t page_bytes;
	uint64_t free_bytes_per_bank; /* the allocator's own figure at that moment; ~0 unknown */
	uint64_t largest_bytes_per_bank; /* likewise */
	uint32_t allocator; /* row index; ~0 unknown */
	uint32_t thread;
	uint32_t type; /* enum memory_type; ~0 unknown */
	uint32_t kind; /* enum region_failure_kind */
	/* 64: of a program; all of them ~0 when unknown, or not of this kind */
	uint64_t program_id;
	uint64_t end_address;	 /* where its highest circular or dataflow buffer ends */
	uint64_t lowest_address; /* of the allocator's L1 buffers */
	uint64_t needed_bytes; /* of the ring: its code alone, so the entry is longer still */
	uint64_t limit_bytes;  /* size of the ring, or address where the L1 of a core ends */
	uint32_t site;	       /* who asked; 0: not known */
	uint32_t reserved0;
	uint64_t reserved[2];
};

/*
 * Per bank and per allocator: the banks of a type work in lock step, so one
 * address range stands for all of them. live buffers = allocs - frees.
 */
struct region_totals {
	uint64_t seq;
	uint64_t requested_bytes;
	uint64_t bank_bytes;
	uint64_t peak_requested_bytes;
	uint64_t peak_bank_bytes;
	uint64_t allocs;
	uint64_t frees;	   /* deallocated, or gone with their device */
	uint64_t failures;
};

/* What get_statistics() said, and what the table held at that very event. */
struct region_verify {
	uint64_t seq;
	uint64_t request;	   /* the number that was asked with */
	uint64_t their_total;	   /* bytes per bank */
	uint64_t their_allocated;  /* bytes per bank */
	uint64_t their_free;	   /* bytes per bank */
	uint64_t their_largest;	   /* bytes per bank */
	uint64_t our_bank_bytes;   /* bytes per bank */
	uint64_t our_event;	   /* event number of our figure; 0: it moved meanwhile */
};

struct region_geometry {
	uint32_t banks;	    /* 0: this memory type does not exist here */
	uint32_t alignment; /* bytes; 0 unknown */
	uint64_t bank_bytes;   /* allocatable bytes per bank */
	uint64_t base_address; /* absolute address at which the bank's allocatable range starts */
};

#define REGION_CHIP_HAS_UNIQUE_ID 1u

struct region_chip {
	uint64_t unique_id;
	uint32_t chip_id; /* process-local logical id */
	uint32_t flags;
	uint64_t reserved;
};

/* Where the terms of L1 come from: what the dispatcher was given, or the tables of the HAL. */
enum region_l1_source {
	REGION_L1_UNKNOWN = 0,
	REGION_L1_DISPATCHER = 1,
	REGION_L1_HAL = 2,
};

/* What the HAL names inside the reserved area of L1. */
enum region_l1_piece_id {
	REGION_L1_BARRIER = 0,
	REGION_L1_MAILBOX = 1,
	REGION_L1_ROUTING_TABLE = 2,
	REGION_L1_FABRIC_CONNECTIONS = 3,
	REGION_L1_FABRIC_LOCK = 4,
};

struct region_l1_piece {
	uint32_t base;
	uint32_t bytes; /* 0: not known or not there */
};

#define REGION_ALLOCATOR_OPEN  1u /* the device has not been closed */
#define REGION_ALLOCATOR_MESH  2u /* belongs to a MeshDevice */
#define REGION_NONE	       UINT32_C(0xffffffff)

struct region_allocator {
	uint64_t seq;
	uint64_t object; /* address of the allocator in the process: identity, never followed */
	uint64_t device; /* address of the device object, likewise */
	uint64_t parent_device; /* device object of the parent mesh; 0 none or unknown */
	uint64_t opened_ns;
	uint64_t closed_ns; /* 0: open */
	uint32_t flags;
	uint32_t arch;	  /* tt::ARCH: 2 Wormhole, 3 Blackhole, 4 Quasar; 0 unknown */
	uint32_t mesh_id; /* MeshDevice::id(); ~0 unknown */
	uint32_t chip_count;
	uint32_t grid_x, grid_y;   /* compute grid; 0 unknown */
	uint64_t l1_bytes_per_core; /* the whole L1 of one core; 0 unknown */
	struct region_geometry geometry[REGION_MEMORY_TYPES];
	/*
	 * 176: the terms of one worker core's L1, from its bottom: reserved [0, ring_base), kernel-config
	 * ring to unreserved_base, then programs and buffers, then L1_SMALL at the top.
	 */
	uint32_t ring_base, ring_bytes; /* 0: not known, see l1_source */
	uint32_t unreserved_base;
	uint32_t l1_small_bytes;
	uint32_t l1_source; /* enum region_l1_source: of the two of the ring */
	uint32_t worker_x, worker_y; /* grid of worker cores after harvesting, dispatch included */
	uint32_t dispatch_cores;     /* worker cores taken for dispatch; ~0 unknown */
	uint32_t dispatch_cores_used; /* of these, those with work; ~0 unknown */
	uint32_t program_peak_bytes; /* most that one program ever took of one core here */
	struct region_l1_piece pieces[REGION_L1_PIECES];
	uint8_t		       dispatch_at[REGION_DISPATCH_CORES][2]; /* x, y of the first ones */
	uint8_t		       reserved[136];
	struct region_chip     chips[REGION_CHIPS_MAX];
};

/*
 * One live buffer, eight words. Three of them are packed, high bits first:
 *   place_bank  allocator row 12 | type 4 | layout 4 | bytes per bank 44
 *   extent      cores 32 | pages 32    cores ~0: interleaved or unknown; pages ~0: unknown
 *   origin      site 32 | thread 32    site 0: not known; ~0: from before the hook came in
 * A slot is born in place: while its words are written `seq` is still 0, so
 * only `seq` tells whether the other words mean anything.
 */
struct region_slot {
	uint64_t seq;
	uint64_t address; /* absolute in the bank */
	uint64_t requested_bytes;
	uint64_t place_bank;
	uint64_t page_bytes;
	uint64_t extent;
	uint64_t origin;
	uint64_t time_ns;
};

#define REGION_SITE_UNKNOWN	  UINT32_C(0)
/* of a buffer that was live before the hook came into the process */
#define REGION_SITE_BEFORE_ATTACH UINT32_C(0xffffffff)

#define REGION_BANK_BITS 44
#define REGION_BANK_MASK ((UINT64_C(1) << REGION_BANK_BITS) - 1)

static inline uint64_t region_slot_place(uint32_t allocator, uint32_t type, uint32_t layout,
					 uint64_t bank_bytes)
{
	return (uint64_t)(allocator & 0xfff) << 52 | (uint64_t)(type & 0xf) << 48 |
	       (uint64_t)(layout & 0xf) << 44 | (bank_bytes & REGION_BANK_MASK);
}

static inline uint32_t region_slot_allocator(uint64_t place)
{
	return (uint32_t)(place >> 52);
}

static inline uint32_t region_slot_type(uint64_t place)
{
	return (uint32_t)(place >> 48) & 0xf;
}

static inline uint32_t region_slot_layout(uint64_t place)
{
	return (uint32_t)(place >> 44) & 0xf;
}

static inline uint64_t region_slot_bank_bytes(uint64_t place)
{
	return place & REGION_BANK_MASK;
}

#define REGION_PROGRAM_CUT    1u /* not all of its kernels and ranges are listed */
#define REGION_PROGRAM_NO_DFB 2u /* has dataflow buffers, which this build does not let us read */

/*
 * A program that was dispatched at least once. `seq` guards everything before
 * `last_dispatch`, and the program's kernels and ranges with it: they are
 * written before the row is born and used again only after it has ended.
 * The three words from `last_dispatch` on move with each dispatch; each is
 * whole by itself.
 */
struct region_program {
	uint64_t seq;
	uint64_t object; /* address of the ProgramImpl in its process: identity, never followed */
	uint64_t program_id;
	uint64_t first_ns;
	uint64_t chips; /* bit i: runs on the i-th chip of its allocator */
	uint64_t dram_address; /* of its binaries; programs of one workload share them */
	uint64_t dram_bytes;   /* ~0: not known; already counted among the buffers */
	uint32_t allocator;
	uint32_t flags;
	uint32_t first_kernel, kernel_count;
	uint32_t first_range, range_count;
	uint16_t mesh_start[2], mesh_end[2]; /* rows and columns of its mesh, both ends included */
	/* its entry of the kernel-config ring, the same on each of its cores; ~0: not known */
	uint32_t ring_bytes; /* the whole entry */
	uint32_t text_bytes;
	uint32_t runtime_args_bytes;
	uint32_t semaphore_bytes;
	uint32_t cb_config_bytes;
	uint32_t dfb_config_bytes;
	uint32_t core_bytes;  /* most that its own ranges take of one core */
	uint32_t end_address; /* where the highest of them ends; 0: it has none */
	char	 op[64];      /* folder of the operation its kernels come from; "" unknown */
	uint8_t	 reserved[8];
	/* 192 */
	uint64_t last_dispatch; /* counts the dispatches of the process; greatest = resident */
	uint64_t dispatches;
	uint64_t last_ns;
	uint8_t	 reserved1[40];
};

enum region_kernel_kind {
	REGION_KERNEL_OTHER = 0,
	REGION_KERNEL_DATA_MOVEMENT = 1,
	REGION_KERNEL_COMPUTE = 2,
	REGION_KERNEL_ETHERNET = 3,
};

/* One kernel of a program; no sequence word, see above. Its cores are ranges of kind KERNEL. */
struct region_kernel {
	char	 name[64];
	uint32_t kind;
	uint32_t riscs; /* bits 0..4: BRISC, NCRISC, TRISC0..2; 0 unknown. Binary i: i-th bit set */
	uint32_t binaries;
	uint32_t handle;
	uint32_t packed_bytes[REGION_BINARIES_MAX]; /* loadable image; ~0 unknown */
	uint32_t text_bytes[REGION_BINARIES_MAX];   /* its code; ~0 unknown */
	uint8_t	 reserved[16];
};

enum region_range_kind {
	REGION_RANGE_NONE = 0,
	REGION_RANGE_KERNEL = 1, /* where a kernel runs; takes nothing outside the ring */
	REGION_RANGE_CIRCULAR_BUFFER = 2,
	REGION_RANGE_DATAFLOW_BUFFER = 3,
	REGION_RANGE_SCRATCHPAD = 4,
};

#define REGION_RANGE_BORROWED 1u /* lies in an L1 buffer (globally allocated): not program memory */
#define REGION_RANGE_ALIAS    2u /* shares the memory of another one */

/* The same bytes of L1 on each core of a rectangle; no sequence word, see above. */
struct region_program_range {
	uint32_t address; /* absolute in the core; 0 of a kernel */
	uint32_t bytes;	  /* per core; of a kernel: its packed binaries, each rounded up to 16 */
	uint16_t kind;	  /* enum region_range_kind */
	uint16_t flags;
	uint16_t object; /* number of the kernel or buffer inside its program */
	uint16_t reserved;
	uint16_t x0, y0, x1, y1; /* logical cores, both ends included */
	uint32_t program;	 /* row: whom it belongs to */
	uint32_t reserved1;
};

/*
 * A place that allocates; its row is its number, row 0 is never used. Written
 * once, before `sites_used` tells of it, and never changed: no sequence word.
 * Strings are offsets into the strings part, NUL-terminated there; 0: not known.
 */
struct region_site {
	uint32_t op;	   /* as the framework calls it, "ttnn.matmul" */
	uint32_t file;	   /* of the user's Python frame, as the interpreter knows it */
	uint32_t function; /* qualified where the interpreter knows that (3.11 and later) */
	uint32_t line;	   /* 0: not known */
	uint32_t stack;	   /* word of the stacks part; 0: none */
	uint32_t tag;	   /* what the program says that it is for */
};

/*
 * A native stack is one word with its depth, then a word for each frame,
 * innermost first: module 16 | offset 48. The offset is that of the call, in the
 * file (not in memory); module ~0: in no file. Word 0 of the part is never used.
 */
#define REGION_STACK_DEPTH_MAX 32u

static inline uint64_t region_stack_frame(uint32_t module, uint64_t offset)
{
	return (uint64_t)(module & 0xffff) << 48 | (offset & ((UINT64_C(1) << 48) - 1));
}

static inline uint32_t region_stack_module(uint64_t frame)
{
	return (uint32_t)(frame >> 48);
}

static inline uint64_t region_stack_offset(uint64_t frame)
{
	return frame & ((UINT64_C(1) << 48) - 1);
}

/* A file with code in it. Written once, before `site_modules` tells of it. */
struct region_site_module {
	uint32_t path; /* offset into the strings part, as the process sees it */
	uint32_t build_id_bytes; /* 0: unknown */
	uint8_t	 build_id[32];
	uint8_t	 reserved[24];
};

/*
 * What was live when its device closed, or the hook was detached: sums over all closings so far.
 * Those there was no row for are in the head's `left_at_close` alone.
 */
struct region_left {
	uint64_t seq;
	uint64_t buffers;
	uint64_t requested_bytes;
	uint64_t occupied_bytes; /* of all banks of one chip */
	uint32_t site;		 /* as in a slot's origin */
	uint32_t type;		 /* enum memory_type */
	uint64_t reserved[3];
};

/* region_programs_offset - where a writer of version 1 puts the programs: behind its slots */
static inline uint64_t region_programs_offset(uint32_t slots)
{
	return REGION_FILE_BYTES(slots);
}

static inline uint64_t region_kernels_offset(uint32_t slots, uint32_t programs)
{
	return region_programs_offset(slots) + (uint64_t)programs * sizeof(struct region_program);
}

static inline uint64_t region_ranges_offset(uint32_t slots, uint32_t programs)
{
	return region_kernels_offset(slots, programs) +
	       (uint64_t)programs * REGION_PROGRAM_KERNELS * sizeof(struct region_kernel);
}

/* region_sites_offset - sites, their strings and their stacks: behind the programs */
static inline uint64_t region_sites_offset(uint32_t slots, uint32_t programs)
{
	return region_ranges_offset(slots, programs) +
	       (uint64_t)programs * REGION_PROGRAM_RANGES * sizeof(struct region_program_range);
}

static inline uint64_t region_site_strings_offset(uint32_t slots, uint32_t programs, uint32_t sites)
{
	return region_sites_offset(slots, programs) + (uint64_t)sites * sizeof(struct region_site);
}

static inline uint64_t region_site_stacks_offset(uint32_t slots, uint32_t programs, uint32_t sites)
{
	return region_site_strings_offset(slots, programs, sites) +
	       (uint64_t)sites * REGION_SITE_STRING_BYTES;
}

/* region_file_bytes - of a table with room for so many slots, programs and sites */
static inline uint64_t region_file_bytes(uint32_t slots, uint32_t programs, uint32_t sites)
{
	return region_site_stacks_offset(slots, programs, sites) +
	       (uint64_t)sites * REGION_SITE_STACK_WORDS * sizeof(uint64_t);
}

/*
 * The control page: the one thing a server or a tool may write. One cache line
 * each, eight of them; the hook takes every value as a hint. A requester fills
 * its line, then adds 1 to `doorbell`, which is all that an event looks at.
 */
#define CONTROL_SERVERS_MAX 8u

struct control_line {
	uint64_t owner;	       /* random id of the server; 0: free, taken by compare-and-swap */
	uint64_t heartbeat_ns; /* CLOCK_MONOTONIC */
	uint64_t verify_request; /* a new number asks for statistics at the next event */
	uint64_t record_request; /* later: events wanted until this time */
	uint64_t reserved[4];
};

struct control_page {
	uint64_t magic;
	uint64_t doorbell;
	uint64_t reserved[6];
	struct control_line servers[CONTROL_SERVERS_MAX];
	uint8_t	 reserved1[3520];
};

#define REGION_ASSERT_OFFSET(type, field, at) \
	_Static_assert(offsetof(struct type, field) == (at), #type "." #field " moved")
#define REGION_ASSERT_SIZE(type, bytes) \
	_Static_assert(sizeof(struct type) == (bytes), #type " changed size")

REGION_ASSERT_SIZE(region_part, 16);
REGION_ASSERT_SIZE(region_head, 4096);
REGION_ASSERT_OFFSET(region_head, magic, 0);
REGION_ASSERT_OFFSET(region_head, version, 8);
REGION_ASSERT_OFFSET(region_head, head_bytes, 12);
REGION_ASSERT_OFFSET(region_head, file_bytes, 16);
REGION_ASSERT_OFFSET(region_head, random_id, 24);
REGION_ASSERT_OFFSET(region_head, pid, 40);
REGION_ASSERT_OFFSET(region_head, uid, 44);
REGION_ASSERT_OFFSET(region_head, start_ticks, 48);
REGION_ASSERT_OFFSET(region_head, created_realtime_ns, 56);
REGION_ASSERT_OFFSET(region_head, created_monotonic_ns, 64);
REGION_ASSERT_OFFSET(region_head, part_count, 72);
REGION_ASSERT_OFFSET(region_head, build_id_bytes, 76);
REGION_ASSERT_OFFSET(region_head, build_id, 80);
REGION_ASSERT_OFFSET(region_head, metal_version, 112);
REGION_ASSERT_OFFSET(region_head, entry, 144);
REGION_ASSERT_OFFSET(region_head, parts, 160);
REGION_ASSERT_OFFSET(region_head, command, 416);
REGION_ASSERT_OFFSET(region_head, seq, 1024);
REGION_ASSERT_OFFSET(region_head, slots_high_water, 1032);
REGION_ASSERT_OFFSET(region_head, slots_live, 1036);
REGION_ASSERT_OFFSET(region_head, allocators_used, 1040);
REGION_ASSERT_OFFSET(region_head, failures_count, 1048);
REGION_ASSERT_OFFSET(region_head, left_out, 1064);
REGION_ASSERT_OFFSET(region_head, dropped_full, 1088);
REGION_ASSERT_OFFSET(region_head, copies, 1144);
REGION_ASSERT_SIZE(region_capability, 128);
REGION_ASSERT_SIZE(region_failure, 128);
REGION_ASSERT_OFFSET(region_failure, program_id, 64);
REGION_ASSERT_SIZE(region_totals, 64);
REGION_ASSERT_SIZE(region_verify, 64);
REGION_ASSERT_SIZE(region_geometry, 24);
REGION_ASSERT_SIZE(region_chip, 24);
REGION_ASSERT_SIZE(region_allocator, 2048);
REGION_ASSERT_SIZE(region_slot, 64);
REGION_ASSERT_OFFSET(region_head, dispatches, 1152);
REGION_ASSERT_OFFSET(region_head, sites_used, 1192);
REGION_ASSERT_OFFSET(region_head, sites_dropped, 1208);
REGION_ASSERT_OFFSET(region_failure, site, 104);
REGION_ASSERT_SIZE(region_site, 24);
REGION_ASSERT_SIZE(region_site_module, 64);
REGION_ASSERT_OFFSET(region_head, left_rows, 1216);
REGION_ASSERT_SIZE(region_left, 64);
REGION_ASSERT_OFFSET(region_allocator, ring_base, 176);
REGION_ASSERT_OFFSET(region_allocator, pieces, 216);
REGION_ASSERT_OFFSET(region_allocator, dispatch_at, 280);
REGION_ASSERT_OFFSET(region_allocator, chips, 512);
REGION_ASSERT_SIZE(region_program, 256);
REGION_ASSERT_OFFSET(region_program, op, 120);
REGION_ASSERT_OFFSET(region_program, last_dispatch, 192);
REGION_ASSERT_SIZE(region_kernel, 128);
REGION_ASSERT_SIZE(region_program_range, 32);
REGION_ASSERT_SIZE(control_line, 64);
REGION_ASSERT_SIZE(control_page, 4096);

#endif
