/* SPDX-License-Identifier: Apache-2.0 */
/* Which devices are meant: -i with numbers, unique ids, serial numbers or PCI addresses. */
#ifndef TTMEM_TOOL_SELECT_H
#define TTMEM_TOOL_SELECT_H

#include "model/snapshot.h"

/* select_matches - is this device meant by one word of such a list? */
bool select_matches(const struct snapshot *snapshot, const struct device *device, const char *word);
/*
 * select_devices - leaves only those of a list with commas (NULL: all). A word that matches nothing
 * is an error. Return: 0 or EXIT_NOT_FOUND, after saying which; EXIT_FAILED without memory.
 */
int select_devices(struct snapshot *snapshot, const char *list);

/*
 * select_no_device - says that this process has no device open, or why that is not known. Return:
 * EXIT_NOT_FOUND.
 */
int select_no_device(const struct snapshot *snapshot, const struct process *process);

#endif
