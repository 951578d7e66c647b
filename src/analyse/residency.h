/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which program each core of a chip holds: of those that ran on it, the one
 * dispatched last. Pure functions on a snapshot.
 */
#ifndef TTMEM_ANALYSE_RESIDENCY_H
#define TTMEM_ANALYSE_RESIDENCY_H

#include "model/snapshot.h"

/* Index of a program, or SNAPSHOT_NONE, for each logical core. */
struct residency {
	uint32_t program[PROGRAM_CORE_MAX][PROGRAM_CORE_MAX]; /* [y][x] */
};

/* program_runs_on - does a program run on this chip of its process? */
bool program_runs_on(const struct snapshot *snapshot, const struct program *program,
		     uint32_t chip_id);
/*
 * residency_of_chip - of one chip of one process. `budget`: looks at cores that are left, so that a
 * forged table cannot keep us busy; taken from. Return: 0; -E2BIG when it ran out.
 */
int residency_of_chip(const struct snapshot *snapshot, uint32_t process, uint32_t chip_id,
		      uint64_t *budget, struct residency *ret_residency);
/* residency_fill - resident_cores of every program of a process */
int residency_fill(struct snapshot *snapshot, uint32_t process);

/* Bytes of program memory of one core: of its resident program, and of any that is cached. */
struct core_program_bytes {
	uint64_t resident;
	uint64_t cached; /* united over programs, never added */
	uint64_t end;	 /* where the resident program's memory ends; 0: it has none */
};

/*
 * residency_core_bytes - of the core at x, y. Return: 0; -EAGAIN when an address that counts is not
 * known; -ENOMEM.
 */
int residency_core_bytes(const struct snapshot *snapshot, uint32_t process, uint32_t chip_id,
			 uint32_t resident, uint32_t x, uint32_t y,
			 struct core_program_bytes *ret_bytes);

#endif
