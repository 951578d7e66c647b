/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where in the program a message was raised, by the traceback that it ends.
 *
 * Both forms are read: Python's own (File "model.py", line 12, in forward) and pytest's
 * (model.py:12: in forward). Frames of ttnn itself are not the program's. The trap is a log line
 * that has the same words and no traceback: the nearest frame must stand right above the message.
 */
#ifndef TTMEM_ANALYSE_ERROR_PLACE_H
#define TTMEM_ANALYSE_ERROR_PLACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Pieces of the text; not ended by NUL. */
struct error_place {
	const char *file, *function; /* function NULL: not told */
	size_t file_length, function_length;
	uint32_t line;
};

/*
 * error_place_find - the innermost frame of the program above the message at `at`, an offset in
 * the text. Return: false: no traceback there, or only frames of ttnn.
 */
bool error_place_find(const char *bytes, size_t length, size_t at, struct error_place *ret_place);

#endif
