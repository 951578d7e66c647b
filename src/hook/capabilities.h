/* SPDX-License-Identifier: Apache-2.0 */
/* Which kinds of facts this process can tell, written into its region once they are known. */
#ifndef TTMEM_HOOK_CAPABILITIES_H
#define TTMEM_HOOK_CAPABILITIES_H

#include "hook/metal.h"

/* capabilities_publish - what the exported names say, right after the region was made */
void capabilities_publish(const struct metal *metal, struct region_writer *writer);
/* capabilities_of_allocator - what the first allocator did or did not tell */
void capabilities_of_allocator(struct region_writer *writer, const struct region_allocator *row);
/* capabilities_of_program - what a program did not let us read */
void capabilities_of_program(const struct metal *metal, struct region_writer *writer,
			     const struct region_program_found *found);
/* capabilities_report_fields - says so when the self-check has failed; writer may be NULL */
void capabilities_report_fields(const struct metal *metal, struct region_writer *writer);

#endif
