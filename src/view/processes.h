/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The box of processes: who holds how much, and for each what its figures do
 * not tell: that it is dead, what failed, what could not be recorded, what its
 * TT-Metal does not let us see.
 */
#ifndef TTMEM_VIEW_PROCESSES_H
#define TTMEM_VIEW_PROCESSES_H

#include "model/snapshot.h"
#include "view/style.h"

void processes_box(struct text *text, const struct snapshot *snapshot, const struct style *style);
/* processes_columns - columns that the longest command line would need */
unsigned processes_columns(const struct snapshot *snapshot);

#endif
