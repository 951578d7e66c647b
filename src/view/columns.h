/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A list in columns, each as wide as its widest cell, drawn within the width of
 * the line: first the blanks between them shrink, then columns give way, those
 * of the highest rank first; what names a place is cut from the left, since its
 * end tells most. Cells are added row by row and are escaped already.
 */
#ifndef TTMEM_VIEW_COLUMNS_H
#define TTMEM_VIEW_COLUMNS_H

#include "model/snapshot.h"
#include "view/style.h"

#define COLUMNS_MAX 20u

struct column {
	const char *title;
	bool	right;	  /* numbers */
	bool	if_known; /* left out where no cell is more than "-" */
	bool	if_various; /* left out where all cells are the same */
	uint8_t rank;	  /* 0: always there; below COLUMNS_EXTRA: rather with narrow gaps than not */
	uint8_t room_min; /* it may be cut to so many columns; 0: never */
	uint8_t room_good; /* but columns from COLUMNS_LATE on give way before it has less than that */
};

#define COLUMNS_LATE  3u
#define COLUMNS_EXTRA 10u

struct columns {
	const struct column *columns;
	unsigned    count;
	struct text cells; /* NUL-terminated, row by row */
	unsigned    next;  /* column of the next cell */
	size_t	    drawn; /* where the cells of the next row to draw are */
	uint32_t    rows;
	unsigned    natural[COLUMNS_MAX]; /* widest cell */
	unsigned    width[COLUMNS_MAX];	  /* as drawn; 0: not drawn */
	unsigned    gap;
	bool	    known[COLUMNS_MAX];	  /* a cell is more than "-" */
	bool	    various[COLUMNS_MAX]; /* a cell is another one than that above it */
	size_t	    above[COLUMNS_MAX];	  /* where that one is */
};

/* columns_begin - `count` columns, which stay the caller's */
void columns_begin(struct columns *columns, const struct column *all, unsigned count);
/* columns_cell - the next one */
void columns_cell(struct columns *columns, const char *cell);
void columns_number(struct columns *columns, uint64_t number);
/* columns_place - what one of view/places.h writes of something of the snapshot */
void columns_place(struct columns *columns, const struct snapshot *snapshot, uint32_t which,
		   void (*write)(struct text *text, const struct snapshot *snapshot, uint32_t which));
/*
 * columns_head - how wide each column is, and the line of titles; then columns_row draws one row
 * after the other, and columns_end frees the cells. columns_draw does all of that.
 */
void columns_head(struct text *text, struct columns *columns, const struct style *style);
void columns_row(struct text *text, struct columns *columns);
void columns_end(struct text *text, struct columns *columns);
void columns_draw(struct text *text, struct columns *columns, const struct style *style);

#endif
