/* SPDX-License-Identifier: Apache-2.0 */
#include "model/incomplete.h"

#include <string.h>

const struct capability *incomplete_reason(const struct snapshot *snapshot,
					   const struct process *process)
{
	for (uint32_t i = 0; i < process->capabilities.count; i++) {
		const struct capability *c =
			&snapshot->capabilities[process->capabilities.first + i];

		if (c->state != AVAILABLE_PRESENT &&
		    strcmp(snapshot_text(snapshot, c->name), INCOMPLETE_CAPABILITY) == 0)
			return c;
	}
	return NULL;
}
