/* SPDX-License-Identifier: Apache-2.0 */
/* The picture of the machine: a box of devices and a box of processes. */
#ifndef TTMEM_VIEW_PICTURE_H
#define TTMEM_VIEW_PICTURE_H

#include "model/snapshot.h"
#include "view/style.h"

/* picture_write - at most style->width columns wide, less where there is nothing to fill them */
void picture_write(struct text *text, const struct snapshot *snapshot, const struct style *style);

#endif
