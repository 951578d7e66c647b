/* SPDX-License-Identifier: Apache-2.0 */
#include "model/snapshot.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
	PROCESSES,
	ALLOCATORS,
	CHIPS,
	DEVICES,
	CAPABILITIES,
	FAILURES,
	BUFFERS,
	CARDS,
	CARD_USERS,
	PROGRAMS,
	KERNELS,
	RANGES,
	SITES,
	FRAMES,
	LEFTOVERS,
	STRINGS,
	ARRAYS
};

_Static_assert(ARRAYS == sizeof((struct snapshot *)0)->capacity / sizeof(uint32_t), "one each");

const char *availability_name(enum fact_availability availability)
{
	static const char *const names[] = {"unknown", "present", "missing", "failed", "off"};

	return availability <= AVAILABLE_OFF ? names[availability] : names[0];
}

const char *failure_kind_name(uint32_t kind)
{
	static const char *const names[FAILURE_KINDS] = {"allocation", "clash",
							 "program_too_large"};

	return kind < FAILURE_KINDS ? names[kind] : "unknown";
}

const char *card_state_name(enum card_state state)
{
	static const char *const names[CARD_STATES] = {"ok", "stuck", "reset", "gone"};

	return state < CARD_STATES ? names[state] : names[CARD_GONE];
}

void snapshot_init(struct snapshot *snapshot)
{
	memset(snapshot, 0, sizeof *snapshot);
}

void snapshot_clear(struct snapshot *snapshot)
{
	free(snapshot->processes);
	free(snapshot->allocators);
	free(snapshot->chips);
	free(snapshot->devices);
	free(snapshot->capabilities);
	free(snapshot->failures);
	free(snapshot->buffers);
	free(snapshot->cards);
	free(snapshot->card_users);
	free(snapshot->programs);
	free(snapshot->program_kernels);
	free(snapshot->program_ranges);
	free(snapshot->sites);
	free(snapshot->frames);
	free(snapshot->leftovers);
	free(snapshot->site_table.memory);
	free(snapshot->strings);
	snapshot_init(snapshot);
}

/* Room for `more` elements after `count`. Return: 0 or -ENOMEM; the array is untouched then. */
static int grow(void **array, uint32_t *capacity, uint32_t count, uint32_t more, size_t size)
{
	uint64_t needed = (uint64_t)count + more, larger = *capacity ? *capacity : 16;

	if (needed <= *capacity)
		return 0;
	while (larger < needed)
		larger *= 2;
	if (larger >= UINT32_MAX)
		return -ENOMEM;
	void *memory = realloc(*array, larger * size);

	if (!memory)
		return -ENOMEM;
	*array = memory;
	*capacity = (uint32_t)larger;
	return 0;
}

/*
 * One element more of an array; the macro keeps the functions below from being
 * copies of each other.
 */
