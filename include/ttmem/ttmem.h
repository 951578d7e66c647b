/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libttmem: device memory of Tenstorrent accelerators, seen from outside (query), and said by
 * runtimes that keep their own books (report).
 *
 * Query: open, take a snapshot, read it, release it, close.
 *
 *     ttmemHandle_t handle;
 *     ttmemSnapshot_t snapshot;
 *     uint32_t count;
 *     ttmemOpen(NULL, &handle);
 *     if (ttmemSnapshotTake(handle, NULL, &snapshot) == TTMEM_SUCCESS) {
 *         ttmemDeviceGetCount(snapshot, &count);
 *         ...
 *         ttmemSnapshotRelease(snapshot);
 *     }
 *     ttmemClose(handle);
 *
 * Report: open a report, add an allocator with its geometry, then say each allocation and free.
 * The table lies in memory of this process; ttmem, ttmemd and this library read it from there.
 *
 * Conventions
 * - Every function that can fail returns ttmemReturn_t; outputs are written on TTMEM_SUCCESS only,
 *   unless it says otherwise. No function prints, exits, throws or changes a signal handler.
 * - Sizes are bytes (`_bytes`), times nanoseconds (`_ns`). Figures of a memory type are those of
 *   all its banks together, except where the name says `bank`.
 * - A figure that may be unknown is a ttmemValue_t. An unknown one is never 0.
 * - Structs that are filled in begin with `version`, set by the caller to TTMEM_<NAME>_VERSION.
 *   A library that is newer fills in what that version has; one that is older returns
 *   TTMEM_ERROR_VERSION. Lists take the version as an argument, because it is also the size of a row.
 * - Lists are asked for twice: with a NULL array `*count` becomes the number of rows; with an array
 *   `*count` is its room, becomes the number of rows written, and too little room is
 *   TTMEM_ERROR_INSUFFICIENT_SIZE with `*count` the number that is needed and nothing written.
 * - Strings in a snapshot are UTF-8 or whatever the observed process has given itself as a name:
 *   escape them before you print them. They live as long as the snapshot. NULL: not known.
 * - Threads: a snapshot is never changed once it is taken, so any number of threads may read it; it
 *   is released once, after the last. All functions of a report may be called from any thread at
 *   any time, except for ttmemReportClose. Nothing here is async-signal-safe.
 * - fork: a child may go on reading a snapshot it inherited, and has its own copy to release. A
 *   report is empty in the child: its table is the parent's. The child may add allocators anew and
 *   has a table of its own from then on. What the child frees that the parent allocated is ignored.
 * - The library may start threads for the time of ttmemSnapshotTake, with all signals blocked. It
 *   stays loaded until the process ends: dlclose() does not unload it.
 */
#ifndef TTMEM_TTMEM_H
#define TTMEM_TTMEM_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define TTMEM_EXPORT __attribute__((visibility("default")))
#else
#define TTMEM_EXPORT
#endif

/* size of the struct in the low 24 bits, number of its version above */
#define TTMEM_STRUCT_VERSION(type, number) ((uint32_t)sizeof(type) | (uint32_t)(number) << 24)

/* ---- results ---- */

typedef enum ttmemReturn_enum {
	TTMEM_SUCCESS = 0,
	TTMEM_ERROR_INVALID_ARGUMENT = 1,  /* NULL, out of range, or not what the text allows */
	TTMEM_ERROR_NOT_FOUND = 2,	   /* no such device, process, allocator or buffer */
	TTMEM_ERROR_INSUFFICIENT_SIZE = 3, /* the array has too little room */
	TTMEM_ERROR_VERSION = 4,	   /* a struct of a newer library, or `version` not set */
	TTMEM_ERROR_MEMORY = 5,		   /* no host memory, or no room left in the table */
	TTMEM_ERROR_NO_PERMISSION = 6,	   /* not for this user */
	TTMEM_ERROR_NO_SERVER = 7,	   /* asked for a server only, and there is none that answers */
	TTMEM_ERROR_OFF = 8,		   /* TTMEM=off, or the table could not be made */
	TTMEM_ERROR_UNKNOWN = 999
} ttmemReturn_t;

