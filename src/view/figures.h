/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The line of figures of one memory type, the same in both boxes:
 * requested, occupied, allocatable, percent and bar, then what the box adds.
 */
#ifndef TTMEM_VIEW_FIGURES_H
#define TTMEM_VIEW_FIGURES_H

#include "model/snapshot.h"
#include "view/style.h"

#define FIGURES_INDENT	4
#define FIGURES_LAST	16 /* columns for what a box adds at the end */

/* figures_heading - the titles of the columns; `last` is FIGURES_LAST wide at most */
void figures_heading(struct text *text, const struct style *style, const char *first,
		     const char *last);
void figures_row(struct text *text, const struct style *style, enum memory_type type,
		 const struct memory *memory, const char *last);
/* figures_is_empty - a type that is not there at all, or of which nothing is known, needs no line */
bool figures_is_empty(const struct memory *memory);

#endif
