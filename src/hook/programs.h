/* SPDX-License-Identifier: Apache-2.0 */
/* What the handlers around programs do with an event; the counterpart of hook.h for buffers. */
#ifndef TTMEM_HOOK_PROGRAMS_H
#define TTMEM_HOOK_PROGRAMS_H

#include "hook/metal.h"

/* programs_laid_out - a program's circular buffers have got their addresses */
void programs_laid_out(const void *program);
/* programs_dispatched - a workload was enqueued, and that came back */
void programs_dispatched(struct metal *metal, const void *queue, const void *workload);
/* programs_touched - the program's circular buffers are to be laid out anew */
void programs_touched(const void *program);
/* programs_destroyed - the object is about to go, whether it ever ran or not */
void programs_destroyed(const void *program);
/* programs_ring - a ring buffer manager is given one more of its buffers */
void programs_ring(struct metal *metal, const void *manager, uint32_t base, uint32_t size);

#endif
