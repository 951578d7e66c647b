/* SPDX-License-Identifier: Apache-2.0 */
/* Native stacks, below the row of what they belong to. */
#ifndef TTMEM_VIEW_STACKS_H
#define TTMEM_VIEW_STACKS_H

#include "base/buffer.h"
#include "model/snapshot.h"

/*
 * stack_write - a line for each call, innermost first: its function, and where it is in which file.
 * Lines are as long as names are: cut ones could not be looked up. Nothing where none was taken.
 */
void stack_write(struct text *text, const struct snapshot *snapshot, uint32_t site);

#endif