/* ttmemErrorString - a result in words; never NULL, static. */
TTMEM_EXPORT const char *ttmemErrorString(ttmemReturn_t result);
/* ttmemVersionString - of the library, as "0.1.0"; static. */
TTMEM_EXPORT const char *ttmemVersionString(void);

/* ---- values ---- */

typedef enum ttmemState_enum {
	TTMEM_STATE_UNKNOWN = 0,  /* `value` means nothing; `reason` says why */
	TTMEM_STATE_KNOWN = 1,
	TTMEM_STATE_ESTIMATE = 2, /* a bound or a nominal figure; `reason` says which */
	TTMEM_STATE_DENIED = 3,	  /* there, but not for this user */
	TTMEM_STATE_STALE = 4	  /* was true once; `reason` says why it is not read anew */
} ttmemState_t;

typedef struct ttmemValue_st {
	uint64_t value;
	uint32_t state;	 /* ttmemState_t */
	uint32_t reason; /* for ttmemReasonString; 0: none */
} ttmemValue_t;

/* ttmemReasonString - why a value is not simply known; never NULL, static, "" for none. */
TTMEM_EXPORT const char *ttmemReasonString(uint32_t reason);

typedef enum ttmemMemoryType_enum {
	TTMEM_MEMORY_DRAM = 0,
	TTMEM_MEMORY_L1 = 1,
	TTMEM_MEMORY_L1_SMALL = 2,
	TTMEM_MEMORY_TRACE = 3
} ttmemMemoryType_t;
#define TTMEM_MEMORY_TYPES 4

/* ttmemMemoryTypeString - "dram", "l1", "l1_small", "trace"; NULL for any other number; static. */
TTMEM_EXPORT const char *ttmemMemoryTypeString(uint32_t type);

typedef enum ttmemArch_enum {
	TTMEM_ARCH_UNKNOWN = 0,
	TTMEM_ARCH_WORMHOLE = 2,
	TTMEM_ARCH_BLACKHOLE = 3,
	TTMEM_ARCH_QUASAR = 4
} ttmemArch_t;

typedef enum ttmemLayout_enum {
	TTMEM_LAYOUT_INTERLEAVED = 0,
	TTMEM_LAYOUT_HEIGHT_SHARDED = 2,
	TTMEM_LAYOUT_WIDTH_SHARDED = 3,
	TTMEM_LAYOUT_BLOCK_SHARDED = 4
} ttmemLayout_t;

#define TTMEM_NONE UINT32_MAX /* "none" or "unknown" in 32 bits */

/* ---- query: where to look, and snapshots ---- */

typedef struct ttmemHandle_st *ttmemHandle_t;
typedef struct ttmemSnapshot_st *ttmemSnapshot_t;

#define TTMEM_OPEN_NO_SERVER   0x1u /* look at the processes; ask no server */
#define TTMEM_OPEN_SERVER_ONLY 0x2u /* TTMEM_ERROR_NO_SERVER when none answers */
#define TTMEM_OPEN_OWN	       0x4u /* this process only, without a server and without cards */

typedef struct ttmemOpenOptions_st {
	uint32_t version; /* TTMEM_OPEN_OPTIONS_VERSION */
	uint32_t flags;	  /* TTMEM_OPEN_* */
	const char *server; /* directory with the api.sock of a server; NULL: the usual ones */
	const char *root;   /* look for cards below this directory; NULL: "/" */
} ttmemOpenOptions_t;
#define TTMEM_OPEN_OPTIONS_VERSION TTMEM_STRUCT_VERSION(ttmemOpenOptions_t, 1)

/*
 * ttmemOpen - says where snapshots come from: from the first server that answers
 * ($TTMEM_SOCKET_DIR, /run/ttmem, $XDG_RUNTIME_DIR/ttmem), else collected here, which shows the
 * processes of this user, or all to root. Servers may come and go: each snapshot asks anew, and
 * nothing is kept open. options NULL: all zeros; they are copied. The handle may be used by several
 * threads at once. Returns TTMEM_ERROR_INVALID_ARGUMENT, _VERSION, _MEMORY.
 */
TTMEM_EXPORT ttmemReturn_t ttmemOpen(const ttmemOpenOptions_t *options, ttmemHandle_t *handle);
/* ttmemClose - snapshots that were taken stay valid. NULL is fine. */
TTMEM_EXPORT void ttmemClose(ttmemHandle_t handle);

