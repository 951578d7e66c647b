/* SPDX-License-Identifier: Apache-2.0 */
/* What grows, as a table. */
#ifndef TTMEM_VIEW_GROWTH_H
#define TTMEM_VIEW_GROWTH_H

#include "model/site_row.h"
#include "model/snapshot.h"
#include "view/style.h"

/* growth_write - sites whose bytes only add up, at most `top` (0: all), and how long was watched */
void growth_write(struct text *text, const struct snapshot *snapshot, const struct style *style,
		  const struct site_list *list, uint32_t top);

#endif
