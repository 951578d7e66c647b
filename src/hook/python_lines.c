/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two forms. Up to 3.10: pairs of bytes, how far and how many lines on. From
 * 3.11: entries that begin with a byte of which the top bit is set, 1 | kind 4 |
 * length 3, and how many lines on comes in a form that depends on the kind.
 */
#include "hook/python_lines.h"

#include "hook/safe_read.h"

#define TABLE_BYTES_MAX (8u << 20)
#define NO_LINE_PAIR	(-128)
#define KIND_NONE	15u
#define KIND_LONG	14u
#define KIND_NO_COLUMNS 13u
#define KIND_ONE_LINE	10u /* and 11, 12: so many lines on, less 10 */

/* The table, piece by piece. */
struct cursor {
	uint64_t at, left; /* what has not been copied yet */
	uint32_t next, have, taken;
	bool	 is_bad;
	uint8_t	 bytes[256];
};

static bool more(struct cursor *c)
{
	if (c->next < c->have)
		return true;
	uint64_t piece = c->left < sizeof c->bytes ? c->left : sizeof c->bytes;

	if (piece == 0 || c->is_bad)
		return false;
	if (safe_read(c->at, c->bytes, (size_t)piece) < 0) {
		c->is_bad = true;
		return false;
	}
	c->at += piece;
	c->left -= piece;
	c->next = 0;
	c->have = (uint32_t)piece;
	return true;
}

static uint8_t take(struct cursor *c)
{
	if (!more(c)) {
		c->is_bad = true;
		return 0;
	}
	c->taken++;
	return c->bytes[c->next++];
}

static int64_t take_signed(struct cursor *c)
{
	uint64_t value = 0;
	uint8_t byte;
	unsigned shift = 0;

	do {
		byte = take(c);
		value |= shift < 42 ? (uint64_t)(byte & 63) << shift : 0;
		shift += 6;
	} while (byte & 64 && !c->is_bad);
	return value & 1 ? -(int64_t)(value >> 1) : (int64_t)(value >> 1);
}

/* One entry: how many bytes of code it is about, the line so far, and whether it has one. */
static int64_t next_pair(struct cursor *c, int64_t *line, bool *has_line)
{
	int64_t bytes = take(c);
	int lines = (int8_t)take(c);

	*has_line = lines != NO_LINE_PAIR;
	*line += *has_line ? lines : 0;
	return bytes;
}

static int64_t next_location(struct cursor *c, int64_t *line, bool *has_line)
{
	uint8_t first = take(c);
	unsigned kind = first >> 3 & 15;

	*has_line = kind != KIND_NONE;
	if (kind == KIND_LONG || kind == KIND_NO_COLUMNS)
		*line += take_signed(c);
	else if (kind >= KIND_ONE_LINE && kind < KIND_NO_COLUMNS)
		*line += kind - KIND_ONE_LINE;
	/* columns */
	while (more(c) && !(c->bytes[c->next] & 0x80))
		(void)take(c);
	return 2 * ((first & 7) + 1);
}

bool python_line_find(const struct python *python, uint64_t code, int64_t lasti,
		      struct python_line *ret_line)
{
	const struct python_layout *at = &python->at;
	uint64_t table, head[3]; /* reference count, type, length */
	uint32_t first;

	if (safe_read(code + at->code_first_line, &first, sizeof first) < 0 ||
	    safe_read_word(code + at->code_lines, &table) < 0 ||
	    safe_read(table, head, sizeof head) < 0 || head[1] != python->bytes_type ||
	    head[2] > TABLE_BYTES_MAX)
		return false;
	struct cursor c = {.at = table + PYTHON_BYTES_DATA, .left = head[2]};
	int64_t line = (int32_t)first, past = 0;
	bool has_line = true;

	if (lasti >= 0)
		do
			past += at->minor == 10 ? next_pair(&c, &line, &has_line)
						: next_location(&c, &line, &has_line);
		while (past <= lasti && !c.is_bad);
	if (c.is_bad)
		return false;
	*ret_line = (struct python_line){
		.line = has_line && line > 0 && line <= INT32_MAX ? (uint32_t)line : 0,
		.first = first,
		.table_bytes = c.taken,
	};
	return true;
}
