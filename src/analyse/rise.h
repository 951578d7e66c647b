/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Does a series of samples only ever rise? What a leak looks like from outside.
 *
 * Told apart from it: churn and sawtooth, which fall; a model that is loaded or a
 * cache that fills, which rise and then stop. So it takes several rises, none of
 * them undone, and the last one not longer ago than a few of the usual pauses
 * between them.
 *
 * A line that allocates and frees much and leaks a little does fall. There it is
 * told by age: what has reached some age only adds up, and none of it is freed.
 * Churn does not live that long, or is freed when it has; so is what a cache of
 * a fixed size throws out. A net sum of what is old would not do, because what
 * grows old hides what is freed: so each sample says whether anything was.
 */
#ifndef TTMEM_ANALYSE_RISE_H
#define TTMEM_ANALYSE_RISE_H

#include <stdbool.h>
#include <stdint.h>

#define RISE_POINTS_MIN 6u /* with fewer, chance would do */
#define RISE_RISES_MIN	3u
#define RISE_AGED_MIN	6u /* by age: slow churn of long lives has some by chance */
#define RISE_PAUSES_MAX 3u /* so many usual pauses after the last rise it has stopped */

#define RISE_AGED_POINTS_MAX 64u

struct rise_point {
	uint64_t time_ns;
	uint64_t bytes;
};

struct rise {
	uint64_t bytes;	  /* from the first point to the last */
	uint64_t time_ns; /* from the point before the first rise to the last point */
	uint32_t rises;
};

/* rise_of - points in the order of time. Return: does it rise, and never fall? */
bool rise_of(const struct rise_point *points, uint32_t count, struct rise *ret_rise);
/* What a look found of the old. */
struct rise_aged {
	uint64_t bytes;
	bool	 freed; /* something that was old at the look before is gone */
};

/*
 * rise_of_aged - for a series that falls: `aged` are of the same moments as `points`, but for the
 * last of these, which is now. The rise is that of what is old. Return: does that only add up?
 */
bool rise_of_aged(const struct rise_point *points, const struct rise_aged *aged, uint32_t count,
		  struct rise *ret_rise);
/* rise_per_second - `bytes` of a rise as so many a second, at least 1 */
uint64_t rise_per_second(uint64_t bytes, uint64_t time_ns);

#endif
