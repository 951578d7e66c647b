/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Waiting until no other thread of this process can still be where it was a moment ago.
 *
 * Time alone does not tell: a thread that is ready to run may be without a processor for as long as the
 * machine is busy. So each one has either used a little of a processor since, or it waits in the kernel.
 * Who waits there for a lock that another one holds comes to run when that one has; hence several rounds.
 */
#ifndef TTMEM_HOOK_SETTLE_H
#define TTMEM_HOOK_SETTLE_H

#include <stdint.h>

/*
 * settle_threads - for some microseconds of work of theirs. Not a cancellation point; allocates nothing.
 * Return: 0; -EAGAIN: one had no processor, or was stopped, for `limit_ns`; -errno: /proc is not there.
 */
int settle_threads(uint64_t limit_ns);

#endif
