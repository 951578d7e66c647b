/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What tells a code object from others that were or will be at its address.
 *
 * From 3.12 on it has a number of its own. Before, all that a site is made of
 * is compared by hash, as addresses of names and tables are used again too:
 * function, first line, file, and the line table, or as much of it as led to
 * the line. The code belongs to a frame that runs.
 */
#ifndef TTMEM_HOOK_PYTHON_IDENTITY_H
#define TTMEM_HOOK_PYTHON_IDENTITY_H

#include "hook/python_text.h"

static inline bool python_has_version(const struct python *python, uint64_t code)
{
	return python->at.code_version != PYTHON_NO_OFFSET &&
	       python_half(code + python->at.code_version) != 0;
}

/* python_identity_hashed - of a code object without a number */
static inline uint64_t python_identity_hashed(const struct python *python, uint64_t code)
{
	const struct python_layout *at = &python->at;
	uint64_t first = python_half(code + at->code_first_line);
	uint16_t name = at->code_qualname != PYTHON_NO_OFFSET ? at->code_qualname : at->code_name;

	/* what a frame executes is not always code; then it has no number either */
	if (at->code_version != PYTHON_NO_OFFSET &&
	    python_word(code + PYTHON_OBJECT_TYPE) != python->code_type)
		return 0;
	uint64_t table = python_word(code + at->code_lines);

	return python_mix(python_text_identity(python, python_word(code + name)) ^
				  python_word(table + PYTHON_TEXT_HASH),
			  first << 32 ^ python_word(table + PYTHON_BYTES_LENGTH));
}

/*
 * python_identity - from 3.12 on the same for as long as this code object lives, and never again for
 * another one; before, see also python_content
 */
static inline uint64_t python_identity(const struct python *python, uint64_t code)
{
	if (python_has_version(python, code))
		return (uint64_t)python_half(code + python->at.code_first_line) << 32 |
		       python_half(code + python->at.code_version);
	return python_identity_hashed(python, code);
}

/* python_content_lines - as below, with some of the line table; of a long part both ends */
uint64_t python_content_lines(const struct python *python, uint64_t code, uint64_t lines_bytes);
/*
 * python_content - what the identity of a code object without a number leaves out: its file, and as
 * much of its line table as led to a line. Never 0.
 */
static inline uint64_t python_content(const struct python *python, uint64_t code,
				      uint64_t lines_bytes)
{
	if (lines_bytes)
		return python_content_lines(python, code, lines_bytes);
	return python_mix(python_text_identity(python, python_word(code + python->at.code_file)), 0) |
	       1;
}

#endif
