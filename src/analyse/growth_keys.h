/* SPDX-License-Identifier: Apache-2.0 */
/* How growth.c and growth_ask.c find series. Private to them. */
#ifndef TTMEM_ANALYSE_GROWTH_KEYS_H
#define TTMEM_ANALYSE_GROWTH_KEYS_H

#include "analyse/growth.h"

/*
 * growth_key - of what a row is a part of, by its texts: chips, memory type and site (or op, or
 * file, or nothing more), or its thread. A process that makes two of its keys equal harms its own answer only.
 */
uint64_t growth_key(const struct snapshot *snapshot, const struct site_row *row, enum group_by by);
/* growth_find - the series of a process (index) with a key by site, or by thread; NULL */
const struct growth_series *growth_find(const struct growth *growth, uint32_t process,
					uint64_t key);
/* growth_process_of - index of the process; UINT32_MAX: it is not watched */
uint32_t growth_process_of(const struct growth *growth, const struct process *process);

#endif
