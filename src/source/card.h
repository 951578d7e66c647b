/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One card, read from sysfs, hwmon, procfs and UMD's lock file, below a root
 * directory. The device itself is never opened.
 *
 * Every attribute is optional: which there are depends on driver, architecture
 * and firmware, and they come up to two minutes after the card. Every value is
 * checked: drivers hand out all ones, error codes and unsigned negatives. A
 * read may block for ten seconds while a card is being reset, so this runs in
 * a worker (source/sampler.h), never in a loop that somebody waits for.
 */
#ifndef TTMEM_SOURCE_CARD_H
#define TTMEM_SOURCE_CARD_H

#include <stdbool.h>
#include <stdint.h>

#include "model/card.h"

#define CARD_USERS_MAX 256u

/* Plain bytes: readings lie in memory that two processes share. */
struct card_reading {
	uint32_t number; /* N of tenstorrent!N */
	uint8_t state;	 /* enum card_state */
	bool has_identity, has_pci;
	uint64_t time_ns; /* CLOCK_MONOTONIC, when the moving values were read */
	char pci_address[24];
	char card_type[24]; /* "" unknown */
	char firmware[24];  /* "" unknown */
	struct fact serial, asic_id, device_id, subsystem_id;
	struct telemetry telemetry;
	struct pcie_link link;
	struct fact handles, foreign_handles, started_pid;
	uint32_t user_count;
	struct card_reader_user {
		uint32_t pid, handles;
	} users[CARD_USERS_MAX]; /* in the order of the driver's list */
};

struct driver_version {
	uint32_t major, minor; /* 0.0: unknown */
};

/*
 * card_read_bus - what the PCI bus tells, in `reading`, whose number is set. It answers for a card
 * in reset, too, so it comes first: of a card that is stuck from the start it is all there is.
 */
void card_read_bus(int root, struct card_reading *reading);
/*
 * card_read - the rest, after the bus was read once. `identity`: also what only changes with a
 * reset; else those fields stay. What cannot be read is absent with a reason. Never fails.
 */
void card_read(int root, struct driver_version driver, bool identity,
	       struct card_reading *reading);

/* card_lacks_telemetry - is something missing that may still come (a card that just started)? */
bool card_lacks_telemetry(const struct card_reading *reading);

#endif
