/* SPDX-License-Identifier: Apache-2.0 */
#include "tool/circumstances.h"

#include <errno.h>

#include "tool/obtain.h"

int circumstances_open(bool no_server, struct circumstances *ret_circumstances)
{
	const struct collect_options options = {0};
	struct circumstances c = {.no_server = no_server};
	int r;

	snapshot_init(&c.buffers);
	r = obtain_snapshot(&options, no_server, &c.picture, NULL);
	if (r == 0)
		*ret_circumstances = c;
	return r;
}

void circumstances_close(struct circumstances *circumstances)
{
	snapshot_clear(&circumstances->picture);
	snapshot_clear(&circumstances->buffers);
}

static bool is_better(const struct process *candidate, const struct process *present)
{
	return !present ||
	       (candidate->state == PROCESS_LIVE && present->state != PROCESS_LIVE);
}

int circumstances_choose(struct circumstances *circumstances, uint32_t pid)
{
	const struct process *chosen = NULL;

	for (uint32_t i = 0; i < circumstances->picture.process_count; i++) {
		const struct process *process = &circumstances->picture.processes[i];

		if (pid ? process->pid != pid : process->hidden || process->allocators.count == 0)
			continue;
		if (!pid && chosen && chosen->state == process->state)
			return -ENOTUNIQ;
		if (is_better(process, chosen))
			chosen = process;
	}
	if (!chosen)
		return -ENOENT;
	circumstances->process = chosen;
	return 0;
}

int circumstances_buffers(struct circumstances *circumstances, uint64_t failure)
{
	const struct collect_options options = {.buffers = true,
						.pid = circumstances->process->pid};

	if (failure && !circumstances->no_server &&
	    obtain_failed_moment(options.pid, failure, &circumstances->buffers) == 0) {
		circumstances->is_moment = true;
		return 0;
	}
	return obtain_snapshot(&options, circumstances->no_server, &circumstances->buffers, NULL);
}

/* Open ones first, then those that hold more, then the later ones. */
static bool is_preferred(const struct allocator *candidate, const struct allocator *present,
			 enum memory_type type)
{
	bool open = !fact_is_known(candidate->closed_ns);

	if (!present)
		return true;
	if (open != !fact_is_known(present->closed_ns))
		return open;
	return candidate->memory[type].bank_allocated_bytes.value >=
	       present->memory[type].bank_allocated_bytes.value;
}

const struct allocator *circumstances_allocator(const struct circumstances *circumstances,
						enum memory_type type)
{
	const struct span span = circumstances->process->allocators;
	const struct allocator *chosen = NULL;

	for (uint32_t i = 0; i < span.count; i++) {
		const struct allocator *one = &circumstances->picture.allocators[span.first + i];

		if (is_preferred(one, chosen, type))
			chosen = one;
	}
	return chosen;
}
