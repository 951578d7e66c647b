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

#include "analyse/clash_gap.h"

/* More chips than a machine has; a lying table could name 16,384 of them. */
#define DEVICES_MAX 1024u

/* A power of two, so that the table of devices is at most half full. */
#define BUCKETS (2 * DEVICES_MAX)

/* One allocator that covers a device, in a list per device in the order of allocators. */
struct cover {
	uint32_t allocator;
	uint32_t next; /* index of a cover, SNAPSHOT_NONE: the last */
};

/*
 * Which allocators cover which device: found once, by a hash table over chips, so that the work
 * grows with the chips that allocators name and not with devices x allocators.
 */
struct covers {
	struct collection *collection;
	struct span devices;
	struct cover *all;
	uint32_t count, capacity;
	uint32_t first[DEVICES_MAX], last[DEVICES_MAX]; /* covers, by number of device */
	uint32_t buckets[BUCKETS]; /* number of a device + 1; 0: free */
};

/* One memory type of one device and the allocators that count for it. */
struct group {
	struct collection *collection;
	const struct cover *covers;
	uint32_t first;
	struct device *device;
	enum memory_type type;
};

static struct allocator *allocator_of(const struct group *group, uint32_t cover)
{
	return &group->collection->snapshot.allocators[group->covers[cover].allocator];
}

static bool ever_held(const struct allocator *allocator)
{
	for (int type = 0; type < MEMORY_TYPES; type++)
		if (allocator->has_held[type])
			return true;
	return false;
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
	/* a sum is no better than what went into it */
	if (fact_is_known(*sum)) {
		more.value += sum->value;
		if (sum->state != FACT_OK) {
			more.state = sum->state;
			more.reason = sum->reason;
		}
	}
	*sum = more;
}