#define TTMEM_TAKE_BUFFERS	0x1u /* ttmemBufferGetList works */
#define TTMEM_TAKE_LARGEST_FREE 0x2u /* largest free ranges are computed */

typedef struct ttmemTakeOptions_st {
	uint32_t version; /* TTMEM_TAKE_OPTIONS_VERSION */
	uint32_t flags;	  /* TTMEM_TAKE_* */
	uint32_t pid;	  /* this process only; 0: all */
	uint32_t reserved;
} ttmemTakeOptions_t;
#define TTMEM_TAKE_OPTIONS_VERSION TTMEM_STRUCT_VERSION(ttmemTakeOptions_t, 1)

/*
 * ttmemSnapshotTake - everything that can be seen now. No device is opened. options NULL: all zeros.
 * Waits for a server 200 ms at most for the first byte, and 50 ms for each card that does not answer.
 * The snapshot is the caller's to release. Returns TTMEM_ERROR_INVALID_ARGUMENT, _VERSION, _MEMORY,
 * _NO_SERVER, _UNKNOWN.
 */
TTMEM_EXPORT ttmemReturn_t ttmemSnapshotTake(ttmemHandle_t handle,
					     const ttmemTakeOptions_t *options,
					     ttmemSnapshot_t *snapshot);
/* ttmemSnapshotRelease - and with it every string that came from it. NULL is fine. */
TTMEM_EXPORT void ttmemSnapshotRelease(ttmemSnapshot_t snapshot);

typedef struct ttmemSnapshotInfo_st {
	uint32_t version;	 /* TTMEM_SNAPSHOT_INFO_VERSION */
	uint32_t has_buffers;	 /* 1: buffers are listed */
	uint32_t is_consistent;	 /* 1: the buffers of each process are those of one moment */
	uint32_t device_count;	 /* of this machine */
	uint32_t process_count;
	uint32_t allocator_count;
	uint64_t buffer_count;	 /* listed ones */
	uint64_t realtime_ns;	 /* when it was taken, CLOCK_REALTIME */
	const char *server;	 /* directory of the server that told; NULL: collected here */
	const char *driver;	 /* version of the kernel driver; NULL: none, or not known */
} ttmemSnapshotInfo_t;
#define TTMEM_SNAPSHOT_INFO_VERSION TTMEM_STRUCT_VERSION(ttmemSnapshotInfo_t, 1)

/* ttmemSnapshotGetInfo - Returns TTMEM_ERROR_INVALID_ARGUMENT, _VERSION. */
TTMEM_EXPORT ttmemReturn_t ttmemSnapshotGetInfo(ttmemSnapshot_t snapshot,
						ttmemSnapshotInfo_t *info);

/*
 * One memory type, of a device, a process on a device, or an allocator. Where all three are known
 * occupied + free = allocatable, exactly.
 */
typedef struct ttmemMemory_st {
	uint32_t version; /* TTMEM_MEMORY_VERSION */
	uint32_t type;	  /* ttmemMemoryType_t; filled in */
	ttmemValue_t requested_bytes;	 /* what programs asked for */
	ttmemValue_t occupied_bytes;	 /* bytes per bank x banks */
	ttmemValue_t allocatable_bytes;	 /* bank size x banks */
	ttmemValue_t free_bytes;
	ttmemValue_t largest_free_bytes; /* TTMEM_TAKE_LARGEST_FREE: largest range of a bank x banks */
	ttmemValue_t banks;		 /* a number */
	ttmemValue_t bank_size_bytes;	 /* allocatable bytes of one bank */
	ttmemValue_t bank_allocated_bytes;
	ttmemValue_t bank_free_bytes;
	ttmemValue_t bank_largest_free_bytes;
	ttmemValue_t buffers;		   /* a number of live ones */
	ttmemValue_t peak_requested_bytes; /* highest so far; an estimate is an upper bound */
	ttmemValue_t peak_occupied_bytes;
} ttmemMemory_t;
#define TTMEM_MEMORY_VERSION TTMEM_STRUCT_VERSION(ttmemMemory_t, 1)

