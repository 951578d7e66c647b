/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Joins what the driver tells (cards, who has them open) with what processes
 * tell (chips and their memory).
 *
 * A chip is matched to a card by the unique ids that the card's chips can have.
 * What matches nothing, or more than one card, stays a chip without a card:
 * a wrong card would be worse than none.
 */
#ifndef TTMEM_COLLECT_CARDS_H
#define TTMEM_COLLECT_CARDS_H

#include "collect/collect.h"

/* cards_add - the cards, and processes that have one open but keep no table. 0 or -ENOMEM. */
int cards_add(struct collection *collection);
/* cards_join - after the machine's devices are there: places them, adds idle ones. 0 or -ENOMEM. */
int cards_join(struct collection *collection);

#endif
