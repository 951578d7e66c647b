/* SPDX-License-Identifier: Apache-2.0 */
/* The exit codes of ttmem; the same numbers as nvidia-smi's where the meaning is the same. */
#ifndef TTMEM_TOOL_EXIT_CODES_H
#define TTMEM_TOOL_EXIT_CODES_H

enum {
	EXIT_OK = 0,
	EXIT_FAILED = 1,     /* something that should work did not; stderr says what */
	EXIT_USAGE = 2,	     /* a bad option or argument */
	EXIT_PERMISSION = 4, /* not allowed to look */
	EXIT_NOT_FOUND = 6,  /* no device or process like that */
	EXIT_CANNOT_RUN = 126, /* `run`: the command is there but cannot be executed */
	EXIT_NO_COMMAND = 127, /* `run`: no such command */
};

#endif
