/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A string that grows. A failed allocation is remembered and later appends are
 * no-ops, so a view checks once, at the end.
 */
#ifndef TTMEM_BASE_BUFFER_H
#define TTMEM_BASE_BUFFER_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct text {
	char *bytes; /* NUL-terminated once anything was appended */
	size_t length;
	size_t capacity;
	bool failed;
};

#define TEXT_INIT {0}

/*
 * text_extend - makes the text longer by `length` bytes, which the caller fills in at once.
 * Return: where; NULL when the text has failed.
 */
char *text_extend(struct text *text, size_t length);
void text_append(struct text *text, const char *bytes, size_t length);
void text_puts(struct text *text, const char *string);
void text_putc(struct text *text, char c);
void text_pad(struct text *text, char c, size_t count);
void text_printf(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
/*
 * text_escape - the one door for strings from strangers: printable UTF-8 passes; control
 * characters, ESC, newlines, DEL, C1 controls, bidirectional overrides and bytes that are not
 * UTF-8 become \xNN. At most `width_max` columns (0: no limit), cut from the left with "..." when
 * `keep_end`, else from the right.
 */
void text_escape(struct text *text, const char *string, size_t width_max, bool keep_end);
/* text_free - also fine on TEXT_INIT */
void text_free(struct text *text);
static inline void text_cleanup(struct text *text)
{
	text_free(text);
}
#define text_auto __attribute__((cleanup(text_cleanup))) struct text

#endif
