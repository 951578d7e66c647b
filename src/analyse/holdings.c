/* SPDX-License-Identifier: Apache-2.0 */
#include "analyse/holdings.h"

#include <errno.h>
#include <stdlib.h>

static bool belongs(const struct snapshot *snapshot, const struct buffer *buffer, uint32_t pid,
		    uint32_t allocator_id, enum memory_type type)
{
	return buffer->type == type && snapshot->processes[buffer->process].pid == pid &&
	       snapshot->allocators[buffer->allocator].id == allocator_id &&
	       buffer->bank_bytes > 0 && buffer->address <= UINT64_MAX - buffer->bank_bytes;
}

static int by_address(const void *a, const void *b, void *context)
{
	const struct snapshot *snapshot = context;
	uint64_t x = snapshot->buffers[*(const uint32_t *)a].address;
	uint64_t y = snapshot->buffers[*(const uint32_t *)b].address;

	return x < y ? -1 : x > y;
}

int holdings_of(const struct snapshot *buffers, uint32_t pid, uint32_t allocator_id,
		enum memory_type type, struct holdings *ret_holdings)
{
	struct holdings held = {0};
	struct snapshot *context = (struct snapshot *)(uintptr_t)buffers;

	for (uint32_t i = 0; i < buffers->buffer_count; i++)
		held.count += belongs(buffers, &buffers->buffers[i], pid, allocator_id, type);
	held.indices = malloc((held.count + 1) * sizeof *held.indices);
	held.ranges = malloc((held.count + 1) * sizeof *held.ranges);
	if (!held.indices || !held.ranges) {
		holdings_clear(&held);
		return -ENOMEM;
	}
	held.count = 0;
	for (uint32_t i = 0; i < buffers->buffer_count; i++)
		if (belongs(buffers, &buffers->buffers[i], pid, allocator_id, type))
			held.indices[held.count++] = i;
	qsort_r(held.indices, held.count, sizeof *held.indices, by_address, context);
	for (size_t i = 0; i < held.count; i++) {
		const struct buffer *buffer = &buffers->buffers[held.indices[i]];

		held.ranges[i] = (struct range){buffer->address,
						buffer->address + buffer->bank_bytes};
	}
	*ret_holdings = held;
	return 0;
}

void holdings_clear(struct holdings *holdings)
{
	free(holdings->indices);
	free(holdings->ranges);
	*holdings = (struct holdings){0};
}

int holdings_bank(const struct allocator *allocator, enum memory_type type,
		  struct fit_bank *ret_bank)
{
	const struct memory *memory = &allocator->memory[type];
	uint64_t start = allocator->base_address[type], end;

	if (!fact_is_known(memory->banks) || !fact_is_known(memory->bank_size_bytes) ||
	    memory->banks.value > UINT32_MAX ||
	    __builtin_add_overflow(start, memory->bank_size_bytes.value, &end))
		return -ENODATA;
	*ret_bank = (struct fit_bank){
		.start = start,
		.end = end,
		.alignment = allocator->alignment_bytes[type],
		.banks = (uint32_t)memory->banks.value,
	};
	return 0;
}

static uint64_t bytes_of(const struct holdings *holdings, size_t first, size_t count)
{
	uint64_t bytes = 0;

	for (size_t i = first; i < first + count; i++)
		bytes += holdings->ranges[i].end - holdings->ranges[i].start;
	return bytes;
}

/* All that starts below the end of a program's region; without that end, the lowest. */
static struct in_the_way below_the_end(const struct error_text *error,
				       const struct holdings *holdings)
{
	struct fact end = error->figures[FIGURE_END];
	struct in_the_way way = {.why = "they start below the end of the program's region"};

	if (!fact_is_known(end)) {
		way.count = holdings->count > 0;
		way.why = "the lowest one";
		return way;
	}
	while (way.count < holdings->count && holdings->ranges[way.count].start < end.value)
		way.count++;
	way.frees = fact_of(bytes_of(holdings, 0, way.count));
	return way;
}

/* The neighbours whose end would make a hole that is long enough, with the fewest bytes. */
static struct in_the_way around_a_hole(uint64_t need, const struct holdings *holdings,
				       const struct fit_bank *bank)
{
	struct fit_removal removal;

	if (fit_removal(bank, holdings->ranges, holdings->count, need, &removal) < 0)
		return (struct in_the_way){0};
	return (struct in_the_way){
		.first = removal.first,
		.count = removal.count,
		.why = "the cheapest neighbours of a hole that together would make room",
		.frees = fact_of(removal.bytes),
		.hole = fact_of(removal.hole.end - removal.hole.start),
	};
}

struct in_the_way in_the_way_of(const struct error_text *error, const struct verdict *verdict,
				const struct holdings *holdings, const struct fit_bank *bank)
{
	struct fact need = error->figures[FIGURE_NEED];

	switch (verdict->kind) {
	case VERDICT_CLASH:
		/* what was allocated meanwhile may be gone, and nothing tells it from the rest */
		if (error->kind == ERROR_TRACE_OVERLAP)
			break;
		return below_the_end(error, holdings);
	case VERDICT_FRAGMENTED:
		if (bank && fact_is_known(need))
			return around_a_hole(need.value, holdings, bank);
		break;
	case VERDICT_FULL:
	case VERDICT_OUT_OF_MEMORY:
		return (struct in_the_way){
			.count = holdings->count,
			.why = "the largest ones",
			.by_size = true,
		};
	default:
		break;
	}
	return (struct in_the_way){0};
}
