/* SPDX-License-Identifier: Apache-2.0 */
/* The table of live buffers. */
#ifndef TTMEM_VIEW_BUFFERS_H
#define TTMEM_VIEW_BUFFERS_H

#include "model/snapshot.h"
#include "view/style.h"

/*
 * buffers_write - the table: columns as wide as their widest cell, more of them where the line has
 * room (style->width), and a last line that says what was left out.
 */
void buffers_write(struct text *text, const struct snapshot *snapshot, const struct style *style,
		   const uint32_t *indices, uint32_t count);

#endif
