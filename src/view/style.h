/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How text is drawn: width, box characters, colours, sizes. Every view draws
 * its frames and cells through here, so they look alike, and colour is never
 * the only carrier of a meaning.
 */
#ifndef TTMEM_VIEW_STYLE_H
#define TTMEM_VIEW_STYLE_H

#include "base/buffer.h"
#include "model/memory.h"

struct style {
	unsigned width; /* columns of a line, at least 80 */
	bool unicode;
	bool colour;
};

enum rule { RULE_TOP, RULE_MIDDLE, RULE_DOUBLE, RULE_BOTTOM };

enum tone { TONE_PLAIN, TONE_BOLD, TONE_DIM, TONE_GOOD, TONE_WARN, TONE_BAD };

#define STYLE_WIDTH_MIN 80u
#define STYLE_CELL	32u

/* style_rule - a horizontal line of the box and a newline */
void style_rule(struct text *text, const struct style *style, enum rule rule);
/*
 * style_row - one line of the box: the border, `content` (already escaped), blanks up to the other
 * border, newline. What is too long ends in "..." before the border.
 */
void style_row(struct text *text, const struct style *style, const struct text *content);
void style_tone(struct text *text, const struct style *style, enum tone tone);
/* style_tone_of - good, warn from 70 %, bad from 90 % */
enum tone style_tone_of(uint64_t part, uint64_t whole);
/* style_bar - `columns` cells, filled in proportion; the tone follows the share */
void style_bar(struct text *text, const struct style *style, uint64_t part, uint64_t whole,
	       unsigned columns);
/* style_columns - columns a drawn string takes: colour sequences count nothing */
unsigned style_columns(const char *string);

/* size_text - "0 B", "640 KiB", "1.25 GiB": three digits at most, binary units */
const char *size_text(uint64_t bytes, char cell[STYLE_CELL]);
/* fact_size - the same for a figure; "-" when unknown, "~" before an estimate */
const char *fact_size(struct fact fact, char cell[STYLE_CELL]);
/* fact_number - a plain number, likewise */
const char *fact_number(struct fact fact, char cell[STYLE_CELL]);
/* age_text - "850 ms", "12 s", "4 m 05 s", "3 h 12 m", "2 d 04 h" */
const char *age_text(uint64_t ns, char cell[STYLE_CELL]);
/* percent_text - " 9%", "<1%" for something small, ">99%" for not quite full; "-" of nothing */
const char *percent_text(uint64_t part, uint64_t whole, char cell[STYLE_CELL]);

#endif
