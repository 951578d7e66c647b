/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What each board has, by the code in its serial number, and which unique ids
 * its chips can have. Nominal figures: harvesting, release and dispatch mode
 * move them, so whoever shows them says "estimate" until a process has told.
 */
#ifndef TTMEM_METAL_BOARDS_H
#define TTMEM_METAL_BOARDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct board {
	uint32_t code; /* bits 36..55 of the board's serial number; also its PCI subsystem id */
	const char *name;
	uint32_t arch;	/* tt::ARCH */
	uint32_t chips; /* reached through one PCI function */
	bool galaxy;	/* its chips take their unique ids from their fuses */
	uint32_t dram_banks;
	uint32_t tensix_cores;	/* usable after the usual harvesting */
	uint32_t compute_cores; /* what is left of them beside dispatch: the L1 banks */
};

/* Per architecture; the L1 figures are those of release 0.81.1 without options. */
struct board_memory {
	uint64_t dram_bank_bytes;	      /* soldered on */
	uint64_t dram_bank_allocatable_bytes;
	uint64_t l1_core_bytes;
	uint64_t l1_core_allocatable_bytes;
};

/* board_by_code, board_by_name - NULL when there is none */
const struct board *board_by_code(uint32_t code);
const struct board *board_by_name(const char *name);
/* board_of_serial - from the whole serial number */
const struct board *board_of_serial(uint64_t serial);
/* board_memory_of - NULL for an architecture that we know nothing of */
const struct board_memory *board_memory_of(uint32_t arch);

#define UNIQUE_IDS_MAX 40

struct unique_id {
	uint64_t value;
	bool remote; /* of the board's second chip, behind Ethernet */
};

/*
 * unique_ids_of - every unique id that a chip of a card with this serial number and ASIC id may
 * report. It depends on whether an Ethernet link was up when the process started, so a card has
 * several; none stands twice. `asic_id` 0: unknown.
 */
size_t unique_ids_of(uint32_t arch, uint64_t serial, uint64_t asic_id,
		     struct unique_id ids[UNIQUE_IDS_MAX]);

#endif