/* All ranges of the group's allocators in one array. Return: 0; -ENOMEM; -ENODATA: not read. */
static int gather(const struct group *group, struct range **ret_ranges, size_t *ret_count)
{
	struct range *all = NULL;
	size_t count = 0;

	for (uint32_t c = group->first; c != SNAPSHOT_NONE; c = group->covers[c].next) {
		const struct allocator *allocator = allocator_of(group, c);
		const struct collect_ranges *r =
			&group->collection->ranges[group->covers[c].allocator][group->type];
		int error = 0;

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
	m->occupied_bytes = fact_times(m->bank_allocated_bytes, m->banks);
	m->free_bytes = fact_times(m->bank_free_bytes, m->banks);
	m->largest_free_bytes = fact_times(m->bank_largest_free_bytes, m->banks);
	return 0;
}

static int fill_type(const struct group *group)
{
	const struct snapshot *snapshot = &group->collection->snapshot;
	struct memory *m = &group->device->memory[group->type];
	const struct allocator *top = NULL;
	struct fact requested = {0}, buffers = {0}, peak_requested = {0}, peak_occupied = {0};
	uint32_t holders = 0;

	for (uint32_t c = group->first; c != SNAPSHOT_NONE; c = group->covers[c].next) {
		const struct allocator *allocator = allocator_of(group, c);

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

/* Of an allocator; where nothing read its slots this is not known, unless there are none. */
static struct fact lowest_buffer(const struct group *group, uint32_t cover)
{
	const struct allocator *allocator = allocator_of(group, cover);
	const struct memory *l1 = &allocator->memory[MEMORY_L1];
	const struct collect_ranges *r =
		&group->collection->ranges[group->covers[cover].allocator][MEMORY_L1];
	uint64_t end;

	if (r->ranges && r->count)
		return fact_of(r->ranges[0].start);
	if (!fact_is_known(l1->buffers) || !fact_is_known(l1->bank_size_bytes) ||
	    __builtin_add_overflow(allocator->base_address[MEMORY_L1], l1->bank_size_bytes.value,
				   &end))
		return fact_absent(REASON_NOT_EXPORTED);
	return l1->buffers.value ? fact_absent(REASON_NOT_ASKED) : fact_of(end);
}

static void fill_clash_gap(const struct group *group)
{
	struct clash_gap gap = clash_gap_start();

	for (uint32_t c = group->first; c != SNAPSHOT_NONE; c = group->covers[c].next)
		clash_gap_add(&gap, allocator_of(group, c), lowest_buffer(group, c));
	group->device->clash_gap = gap;
}

static int fill_device(const struct covers *covers, uint32_t number)
{
	struct group group = {.collection = covers->collection,
			      .covers = covers->all,
			      .first = covers->first[number]};

	group.device = &group.collection->snapshot.devices[covers->devices.first + number];
	for (group.type = 0; group.type < MEMORY_TYPES; group.type++) {
		int r = fill_type(&group);

		if (r < 0)
			return r;
	}
	fill_clash_gap(&group);
	return 0;
}

static bool is_chip_of(const struct device *device, const struct chip *chip)
{
	return fact_is_known(chip->unique_id) == fact_is_known(device->unique_id) &&
	       (fact_is_known(chip->unique_id) ? chip->unique_id.value == device->unique_id.value
					       : chip->chip_id == device->chip_id);
}

/* The bucket of a chip's device, or the free one where it belongs. */
static uint32_t *bucket_of(struct covers *covers, const struct chip *chip)
{
	const struct device *devices =
		SPAN_START(covers->collection->snapshot.devices, covers->devices);
	uint64_t name = fact_is_known(chip->unique_id) ? chip->unique_id.value : chip->chip_id;
	uint32_t at = (uint32_t)(name * UINT64_C(0x9e3779b97f4a7c15) >> 32) % BUCKETS;

	while (covers->buckets[at] && !is_chip_of(&devices[covers->buckets[at] - 1], chip))
		at = (at + 1) % BUCKETS;
	return &covers->buckets[at];
}

static int add_device(struct covers *covers, const struct chip *chip, uint32_t process,
		      uint32_t arch, uint32_t *ret_number)
{
	struct snapshot *snapshot = &covers->collection->snapshot;
	uint32_t index;
	int r = snapshot_add_device(snapshot, &index);

	if (r < 0)
		return r;
	snapshot->devices[index] = (struct device){
		.unique_id = chip->unique_id,
		.chip_id = chip->chip_id,
		.process = process,
		.arch = arch,
	};
	*ret_number = covers->devices.count++;
	covers->first[*ret_number] = covers->last[*ret_number] = SNAPSHOT_NONE;
	return 0;
}

static int add_cover(struct covers *covers, uint32_t number, uint32_t allocator)
{
	uint32_t last = covers->last[number];

	/* an allocator may name a chip twice */
	if (last != SNAPSHOT_NONE && covers->all[last].allocator == allocator)
		return 0;
	if (covers->count == covers->capacity) {
		uint32_t larger = covers->capacity ? covers->capacity * 2 : 64;
		struct cover *memory = realloc(covers->all, larger * sizeof *memory);

		if (!memory)
			return -ENOMEM;
		covers->all = memory;
		covers->capacity = larger;
	}
	covers->all[covers->count] = (struct cover){allocator, SNAPSHOT_NONE};
	if (last == SNAPSHOT_NONE)
		covers->first[number] = covers->count;
	else
		covers->all[last].next = covers->count;
	covers->last[number] = covers->count++;
	return 0;
}

/* Every chip of an allocator: its device, made when it is new, and that the one covers the other. */
static int add_chips_of(struct covers *covers, uint32_t index, uint32_t process)
{
	const struct snapshot *snapshot = &covers->collection->snapshot;
	const struct allocator *allocator = &snapshot->allocators[index];

	for (uint32_t c = 0; c < allocator->chips.count; c++) {
		const struct chip *chip = &snapshot->chips[allocator->chips.first + c];
		uint32_t *bucket = bucket_of(covers, chip), number;
		int r = 0;

		if (*bucket) {
			number = *bucket - 1;
		} else {
			if (covers->devices.count == DEVICES_MAX)
				continue;
			r = add_device(covers, chip, process, allocator->arch, &number);
			*bucket = number + 1;
		}
		if (r == 0)
			r = add_cover(covers, number, index);
		if (r < 0)
			return r;
	}
	return 0;
}

/* Every chip of the open allocators of `process` (SNAPSHOT_NONE: of all live ones), once. */
static int add_devices(struct collection *collection, uint32_t process, struct span *ret_span)
{
	const struct snapshot *snapshot = &collection->snapshot;
	struct covers covers = {.collection = collection,
				.devices = {.first = snapshot->device_count}};
	struct span among = process == SNAPSHOT_NONE
				    ? (struct span){0, snapshot->allocator_count}
				    : snapshot->processes[process].allocators;
	int r = 0;

	for (uint32_t a = among.first; r == 0 && a < among.first + among.count; a++) {
		const struct allocator *allocator = &snapshot->allocators[a];
		bool live = snapshot->processes[allocator->process].state == PROCESS_LIVE;

		if (!fact_is_known(allocator->closed_ns) && (live || process != SNAPSHOT_NONE))
			r = add_chips_of(&covers, a, process);
	}
	for (uint32_t i = 0; r == 0 && i < covers.devices.count; i++)
		r = fill_device(&covers, i);
	free(covers.all);
	if (r == 0)
		*ret_span = covers.devices;
	return r;
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
