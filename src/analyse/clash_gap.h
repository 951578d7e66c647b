/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How far a chip is from a clash: programs grow from the low end of L1 up, buffers come from its
 * high end down, and where they meet TT-Metal refuses the program. Pure functions.
 */
#ifndef TTMEM_ANALYSE_CLASH_GAP_H
#define TTMEM_ANALYSE_CLASH_GAP_H

#include "model/snapshot.h"

/* clash_gap_start - before the first allocator of a chip */
struct clash_gap clash_gap_start(void);
/*
 * clash_gap_add - an allocator over the chip; `lowest` is the address of its lowest L1 buffer, or
 * where its bank ends when it has none. Any allocator's program may meet any one's buffer, so the
 * highest end counts, and the lowest buffer.
 */
void clash_gap_add(struct clash_gap *gap, const struct allocator *allocator, struct fact lowest);
/* clash_gap_is_small - below a tenth of a bank of so many bytes */
bool clash_gap_is_small(const struct clash_gap *gap, struct fact bank_bytes);

#endif
