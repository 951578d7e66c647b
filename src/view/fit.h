/* SPDX-License-Identifier: Apache-2.0 */
/* Would it fit now? As text and as JSON. */
#ifndef TTMEM_VIEW_FIT_H
#define TTMEM_VIEW_FIT_H

#include "analyse/holdings.h"
#include "view/style.h"

struct fit_answer {
	uint32_t pid, allocator_id;
	enum memory_type type;
	bool is_program; /* so many bytes of each core, from the low end of L1 up */
	struct fit_request request;
	struct fit_bank bank;
	bool is_aligned_by_guess; /* this release does not say the alignment */

	bool fits;
	uint64_t need_bytes;	/* of one bank, or core */
	uint64_t free_bytes;	/* of one bank */
	uint64_t hole_bytes;	/* the largest hole; for a program: what lies below all buffers */
	uint64_t largest_bytes; /* the largest request of this page size and spread */
	const struct range *holes; /* those that could take it */
	size_t hole_count;
	bool never;		/* not even in an empty bank */
	uint64_t go_bytes;	/* of one bank: what `go` holds */
	const uint32_t *go;	/* buffers that would have to go */
	uint32_t go_count, go_total;
	const struct snapshot *buffers;
};

void fit_write(struct text *text, const struct fit_answer *answer, const struct style *style);
/* fit_write_json - {"schema":"ttmem.fit/1",...}, one line, no newline at the end */
void fit_write_json(struct text *text, const struct fit_answer *answer);

#endif
