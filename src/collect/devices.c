/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From allocators to chips.
 *
 * Several allocators may cover a chip (a mesh and its submeshes) and hand out
 * the same addresses. So banks, sizes and what is allocatable are those of the
 * topmost one that has held a buffer; allocated is the union of the address
 * ranges of all; requested bytes and buffers are sums; peaks are exact with
 * one allocator and an upper bound with more.
 */
#include "collect/collect.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/*
 * More chips than a machine has. Work grows with chips x allocators, and a lying table could name
 * 16,384 of them: seconds of work for nothing.
 */
#define DEVICES_MAX 1024

/* Which allocators count for a device: those of one process, or of all live ones. */
struct group {
	struct collection *collection;
	uint32_t process; /* SNAPSHOT_NONE: all live processes */
	struct device *device;
	enum memory_type type;
};

static bool ever_held(const struct allocator *allocator)
{
	for (int type = 0; type < MEMORY_TYPES; type++)
		if (allocator->has_held[type])
			return true;
	return false;
}

static bool counts(const struct snapshot *snapshot, const struct allocator *allocator,
		   uint32_t process, const struct device *device)
{
	if (fact_is_known(allocator->closed_ns))
		return false;
	if (process == SNAPSHOT_NONE
		    ? snapshot->processes[allocator->process].state != PROCESS_LIVE
		    : allocator->process != process)
		return false;
	return snapshot_covers(snapshot, allocator, device);
}

static uint32_t depth(const struct snapshot *snapshot, const struct allocator *allocator)
{
	struct span all = snapshot->processes[allocator->process].allocators;
	uint32_t steps = 0;

	/* bounded: a table may name parents in a circle */
	while (fact_is_known(allocator->parent) && steps < all.count) {
		uint32_t i = 0;

		while (i < all.count &&
		       snapshot->allocators[all.first + i].id != allocator->parent.value)
			i++;
		if (i == all.count)
			break;
		allocator = &snapshot->allocators[all.first + i];
		steps++;
	}
	return steps;
}

/* A holder before one that never held anything, then the one nearest to the top. */
static bool is_better(const struct snapshot *snapshot, const struct allocator *candidate,
		      const struct allocator *best)
{
	if (!best)
		return true;
	if (ever_held(candidate) != ever_held(best))
		return ever_held(candidate);
	return depth(snapshot, candidate) < depth(snapshot, best);
}

static void add_to(struct fact *sum, struct fact more)
{
	if (!fact_is_known(more))
		return;
	*sum = fact_of((fact_is_known(*sum) ? sum->value : 0) + more.value);
}

/* All ranges of the group's allocators in one array. Return: 0; -ENOMEM; -ENODATA: not read. */
static int gather(const struct group *group, struct range **ret_ranges, size_t *ret_count)
{
	const struct snapshot *snapshot = &group->collection->snapshot;
	struct range *all = NULL;
	size_t count = 0;

	for (uint32_t a = 0; a < snapshot->allocator_count; a++) {
		const struct allocator *allocator = &snapshot->allocators[a];
		const struct collect_ranges *r = &group->collection->ranges[a][group->type];
		int error = 0;

		if (!counts(snapshot, allocator, group->process, group->device))
			continue;
		if (!r->ranges && allocator->memory[group->type].buffers.value)
			error = -ENODATA;
		struct range *memory =
			error ? NULL : realloc(all, (count + r->count + 1) * sizeof *memory);

		if (!memory) {
			free(all);
			return error ? error : -ENOMEM;
		}
		all = memory;
		if (r->count)
			memcpy(all + count, r->ranges, r->count * sizeof *all);
		count += r->count;
	}
	*ret_ranges = all;
	*ret_count = count;
	return 0;
}

/* Union over the group's ranges inside the topmost allocator's bank. */
static int unite(const struct group *group, const struct allocator *top, uint64_t *ret_allocated,
		 uint64_t *ret_largest)
{
	uint64_t base = top->base_address[group->type], end;
	struct range *all;
	size_t count;

	if (__builtin_add_overflow(base, top->memory[group->type].bank_size_bytes.value, &end))
		return -ERANGE;
	int r = gather(group, &all, &count);

	if (r < 0)
		return r;
	r = ranges_sort(all, count);
	if (r == 0) {
		count = ranges_union(all, count);
		*ret_allocated = ranges_bytes(all, count, base, end);
		*ret_largest = ranges_largest_hole(all, count, base, end);
	}
	free(all);
	return r;
}

static struct fact scaled(struct fact per_bank, struct fact banks)
{
	uint64_t product;

	if (!fact_is_known(per_bank))
		return per_bank;
	if (!fact_is_known(banks))
		return banks;
	return __builtin_mul_overflow(per_bank.value, banks.value, &product)
		       ? fact_absent(REASON_NONE)
		       : fact_of(product);
}

