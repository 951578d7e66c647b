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

/*
 * tables_is_written_by - does the process map this file (inode 0: any table) for writing? Only a
 * table's writer does: its mapping stays out of children and ends at exec. What the lock on the file
 * cannot tell for a moment (closing a descriptor drops it, and the writer takes it again) this can.
 * Return: 1; 0; -errno: not for us to see, or no such process.
 */
int tables_is_written_by(uint32_t pid, uint64_t inode);

/* tables_open_control - the control page of a process, for writing; -1 when it cannot be opened */
int tables_open_control(uint32_t pid);

#endif
