/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The last minute of the distance to a clash, chip by chip.
 *
 * It takes the addresses of all live buffers, so it is looked at every ten seconds, only when
 * something has happened, and not at all while there are very many buffers.
 */
#ifndef TTMEM_SERVER_GAPS_H
#define TTMEM_SERVER_GAPS_H

#include "model/snapshot.h"

#define GAPS_CHIPS_MAX 64u
#define GAPS_POINTS    6u
#define GAPS_EVERY_NS  UINT64_C(10000000000)
#define GAPS_MINUTE_NS UINT64_C(60000000000)
#define GAPS_BUFFERS_MAX 20000u

struct gap_chip {
	uint64_t unique_id;
	uint64_t time_ns[GAPS_POINTS]; /* a ring; 0: no point */
	uint64_t bytes[GAPS_POINTS];
};

struct gaps {
	struct gap_chip chips[GAPS_CHIPS_MAX];
	uint32_t count, next; /* of points, the same for all chips */
	uint64_t looked_ns, event_sum;
};

/*
 * gaps_due - is it time to look? `event_sum` tells whether anything has happened; where nothing
 * has, what was true before is written down again.
 */
bool gaps_due(struct gaps *gaps, uint64_t now_ns, uint64_t event_sum);
/* gaps_add - one point for each of the machine's chips; NULL: could not be looked at */
void gaps_add(struct gaps *gaps, const struct snapshot *snapshot, uint64_t now_ns);
/* gaps_fill - the trend of each of the machine's chips: now, less the oldest of the last minute */
void gaps_fill(const struct gaps *gaps, struct snapshot *snapshot, uint64_t now_ns);

#endif
