/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The picture of a machine at one moment: what every view, the JSON and the
 * server hand around.
 *
 * Built once (snapshot_add_*), then only read. Objects refer to each other by
 * index, strings are offsets into one pool, so a snapshot can be copied,
 * compared and filtered without chasing pointers. Strings are bytes from
 * strangers: views escape them.
 */
#ifndef TTMEM_MODEL_SNAPSHOT_H
#define TTMEM_MODEL_SNAPSHOT_H

#include <stddef.h>
#include <stdint.h>

#include "model/card.h"
#include "model/memory.h"
#include "model/program.h"
#include "model/site.h"

#define SNAPSHOT_NONE UINT32_MAX

/* Offset into snapshot.strings; 0 is the empty string. */
typedef uint32_t string_id;

/* A run of another array: first index and number of elements. */
struct span {
	uint32_t first;
	uint32_t count;
};

/* SPAN_START - where a run of an array begins; an array without memory has no place to count from */
#define SPAN_START(array, span) ((array) ? (array) + (span).first : NULL)

enum process_state {
	PROCESS_LIVE = 0,
	PROCESS_EXITED = 1,
	PROCESS_GONE = 2, /* the driver still lists a pid that no longer exists */
	PROCESS_STATES
};

/* Who told us of a process. */
enum process_source {
	SOURCE_HOOK = 0,   /* it keeps a table: its memory is known */
	SOURCE_DRIVER = 1, /* it has a device open, nothing more is known */
	SOURCES
};

enum fact_availability {
	AVAILABLE_UNKNOWN = 0,
	AVAILABLE_PRESENT = 1,
	AVAILABLE_MISSING = 2,
	AVAILABLE_FAILED = 3,
	AVAILABLE_OFF = 4,
};

/* availability_name - "unknown", "present", "missing", "failed", "off" */
const char *availability_name(enum fact_availability availability);

/* failure_kind_name - "allocation", "clash", "program_too_large" */
const char *failure_kind_name(uint32_t kind);

struct capability {
	string_id name;
	string_id reason; /* 0 when present */
	uint8_t	  state;  /* enum fact_availability */
};

/* A chip as a process knows it. unique_id absent: only chip_id names it. */
struct chip {
	struct fact unique_id;
	uint32_t    chip_id; /* logical, local to the process */
};

struct allocator {
	uint32_t process;	/* index */
	uint32_t id;		/* row in the process's table: unique among the live ones */
	struct fact parent;	/* id of the parent mesh's allocator */
	struct fact closed_ns;	/* absent while open */
	struct span chips;	/* into snapshot.chips */
	uint32_t    arch;
	uint32_t    grid_x, grid_y; /* 0 unknown */
	struct fact l1_bytes_per_core;
	struct memory memory[MEMORY_TYPES];
	uint64_t base_address[MEMORY_TYPES]; /* of the allocatable range, absolute in the bank */
	uint32_t alignment_bytes[MEMORY_TYPES]; /* of pages and of holes; 0 unknown */
	uint8_t	 has_held[MEMORY_TYPES]; /* ever served a buffer of this type */
	uint64_t allocs[MEMORY_TYPES];	 /* since it was opened */
	uint64_t frees[MEMORY_TYPES];
	uint64_t failures[MEMORY_TYPES];
	struct l1_terms l1; /* of each of its worker cores */
};

/* A chip, once per process that uses it, and once for the whole machine. */
struct device {
	struct fact unique_id;
	uint32_t    chip_id;
	uint32_t    process; /* SNAPSHOT_NONE: the machine's own entry, sums over processes */
	uint32_t    arch;
	struct memory memory[MEMORY_TYPES];
	struct l1_summary l1;
	struct clash_gap clash_gap;
	/* where it is; the machine's own entries only */
	uint32_t number; /* N of /dev/tenstorrent/N for a card's own chip; others come behind */
	uint32_t card;	 /* index; SNAPSHOT_NONE: no card of this machine is known to have it */
	uint8_t	 remote; /* behind Ethernet, on the same board */
	struct fact tensix_cores;	 /* usable ones on this chip */
	struct fact dram_physical_bytes; /* soldered on */
	struct fact l1_physical_bytes;	 /* of all usable Tensix cores */
};

/* What the kernel driver tells of one PCI function. */
struct card {
	uint32_t number; /* N of /dev/tenstorrent/N */
	uint32_t arch;
	uint32_t chips; /* on the board and reached through this card: 1 or 2; 0 unknown */
	uint8_t	 state; /* enum card_state */
	string_id pci_address;
	string_id board;    /* "n150"; 0 unknown */
	string_id firmware; /* bundle version; 0 unknown */
	struct fact serial, asic_id;
	struct fact age_ns; /* of the telemetry */
	struct telemetry telemetry;
	struct pcie_link link;
	struct fact handles;	     /* open descriptors of the device, all processes together */
	struct fact foreign_handles; /* of processes in PID namespaces that are not seen from here */
	struct fact started_pid;     /* who holds UMD's lock for a running chip: a hint */
	struct span users;
};

