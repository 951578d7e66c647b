/* SPDX-License-Identifier: Apache-2.0 */
#include "analyse/clash_gap.h"

#define SMALL_SHARE 10

struct clash_gap clash_gap_start(void)
{
	return (struct clash_gap){
		.bytes = fact_absent(REASON_NO_ALLOCATOR),
		.trend_bytes = fact_absent(REASON_NO_SERVER),
		.program_end = fact_absent(REASON_NO_ALLOCATOR),
		.lowest_buffer = fact_absent(REASON_NO_ALLOCATOR),
	};
}

/* The highest that any program of it has reached; it may run again. */
static struct fact program_end(const struct allocator *allocator)
{
	struct fact base = allocator->l1.unreserved_base, peak = allocator->l1.program_peak_bytes;
	uint64_t end;

	if (!fact_is_known(base) || !fact_is_known(peak) ||
	    __builtin_add_overflow(base.value, peak.value, &end))
		return fact_absent(REASON_NOT_EXPORTED);
	return fact_of(end);
}

/* Of several the one that counts; unknown when one of them is. */
static struct fact worse(struct fact present, struct fact more, bool higher)
{
	if (present.state == FACT_ABSENT && present.reason == REASON_NO_ALLOCATOR)
		return more;
	if (!fact_is_known(present) || !fact_is_known(more))
		return fact_is_known(present) ? more : present;
	return (more.value > present.value) == higher ? more : present;
}

void clash_gap_add(struct clash_gap *gap, const struct allocator *allocator, struct fact lowest)
{
	gap->program_end = worse(gap->program_end, program_end(allocator), true);
	gap->lowest_buffer = worse(gap->lowest_buffer, lowest, false);
	if (!fact_is_known(gap->program_end))
		gap->bytes = gap->program_end;
	else if (!fact_is_known(gap->lowest_buffer))
		gap->bytes = gap->lowest_buffer;
	else
		gap->bytes = fact_of(gap->lowest_buffer.value > gap->program_end.value
					     ? gap->lowest_buffer.value - gap->program_end.value
					     : 0);
}

bool clash_gap_is_small(const struct clash_gap *gap, struct fact bank_bytes)
{
	return fact_is_known(gap->bytes) && fact_is_known(bank_bytes) &&
	       gap->bytes.value < bank_bytes.value / SMALL_SHARE;
}
