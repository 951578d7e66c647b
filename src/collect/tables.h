/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TTMEM_COLLECT_TABLES_H
#define TTMEM_COLLECT_TABLES_H

#include "collect/collect.h"

/* Called with each accepted table; the map is closed afterwards. A negative result ends the walk. */
typedef int table_visitor(void *argument, struct region_map *map, uint32_t pid, uint32_t uid,
			  enum process_state state);

/*
 * tables_visit - every table of every process that we may look at, each once.
 * Return: 0; -errno of opening /proc; -ENOMEM; what the visitor returned.
 */
int tables_visit(const struct collect_options *options, table_visitor *visit, void *argument,
		 struct collect_notes *ret_notes);

/* tables_open_control - the control page of a process, for writing; -1 when it cannot be opened */
int tables_open_control(uint32_t pid);

#endif