/* ---- query: devices of this machine, by index 0 .. count - 1 ---- */

typedef struct ttmemDevice_st {
	uint32_t version; /* TTMEM_DEVICE_VERSION */
	uint32_t number;  /* N of /dev/tenstorrent/N; chips behind Ethernet are counted after these */
	uint32_t arch;	  /* ttmemArch_t */
	uint32_t is_remote; /* 1: behind Ethernet, on the board of another device */
	uint32_t chip_id;   /* as a process that uses it numbers it; TTMEM_NONE: no process does */
	uint32_t reserved;
	ttmemValue_t unique_id;	   /* as UMD gives it */
	ttmemValue_t tensix_cores; /* a number of usable ones */
	ttmemValue_t dram_physical_bytes; /* soldered on */
	ttmemValue_t l1_physical_bytes;	  /* of all usable Tensix cores */
	const char *board;	   /* "n300" */
	const char *pci_address;   /* "0000:41:00.0" */
	ttmemValue_t temperature_c;
	ttmemValue_t power_w;
	ttmemValue_t aiclk_mhz;
} ttmemDevice_t;
#define TTMEM_DEVICE_VERSION TTMEM_STRUCT_VERSION(ttmemDevice_t, 1)

/* ttmemDeviceGetCount - Returns TTMEM_ERROR_INVALID_ARGUMENT. */
TTMEM_EXPORT ttmemReturn_t ttmemDeviceGetCount(ttmemSnapshot_t snapshot, uint32_t *count);
/* ttmemDeviceGetInfo - Returns TTMEM_ERROR_INVALID_ARGUMENT, _VERSION, _NOT_FOUND. */
TTMEM_EXPORT ttmemReturn_t ttmemDeviceGetInfo(ttmemSnapshot_t snapshot, uint32_t index,
					      ttmemDevice_t *device);
/*
 * ttmemDeviceGetMemory - one memory type, all processes together. `pid` 0; else what this process
 * holds of the device. Returns TTMEM_ERROR_INVALID_ARGUMENT, _VERSION, _NOT_FOUND.
 */
TTMEM_EXPORT ttmemReturn_t ttmemDeviceGetMemory(ttmemSnapshot_t snapshot, uint32_t index,
						uint32_t pid, uint32_t type,
						ttmemMemory_t *memory);

/* ---- query: processes ---- */

typedef struct ttmemProcess_st {
	uint32_t pid;	    /* in the PID namespace of who took the snapshot */
	uint32_t uid;
	uint32_t state;	    /* 0 live, 1 ended, 2 gone: the driver still lists it */
	uint32_t is_seen;   /* 1: its memory is known; 0: it has a device open, no more is known */
	uint32_t is_hidden; /* 1: command, buffers and failures are not for this user */
	uint32_t allocator_count;
	uint64_t live_buffers;
	uint64_t event;	      /* number of its last event: see ttmemBuffer_t */
	uint64_t failures;    /* of allocations and programs, so far */
	uint64_t started_ns;  /* CLOCK_REALTIME */
	const char *user;
	const char *command;  /* arguments separated by blanks, at most 256 bytes */
	const char *entry;    /* the way it came in: "preload", "python", "attach", "report" */
	const char *metal_version;
	const char *container;
} ttmemProcess_t;
#define TTMEM_PROCESS_VERSION TTMEM_STRUCT_VERSION(ttmemProcess_t, 1)

/*
 * ttmemProcessGetList - all of them; version is TTMEM_PROCESS_VERSION.
 * Returns TTMEM_ERROR_INVALID_ARGUMENT, _VERSION, _INSUFFICIENT_SIZE.
 */
TTMEM_EXPORT ttmemReturn_t ttmemProcessGetList(ttmemSnapshot_t snapshot, uint32_t version,
					       uint64_t *count, ttmemProcess_t *processes);

/* ---- query: allocators; TT-Metal has one for each mesh and submesh ---- */