/* A process that has a card open. */
struct card_user {
	uint32_t process; /* index */
	uint32_t handles;
};

enum failure_kind {
	FAILURE_ALLOCATION = 0,
	FAILURE_CLASH = 1,     /* of a program with a buffer */
	FAILURE_TOO_LARGE = 2, /* a program: than L1, or than the kernel-config ring */
	FAILURE_KINDS
};

struct failure {
	uint64_t number; /* 1 is the process's first */
	uint64_t age_ns;
	uint32_t kind; /* enum failure_kind */
	struct fact requested_bytes, page_bytes; /* of an allocation */
	struct fact type;      /* enum memory_type */
	struct fact allocator; /* id */
	struct fact bank_free_bytes, bank_largest_free_bytes;
	uint32_t thread;
	uint32_t site; /* number, for snapshot_site; 0 not known */
	/* of a program */
	struct fact program;	    /* the process's own number of it */
	struct fact end_address;    /* of its highest circular or dataflow buffer */
	struct fact lowest_address; /* of the L1 buffers */
	struct fact needed_bytes;   /* of the ring: an estimate, its code alone */
	struct fact limit_bytes;    /* size of the ring, or of L1 */
};

/* What could not be recorded, and other marks of quality of one process's table. */
struct losses {
	uint64_t full, memory, allocator, key; /* buffers not recorded, and why */
	uint64_t replaced, unknown_frees, left_at_close, moves;
};

/* What was live when its device closed, by site and memory type; nothing of it is live any more. */
struct leftover {
	uint32_t process; /* index */
	uint32_t site;	  /* number, for snapshot_site; 0 not known */
	uint8_t	 type;
	uint64_t buffers, requested_bytes, occupied_bytes; /* of one chip */
};

struct process {
	uint32_t pid;	    /* in the viewer's namespace */
	uint32_t inner_pid; /* as the process sees itself */
	uint32_t uid, gid; /* gid UINT32_MAX: unknown */
	string_id user;
	string_id command;
	string_id metal_version; /* 0 unknown */
	string_id build_id;	 /* hex, 0 unknown */
	string_id entry;	 /* the way the hook came in */
	string_id container;	 /* id by its cgroup, 0 none */
	string_id pod;		 /* uid of the Kubernetes pod, 0 none */
	uint8_t	  state;	 /* enum process_state */
	uint8_t	  source;	 /* enum process_source */
	uint8_t	  hidden;	 /* its details are not for this viewer (model/policy.h) */
	struct fact exited_ns;	 /* CLOCK_REALTIME; absent while it lives, or when nobody saw it */
	uint64_t  event;	 /* number of the last event read */
	uint64_t  started_ns;	 /* CLOCK_REALTIME of the table's creation; without one, of the process */
	struct fact host_bytes;	  /* resident host memory */
	struct fact pinned_bytes; /* host memory pinned for devices */
	struct span capabilities;
	struct span allocators;
	struct span devices;
	struct span failures;
	uint64_t failure_count;
	uint64_t live_buffers; /* in its table, listed or not */
	struct losses losses;
	struct span leftovers; /* as far as they were asked for, most bytes first */
	struct span programs; /* that were dispatched and still exist */
	uint64_t dispatches;  /* of programs, in all */
	uint64_t programs_dropped, programs_unknown; /* dispatches that were not recorded, and why */
};

struct buffer {
	uint32_t process;   /* index */
	uint32_t allocator; /* index into snapshot.allocators */
	uint64_t address;   /* absolute in the bank */
	uint64_t requested_bytes;
	uint64_t bank_bytes;
	uint64_t page_bytes;
	uint64_t pages; /* UINT64_MAX unknown */
	uint64_t age_ns;
	uint64_t event; /* at which it was born: orders buffers of one process */
	uint32_t cores; /* SNAPSHOT_NONE: interleaved or unknown */
	uint32_t thread;
	uint32_t site; /* number, for snapshot_site; 0 not known */
	uint8_t	 type;
	uint8_t	 layout;
};

/* The sites by their texts; private to site.c. */
struct site_bucket {
	uint32_t hash, number; /* number 0: free */
};

struct site_table {
	struct site_bucket *memory;
	uint32_t buckets; /* a power of two, or 0 */
};

