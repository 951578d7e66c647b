/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who has a card open: the driver's list of processes, and UMD's lock for a
 * running chip. Having it open is not using it (discovery opens every card).
 */
#ifndef TTMEM_SOURCE_CARD_USERS_H
#define TTMEM_SOURCE_CARD_USERS_H

#include "source/card.h"

/* card_read_users - handles, foreign handles, users and started_pid of the reading */
void card_read_users(int root, struct card_reading *reading);

#endif
