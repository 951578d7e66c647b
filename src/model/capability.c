/* SPDX-License-Identifier: Apache-2.0 */
#include "model/capability.h"

#include <string.h>

const struct capability *capability_of(const struct snapshot *snapshot,
				       const struct process *process, const char *name)
{
	for (uint32_t i = 0; i < process->capabilities.count; i++) {
		const struct capability *c =
			&snapshot->capabilities[process->capabilities.first + i];

		if (strcmp(snapshot_text(snapshot, c->name), name) == 0)
			return c;
	}
	return NULL;
}

static const struct capability *lack_of(const struct snapshot *snapshot,
					const struct process *process, const char *name)
{
	const struct capability *c = capability_of(snapshot, process, name);

	return c && c->state != AVAILABLE_PRESENT ? c : NULL;
}

const struct capability *incomplete_reason(const struct snapshot *snapshot,
					   const struct process *process)
{
	return lack_of(snapshot, process, INCOMPLETE_CAPABILITY);
}

const struct capability *siteless_reason(const struct snapshot *snapshot,
					 const struct process *process)
{
	return lack_of(snapshot, process, SITES_CAPABILITY);
}
