/* SPDX-License-Identifier: Apache-2.0 */
/* How a handler takes the place of a function and finds the real one. */
#ifndef TTMEM_HOOK_HANDLERS_H
#define TTMEM_HOOK_HANDLERS_H

#include "hook/metal.h"

#define EXPORT_AS(name) __asm__(name) __attribute__((visibility("default")))

#define REAL(metal, id, type) ((type)(metal)->real[METAL_HANDLER_##id])

#endif
