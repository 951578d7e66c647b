/* SPDX-License-Identifier: Apache-2.0 */
#include "analyse/rise.h"

#define SECOND_NS UINT64_C(1000000000)

bool rise_of(const struct rise_point *points, uint32_t count, struct rise *ret_rise)
{
	uint32_t rises = 0, before_first = 0, last = 0;

	if (count < RISE_POINTS_MIN)
		return false;
	for (uint32_t i = 1; i < count; i++) {
		if (points[i].bytes < points[i - 1].bytes)
			return false;
		if (points[i].bytes == points[i - 1].bytes)
			continue;
		before_first = rises ? before_first : i - 1;
		last = i;
		rises++;
	}
	if (rises < RISE_RISES_MIN)
		return false;
	uint64_t start = points[before_first].time_ns, end = points[count - 1].time_ns;
	uint64_t pause = (points[last].time_ns - start) / rises;

	if (end - points[last].time_ns > RISE_PAUSES_MAX * pause)
		return false;
	*ret_rise = (struct rise){.bytes = points[count - 1].bytes - points[0].bytes,
				  .time_ns = end - start,
				  .rises = rises};
	return true;
}

uint64_t rise_per_second(uint64_t bytes, uint64_t time_ns)
{
	__uint128_t rate = time_ns ? (__uint128_t)bytes * SECOND_NS / time_ns : 0;

	return rate > UINT64_MAX ? UINT64_MAX : rate ? (uint64_t)rate : 1;
}
