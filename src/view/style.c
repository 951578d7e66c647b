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

/* The code point at p, which is well-formed UTF-8, and its length. */
static uint32_t code_point(const unsigned char *p, size_t *ret_length)
{
	size_t n = p[0] < 0xc0 ? 1 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
	uint32_t point = n == 1 ? p[0] : p[0] & (0xffu >> (n + 1));

	for (size_t i = 1; i < n; i++) {
		if ((p[i] & 0xc0) != 0x80) {
			n = i;
			break;
		}
		point = point << 6 | (p[i] & 0x3f);
	}
	*ret_length = n;
	return point;
}

/* One letter or colour sequence: how many bytes, and columns. */
static size_t next_letter(const char *string, unsigned *ret_columns)
{
	const unsigned char *p = (const unsigned char *)string;
	size_t length = 1;

	*ret_columns = 0;
	if (*p == 0x1b) { /* our own colour sequences end in 'm' */
		length = strcspn(string, "m");
		return length + (string[length] == 'm');
	}
	uint32_t point = code_point(p, &length);

	/* the same letters count two as in text_escape() */
	*ret_columns = point >= 0x1100 && (point <= 0x115f || point >= 0x2e80) ? 2 : 1;
	return length;
}

unsigned style_columns(const char *string)
{
	unsigned columns = 0, more;

	for (; *string; columns += more)
		string += next_letter(string, &more);
	return columns;
}

/* So much of it that "..." finds room behind; colours are kept, so that they end. */
static void put_cut(struct text *text, const char *string, unsigned room)
{
	unsigned columns = 0, more;
	bool cut = false;

	while (*string) {
		size_t length = next_letter(string, &more);

		if (more && !cut && columns + more > room - 3) {
			text_puts(text, "...");
			text_pad(text, ' ', room - 3 - columns);
			cut = true;
		}
		if (!more || !cut)
			text_append(text, string, length);
		columns += more;
		string += length;
	}
}

void style_row(struct text *text, const struct style *style, const struct text *content)
{
	const char *border = style->unicode ? "│" : "|";
	const char *string = content->bytes ? content->bytes : "";
	unsigned columns = style_columns(string), inner = style->width - 4;

	text_puts(text, border);
	text_putc(text, ' ');
	if (columns > inner)
		put_cut(text, string, inner);
	else
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

enum tone style_tone_of(uint64_t part, uint64_t whole)
{
	double share = whole ? (double)part / (double)whole : 0;

	return share >= 0.9 ? TONE_BAD : share >= 0.7 ? TONE_WARN : TONE_GOOD;
}

void style_bar(struct text *text, const struct style *style, uint64_t part, uint64_t whole,
	       unsigned columns)
{
	static const char *const eighths[] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
	const char *full = style->unicode ? "█" : "#", *empty = style->unicode ? "░" : ".";
	unsigned cell = style->unicode ? 8 : 1, steps = columns * cell;
	double share = whole ? (double)part / (double)whole : 0;
	unsigned filled = share >= 1 ? steps : (unsigned)(share * steps + 0.5);

	/* something is never drawn as nothing, and not quite full never as full */
	if (part > 0 && filled == 0)
		filled = 1;
	if (part < whole && filled >= steps && steps)
		filled = steps - 1;
	style_tone(text, style, style_tone_of(part, whole));
	for (unsigned i = 0; i < columns; i++) {
		unsigned left = filled > i * cell ? filled - i * cell : 0;

		text_puts(text, left >= cell ? full : left ? eighths[left] : empty);
	}
	style_tone(text, style, TONE_PLAIN);
}

/* bytes / 1024^unit in units of 10^-digits, rounded. */
static uint64_t scaled(uint64_t bytes, unsigned unit, unsigned digits)
{
	static const unsigned tens[] = {1, 10, 100};
	unsigned shift = 10 * unit;
	__uint128_t half = unit ? (__uint128_t)1 << (shift - 1) : 0;

	return (uint64_t)(((__uint128_t)bytes * tens[digits] + half) >> shift);
}

const char *size_text(uint64_t bytes, char cell[STYLE_CELL])
{
	static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
	unsigned unit = 0;
	uint64_t n;

	/* the first unit in which three digits are enough, after rounding */
	while (unit < 6 && scaled(bytes, unit, 0) >= 1000)
		unit++;
	if (unit == 0)
		(void)snprintf(cell, STYLE_CELL, "%" PRIu64 " B", bytes);
	else if ((n = scaled(bytes, unit, 2)) < 1000)
		(void)snprintf(cell, STYLE_CELL, "%u.%02u %s", (unsigned)n / 100, (unsigned)n % 100,
			       units[unit]);
	else if ((n = scaled(bytes, unit, 1)) < 1000)
		(void)snprintf(cell, STYLE_CELL, "%u.%u %s", (unsigned)n / 10, (unsigned)n % 10,
			       units[unit]);
	else
		(void)snprintf(cell, STYLE_CELL, "%" PRIu64 " %s", scaled(bytes, unit, 0),
			       units[unit]);
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