struct snapshot {
	uint64_t time_ns; /* CLOCK_REALTIME */
	string_id server; /* 0: collected without one */
	uint8_t	 consistent; /* buffers are one cut in time for every process */
	uint8_t	 has_buffers;
	uint8_t	 has_stacks; /* sites have their native stacks */
	uint8_t	 is_brief; /* written without what the picture does not show of processes */
	uint8_t	 is_limited; /* not every live buffer is listed */
	uint8_t	 is_counted; /* ... but all were looked at: the two counts below are known */
	uint64_t buffers_seen, buffers_passing; /* live buffers; those of them that were wanted */
	uint32_t process_count, allocator_count, chip_count, device_count, capability_count,
		failure_count, buffer_count, card_count, card_user_count, program_count,
		program_kernel_count, program_range_count, site_count, frame_count, leftover_count;
	struct process *processes;
	struct allocator *allocators;
	struct chip *chips;
	struct device *devices; /* a process's devices lie together; the machine's come last */
	struct capability *capabilities;
	struct failure *failures;
	struct buffer *buffers;
	struct card *cards; /* ascending by number */
	struct card_user *card_users; /* a card's users lie together */
	struct program *programs;
	struct program_kernel *program_kernels;
	struct program_range *program_ranges;
	struct site *sites; /* see snapshot_site */
	struct site_frame *frames; /* a site's lie together */
	struct site_table site_table;
	struct leftover *leftovers; /* a process's lie together */
	string_id driver_version; /* 0: no driver, or unknown */
	uint8_t has_driver; /* the driver is loaded */
	struct span machine_devices; /* into devices */
	char *strings;
	uint32_t strings_bytes;
	uint32_t capacity[16]; /* of the arrays above; private */
};

/* snapshot_init - an empty snapshot; never fails */
void snapshot_init(struct snapshot *snapshot);
/* snapshot_clear - frees everything; the struct is empty again */
void snapshot_clear(struct snapshot *snapshot);

/* snapshot_string - copies bytes into the pool (NUL bytes become blanks). -ENOMEM. */
int snapshot_string(struct snapshot *snapshot, const char *bytes, size_t length, string_id *ret_id);
const char *snapshot_text(const struct snapshot *snapshot, string_id id);

/*
 * snapshot_add_* - appends one zeroed element and gives its index. Pointers into the array are
 * valid until the next add to the same array. Return: 0 or -ENOMEM.
 */
int snapshot_add_process(struct snapshot *snapshot, uint32_t *ret_index);
int snapshot_add_allocator(struct snapshot *snapshot, uint32_t *ret_index);
int snapshot_add_chip(struct snapshot *snapshot, uint32_t *ret_index);
int snapshot_add_device(struct snapshot *snapshot, uint32_t *ret_index);
int snapshot_add_capability(struct snapshot *snapshot, uint32_t *ret_index);
int snapshot_add_failure(struct snapshot *snapshot, uint32_t *ret_index);
int snapshot_add_buffer(struct snapshot *snapshot, uint32_t *ret_index);
int snapshot_add_card(struct snapshot *snapshot, uint32_t *ret_index);
int snapshot_add_card_user(struct snapshot *snapshot, uint32_t *ret_index);
int snapshot_add_program(struct snapshot *snapshot, uint32_t *ret_index);
int snapshot_add_program_kernel(struct snapshot *snapshot, uint32_t *ret_index);
int snapshot_add_program_range(struct snapshot *snapshot, uint32_t *ret_index);
int snapshot_add_site(struct snapshot *snapshot, uint32_t *ret_index);
int snapshot_add_frame(struct snapshot *snapshot, uint32_t *ret_index);
int snapshot_add_leftover(struct snapshot *snapshot, uint32_t *ret_index);

/* snapshot_covers - does an allocator cover this chip (same process, same unique id or chip id)? */
bool snapshot_covers(const struct snapshot *snapshot, const struct allocator *allocator,
		     const struct device *device);
/* device_same - the same chip, by unique id, else by the number in its process */
bool device_same(const struct device *a, const struct device *b);
/* snapshot_has_open - has the process the card of this device open, by the driver's list? */
bool snapshot_has_open(const struct snapshot *snapshot, uint32_t process,
		       const struct device *device);
/* snapshot_uses - does the process use this device of the machine, as far as anybody knows? */
bool snapshot_uses(const struct snapshot *snapshot, uint32_t process, const struct device *device);
/*
 * snapshot_copy_process - what is plain or text of `from`'s process `source` becomes that of `to`'s
 * process `index`; lists (allocators, devices, failures, capabilities) stay. 0 or -ENOMEM.
 */
int snapshot_copy_process(struct snapshot *to, uint32_t index, const struct snapshot *from,
			  uint32_t source);
/*
 * snapshot_select - keeps the machine's devices whose `keep` is set, and of processes those that
 * use one of them, with their figures of these devices only. Buffers and allocators stay.
 */
void snapshot_select(struct snapshot *snapshot, const bool *keep);
/* snapshot_card - of a machine's device; NULL when no card is known to have it */
const struct card *snapshot_card(const struct snapshot *snapshot, const struct device *device);

/* snapshot_buffers_total - live buffers of the processes in it whose details are shown */
uint64_t snapshot_buffers_total(const struct snapshot *snapshot);

#endif
