/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What TT-Metal says when memory does not suffice, read from any text around
 * it: a log, a backtrace, a message broken over lines.
 *
 * Wordings change with every release, so no sentence is known here: a message
 * is recognised by a few key words in order (error_forms.c), and its figures
 * by the words beside them. What is not there stays absent. The text comes from strangers:
 * it is walked once, with a window of tokens and no memory of its own.
 */
#ifndef TTMEM_ANALYSE_ERROR_TEXT_H
#define TTMEM_ANALYSE_ERROR_TEXT_H

#include <stddef.h>

#include "model/memory.h"

enum error_kind {
	ERROR_NONE = 0,
	ERROR_NO_SPACE,	 /* an allocator found no room; figures of a bank where it says them */
	ERROR_CLASH,	 /* two things want the same addresses: lowest and end */
	ERROR_TRACE_OVERLAP, /* likewise: a trace's buffer and what was allocated meanwhile */
	ERROR_BEYOND_L1, /* more than a core has at all */
	ERROR_NO_ROOM,	 /* an operation needs more of L1 than is free now */
	ERROR_CONFIG_RING, /* too long for the kernel-config ring, or for what feeds it */
	ERROR_REGION,	   /* a region whose size was fixed when the device was opened */
	ERROR_BUFFER_TOO_SMALL,
	ERROR_GAVE_UP,	 /* an operation gave up, and says no figures */
	ERROR_NOT_BYTES, /* recognised, and no question of how many bytes */
};

/* The numbers of a message. Bytes where nothing else is said. */
enum error_figure {
	FIGURE_REQUESTED,
	FIGURE_BANKS, /* a count */
	FIGURE_NEED,  /* per bank, as the rest of this group */
	FIGURE_BANK_SIZE,
	FIGURE_ALLOCATED,
	FIGURE_FREE,
	FIGURE_LARGEST,
	FIGURE_PLACEABLE, /* free after what must not be overwritten */
	FIGURE_WINDOW,	  /* the largest piece of that */
	FIGURE_PROGRAM,	  /* an id */
	FIGURE_LOWEST,	  /* address of what is in the way */
	FIGURE_END,	  /* address where the program's part ends */
	FIGURE_ASKED,
	FIGURE_MORE, /* comes on top of ASKED */
	FIGURE_AVAILABLE,
	FIGURE_X0, /* a core range: coordinates */
	FIGURE_Y0,
	FIGURE_X1,
	FIGURE_Y1,
	FIGURES
};

struct error_text {
	enum error_kind kind;
	const char *what; /* who failed at what, for a sentence; static */
	struct fact figures[FIGURES];
	struct fact type; /* enum memory_type */
	uint32_t seen;	  /* how often the text has it */
	size_t at;	  /* where it has it last: an offset */
};

#define ERRORS_MAX 32u

/* In the order of the text; the last one counts. */
struct error_list {
	struct error_text errors[ERRORS_MAX];
	uint32_t count;
	uint64_t dropped; /* the oldest, when there were more */
};

/*
 * error_text_read - all messages of a text. One that says nothing that an earlier one did not say
 * (the log line and the exception have the same text) is that one again.
 */
void error_text_read(const char *bytes, size_t length, struct error_list *ret_list);
/* error_list_last - the one that counts; NULL */
const struct error_text *error_list_last(const struct error_list *list);

#endif