#define DEFINE_ADD(what, array, which)                                                             \
	int snapshot_add_##what(struct snapshot *snapshot, uint32_t *ret_index)                    \
	{                                                                                          \
		void *memory = snapshot->array;                                                    \
		int r = grow(&memory, &snapshot->capacity[which], snapshot->what##_count, 1,       \
			     sizeof *snapshot->array);                                             \
                                                                                                   \
		if (r < 0)                                                                         \
			return r;                                                                  \
		snapshot->array = memory;                                                          \
		memset(&snapshot->array[snapshot->what##_count], 0, sizeof *snapshot->array);      \
		*ret_index = snapshot->what##_count++;                                             \
		return 0;                                                                          \
	}

DEFINE_ADD(process, processes, PROCESSES)
DEFINE_ADD(allocator, allocators, ALLOCATORS)
DEFINE_ADD(chip, chips, CHIPS)
DEFINE_ADD(device, devices, DEVICES)
DEFINE_ADD(capability, capabilities, CAPABILITIES)
DEFINE_ADD(failure, failures, FAILURES)
DEFINE_ADD(buffer, buffers, BUFFERS)
DEFINE_ADD(card, cards, CARDS)
DEFINE_ADD(card_user, card_users, CARD_USERS)
DEFINE_ADD(program, programs, PROGRAMS)
DEFINE_ADD(program_kernel, program_kernels, KERNELS)
DEFINE_ADD(program_range, program_ranges, RANGES)
DEFINE_ADD(site, sites, SITES)
DEFINE_ADD(frame, frames, FRAMES)
DEFINE_ADD(leftover, leftovers, LEFTOVERS)

int snapshot_string(struct snapshot *snapshot, const char *bytes, size_t length, string_id *ret_id)
{
	void *memory = snapshot->strings;
	uint32_t at = snapshot->strings_bytes ? snapshot->strings_bytes : 1;

	if (length == 0) {
		*ret_id = 0;
		return 0;
	}
	if (length > UINT32_MAX / 4)
		return -ENOMEM;
	int r = grow(&memory, &snapshot->capacity[STRINGS], at, (uint32_t)length + 1, 1);

	if (r < 0)
		return r;
	snapshot->strings = memory;
	snapshot->strings[0] = '\0';
	for (size_t i = 0; i < length; i++)
		snapshot->strings[at + i] = bytes[i] ? bytes[i] : ' ';
	snapshot->strings[at + length] = '\0';
	snapshot->strings_bytes = at + (uint32_t)length + 1;
	*ret_id = at;
	return 0;
}

const char *snapshot_text(const struct snapshot *snapshot, string_id id)
{
	return id && id < snapshot->strings_bytes ? snapshot->strings + id : "";
}

bool snapshot_covers(const struct snapshot *snapshot, const struct allocator *allocator,
		     const struct device *device)
{
	for (uint32_t i = 0; i < allocator->chips.count; i++) {
		const struct chip *chip = &snapshot->chips[allocator->chips.first + i];

		if (fact_is_known(chip->unique_id) && fact_is_known(device->unique_id)
			    ? chip->unique_id.value == device->unique_id.value
			    : chip->chip_id == device->chip_id &&
				      chip->unique_id.state == device->unique_id.state)
			return true;
	}
	return false;
}

bool device_same(const struct device *a, const struct device *b)
{
	if (fact_is_known(a->unique_id) && fact_is_known(b->unique_id))
		return a->unique_id.value == b->unique_id.value;
	return fact_is_known(a->unique_id) == fact_is_known(b->unique_id) &&
	       a->chip_id == b->chip_id && a->chip_id != SNAPSHOT_NONE;
}

bool snapshot_has_open(const struct snapshot *snapshot, uint32_t process,
		       const struct device *device)
{
	const struct card *card = snapshot_card(snapshot, device);

	for (uint32_t i = 0; card && i < card->users.count; i++)
		if (snapshot->card_users[card->users.first + i].process == process)
			return true;
	return false;
}

bool snapshot_uses(const struct snapshot *snapshot, uint32_t process, const struct device *device)
{
	const struct process *p = &snapshot->processes[process];

	for (uint32_t i = 0; i < p->devices.count; i++)
		if (device_same(&snapshot->devices[p->devices.first + i], device))
			return true;
	/* without a table all that is known is which cards it has open */
	return p->source == SOURCE_DRIVER && !device->remote &&
	       snapshot_has_open(snapshot, process, device);
}

int snapshot_copy_process(struct snapshot *to, uint32_t index, const struct snapshot *from,
			  uint32_t source)
{
	struct process copy = from->processes[source], *old = &to->processes[index];
	string_id *const texts[] = {&copy.user,	    &copy.command,   &copy.metal_version,
				    &copy.build_id, &copy.entry,     &copy.container,
				    &copy.pod};

	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		const char *text = snapshot_text(from, *texts[i]);
		int r = snapshot_string(to, text, strlen(text), texts[i]);

		if (r < 0)
			return r;
	}
	copy.allocators = old->allocators;
	copy.devices = old->devices;
	copy.failures = old->failures;
	copy.capabilities = old->capabilities;
	copy.leftovers = old->leftovers;
	*old = copy;
	return 0;
}

/* A process's figures of devices that are not shown are not shown either. */
static void select_own(struct snapshot *snapshot, struct process *process)
{
	struct device *own = SPAN_START(snapshot->devices, process->devices);
	uint32_t kept = 0;

	for (uint32_t i = 0; i < process->devices.count; i++)
		for (uint32_t d = 0; d < snapshot->machine_devices.count; d++)
			if (device_same(&own[i],
					&snapshot->devices[snapshot->machine_devices.first + d])) {
				own[kept++] = own[i];
				break;
			}
	process->devices.count = kept;
}

/* Indices of processes that went are SNAPSHOT_NONE; what points to them goes as well. */
static void renumber_processes(struct snapshot *snapshot, const uint32_t *map)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < snapshot->allocator_count; i++)
		snapshot->allocators[i].process = map[snapshot->allocators[i].process];
	for (uint32_t i = 0; i < snapshot->buffer_count; i++) {
		struct buffer buffer = snapshot->buffers[i];

		buffer.process = map[buffer.process];
		if (buffer.process != SNAPSHOT_NONE)
			snapshot->buffers[kept++] = buffer;
	}
	snapshot->buffer_count = kept;
	for (uint32_t i = 0; i < snapshot->card_count; i++) {
		struct span *users = &snapshot->cards[i].users;
		struct card_user *first = SPAN_START(snapshot->card_users, *users);
		uint32_t left = 0;

		for (uint32_t u = 0; u < users->count; u++)
			if (map[first[u].process] != SNAPSHOT_NONE)
				first[left++] =
					(struct card_user){map[first[u].process], first[u].handles};
		users->count = left;
	}
}

void snapshot_select(struct snapshot *snapshot, const bool *keep)
{
	struct device *machine = SPAN_START(snapshot->devices, snapshot->machine_devices);
	uint32_t *map = calloc((size_t)snapshot->process_count + 1, sizeof *map);
	uint32_t kept = 0;

	for (uint32_t i = 0; i < snapshot->machine_devices.count; i++)
		if (keep[i])
			machine[kept++] = machine[i];
	snapshot->machine_devices.count = kept;
	kept = 0;
	for (uint32_t i = 0; map && i < snapshot->process_count; i++) {
		bool used = false;

		for (uint32_t d = 0; d < snapshot->machine_devices.count && !used; d++)
			used = snapshot_uses(snapshot, i, &machine[d]);
		map[i] = used ? kept++ : SNAPSHOT_NONE;
	}
	if (!map)
		return; /* more processes than asked for are shown */
	for (uint32_t i = 0; i < snapshot->process_count; i++) {
		select_own(snapshot, &snapshot->processes[i]);
		if (map[i] != SNAPSHOT_NONE)
			snapshot->processes[map[i]] = snapshot->processes[i];
	}
	renumber_processes(snapshot, map);
	snapshot->process_count = kept;
	free(map);
}

const struct card *snapshot_card(const struct snapshot *snapshot, const struct device *device)
{
	return device->card < snapshot->card_count ? &snapshot->cards[device->card] : NULL;
}

uint64_t snapshot_buffers_total(const struct snapshot *snapshot)
{
	uint64_t total = 0;

	if (snapshot->is_counted)
		return snapshot->buffers_seen;
	if (!snapshot->is_limited)
		return snapshot->buffer_count;
	for (uint32_t i = 0; i < snapshot->process_count; i++)
		if (!snapshot->processes[i].hidden)
			total += snapshot->processes[i].live_buffers;
	return total;
}
