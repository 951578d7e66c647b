/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Taking the place of functions in a process that is already running: the slots through which
 * TT-Metal's own calls go are found by their relocations, in every loaded object, and get our
 * handlers. They are the very words that the loader would have filled with them in a preload: PLT,
 * GOT and vtables.
 *
 * One 8-byte store each, so that a thread in the middle of a call goes the old way or the new one.
 * What a slot held before is remembered, and put back by slots_restore(). Callers take turns.
 *
 * The trap: a library may be unloaded meanwhile, and its slots are then nobody's memory, or another
 * library's.
 */
#ifndef TTMEM_HOOK_SLOTS_H
#define TTMEM_HOOK_SLOTS_H

#include "hook/metal.h"

/*
 * slots_find - looks for slots of all handlers that this process has the real function of; changes
 * none. Return: how many there are to patch or are patched; 0 when the loader has bound them to us
 * already (preloaded); -ENOENT: nothing calls them; -ENOSPC.
 */
int slots_find(const struct metal *metal);
/*
 * slots_patch - all that were found. Return: 0; -EACCES when a page cannot be made writable: then
 * none is changed; -EAGAIN: something was unloaded since, they are to be found again.
 */
int slots_patch(void);
/* slots_restore - puts back what was there, unless somebody else has changed it. 0 or -EACCES. */
int slots_restore(void);
/*
 * slots_repair - a slot that was not yet bound when it was patched may have been overwritten by a
 * resolver that was at work in that moment: those are stored again. Return: how many.
 */
int slots_repair(void);
/* slots_count - how many are in our hands */
unsigned slots_count(void);

#endif