typedef struct ttmemAllocator_st {
	uint32_t pid;
	uint32_t id;	 /* of this process */
	uint32_t parent; /* id; TTMEM_NONE */
	uint32_t is_open;
	uint32_t arch;	 /* ttmemArch_t */
	uint32_t chip_count;
	uint32_t grid_x, grid_y; /* compute grid, cores; 0 unknown */
	ttmemValue_t l1_bytes_per_core;
	ttmemMemory_t memory[TTMEM_MEMORY_TYPES];
	uint64_t base_address[TTMEM_MEMORY_TYPES]; /* where a bank's allocatable range starts */
	uint64_t allocations[TTMEM_MEMORY_TYPES];  /* so far */
	uint64_t frees[TTMEM_MEMORY_TYPES];
	uint64_t failures[TTMEM_MEMORY_TYPES];
} ttmemAllocator_t;
#define TTMEM_ALLOCATOR_VERSION TTMEM_STRUCT_VERSION(ttmemAllocator_t, 1)

/* ttmemAllocatorGetList - Returns TTMEM_ERROR_INVALID_ARGUMENT, _VERSION, _INSUFFICIENT_SIZE. */
TTMEM_EXPORT ttmemReturn_t ttmemAllocatorGetList(ttmemSnapshot_t snapshot, uint32_t version,
						 uint64_t *count, ttmemAllocator_t *allocators);

typedef struct ttmemChip_st {
	uint32_t pid;	    /* whose allocator */
	uint32_t allocator; /* id */
	uint32_t chip_id;   /* as the process numbers its chips */
	uint32_t reserved;
	ttmemValue_t unique_id;
} ttmemChip_t;
#define TTMEM_CHIP_VERSION TTMEM_STRUCT_VERSION(ttmemChip_t, 1)

/* ttmemChipGetList - the chips of all allocators. Returns as ttmemAllocatorGetList. */
TTMEM_EXPORT ttmemReturn_t ttmemChipGetList(ttmemSnapshot_t snapshot, uint32_t version,
					    uint64_t *count, ttmemChip_t *chips);

/* ---- query: buffers ---- */

typedef struct ttmemBuffer_st {
	uint32_t pid;
	uint32_t allocator; /* id */
	uint32_t type;	    /* ttmemMemoryType_t */
	uint32_t layout;    /* ttmemLayout_t, or a number of a newer TT-Metal */
	uint64_t address;   /* in each bank */
	uint64_t requested_bytes;
	uint64_t bank_bytes; /* what it holds in each bank */
	uint64_t page_bytes;
	uint64_t pages;	     /* UINT64_MAX: not known */
	uint64_t age_ns;
	uint64_t event;	     /* orders the allocations of one process */
	uint32_t cores;	     /* that hold it; TTMEM_NONE: interleaved, or not known */
	uint32_t thread;     /* kernel thread id that allocated it */
	const char *op;	     /* "ttnn.matmul"; NULL: not known */
	const char *site_file;	   /* NULL: not known */
	const char *site_function; /* likewise */
	uint32_t site_line;	   /* 0: not known */
	uint32_t reserved;
	const char *tag; /* what the program says that it is for; NULL: it gave none */
} ttmemBuffer_t;
#define TTMEM_BUFFER_VERSION TTMEM_STRUCT_VERSION(ttmemBuffer_t, 1)

/*
 * ttmemBufferGetList - all live buffers, with TTMEM_TAKE_BUFFERS; a server lists 1,000,000 at most.
 * Returns TTMEM_ERROR_INVALID_ARGUMENT (also: taken without buffers), _VERSION, _INSUFFICIENT_SIZE.
 */
TTMEM_EXPORT ttmemReturn_t ttmemBufferGetList(ttmemSnapshot_t snapshot, uint32_t version,
					      uint64_t *count, ttmemBuffer_t *buffers);

/* ---- this process ---- */

/*
 * The highest figures since the last ttmemOwnTakePeaks, exact: they are kept by the writer of the
 * table, at each allocation, and not sampled.
 */
typedef struct ttmemPeak_st {
	uint32_t allocator; /* id, as in ttmemAllocator_t */
	uint32_t type;	    /* ttmemMemoryType_t */
	uint64_t peak_requested_bytes;
	uint64_t peak_bank_bytes; /* in each bank */
	uint64_t requested_bytes; /* now */
	uint64_t bank_bytes;	  /* now, in each bank */
} ttmemPeak_t;
#define TTMEM_PEAK_VERSION TTMEM_STRUCT_VERSION(ttmemPeak_t, 1)
#define TTMEM_PEAKS_MAX 1024 /* rows there can be at most: 256 allocators, four types */

