/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The exit codes of ttmem. Below 64 they mean what they mean for nvidia-smi
 * and for the shell; docs/api.md lists those that JSON errors come with.
 * `ttmem run` ends with the code of the program, or by its signal.
 */
#ifndef TTMEM_TOOL_EXIT_CODES_H
#define TTMEM_TOOL_EXIT_CODES_H

enum {
	EXIT_OK = 0,	      /* done */
	EXIT_FAILED = 1,      /* something that should work did not; stderr says what */
	EXIT_USAGE = 2,	      /* a bad option or argument */
	EXIT_PERMISSION = 4,  /* not allowed to look */
	EXIT_NOT_FOUND = 6,   /* no device or process like that */
	EXIT_NO_DRIVER = 9,   /* devices were asked for: no driver, and no process reports */
	EXIT_FINDINGS = 66,   /* `doctor`: something is wrong, or not seen that could be */
	EXIT_REFUSED = 67,    /* `attach`, `detach`: not with this process, or not now; nothing has changed */
	EXIT_NOT_STARTED = 125, /* `run`: no hook or no report to be had; nothing was started */
	EXIT_CANNOT_RUN = 126,	/* `run`: the command is there but cannot be executed */
	EXIT_NO_COMMAND = 127,	/* `run`: no such command */
};

#endif
