/* SPDX-License-Identifier: Apache-2.0 */
/* Where buffers come from, in words. Everything is escaped: it comes from strangers. */
#ifndef TTMEM_VIEW_PLACES_H
#define TTMEM_VIEW_PLACES_H

#include "base/buffer.h"
#include "model/snapshot.h"

/* place_op - "ttnn.matmul", "ttnn.matmul [kv-cache]" with a tag; "-" when it is not known */
void place_op(struct text *text, const struct snapshot *snapshot, uint32_t site);
/* place_tag - "kv-cache"; "-" */
void place_tag(struct text *text, const struct snapshot *snapshot, uint32_t site);
/*
 * place_site - "/srv/app/model.py:214", "decode (step)" where lines are not known,
 * "libapp.so+0x1234", "before attach"; "-"
 */
void place_site(struct text *text, const struct snapshot *snapshot, uint32_t site);
/* place_function - "Attention.forward"; "-" */
void place_function(struct text *text, const struct snapshot *snapshot, uint32_t site);
/* place_chips - "4476187513037", or "10226774059 +7" for a mesh */
void place_chips(struct text *text, const struct snapshot *snapshot, uint32_t allocator);
/*
 * place_sentence - "ttnn.matmul at model.py:214 (Attention.forward)": as much as is known, with the
 * file's name alone. Return: false, and nothing is written, when nothing is.
 */
bool place_sentence(struct text *text, const struct snapshot *snapshot, uint32_t site);

#endif
