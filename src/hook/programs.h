/* SPDX-License-Identifier: Apache-2.0 */
/* What the handlers around programs do with an event; the counterpart of hook.h for buffers. */
#ifndef TTMEM_HOOK_PROGRAMS_H
#define TTMEM_HOOK_PROGRAMS_H

#include "hook/metal.h"

/* programs_laid_out - a program's circular buffers have got their addresses */
void programs_laid_out(const void *program);
/* programs_dispatched - a workload was enqueued, and that came back */
void programs_dispatched(struct metal *metal, const void *queue, const void *workload);
/*
 * programs_refused - an exception came out of the check of a program's circular or, with
 * `dataflow`, dataflow buffers against L1 and what lies in it
 */
void programs_refused(struct metal *metal, const void *program, const void *device, bool dataflow);
/*
 * programs_too_long - an exception came out of the layout of a workload in the kernel-config ring;
 * `workload` is the MeshWorkloadImpl
 */
void programs_too_long(struct metal *metal, const void *workload, const void *device);
/* programs_touched - the program's circular buffers are to be laid out anew */
void programs_touched(const void *program);
/* programs_destroyed - the object is about to go, whether it ever ran or not */
void programs_destroyed(const void *program);
/* programs_ring - a ring buffer manager is given one more of its buffers */
void programs_ring(struct metal *metal, const void *manager, uint32_t base, uint32_t size);

#endif
