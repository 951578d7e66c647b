/* SPDX-License-Identifier: Apache-2.0 */
#include "analyse/error_tokens.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

/* No prefix, no number and no unit is longer; longer ones cost nothing but their bytes. */
#define SCAN_MAX 128

static bool is_word(char c)
{
	return isalnum((unsigned char)c) || c == '_';
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static const char *limit_of(const char *p, const char *end)
{
	return end - p > SCAN_MAX ? p + SCAN_MAX : end;
}

static const char *skip_word(const char *p, const char *end)
{
	end = limit_of(p, end);
	while (p < end && is_word(*p))
		p++;
	return p;
}

static const char *skip_blanks(const char *p, const char *end)
{
	while (p < end && is_blank(*p))
		p++;
	return p;
}

static bool word_is(const char *p, const char *end, const char *const *words)
{
	size_t length = (size_t)(end - p);

	for (; *words; words++)
		if (strlen(*words) == length && memcmp(p, *words, length) == 0)
			return true;
	return false;
}

/* ESC [ ... letter */
static const char *skip_colour(const char *p, const char *end)
{
	end = limit_of(p, end);
	if (end - p < 2 || p[0] != '\x1b' || p[1] != '[')
		return p;
	for (p += 2; p < end; p++)
		if (*p >= '@' && *p <= '~')
			return p + 1;
	return p;
}

/* What is in brackets: a time, the name of a file, a word. But "[0-0 - 7-7]" is text. */
static bool is_label(const char *p, const char *end)
{
	bool file = false, time = end - p >= 10 && is_digit(*p);

	if (isalpha((unsigned char)*p) && end - p >= 3 && skip_word(p, end) == end)
		return true;
	for (const char *q = p; q < end; q++) {
		file |= *q == '.' && q + 1 < end && isalpha((unsigned char)q[1]);
		time &= is_digit(*q) || strchr("-:/.,TZ+ ", *q);
	}
	return file || (time && memchr(p, ':', (size_t)(end - p)));
}

/* "(EngineCore_DP0 pid=7) ", "[core.py:12] ", "[INFO] ", "[rank0]:", "[1,0]<stderr>:" */
static const char *skip_bracket(const char *p, const char *end)
{
	const char *q = p + 1;
	bool pid = false;

	end = limit_of(p, end);
	if (p == end || (*p != '(' && *p != '['))
		return p;
	for (; q < end && *q && !strchr(")](\r\n\\", *q); q++)
		pid |= end - q > 4 && memcmp(q, "pid=", 4) == 0;
	if (q == end || (*q != ')' && *q != ']'))
		return p;
	if (*p == '(')
		return pid ? q + 1 : p;
	if (end - q > 9 && memcmp(q, "]<std", 5) == 0)
		q = skip_word(q + 2, end);
	else if (q == p + 1 || !is_label(p + 1, q))
		return p;
	if (q == end)
		return p;
	return end - q > 1 && q[1] == ':' ? q + 2 : q + 1;
}

/* "2026-11-25", "08:42:32.294", "11-25", with a blank behind */
static const char *skip_date(const char *p, const char *end)
{
	const char *q = p;
	int marks = 0;

	end = limit_of(p, end);
	for (; q < end && (is_digit(*q) || strchr("-:/.,TZ+", *q)) && *q; q++)
		marks += *q == '-' || *q == ':' || *q == '/';
	return q - p >= 5 && marks && is_digit(*p) && (q == end || is_blank(*q)) &&
			       is_digit(p[1])
		       ? q
		       : p;
}

/* "critical |", "Always |", "web-1 |", and a bar alone */
static const char *skip_column(const char *p, const char *end)
{
	const char *q = p;

	for (end = limit_of(p, end); q < end && (is_word(*q) || *q == '-' || *q == '.');)
		q++;
	q = skip_blanks(q, end);
	return q < end && *q == '|' ? q + 1 : p;
}

/* Behind a level: a blank, or ":" and perhaps "root:" */
static const char *skip_logger(const char *p, const char *end)
{
	const char *q;

	if (p == end || *p != ':')
		return p < end ? p + 1 : p;
	q = skip_word(p + 1, end);
	return q > p + 1 && q < end && *q == ':' ? q + 1 : p + 1;
}

/* "ERROR", "ERROR:root:", "- ", "TT_FATAL:", "RuntimeError:", "file.py:12]", pytest's "E" and ">" */
static const char *skip_name(const char *p, const char *end)
{
	static const char *const levels[] = {"DEBUG", "INFO",	  "WARN",  "WARNING",
					     "ERROR", "CRITICAL", "FATAL", NULL};
	static const char *const raisers[] = {"TT_FATAL", "TT_THROW", "RuntimeError", NULL};
	const char *q = skip_word(p, end);

	if (q == p)
		return p < end && (*p == '>' || *p == '-') ? p + 1 : p;
	if (word_is(p, q, raisers))
		return q < end && *q == ':' ? q + 1 : p;
	if (word_is(p, q, levels) && (q == end || is_blank(*q) || *q == ':'))
		return skip_logger(q, end);
	if (q - p == 1 && *p == 'E' && (q == end || is_blank(*q) || *q == '\r' || *q == '\n'))
		return q;
	for (end = limit_of(p, end); q < end && (is_word(*q) || strchr("./:-", *q)) && *q;)
		q++;
	return q < end && *q == ']' && memchr(p, ':', (size_t)(q - p)) &&
			       memchr(p, '.', (size_t)(q - p))
		       ? q + 1
		       : p;
}

static const char *skip_prefixes(const char *p, const char *end)
{
	static const char *(*const skips[])(const char *, const char *) = {
		skip_colour, skip_bracket, skip_date, skip_column, skip_name};

	for (size_t i = 0; i < sizeof skips / sizeof skips[0];) {
		const char *q;

		p = skip_blanks(p, end);
		q = skips[i](p, end);
		i = q == p ? i + 1 : 0;
		p = q;
	}
	return p;
}

/* Behind a number: its unit, as a shift; -1: no unit at all. *ret_end is behind it. */
static int unit_of(const char *p, const char *end, const char **ret_end)
{
	static const char *const units[5][6] = {
		{"b", "byte", "bytes"},
		{"kb", "kib", "k"},
		{"mb", "mib", "m"},
		{"gb", "gib", "g"},
		{"tb", "tib", "t"},
	};
	const char *q = skip_word(p, end);
	size_t length = (size_t)(q - p);

	for (int i = 0; i < 5; i++)
		for (int j = 0; length && units[i][j]; j++)
			if (strlen(units[i][j]) == length &&
			    strncasecmp(p, units[i][j], length) == 0) {
				*ret_end = q;
				return 10 * i;
			}
	return -1;
}

/* "12" and then ",345": a comma with exactly three digits behind belongs to the number. */
static bool is_group(const char *start, const char *p, const char *end)
{
	return *p == ',' && p - start >= 1 && end - p > 3 && is_digit(p[1]) && is_digit(p[2]) &&
	       is_digit(p[3]) && (end - p == 4 || !is_word(p[4]));
}

static bool has_groups(const char *p, const char *end)
{
	int digits = 0;

	while (p < end && digits < 4 && is_digit(*p))
		p++, digits++;
	return digits >= 1 && digits <= 3 && end - p > 3 && *p == ',' && is_digit(p[1]) &&
	       is_digit(p[2]) && is_digit(p[3]) && (end - p == 4 || !is_digit(p[4]));
}

struct digits {
	uint64_t value;
	bool fits;
};

static void add_digit(struct digits *digits, unsigned base, unsigned digit)
{
	if (__builtin_mul_overflow(digits->value, base, &digits->value) ||
	    __builtin_add_overflow(digits->value, digit, &digits->value))
		digits->fits = false;
}

static const char *read_whole(const char *p, const char *end, struct digits *ret)
{
	const char *start = p;
	bool groups = has_groups(p, end);

	*ret = (struct digits){.fits = true};
	if (end - p > 2 && p[0] == '0' && (p[1] == 'x' || p[1] == 'X') &&
	    isxdigit((unsigned char)p[2])) {
		for (p += 2; p < end && isxdigit((unsigned char)*p); p++)
			add_digit(ret, 16,
				  is_digit(*p) ? (unsigned)(*p - '0')
					       : (unsigned)(tolower((unsigned char)*p) - 'a' + 10));
		return p;
	}
	for (; p < end && (is_digit(*p) || (groups && is_group(start, p, end))); p++)
		if (is_digit(*p))
			add_digit(ret, 10, (unsigned)(*p - '0'));
	return p;
}

/* What is behind the point, in 1/1,000,000,000 */
static const char *read_fraction(const char *p, const char *end, uint64_t *ret_billionths)
{
	uint64_t place = 100000000;

	*ret_billionths = 0;
	if (end - p < 2 || *p != '.' || !is_digit(p[1]))
		return p;
	for (p++; p < end && is_digit(*p); p++, place /= 10)
		*ret_billionths += place * (uint64_t)(*p - '0');
	return p;
}

/* From bytes << shift, with a fraction of them; a number too large is not known. */
static void scale(struct token *token, int shift, uint64_t billionths)
{
	uint64_t part = (uint64_t)(((unsigned __int128)billionths << shift) / 1000000000);

	if (token->value > UINT64_MAX >> shift ||
	    __builtin_add_overflow(token->value << shift, part, &token->value))
		token->is_known = false;
}

/* A number with its unit; digits with other letters behind them ("8x7") are a word. */
static const char *read_number(const char *p, const char *end, struct token *token)
{
	struct digits whole;
	uint64_t fraction;
	const char *q = read_fraction(read_whole(p, end, &whole), end, &fraction), *unit_end = q;
	const char *next = q < end && is_word(*q) ? q : skip_blanks(q, limit_of(q, end));
	int shift = unit_of(next, end, &unit_end);

	if (shift < 0 && q < end && is_word(*q)) {
		while (q < end && is_word(*q))
			q++;
		return q;
	}
	/* apart, "5 m" or "3 t" is more likely a word of the text */
	if (shift > 0 && next != q && unit_end - next == 1)
		shift = -1, unit_end = q;
	token->is_number = true;
	token->value = whole.value;
	token->is_known = whole.fits;
	token->has_unit = shift >= 0;
	if (shift > 0)
		scale(token, shift, fraction);
	return unit_end > q ? unit_end : q;
}

/* "640" at the end of a line and "KiB" on the next: the word goes into the number. */
static bool is_late_unit(struct tokens *tokens, const struct token *word)
{
	struct token *last = &tokens->ring[(tokens->count - 1) % TOKENS_RING];
	const char *end = word->start + word->length, *unit_end = end;

	if (tokens->count == 0 || !last->is_number || last->has_unit || word->length < 2)
		return false;
	int shift = unit_of(word->start, end, &unit_end);

	if (shift <= 0)
		return false;
	scale(last, shift, 0);
	last->has_unit = true;
	return true;
}

bool token_read(struct tokens *tokens)
{
	const char *p = tokens->at, *end = tokens->end;
	struct token token = {0};

	while (p < end) {
		if (tokens->line_start) {
			tokens->line_start = false;
			p = skip_prefixes(p, end);
			continue;
		}
		if (is_word(*p))
			break;
		if (*p == '\n' || *p == '\r')
			tokens->line_start = true;
		/* a line break that somebody quoted */
		if (*p == '\\' && end - p > 1 && strchr("nrt", p[1]) && p[1]) {
			tokens->line_start = p[1] != 't';
			p++;
		}
		p = *p == '\x1b' ? skip_colour(p, end) + (skip_colour(p, end) == p) : p + 1;
	}
	if (p >= end) {
		tokens->at = end;
		return false;
	}
	token.start = p;
	token.letter = (char)tolower((unsigned char)*p);
	if (is_digit(*p))
		p = read_number(p, end, &token);
	else
		while (p < end && is_word(*p))
			p++;
	token.length = (uint32_t)(p - token.start > UINT16_MAX ? UINT16_MAX : p - token.start);
	tokens->at = p;
	if (!token.is_number && is_late_unit(tokens, &token))
		return token_read(tokens);
	tokens->ring[tokens->count++ % TOKENS_RING] = token;
	return true;
}

void tokens_begin(struct tokens *tokens, const char *bytes, size_t length)
{
	tokens->at = bytes;
	tokens->end = bytes + length;
	tokens->line_start = true;
	tokens->count = 0;
}

bool token_is(const struct token *token, const char *words, size_t length)
{
	if (!token || token->is_number)
		return false;
	for (const char *p = words, *end = words + length; p < end;) {
		const char *bar = memchr(p, '|', (size_t)(end - p));
		size_t n = (size_t)((bar ? bar : end) - p);
		bool stem = n > 0 && p[n - 1] == '*';

		n -= stem;
		if (*p == token->letter && (stem ? token->length >= n : token->length == n) &&
		    strncasecmp(token->start, p, n) == 0)
			return true;
		p = bar ? bar + 1 : end;
	}
	return false;
}