/*
 * ttmemOwnTakePeaks - of the table that the hook keeps of this process, else of its report; also of
 * allocators that have been closed. Starts anew: the next call tells what came after this one, so who has several
 * regions of code to watch must tell each of them what every call said. `*count` is the room of
 * `peaks` and becomes the number of rows written; with NULL nothing starts anew and `*count` becomes
 * the rows there are now.
 * Returns TTMEM_ERROR_INVALID_ARGUMENT, _VERSION, _INSUFFICIENT_SIZE; _NOT_FOUND: there is no table, or
 * it has no allocator yet.
 */
TTMEM_EXPORT ttmemReturn_t ttmemOwnTakePeaks(uint32_t version, uint64_t *count,
					     ttmemPeak_t *peaks);

/* ---- report: for runtimes that keep their own books ---- */

typedef struct ttmemReport_st *ttmemReport_t;

typedef struct ttmemReportOptions_st {
	uint32_t version; /* TTMEM_REPORT_OPTIONS_VERSION */
	uint32_t reserved;
	const char *runtime; /* its name and release, at most 31 bytes, shown as its TT-Metal; NULL */
} ttmemReportOptions_t;
#define TTMEM_REPORT_OPTIONS_VERSION TTMEM_STRUCT_VERSION(ttmemReportOptions_t, 1)

/*
 * ttmemReportOpen - makes the table of this process and tells the servers. options NULL: all zeros.
 * A process has one report: who opens it again gets the same one, and it is closed when it was
 * closed as often as it was opened. Keep it apart from the hook: a process under both has two tables.
 * Returns TTMEM_ERROR_OFF (TTMEM=off, or no memfd: then there is nothing to close), _MEMORY, _VERSION.
 */
TTMEM_EXPORT ttmemReturn_t ttmemReportOpen(const ttmemReportOptions_t *options,
					   ttmemReport_t *report);
/* ttmemReportClose - takes the table away; no other call may be running. NULL is fine. */
TTMEM_EXPORT void ttmemReportClose(ttmemReport_t report);

typedef struct ttmemGeometry_st {
	uint32_t banks;		/* 0: this memory type does not exist here */
	uint32_t alignment_bytes; /* 0: not known */
	uint64_t bank_bytes;	/* allocatable bytes of one bank */
	uint64_t base_address;	/* where its allocatable range starts */
} ttmemGeometry_t;

typedef struct ttmemReportChip_st {
	uint64_t unique_id; /* as UMD gives it; 0: not known */
	uint32_t chip_id;   /* a number of the runtime's own */
	uint32_t reserved;
} ttmemReportChip_t;

typedef struct ttmemReportAllocator_st {
	uint32_t version; /* TTMEM_REPORT_ALLOCATOR_VERSION */
	uint32_t arch;	  /* ttmemArch_t */
	uint32_t grid_x, grid_y; /* compute grid, cores; 0: not known */
	uint64_t l1_bytes_per_core; /* the whole L1 of one; 0: not known */
	uint32_t parent;  /* id of the allocator it takes its memory from; TTMEM_NONE */
	uint32_t chip_count; /* 1 .. 64; an address range is the same on each of them */
	const ttmemReportChip_t *chips;
	ttmemGeometry_t geometry[TTMEM_MEMORY_TYPES];
} ttmemReportAllocator_t;
#define TTMEM_REPORT_ALLOCATOR_VERSION TTMEM_STRUCT_VERSION(ttmemReportAllocator_t, 1)

/*
 * ttmemReportAllocatorAdd - `allocator` is copied; *id names it from now on.
 * Returns TTMEM_ERROR_INVALID_ARGUMENT, _VERSION, _NOT_FOUND (the parent), _MEMORY (256 are open), _OFF.
 */
TTMEM_EXPORT ttmemReturn_t ttmemReportAllocatorAdd(ttmemReport_t report,
						   const ttmemReportAllocator_t *allocator,
						   uint32_t *id);
/*
 * ttmemReportAllocatorRemove - with its buffers, which are counted as left behind. Returns
 * TTMEM_ERROR_INVALID_ARGUMENT, _NOT_FOUND.
 */
