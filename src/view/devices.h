/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The box of devices: a head line each (what and where it is, how it is doing)
 * and a line of figures for each memory type. More than a few devices collapse
 * to one line each.
 */
#ifndef TTMEM_VIEW_DEVICES_H
#define TTMEM_VIEW_DEVICES_H

#include "model/snapshot.h"
#include "view/style.h"

/* So many devices have a line for each memory type; more have one line in all. */
#define DEVICES_FULL_MAX 8u

void devices_box(struct text *text, const struct snapshot *snapshot, const struct style *style);
/* device_name - "n150", "n300 L", "n300 R", "chip 72059269368820857", "chip id 0" */
void device_name(struct text *text, const struct snapshot *snapshot, const struct device *device);

#endif
