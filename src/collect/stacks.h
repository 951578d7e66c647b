/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What native stacks of one table say: names of their functions, the operation
 * they belong to, and whose code asked. Files are opened when the first stack
 * leads through them, and closed with the table.
 *
 * Traps: a stack comes from a stranger, and so does the path of each file in it;
 * src/symbols says what is done about that.
 */
#ifndef TTMEM_COLLECT_STACKS_H
#define TTMEM_COLLECT_STACKS_H

#include <stdbool.h>
#include <stdint.h>

#include "model/site.h"
#include "region/reader.h"
#include "symbols/symbols.h"

struct table_stacks {
	uint32_t pid; /* 0: it has ended */
	bool is_open[REGION_SITE_MODULES_MAX];
	struct symbol_source sources[REGION_SITE_MODULES_MAX];
};

void table_stacks_init(struct table_stacks *stacks, uint32_t pid);
void table_stacks_clear(struct table_stacks *stacks);
/*
 * table_stacks_add - the stack of a site, with names, to its texts; and from it, where they are
 * empty, the operation, file and function. Strings live as long as `stacks` and `raw`.
 * `all_names`: of every call, not only of those that tell.
 */
void table_stacks_add(struct table_stacks *stacks, const struct region_sites *raw,
		      const struct region_site *site, bool all_names, struct site_texts *texts);

#endif
