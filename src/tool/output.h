/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What leaves the tool: data on standard output, everything else on standard
 * error. An error says what, where and what to do in one line; who asked for
 * JSON gets it as an object on standard output instead.
 */
#ifndef TTMEM_TOOL_OUTPUT_H
#define TTMEM_TOOL_OUTPUT_H

#include "base/buffer.h"

enum format { FORMAT_TABLE, FORMAT_JSON, FORMAT_JSONL, FORMAT_CSV };

/* output_errors_as - the form of errors from here on; FORMAT_TABLE before the first call */
void output_errors_as(enum format format);
/* output_error - `hint` says what to do; NULL: nothing. `code` is one of docs/api.md. */
void output_error(const char *code, const char *hint, const char *message, ...)
	__attribute__((format(printf, 3, 4)));
/*
 * output_to - data goes to this file from now on; what was in it is lost. Return: 0 or an exit code,
 * after saying why.
 */
int output_to(const char *path);
/* output_write - all of a text to a descriptor. Return: 0 or -errno. */
int output_write(int fd, const struct text *text);
/*
 * output_text - all of a text to standard output. Return: 0; -EPIPE: nobody reads; -errno, which
 * has been said.
 */
int output_text(const struct text *text);
/* output_close - flushes what went through stdio. Return: exit code. */
int output_close(int exit_code);

#endif
