/* SPDX-License-Identifier: Apache-2.0 */
#include "view/figures.h"

#define TYPE_COLUMNS	    9
#define SIZE_COLUMNS	    10
#define ALLOCATABLE_COLUMNS 12
#define PERCENT_COLUMNS	    5
#define GAP_COLUMNS	    2
#define PEAK_WIDTH	    100u /* from here there is room for one more column */

static unsigned peak_columns(const struct style *style)
{
	return style->width >= PEAK_WIDTH ? SIZE_COLUMNS : 0;
}

/* What is left of the line is the bar's. */
static unsigned bar_columns(const struct style *style)
{
	return style->width - 4 - FIGURES_INDENT - TYPE_COLUMNS - 2 * SIZE_COLUMNS -
	       ALLOCATABLE_COLUMNS - PERCENT_COLUMNS - GAP_COLUMNS - FIGURES_LAST -
	       peak_columns(style);
}

void figures_heading(struct text *text, const struct style *style, const char *first,
		     const char *last)
{
	text_auto line = TEXT_INIT;

	style_tone(&line, style, TONE_BOLD);
	text_printf(&line, "%-*s%*s%*s%*s", FIGURES_INDENT + TYPE_COLUMNS, first, SIZE_COLUMNS,
		    "Requested", SIZE_COLUMNS, "Occupied", ALLOCATABLE_COLUMNS, "Allocatable");
	if (peak_columns(style))
		text_printf(&line, "%*s", SIZE_COLUMNS, "Peak");
	text_pad(&line, ' ', PERCENT_COLUMNS + GAP_COLUMNS + bar_columns(style));
	text_printf(&line, "%*s", FIGURES_LAST, last);
	style_tone(&line, style, TONE_PLAIN);
	style_row(text, style, &line);
}

void figures_row(struct text *text, const struct style *style, enum memory_type type,
		 const struct memory *m, const char *last)
{
	text_auto line = TEXT_INIT;
	char cell[STYLE_CELL];
	bool known = fact_is_known(m->occupied_bytes) && fact_is_known(m->allocatable_bytes);
	uint64_t part = known ? m->occupied_bytes.value : 0;
	uint64_t whole = known ? m->allocatable_bytes.value : 0;

	text_pad(&line, ' ', FIGURES_INDENT);
	text_printf(&line, "%-*s", TYPE_COLUMNS, memory_type_name(type));
	text_printf(&line, "%*s", SIZE_COLUMNS, fact_size(m->requested_bytes, cell));
	text_printf(&line, "%*s", SIZE_COLUMNS, fact_size(m->occupied_bytes, cell));
	text_printf(&line, "%*s", ALLOCATABLE_COLUMNS, fact_size(m->allocatable_bytes, cell));
	if (peak_columns(style))
		text_printf(&line, "%*s", SIZE_COLUMNS, fact_size(m->peak_occupied_bytes, cell));
	text_printf(&line, "%*s", PERCENT_COLUMNS, percent_text(part, whole, cell));
	text_pad(&line, ' ', GAP_COLUMNS);
	if (known)
		style_bar(&line, style, part, whole, bar_columns(style));
	else
		text_pad(&line, ' ', bar_columns(style));
	text_printf(&line, "%*s", FIGURES_LAST, last);
	style_row(text, style, &line);
}

bool figures_is_empty(const struct memory *m)
{
	if (!fact_is_known(m->allocatable_bytes) &&
	    m->allocatable_bytes.reason == REASON_NO_ALLOCATOR)
		return true;
	return fact_is_known(m->allocatable_bytes) && m->allocatable_bytes.value == 0 &&
	       fact_is_known(m->buffers) && m->buffers.value == 0;
}
