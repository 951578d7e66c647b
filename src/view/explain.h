/* SPDX-License-Identifier: Apache-2.0 */
/* What an error text meant: in words with the arithmetic, and as JSON. */
#ifndef TTMEM_VIEW_EXPLAIN_H
#define TTMEM_VIEW_EXPLAIN_H

#include "analyse/holdings.h"
#include "model/site_row.h"
#include "view/style.h"

struct explanation {
	const struct error_list *list; /* the last one is explained */
	struct verdict verdict;
	bool recorded; /* no text: the failure that the process's table recorded */

	/* The process it happened in, where one is known; NULL: the text alone. */
	const struct snapshot *picture;
	const struct process *process;
	const struct snapshot *buffers;
	bool is_moment; /* the buffers of that moment; else those of now */
	struct in_the_way way;
	const uint32_t *named; /* indices of buffers, those of `way` that are shown */
	uint32_t named_count;
	const struct snapshot *site_in; /* NULL: who asked is not known */
	uint32_t site;	/* its number there */
	bool is_raised; /* by a traceback in the text: where the error was raised */
	struct site_list owners; /* who holds all of that memory, sites of `buffers` */
};

void explain_write(struct text *text, const struct explanation *explanation,
		   const struct style *style);
/* explain_write_json - {"schema":"ttmem.explain/1",...}, one line, no newline at the end */
void explain_write_json(struct text *text, const struct explanation *explanation);

#endif
