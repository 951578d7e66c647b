/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What programs and everything else take of a core's L1, in a few figures for
 * each chip: of its fullest core.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "analyse/residency.h"
#include "collect/collect.h"

/* Looks at cores for one process. */
#define BUDGET (UINT64_C(16) << 20)

/* The last chip that was looked at: the chips of a mesh mostly hold the same. */
struct last_chip {
	struct residency residency;
	struct l1_summary summary;
	uint64_t programs; /* which programs run on it, as a sum of their numbers; 0: none yet */
};

static struct fact piece(const struct l1_terms *l1, enum l1_piece which)
{
	return l1->pieces[which].bytes ? fact_of(l1->pieces[which].bytes)
				       : fact_absent(REASON_NOT_EXPORTED);
}

static void fill_terms(const struct allocator *a, struct l1_summary *to)
{
	struct fact connections = piece(&a->l1, L1_FABRIC_CONNECTIONS);
	struct fact lock = piece(&a->l1, L1_FABRIC_LOCK), table = piece(&a->l1, L1_ROUTING_TABLE);

	to->core_bytes = a->l1_bytes_per_core;
	to->reserved_bytes = a->l1.reserved_bytes;
	to->ring_bytes = a->l1.ring_bytes;
	to->barrier_bytes = piece(&a->l1, L1_BARRIER);
	to->mailbox_bytes = piece(&a->l1, L1_MAILBOX);
	to->fabric_bytes = connections;
	if (fact_is_known(connections) && fact_is_known(lock) && fact_is_known(table))
		to->fabric_bytes.value += lock.value + table.value;
	to->other_bytes = fact_absent(REASON_NOT_EXPORTED);
	uint64_t named = to->barrier_bytes.value + to->mailbox_bytes.value + to->fabric_bytes.value;

	if (fact_is_known(to->reserved_bytes) && fact_is_known(to->barrier_bytes) &&
	    fact_is_known(to->mailbox_bytes) && fact_is_known(to->fabric_bytes) &&
	    named <= to->reserved_bytes.value)
		to->other_bytes = fact_of(to->reserved_bytes.value - named);
}

static void forget_programs(struct l1_summary *to, enum fact_reason reason)
{
	struct fact none = fact_absent(reason);

	to->resident_bytes = to->cached_union_bytes = to->circular_buffer_bytes = none;
	to->dataflow_buffer_bytes = to->scratchpad_bytes = none;
}

/* By kind on one core; kinds of one program may share bytes, so these need not add up. */
static void fill_kinds(const struct snapshot *snapshot, uint32_t program, uint32_t x, uint32_t y,
		       struct l1_summary *to)
{
	const struct program *p = &snapshot->programs[program];

	to->circular_buffer_bytes = to->dataflow_buffer_bytes = to->scratchpad_bytes = fact_of(0);
	for (uint32_t i = 0; i < p->range_count; i++) {
		const struct program_range *r = &snapshot->program_ranges[p->first_range + i];

		if (!program_range_counts(r) || x < r->x0 || x > r->x1 || y < r->y0 || y > r->y1)
			continue;
		if (r->kind == RANGE_CIRCULAR_BUFFER)
			to->circular_buffer_bytes.value += r->bytes;
		else if (r->kind == RANGE_DATAFLOW_BUFFER)
			to->dataflow_buffer_bytes.value += r->bytes;
		else
			to->scratchpad_bytes.value += r->bytes;
	}
}

/* Of all cores where a program is resident. Return: 0 or -ENOMEM. */
static int fill_programs(const struct snapshot *snapshot, uint32_t process, uint32_t chip_id,
			 const struct residency *residency, struct l1_summary *to)
{
	to->resident_bytes = to->cached_union_bytes = fact_of(0);
	to->circular_buffer_bytes = to->dataflow_buffer_bytes = to->scratchpad_bytes = fact_of(0);
	for (uint32_t y = 0; y < PROGRAM_CORE_MAX; y++)
		for (uint32_t x = 0; x < PROGRAM_CORE_MAX; x++) {
			uint32_t program = residency->program[y][x];
			struct core_program_bytes bytes;

			if (program == SNAPSHOT_NONE)
				continue;
			int r = residency_core_bytes(snapshot, process, chip_id, program, x, y,
						     &bytes);

			if (r == -ENOMEM)
				return r;
			if (r < 0) {
				forget_programs(to, REASON_MOVING);
				return 0;
			}
			if (bytes.cached > to->cached_union_bytes.value)
				to->cached_union_bytes.value = bytes.cached;
			if (bytes.resident <= to->resident_bytes.value)
				continue;
			to->resident_bytes.value = bytes.resident;
			fill_kinds(snapshot, program, x, y, to);
		}
	return 0;
}

static int fill_chip(const struct snapshot *snapshot, uint32_t process, struct device *device,
		     struct last_chip *last, uint64_t *budget)
{
	struct span programs = snapshot->processes[process].programs;
	struct residency *residency = malloc(sizeof *residency);
	uint64_t which = 0, count = 0;

	if (!residency)
		return -ENOMEM;
	for (uint32_t i = programs.first; i < programs.first + programs.count; i++)
		if (program_runs_on(snapshot, &snapshot->programs[i], device->chip_id)) {
			which += (uint64_t)i * i + 1;
			count++;
		}
	device->l1.programs = fact_of(count);
	int r = residency_of_chip(snapshot, process, device->chip_id, budget, residency);

