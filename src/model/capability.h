/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a process can tell, by name, and the two lacks that every list of buffers has to name: buffers
 * from before its hook came, and who allocated. Figures are right for what is in its table, and say
 * nothing of the rest.
 */
#ifndef TTMEM_MODEL_CAPABILITY_H
#define TTMEM_MODEL_CAPABILITY_H

#include "model/snapshot.h"

#define INCOMPLETE_CAPABILITY "before_attach"
#define SITES_CAPABILITY      "sites"

/* capability_of - by name; NULL: the process does not speak of it */
const struct capability *capability_of(const struct snapshot *snapshot,
				       const struct process *process, const char *name);
/* incomplete_reason - the capability that says what is missing; NULL: nothing is, as far as known */
const struct capability *incomplete_reason(const struct snapshot *snapshot,
					   const struct process *process);
/* siteless_reason - the capability that says why nobody knows who allocates; NULL: it is told */
const struct capability *siteless_reason(const struct snapshot *snapshot,
					 const struct process *process);

#endif
