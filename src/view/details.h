/* SPDX-License-Identifier: Apache-2.0 */
/* Everything of every device, one field a line (-q), and the list of devices (-L). */
#ifndef TTMEM_VIEW_DETAILS_H
#define TTMEM_VIEW_DETAILS_H

#include "base/buffer.h"
#include "model/snapshot.h"

enum details_section {
	DETAILS_MEMORY = 1 << 0,
	DETAILS_TEMPERATURE = 1 << 1,
	DETAILS_POWER = 1 << 2,
	DETAILS_CLOCK = 1 << 3,
	DETAILS_VOLTAGE = 1 << 4,
	DETAILS_PIDS = 1 << 5,
	DETAILS_PCI = 1 << 6,
	DETAILS_ALL = (1 << 7) - 1,
};

/* details_section_parse - a list like "MEMORY,PIDS", any case. Return: 0 or -EINVAL. */
int details_section_parse(const char *list, unsigned *ret_sections);
void details_write(struct text *text, const struct snapshot *snapshot, unsigned sections);
/* details_list - "Device 0: n150 (Unique id: ..., PCI: ...)", one a line */
void details_list(struct text *text, const struct snapshot *snapshot);

#endif
