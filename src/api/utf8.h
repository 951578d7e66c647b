/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TTMEM_API_UTF8_H
#define TTMEM_API_UTF8_H

#include <stddef.h>

/*
 * utf8_clean - copies bytes from strangers so that JSON can carry them: whatever is not UTF-8
 * becomes U+FFFD. `to` needs 3 x length + 1 bytes. Return: bytes written without the NUL.
 */
size_t utf8_clean(char *to, const char *bytes, size_t length);

#endif
