/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a handler does with an event: the path from a call of TT-Metal to the
 * writer of this process's region.
 *
 * The writer lives in a page that MADV_WIPEONFORK clears, so a forked child
 * finds a writer that was never created and makes its own at its first event.
 */
#ifndef TTMEM_HOOK_HOOK_H
#define TTMEM_HOOK_HOOK_H

#include "hook/metal.h"

/* hook_served - allocate_buffer of this allocator came back for this Buffer */
void hook_served(const void *allocator, const void *buffer);
/* hook_allocated - a Buffer has got its address */
void hook_allocated(struct metal *metal, const void *buffer);
/* hook_deallocated - a Buffer is about to give its address back */
void hook_deallocated(struct metal *metal, const void *buffer);
/* hook_failed - an exception came out of allocate_buffer */
void hook_failed(struct metal *metal, const void *allocator, const void *buffer);
/* hook_refused - a program failed: thread and time are filled in, then as for an allocation */
void hook_refused(struct region_writer *writer, struct region_failure *failure);
/* hook_opened - a MeshDevice is ready */
void hook_opened(struct metal *metal, const void *mesh);
/* hook_mesh_closed, hook_chip_closed - a device object is gone; the pointer is only a name now */
void hook_mesh_closed(const void *mesh);
void hook_chip_closed(uint32_t chip_id);

/* hook_writer - the writer of this process, made at its first event; NULL when it could not be */
struct region_writer *hook_writer(struct metal *metal);
/* hook_writer_present - likewise, but never makes one: for events that only take away */
struct region_writer *hook_writer_present(void);

/*
 * For the second way in (late.c). hook_late_take - only one at a time; 0, -EBUSY or -ENOMEM.
 * hook_late_begin - events are about to come; `is_visible`: there is a table from now on, so that
 * somebody can be told what is waited for. hook_late_end - no more come.
 */
int hook_late_take(void);
void hook_late_give(void);
void hook_late_begin(struct metal *metal, bool is_visible);
void hook_late_end(struct metal *metal);
/* hook_ticked - what is due at an event whatever it is: descriptors looked at, servers told */
void hook_ticked(struct region_writer *writer, uint64_t time_ns);

#endif
