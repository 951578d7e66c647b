/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the files that ask objects of TT-Metal. */
#ifndef TTMEM_HOOK_METAL_CALL_H
#define TTMEM_HOOK_METAL_CALL_H

#include "hook/metal.h"

/* CoreCoord, returned in two registers */
struct core {
	uint64_t x, y;
};

/* metal_class_name - mangled, by the object's own vtable. 0, or -ENOENT if that is not one of ours. */
int metal_class_name(const struct metal *metal, uint64_t object, char *to, size_t size);
/* metal_is_mesh - is the object a MeshDevice? */
bool metal_is_mesh(const struct metal *metal, uint64_t object);
/* metal_first_chip - the Device behind a device object: itself, or a mesh's first; 0 if none */
uint64_t metal_first_chip(const struct metal *metal, uint64_t device);
/* metal_release - what C++ allocated and handed to us by value has to go back to C++ */
void metal_release(const struct metal *metal, uint64_t memory);
/* metal_follow - an accessor without arguments that gives a pointer; 0 if either is missing */
uint64_t metal_follow(const struct metal *metal, enum metal_symbol symbol, uint64_t object);
/* metal_context - MetalContext::instance() of context 0; only while a device is open */
uint64_t metal_context(const struct metal *metal);

/* metal_l1_describe - the terms of L1 in an allocator's row (metal_l1.c), device of known class */
void metal_l1_describe(const struct metal *metal, uint64_t device, struct region_allocator *row);

#endif
