/* SPDX-License-Identifier: Apache-2.0 */
#include "view/style.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

void style_rule(struct text *text, const struct style *style, enum rule rule)
{
	static const char *const unicode[][3] = {
		[RULE_TOP] = {"┌", "─", "┐"},
		[RULE_MIDDLE] = {"├", "─", "┤"},
		[RULE_DOUBLE] = {"╞", "═", "╡"},
		[RULE_BOTTOM] = {"└", "─", "┘"},
	};
	static const char *const ascii[][3] = {
		[RULE_TOP] = {"+", "-", "+"},
		[RULE_MIDDLE] = {"+", "-", "+"},
		[RULE_DOUBLE] = {"|", "=", "|"},
		[RULE_BOTTOM] = {"+", "-", "+"},
	};
	const char *const *parts = style->unicode ? unicode[rule] : ascii[rule];

	text_puts(text, parts[0]);
	for (unsigned i = 2; i < style->width; i++)
		text_puts(text, parts[1]);
	text_puts(text, parts[2]);
	text_putc(text, '\n');
}

unsigned style_columns(const char *string)
{
	unsigned columns = 0;

	for (const unsigned char *p = (const unsigned char *)string; *p; p++) {
		if (*p == 0x1b) { /* our own colour sequences end in 'm' */
			while (*p && *p != 'm')
				p++;
			if (!*p)
				break;
			continue;
		}
		/* continuation bytes take no column; wide letters (E2 BA .. ED 9F) take two */
		if ((*p & 0xc0) == 0x80)
			continue;
		columns++;
		if (*p >= 0xe3 && *p <= 0xed)
			columns++;
	}
	return columns;
}

void style_row(struct text *text, const struct style *style, const struct text *content)
{
	const char *border = style->unicode ? "│" : "|";
	const char *string = content->bytes ? content->bytes : "";
	unsigned columns = style_columns(string), inner = style->width - 4;

	text_puts(text, border);
	text_putc(text, ' ');
	text_puts(text, string);
	text_pad(text, ' ', columns < inner ? inner - columns : 0);
	text_putc(text, ' ');
	text_puts(text, border);
	text_putc(text, '\n');
}

void style_tone(struct text *text, const struct style *style, enum tone tone)
{
	static const char *const codes[] = {
		[TONE_PLAIN] = "\x1b[0m",  [TONE_BOLD] = "\x1b[1m",  [TONE_DIM] = "\x1b[2m",
		[TONE_GOOD] = "\x1b[32m", [TONE_WARN] = "\x1b[33m", [TONE_BAD] = "\x1b[31m",
	};

	if (style->colour)
		text_puts(text, codes[tone]);
}

void style_bar(struct text *text, const struct style *style, uint64_t part, uint64_t whole,
	       unsigned columns)
{
	double share = whole ? (double)part / (double)whole : 0;
	unsigned full = (unsigned)(share * columns + 0.5);

	if (full > columns)
		full = columns;
	/* something is never drawn as nothing, and not quite full never as full */
	if (part > 0 && full == 0)
		full = 1;
	if (part < whole && full == columns)
		full = columns - 1;
	style_tone(text, style, share >= 0.9 ? TONE_BAD : share >= 0.7 ? TONE_WARN : TONE_GOOD);
	for (unsigned i = 0; i < columns; i++)
		text_puts(text, style->unicode ? (i < full ? "█" : "░") : (i < full ? "#" : "."));
	style_tone(text, style, TONE_PLAIN);
}

const char *size_text(uint64_t bytes, char cell[STYLE_CELL])
{
	static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
	double value = (double)bytes;
	unsigned unit = 0;

	/* 999.5 would be printed as 1000 */
	while (value >= (unit ? 999.5 : 1000) && unit < 6) {
		value /= 1024;
		unit++;
	}
	if (unit == 0)
		(void)snprintf(cell, STYLE_CELL, "%" PRIu64 " B", bytes);
	else if (value < 9.995)
		(void)snprintf(cell, STYLE_CELL, "%.2f %s", value, units[unit]);
	else if (value < 99.95)
		(void)snprintf(cell, STYLE_CELL, "%.1f %s", value, units[unit]);
	else
		(void)snprintf(cell, STYLE_CELL, "%.0f %s", value, units[unit]);
	return cell;
}

static const char *mark_estimate(struct fact fact, char cell[STYLE_CELL])
{
	size_t length = strlen(cell);

	if (fact.state == FACT_ESTIMATE && length + 2 < STYLE_CELL) {
		memmove(cell + 1, cell, length + 1);
		cell[0] = '~';
	}
	return cell;
}

const char *fact_size(struct fact fact, char cell[STYLE_CELL])
{
	if (!fact_is_known(fact))
		return strcpy(cell, "-");
	(void)size_text(fact.value, cell);
	return mark_estimate(fact, cell);
}

const char *fact_number(struct fact fact, char cell[STYLE_CELL])
{
	if (!fact_is_known(fact))
		return strcpy(cell, "-");
	(void)snprintf(cell, STYLE_CELL, "%" PRIu64, fact.value);
	return mark_estimate(fact, cell);
}

const char *age_text(uint64_t ns, char cell[STYLE_CELL])
{
	uint64_t ms = ns / 1000000, s = ms / 1000;

	if (s < 1)
		(void)snprintf(cell, STYLE_CELL, "%" PRIu64 " ms", ms);
	else if (s < 60)
		(void)snprintf(cell, STYLE_CELL, "%" PRIu64 " s", s);
	else if (s < 3600)
		(void)snprintf(cell, STYLE_CELL, "%" PRIu64 " m %02" PRIu64 " s", s / 60, s % 60);
	else if (s < 86400)
		(void)snprintf(cell, STYLE_CELL, "%" PRIu64 " h %02" PRIu64 " m", s / 3600,
			       s / 60 % 60);
	else
		(void)snprintf(cell, STYLE_CELL, "%" PRIu64 " d %02" PRIu64 " h", s / 86400,
			       s / 3600 % 24);
	return cell;
}

const char *percent_text(uint64_t part, uint64_t whole, char cell[STYLE_CELL])
{
	double share = whole ? 100.0 * (double)part / (double)whole : 0;

	if (!whole)
		(void)snprintf(cell, STYLE_CELL, "-");
	else if (part > 0 && share < 1)
		(void)snprintf(cell, STYLE_CELL, "<1%%");
	else if (part < whole && share > 99)
		(void)snprintf(cell, STYLE_CELL, ">99%%");
	else
		(void)snprintf(cell, STYLE_CELL, "%.0f%%", share);
	return cell;
}
