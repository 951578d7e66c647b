/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The line of an instruction, from the code object's line table. Decoded here:
 * Python's own function would look at what a debugger may be changing.
 */
#ifndef TTMEM_HOOK_PYTHON_LINES_H
#define TTMEM_HOOK_PYTHON_LINES_H

#include "hook/python.h"

struct python_line {
	uint32_t line;	      /* 0: the instruction belongs to none */
	uint32_t first;	      /* of the code */
	uint32_t table_bytes; /* how much of the table, from its start, has led to it */
};

/* python_line_find - of a code object, read safely. Return: false if its table makes no sense. */
bool python_line_find(const struct python *python, uint64_t code, int64_t lasti,
		      struct python_line *ret_line);

#endif
