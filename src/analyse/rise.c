/* SPDX-License-Identifier: Apache-2.0 */
#include "analyse/rise.h"

#define SECOND_NS UINT64_C(1000000000)

static bool find_rise(const struct rise_point *points, uint32_t count, uint32_t rises_min,
		      struct rise *ret_rise)
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
	if (rises < rises_min)
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

bool rise_of(const struct rise_point *points, uint32_t count, struct rise *ret_rise)
{
	return find_rise(points, count, RISE_RISES_MIN, ret_rise);
}

bool rise_of_aged(const struct rise_point *points, const struct rise_aged *aged, uint32_t count,
		  struct rise *ret_rise)
{
	struct rise_point old[RISE_AGED_POINTS_MAX];
	bool falls = false;

	if (count < 2 || count > RISE_AGED_POINTS_MAX)
		return false;
	for (uint32_t i = 1; i < count; i++)
		falls |= points[i].bytes < points[i - 1].bytes;
	for (uint32_t i = 0; i < count - 1; i++) {
		if (i > 0 && aged[i].freed)
			return false;
		old[i] = (struct rise_point){points[i].time_ns, aged[i].bytes};
	}
	/* what never falls is judged as a whole; and what is old must still be there */
	return falls && points[count - 1].bytes >= old[count - 2].bytes &&
	       find_rise(old, count - 1, RISE_AGED_MIN, ret_rise);
}

uint64_t rise_per_second(uint64_t bytes, uint64_t time_ns)
{
	__uint128_t rate = time_ns ? (__uint128_t)bytes * SECOND_NS / time_ns : 0;

	return rate > UINT64_MAX ? UINT64_MAX : rate ? (uint64_t)rate : 1;
}
