/* SPDX-License-Identifier: Apache-2.0 */
#include "model/snapshot.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { PROCESSES, ALLOCATORS, CHIPS, DEVICES, CAPABILITIES, FAILURES, BUFFERS, STRINGS,
       PROGRAMS, KERNELS, RANGES };

const char *availability_name(enum fact_availability availability)
{
	static const char *const names[] = {"unknown", "present", "missing", "failed", "off"};

	return availability <= AVAILABLE_OFF ? names[availability] : names[0];
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
	free(snapshot->programs);
	free(snapshot->program_kernels);
	free(snapshot->program_ranges);
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
 * One element more of an array; the macro keeps the ten functions below from
 * being ten copies.
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
DEFINE_ADD(program, programs, PROGRAMS)
DEFINE_ADD(program_kernel, program_kernels, KERNELS)
DEFINE_ADD(program_range, program_ranges, RANGES)

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

uint64_t snapshot_buffers_total(const struct snapshot *snapshot)
{
	uint64_t total = 0;

	if (!snapshot->is_limited)
		return snapshot->buffer_count;
	for (uint32_t i = 0; i < snapshot->process_count; i++)
		if (!snapshot->processes[i].hidden)
			total += snapshot->processes[i].live_buffers;
	return total;
}
