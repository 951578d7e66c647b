/* SPDX-License-Identifier: Apache-2.0 */
/* The time of an event. */
#ifndef TTMEM_HOOK_NOW_H
#define TTMEM_HOOK_NOW_H

#include <stdint.h>
#include <time.h>

/* hook_now_ns - CLOCK_MONOTONIC. Coarse: a quarter of the price, and some milliseconds do not matter here */
static inline uint64_t hook_now_ns(void)
{
	struct timespec t;

	if (clock_gettime(CLOCK_MONOTONIC_COARSE, &t) < 0)
		return 0;
	return (uint64_t)t.tv_sec * UINT64_C(1000000000) + (uint64_t)t.tv_nsec;
}

#endif
