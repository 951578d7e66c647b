/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What one allocator holds of one memory type: its buffers in the order of
 * their addresses, and the same as ranges of a bank. From there it is known
 * which buffers lie in the way of something.
 */
#ifndef TTMEM_ANALYSE_HOLDINGS_H
#define TTMEM_ANALYSE_HOLDINGS_H

#include "analyse/fit.h"
#include "analyse/verdict.h"
#include "model/snapshot.h"

struct holdings {
	uint32_t *indices; /* of the snapshot's buffers */
	struct range *ranges;
	size_t count;
};

/*
 * holdings_of - the process is named by pid and the allocator by id, because a list of buffers from
 * a server knows no more of them. Return: 0 or -ENOMEM. Free with holdings_clear.
 */
int holdings_of(const struct snapshot *buffers, uint32_t pid, uint32_t allocator_id,
		enum memory_type type, struct holdings *ret_holdings);
void holdings_clear(struct holdings *holdings);

/* holdings_bank - the geometry of a memory type. Return: 0; -ENODATA: this release does not say. */
int holdings_bank(const struct allocator *allocator, enum memory_type type,
		  struct fit_bank *ret_bank);

/* The buffers that a verdict is about: a run of holdings, by address, and why these. */
struct in_the_way {
	size_t first, count;
	const char *why;   /* static; NULL: none are to be named */
	bool by_size;	   /* not a run: all of them, the largest ones matter */
	struct fact frees; /* bytes of a bank that their end would give */
	struct fact hole;  /* the hole that their end would make */
};

/* in_the_way_of - `bank` NULL when the geometry is not known */
struct in_the_way in_the_way_of(const struct error_text *error, const struct verdict *verdict,
				const struct holdings *holdings, const struct fit_bank *bank);

#endif
