/* SPDX-License-Identifier: Apache-2.0 */
/* Failures of allocations and programs: one in a sentence, all as a table. */
#ifndef TTMEM_VIEW_FAILURES_H
#define TTMEM_VIEW_FAILURES_H

#include "model/snapshot.h"
#include "view/style.h"

/* failure_write - "1.50 MiB of L1", "clash of program 7: ...": without the time */
void failure_write(struct text *text, const struct failure *failure);
/* failures_write - of all processes of the snapshot, newest first */
int failures_write(struct text *text, const struct snapshot *snapshot, const struct style *style);

#endif