	if (r == -E2BIG) {
		forget_programs(&device->l1, REASON_MOVING);
		r = 0;
	} else if (last->programs == which && which &&
		   memcmp(&last->residency, residency, sizeof *residency) == 0) {
		struct l1_summary terms = device->l1;

		device->l1 = last->summary;
		device->l1.peak_bytes = terms.peak_bytes;
	} else {
		r = fill_programs(snapshot, process, device->chip_id, residency, &device->l1);
		last->residency = *residency;
		last->summary = device->l1;
		last->programs = which;
	}
	free(residency);
	return r;
}

/* Of what the chip's allocators tell: terms of the first that knows them, the highest peak. */
static void fill_allocators(const struct snapshot *snapshot, uint32_t process,
			    struct device *device)
{
	struct span allocators = snapshot->processes[process].allocators;

	device->l1.peak_bytes = fact_absent(REASON_NOT_EXPORTED);
	for (uint32_t i = allocators.first; i < allocators.first + allocators.count; i++) {
		const struct allocator *a = &snapshot->allocators[i];

		if (fact_is_known(a->closed_ns) || !snapshot_covers(snapshot, a, device))
			continue;
		if (!fact_is_known(device->l1.reserved_bytes))
			fill_terms(a, &device->l1);
		if (fact_is_known(a->l1.program_peak_bytes) &&
		    (!fact_is_known(device->l1.peak_bytes) ||
		     device->l1.peak_bytes.value < a->l1.program_peak_bytes.value))
			device->l1.peak_bytes = a->l1.program_peak_bytes;
	}
}

static bool has_programs(const struct snapshot *snapshot, const struct process *process)
{
	for (uint32_t i = 0; i < process->capabilities.count; i++) {
		const struct capability *c =
			&snapshot->capabilities[process->capabilities.first + i];

		if (strcmp(snapshot_text(snapshot, c->name), "programs") == 0)
			return c->state == AVAILABLE_PRESENT || c->state == AVAILABLE_UNKNOWN;
	}
	return false;
}

int l1_of_process(struct collection *collection, uint32_t process)
{
	struct snapshot *snapshot = &collection->snapshot;
	struct span devices = snapshot->processes[process].devices;
	struct last_chip *last = NULL;
	uint64_t budget = BUDGET;
	int r = 0;

	if (snapshot->processes[process].programs.count) {
		last = calloc(1, sizeof *last);
		if (!last)
			return -ENOMEM;
	}
	for (uint32_t i = 0; r == 0 && i < devices.count; i++) {
		struct device *device = &snapshot->devices[devices.first + i];

		fill_allocators(snapshot, process, device);
		device->l1.programs = fact_absent(REASON_NOT_EXPORTED);
		forget_programs(&device->l1, REASON_NOT_EXPORTED);
		if (last) {
			r = fill_chip(snapshot, process, device, last, &budget);
		} else if (collection->options.programs &&
			   has_programs(snapshot, &snapshot->processes[process])) {
			device->l1.programs = device->l1.resident_bytes = fact_of(0);
			device->l1.cached_union_bytes = device->l1.circular_buffer_bytes =
				device->l1.dataflow_buffer_bytes = device->l1.scratchpad_bytes =
					fact_of(0);
		}
	}
	free(last);
	return r;
}

static void raise_to(struct fact *fact, struct fact other)
{
	if (fact_is_known(other) && (!fact_is_known(*fact) || fact->value < other.value))
		*fact = other;
}

/* Of one process its figures; of several the fullest, which together may be more. */
static void merge(struct l1_summary *to, const struct l1_summary *from, bool first)
{
	if (first) {
		*to = *from;
		return;
	}
	if (!fact_is_known(to->reserved_bytes)) {
		struct l1_summary mine = *to;

		*to = *from;
		raise_to(&to->resident_bytes, mine.resident_bytes);
	}
	raise_to(&to->resident_bytes, from->resident_bytes);
	raise_to(&to->cached_union_bytes, from->cached_union_bytes);
	raise_to(&to->peak_bytes, from->peak_bytes);
	raise_to(&to->circular_buffer_bytes, from->circular_buffer_bytes);
	raise_to(&to->dataflow_buffer_bytes, from->dataflow_buffer_bytes);
	raise_to(&to->scratchpad_bytes, from->scratchpad_bytes);
	if (fact_is_known(from->programs))
		to->programs = fact_of(from->programs.value +
				       (fact_is_known(to->programs) ? to->programs.value : 0));
}

void l1_of_machine(struct collection *collection)
{
	struct snapshot *snapshot = &collection->snapshot;
	struct device *machine = SPAN_START(snapshot->devices, snapshot->machine_devices);

	for (uint32_t d = 0; d < snapshot->machine_devices.count; d++) {
		bool first = true;

		for (uint32_t p = 0; p < snapshot->process_count; p++) {
			const struct process *process = &snapshot->processes[p];

			for (uint32_t i = 0; process->state == PROCESS_LIVE &&
					     i < process->devices.count;
			     i++) {
				const struct device *own =
					&snapshot->devices[process->devices.first + i];

				if (!device_same(own, &machine[d]))
					continue;
				merge(&machine[d].l1, &own->l1, first);
				first = false;
			}
		}
		if (first) {
			struct fact *facts = (struct fact *)&machine[d].l1;

			for (size_t i = 0; i < sizeof machine[d].l1 / sizeof *facts; i++)
				facts[i] = fact_absent(REASON_NO_ALLOCATOR);
		}
	}
}