TTMEM_EXPORT ttmemReturn_t ttmemReportAllocatorRemove(ttmemReport_t report, uint32_t id);

typedef struct ttmemReportSite_st {
	uint32_t version; /* TTMEM_REPORT_SITE_VERSION */
	uint32_t line;	  /* 0: not known */
	const char *op;	  /* any of the four may be NULL */
	const char *file;
	const char *function;
	const char *tag; /* what it is for: "kv-cache" */
} ttmemReportSite_t;
#define TTMEM_REPORT_SITE_VERSION TTMEM_STRUCT_VERSION(ttmemReportSite_t, 1)

/*
 * ttmemReportSite - a place in the program, to be named by its allocations: call it once a place and
 * keep the id. The strings are copied. *id 0: sites are not recorded; it may be used all the same.
 * Returns TTMEM_ERROR_INVALID_ARGUMENT, _VERSION.
 */
TTMEM_EXPORT ttmemReturn_t ttmemReportSite(ttmemReport_t report, const ttmemReportSite_t *site,
					   uint32_t *id);

typedef struct ttmemReportBuffer_st {
	uint32_t version;   /* TTMEM_REPORT_BUFFER_VERSION */
	uint32_t allocator; /* id */
	uint64_t key;	    /* names it in ttmemReportFree: unique among the live ones, 1 .. 2^44 - 1 */
	uint64_t address;   /* in each bank */
	uint64_t requested_bytes;
	uint64_t bank_bytes; /* what it takes of each bank, below 16 TiB */
	uint64_t page_bytes; /* 0: not known */
	uint32_t pages;	     /* TTMEM_NONE: not known */
	uint32_t cores;	     /* that hold it; TTMEM_NONE: interleaved, or not known */
	uint32_t type;	     /* ttmemMemoryType_t */
	uint32_t layout;     /* ttmemLayout_t, at most 15 */
	uint32_t site;	     /* 0: none */
	uint32_t reserved;
} ttmemReportBuffer_t;
#define TTMEM_REPORT_BUFFER_VERSION TTMEM_STRUCT_VERSION(ttmemReportBuffer_t, 1)

/*
 * ttmemReportAlloc - a live buffer; one with the same key that was not freed is replaced. No system
 * call, except where the table grows.
 * Returns TTMEM_ERROR_INVALID_ARGUMENT, _VERSION, _NOT_FOUND (allocator), _MEMORY (1,048,576 are live,
 * or no host memory; it is counted), _OFF.
 */
TTMEM_EXPORT ttmemReturn_t ttmemReportAlloc(ttmemReport_t report,
					    const ttmemReportBuffer_t *buffer);
/* ttmemReportFree - Returns TTMEM_ERROR_INVALID_ARGUMENT, _NOT_FOUND (it is counted). */
TTMEM_EXPORT ttmemReturn_t ttmemReportFree(ttmemReport_t report, uint64_t key);

typedef struct ttmemReportFailure_st {
	uint32_t version;   /* TTMEM_REPORT_FAILURE_VERSION */
	uint32_t allocator; /* id; TTMEM_NONE: not known */
	uint32_t type;	    /* ttmemMemoryType_t; TTMEM_NONE: not known */
	uint32_t site;	    /* 0: none */
	uint64_t requested_bytes;
	uint64_t page_bytes;	  /* 0: not known */
	uint64_t bank_free_bytes; /* at that moment; UINT64_MAX: not known */
	uint64_t bank_largest_free_bytes; /* likewise */
} ttmemReportFailure_t;
#define TTMEM_REPORT_FAILURE_VERSION TTMEM_STRUCT_VERSION(ttmemReportFailure_t, 1)

/*
 * ttmemReportFailure - an allocation that did not fit. At most once a second the table is kept as it
 * is at this moment, for `ttmem explain`. Returns TTMEM_ERROR_INVALID_ARGUMENT, _VERSION, _OFF.
 */
TTMEM_EXPORT ttmemReturn_t ttmemReportFailure(ttmemReport_t report,
					      const ttmemReportFailure_t *failure);

#ifdef __cplusplus
}
#endif

#endif