static int fill_united(const struct group *group, const struct allocator *top, struct memory *m)
{
	uint64_t allocated = 0, largest = 0;
	int r = unite(group, top, &allocated, &largest);

	if (r == -ENOMEM)
		return r;
	if (r < 0) {
		m->bank_allocated_bytes = m->bank_free_bytes = m->bank_largest_free_bytes =
			fact_absent(REASON_NOT_ASKED);
	} else {
		uint64_t size = m->bank_size_bytes.value;

		m->bank_allocated_bytes = fact_of(allocated);
		m->bank_free_bytes = fact_of(size > allocated ? size - allocated : 0);
		m->bank_largest_free_bytes = fact_of(largest);
	}
	m->occupied_bytes = scaled(m->bank_allocated_bytes, m->banks);
	m->free_bytes = scaled(m->bank_free_bytes, m->banks);
	m->largest_free_bytes = scaled(m->bank_largest_free_bytes, m->banks);
	return 0;
}

static int fill_type(const struct group *group)
{
	const struct snapshot *snapshot = &group->collection->snapshot;
	struct memory *m = &group->device->memory[group->type];
	const struct allocator *top = NULL;
	struct fact requested = {0}, buffers = {0}, peak_requested = {0}, peak_occupied = {0};
	uint32_t holders = 0;

	for (uint32_t a = 0; a < snapshot->allocator_count; a++) {
		const struct allocator *allocator = &snapshot->allocators[a];

		if (!counts(snapshot, allocator, group->process, group->device))
			continue;
		if (is_better(snapshot, allocator, top))
			top = allocator;
		add_to(&requested, allocator->memory[group->type].requested_bytes);
		add_to(&buffers, allocator->memory[group->type].buffers);
		add_to(&peak_requested, allocator->memory[group->type].peak_requested_bytes);
		add_to(&peak_occupied, allocator->memory[group->type].peak_occupied_bytes);
		holders += allocator->has_held[group->type];
	}
	if (!top)
		return 0;
	*m = top->memory[group->type];
	m->requested_bytes = requested;
	m->buffers = buffers;
	m->peak_requested_bytes = peak_requested;
	m->peak_occupied_bytes = peak_occupied;
	if (holders == 0 || (holders == 1 && top->has_held[group->type]))
		return 0;
	if (holders > 1) {
		m->peak_requested_bytes =
			fact_estimate(peak_requested.value, REASON_SEVERAL_ALLOCATORS);
		m->peak_occupied_bytes = fact_is_known(peak_occupied)
						 ? fact_estimate(peak_occupied.value,
								 REASON_SEVERAL_ALLOCATORS)
						 : peak_occupied;
	}
	return fact_is_known(m->bank_size_bytes) && fact_is_known(m->buffers)
		       ? fill_united(group, top, m)
		       : 0;
}

static int fill_device(struct collection *collection, uint32_t process, uint32_t index)
{
	struct group group = {.collection = collection, .process = process};

	group.device = &collection->snapshot.devices[index];
	for (group.type = 0; group.type < MEMORY_TYPES; group.type++) {
		int r = fill_type(&group);

		if (r < 0)
			return r;
	}
	return 0;
}

static bool has_device(const struct snapshot *snapshot, struct span devices,
		       const struct chip *chip)
{
	for (uint32_t i = 0; i < devices.count; i++) {
		const struct device *device = &snapshot->devices[devices.first + i];

		if (fact_is_known(chip->unique_id) == fact_is_known(device->unique_id) &&
		    (fact_is_known(chip->unique_id)
			     ? chip->unique_id.value == device->unique_id.value
			     : chip->chip_id == device->chip_id))
			return true;
	}
	return false;
}

/* Every chip of the open allocators of `process` (SNAPSHOT_NONE: of all live ones), once. */
static int add_devices(struct collection *collection, uint32_t process, struct span *ret_span)
{
	struct snapshot *snapshot = &collection->snapshot;
	struct span devices = {.first = snapshot->device_count};

	for (uint32_t a = 0; a < snapshot->allocator_count; a++) {
		const struct allocator *allocator = &snapshot->allocators[a];

		if (fact_is_known(allocator->closed_ns) ||
		    (process == SNAPSHOT_NONE
			     ? snapshot->processes[allocator->process].state != PROCESS_LIVE
			     : allocator->process != process))
			continue;
		for (uint32_t c = 0; c < allocator->chips.count; c++) {
			const struct chip *chip = &snapshot->chips[allocator->chips.first + c];
			uint32_t index;

			if (devices.count == DEVICES_MAX || has_device(snapshot, devices, chip))
				continue;
			int r = snapshot_add_device(snapshot, &index);

			if (r < 0)
				return r;
			snapshot->devices[index] = (struct device){
				.unique_id = chip->unique_id,
				.chip_id = chip->chip_id,
				.process = process,
				.arch = allocator->arch,
			};
			devices.count++;
		}
	}
	for (uint32_t i = 0; i < devices.count; i++) {
		int r = fill_device(collection, process, devices.first + i);

		if (r < 0)
			return r;
	}
	*ret_span = devices;
	return 0;
}

int devices_of_process(struct collection *collection, uint32_t process)
{
	struct span devices;
	int r = add_devices(collection, process, &devices);

	if (r == 0)
		collection->snapshot.processes[process].devices = devices;
	return r;
}

int devices_of_machine(struct collection *collection)
{
	struct span devices;
	int r = add_devices(collection, SNAPSHOT_NONE, &devices);

	if (r == 0)
		collection->snapshot.machine_devices = devices;
	return r;
}
