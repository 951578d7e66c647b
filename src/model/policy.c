/* SPDX-License-Identifier: Apache-2.0 */
#include "model/policy.h"

bool policy_allows(const struct process *process, const struct policy_viewer *viewer,
		   enum policy_share share)
{
	if (viewer->anonymous)
		return false;
	if (viewer->uid == 0 || viewer->uid == process->uid || share == SHARE_ALL)
		return true;
	return share == SHARE_GROUP && viewer->gid == process->gid;
}

static void hide_details(struct process *process)
{
	process->hidden = 1;
	process->user = 0;
	process->command = 0;
	process->entry = 0;
	process->build_id = 0;
	process->container = 0;
	process->pod = 0;
	process->failures.count = 0;
	process->capabilities.count = 0;
}

void policy_apply(struct snapshot *snapshot, const struct policy_viewer *viewer,
		  enum policy_share share)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < snapshot->process_count; i++)
		if (!policy_allows(&snapshot->processes[i], viewer, share))
			hide_details(&snapshot->processes[i]);
	for (uint32_t i = 0; i < snapshot->buffer_count; i++)
		if (!snapshot->processes[snapshot->buffers[i].process].hidden)
			snapshot->buffers[kept++] = snapshot->buffers[i];
	snapshot->buffer_count = kept;
}
