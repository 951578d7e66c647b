/* SPDX-License-Identifier: Apache-2.0 */
/* Which of the live buffers are shown, and in which order. */
#ifndef TTMEM_VIEW_SELECTION_H
#define TTMEM_VIEW_SELECTION_H

#include "model/snapshot.h"

enum buffer_order {
	ORDER_SIZE, /* largest requested first */
	ORDER_BANK, /* largest bytes per bank first */
	ORDER_AGE,  /* oldest first */
	ORDER_ADDRESS,
	ORDER_PID,
	ORDER_SLOT, /* as they lie in the tables */
};

struct buffer_filter {
	uint32_t pid;  /* 0: any */
	int	 type; /* enum memory_type; -1: any */
	bool	 by_chip;
	uint64_t unique_id;
	uint64_t min_bytes; /* requested */
	const char *op;	  /* a part of its name; NULL: any */
	const char *site; /* a part of "file:line" or of the function; NULL: any */
	const char *tag;  /* a part of it; NULL: any */
	enum buffer_order order;
	uint32_t top;	 /* 0: all */
	uint32_t sorted; /* only the first so many need be in order; 0: all */
};

/* buffer_passes, buffer_key - the two questions of a selection: is it shown; smallest first */
bool buffer_passes(const struct buffer_filter *filter, const struct snapshot *snapshot,
		   const struct buffer *buffer);
uint64_t buffer_key(const struct buffer_filter *filter, const struct snapshot *snapshot,
		    const struct buffer *buffer);

/*
 * buffers_select - indices of the buffers that pass, in order; equal ones as they lie in the
 * tables. Return: 0 or -ENOMEM; the caller frees the array.
 */
int buffers_select(const struct snapshot *snapshot, const struct buffer_filter *filter,
		   uint32_t **ret_indices, uint32_t *ret_count);

#endif
