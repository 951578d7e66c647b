/* SPDX-License-Identifier: Apache-2.0 */
/* The table of live buffers, and the order and choice of its rows. */
#ifndef TTMEM_VIEW_BUFFERS_H
#define TTMEM_VIEW_BUFFERS_H

#include "model/snapshot.h"
#include "view/style.h"

enum buffer_order {
	ORDER_SLOT, /* as they lie in the tables */
	ORDER_SIZE, /* largest bytes per bank first */
	ORDER_REQUESTED,
	ORDER_AGE, /* oldest first */
	ORDER_ADDRESS,
	ORDER_PID,
};

struct buffer_filter {
	uint32_t pid;	 /* 0: any */
	int	 type;	 /* enum memory_type; -1: any */
	bool	 by_chip;
	uint64_t unique_id;
	uint64_t min_bytes; /* requested */
	enum buffer_order order;
	uint32_t top; /* 0: all */
};

/*
 * buffers_select - indices of the buffers that pass, in order. Return: 0 or -ENOMEM; the caller
 * frees the array.
 */
int buffers_select(const struct snapshot *snapshot, const struct buffer_filter *filter,
		   uint32_t **ret_indices, uint32_t *ret_count);
void buffers_write(struct text *text, const struct snapshot *snapshot, const uint32_t *indices,
		   uint32_t count);

#endif
