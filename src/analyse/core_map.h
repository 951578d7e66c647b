/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All of the L1 of a core, from its first byte to its last: reserved, kernel
 * config ring, program memory, free, L1 buffers, L1_SMALL.
 *
 * No term is what the others leave over. Reserved and ring are the process's
 * own values, program memory comes from each buffer's address, L1 buffers from
 * the table's slots, and the allocator's totals say what is free of a bank; so
 * that they add up to the core is a check, and it can fail.
 *
 * Banks work in lock step: an L1 buffer takes the same range on every core of
 * the compute grid. A program takes its memory on its own cores only.
 */
#ifndef TTMEM_ANALYSE_CORE_MAP_H
#define TTMEM_ANALYSE_CORE_MAP_H

#include "analyse/residency.h"
#include "model/snapshot.h"

enum core_what {
	CORE_RESERVED, /* firmware and whatever else has no name of its own */
	CORE_BARRIER,
	CORE_MAILBOX,
	CORE_FABRIC,
	CORE_RING,
	CORE_CIRCULAR_BUFFER,
	CORE_DATAFLOW_BUFFER,
	CORE_SCRATCHPAD,
	CORE_FREE,
	CORE_L1_BUFFER,
	CORE_L1_SMALL,
	CORE_WHATS
};

enum core_state {
	CORE_STATE_NONE,
	CORE_RESIDENT,	  /* of the program dispatched last on this core */
	CORE_OVERWRITTEN, /* the same, but a live buffer lies over another part of it */
	CORE_CACHED,	  /* free, and a program that is kept would use it if it ran again */
	CORE_LIVE,	  /* a buffer */
};

enum core_kind { CORE_WORKER, CORE_DISPATCH, CORE_HARVESTED };

/* core_what_name - "circular_buffer", ...; core_state_name - NULL for none; core_kind_name */
const char *core_what_name(enum core_what what);
const char *core_state_name(enum core_state state);
const char *core_kind_name(enum core_kind kind);

struct core_range {
	uint64_t start, end;
	uint8_t what, state;
	uint32_t program; /* index, SNAPSHOT_NONE */
	uint32_t buffer;  /* index, SNAPSHOT_NONE */
};

/* The terms of one core, in bytes; see core_terms_sum. */
struct core_terms {
	uint64_t reserved, ring, program, free, buffers, small, size;
	uint64_t bank_free; /* of one bank, by the allocator's totals */
};

/* One chip: what is the same for all its cores. */
struct chip_map {
	const struct snapshot *snapshot;
	const struct allocator *allocator; /* whose terms hold for the chip */
	bool is_estimate;		   /* reserved and ring are not known apart */
	uint64_t size, reserved, ring, base, small_start;
	uint64_t bank_free;
	bool bank_free_known;
	uint32_t worker_x, worker_y, compute_x, compute_y;
	struct core_range *buffers; /* L1 buffers and L1_SMALL, disjoint, ascending */
	uint32_t buffer_count;
	uint32_t *processes; /* that have programs on this chip */
	struct residency *residencies; /* one each */
	uint32_t *chip_ids;
	uint32_t process_count;
};

/*
 * chip_map_init - of a device of the machine; the snapshot needs buffers and programs, and stays in
 * use. Return: 0; -ENODATA when no process tells the size of L1; -E2BIG; -ENOMEM.
 */
int chip_map_init(struct chip_map *map, const struct snapshot *snapshot,
		  const struct device *device);
void chip_map_clear(struct chip_map *map);
/*
 * chip_map_harvested - how many Tensix cores of the architecture this chip does not have: which ones
 * no table tells. 0 when the worker grid is not known.
 */
uint32_t chip_map_harvested(const struct chip_map *map);
/* chip_map_kind - of the core at logical x, y inside the worker grid */
enum core_kind chip_map_kind(const struct chip_map *map, uint32_t x, uint32_t y);

struct core_map {
	struct core_range *ranges; /* cover [0, size) without hole or overlap */
	uint32_t count, capacity;
	struct core_terms terms;
};

/* chip_map_core - Return: 0 or -ENOMEM. Clear with core_map_clear; may be used again. */
int chip_map_core(const struct chip_map *map, uint32_t x, uint32_t y, struct core_map *core);
void core_map_clear(struct core_map *core);

/*
 * core_terms_difference - size of L1 minus the sum of its terms: 0 when the books are right
 * core_terms_free_difference - free by the allocator's totals minus free by addresses, likewise
 */
int64_t core_terms_difference(const struct core_terms *terms);
int64_t core_terms_free_difference(const struct core_terms *terms);
/* core_map_is_valid - are the ranges ascending, adjacent, and do they cover [0, size)? */
bool core_map_is_valid(const struct core_map *core);

#endif
