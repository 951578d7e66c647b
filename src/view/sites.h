/* SPDX-License-Identifier: Apache-2.0 */
/* What sites hold, as a table and as CSV. */
#ifndef TTMEM_VIEW_SITES_H
#define TTMEM_VIEW_SITES_H

#include "model/site_row.h"
#include "model/snapshot.h"
#include "view/query.h"
#include "view/style.h"

/* sites_write - the first `top` rows (0: all), and what they sum up to */
void sites_write(struct text *text, const struct snapshot *snapshot, const struct style *style,
		 const struct site_list *list, uint32_t top);
/* sites_write_csv - every field of every row; `grows`: those of ttmem.growth as well */
void sites_write_csv(struct text *text, const struct snapshot *snapshot,
		     const struct site_list *list, const struct query_csv *csv, bool grows);
/* signed_size_text - "+1.50 MiB", "-4.00 KiB", "0 B"; "-" when it is not known */
const char *signed_size_text(struct fact bytes, char cell[STYLE_CELL]);

#endif
