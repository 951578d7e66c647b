/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The second way in: the library was loaded into a running process, by `ttmem attach` or by Python,
 * and is told to begin. These are the only names of ours that it exports.
 */
#ifndef TTMEM_HOOK_LATE_H
#define TTMEM_HOOK_LATE_H

#include <stdbool.h>
#include <stdint.h>

#include "region/late_state.h"

#define LATE_EXPORT __attribute__((visibility("default")))

/*
 * ttmem_hook_attach - patches all slots; `entry` ("attach", "python") says who asks, and ends up in
 * the table. From any thread.
 * Return: 0, also when the hook was in already, by whatever way; -ENOENT: no TT-Metal in this
 * process; -ECANCELED: TTMEM=off; -EBUSY: another thread is at it; -ENOSPC, -EACCES: the slots could
 * not be written, and none is changed.
 */
LATE_EXPORT int ttmem_hook_attach(const char *entry);
/*
 * ttmem_hook_detach - puts the slots back and closes the table's allocators. The library stays.
 * Return: 0, also when it was not attached; -EPERM: the loader bound us at the start (preload), that
 * cannot be taken back; -EBUSY, -EACCES as above.
 */
LATE_EXPORT int ttmem_hook_detach(void);

/* late_entry - the way in, for the table's head */
const char *late_entry(void);
/* late_look - at any event: is it time to read the slots back? One load. */
extern uint64_t late_due_ns;
void late_repair(uint64_t time_ns);
static inline void late_look(uint64_t time_ns)
{
	if (__builtin_expect(time_ns >= __atomic_load_n(&late_due_ns, __ATOMIC_RELAXED), 0))
		late_repair(time_ns);
}

#endif
