/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A process whose hook came late: are all of its live buffers in its table? Its figures are right for
 * what is in there, and say nothing of the rest; every view has to say so.
 */
#ifndef TTMEM_MODEL_INCOMPLETE_H
#define TTMEM_MODEL_INCOMPLETE_H

#include "model/snapshot.h"

#define INCOMPLETE_CAPABILITY "before_attach"

/* incomplete_reason - the capability that says what is missing; NULL: nothing is, as far as known */
const struct capability *incomplete_reason(const struct snapshot *snapshot,
					   const struct process *process);

#endif
