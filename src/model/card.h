/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A card as the kernel driver tells of it: what it is, how it is doing, and who
 * has it open. One PCI function; a board may carry one more chip behind
 * Ethernet, of which the driver knows nothing but that the board is such a one.
 */
#ifndef TTMEM_MODEL_CARD_H
#define TTMEM_MODEL_CARD_H

#include "model/memory.h"

enum card_state {
	CARD_OK = 0,
	CARD_STUCK = 1, /* a read has not come back; figures are the last ones */
	CARD_RESET = 2, /* the driver says that a reset is going on */
	CARD_GONE = 3,	/* listed, but nothing of it can be read */
	CARD_STATES
};

/* card_state_name - "ok", "stuck", "reset", "gone" */
const char *card_state_name(enum card_state state);

/* Moving values; all as of `age_ns` ago. Temperatures are signed (two's complement). */
struct telemetry {
	struct fact temperature_c, temperature_limit_c;
	struct fact power_w, power_limit_w;
	struct fact current_a, current_limit_a;
	struct fact voltage_mv, voltage_limit_mv;
	struct fact fan_rpm;
	struct fact aiclk_mhz, axiclk_mhz, arcclk_mhz;
	struct fact heartbeat;
	struct fact thermal_trips;
};

struct pcie_link {
	struct fact generation, width, generation_max, width_max;
	struct fact numa_node;
};

static inline int64_t fact_signed(struct fact fact)
{
	return (int64_t)fact.value;
}

#endif
