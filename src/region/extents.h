/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which elements of an array are taken, when they are taken in runs: a bit
 * each, first fit. A run is looked for once per program, never per event, so
 * a walk over the words is good enough.
 */
#ifndef TTMEM_REGION_EXTENTS_H
#define TTMEM_REGION_EXTENTS_H

#include <stdbool.h>
#include <stdint.h>

#define EXTENTS_NONE UINT32_C(0xffffffff)

struct extents {
	uint64_t *words; /* a bit per element, zero-filled memory of the owner */
	uint32_t  count; /* elements: a multiple of 64 */
	uint32_t  taken;
};

/* extents_take - a run of `length` free elements, lowest first; EXTENTS_NONE if there is none */
uint32_t extents_take(struct extents *extents, uint32_t length);
/* extents_give - frees a run that was taken */
void extents_give(struct extents *extents, uint32_t first, uint32_t length);
bool extents_is_taken(const struct extents *extents, uint32_t element);
/* extents_high_water - elements at or above it are free */
uint32_t extents_high_water(const struct extents *extents);

#endif
