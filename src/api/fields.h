/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one list of the figures of a memory type: name, place, unit, help. JSON
 * writer and reader, CSV and help texts all walk it, so they cannot disagree.
 */
#ifndef TTMEM_API_FIELDS_H
#define TTMEM_API_FIELDS_H

#include <stddef.h>

#include "model/memory.h"

struct memory_field {
	const char *name;  /* in JSON; inside "bank" when `in_bank` */
	const char *path;  /* under "unavailable": "bank.size_bytes" */
	size_t	    offset; /* of a struct fact in struct memory */
	bool	    in_bank;
	const char *unit; /* "bytes" or "" */
	const char *help;
};

extern const struct memory_field memory_fields[];
extern const size_t memory_field_count;

static inline struct fact *memory_field_of(struct memory *memory, const struct memory_field *field)
{
	return (struct fact *)(void *)((char *)memory + field->offset);
}

static inline const struct fact *memory_field_get(const struct memory *memory,
						  const struct memory_field *field)
{
	return (const struct fact *)(const void *)((const char *)memory + field->offset);
}

#endif
