/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The set of live buffers that an allocator hands out: a copy, made under its mutex.
 *
 * By value: a std::unordered_set<Buffer *> of libstdc++. It is believed only if it looks like one in
 * every respect; what cannot be called or does not look so is an error, and nothing is taken over.
 */
#ifndef TTMEM_HOOK_METAL_LIVE_H
#define TTMEM_HOOK_METAL_LIVE_H

#include "hook/metal.h"

struct metal_live {
	uint64_t words[64]; /* the set is the first seven; the rest is room for what is none */
	uint64_t at;	    /* node of metal_live_next, 0: at the start */
};

/*
 * metal_live_take - asks the allocator, which must be alive and whose mutex must be free.
 * Return: 0, and metal_live_release is to be called; -ENOSYS when this release cannot be asked;
 * -EBADMSG when the answer is no such set (it is then left alone).
 */
int metal_live_take(const struct metal *metal, uint64_t allocator, struct metal_live *ret_live);
void metal_live_release(const struct metal *metal, struct metal_live *live);
/* metal_live_next - one Buffer after the other, 0 at the end */
uint64_t metal_live_next(struct metal_live *live);
bool metal_live_has(const struct metal_live *live, uint64_t buffer);

/* metal_live_is_asked - does this release export the call? */
bool metal_live_is_asked(const struct metal *metal);

#endif
