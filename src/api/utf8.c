/* SPDX-License-Identifier: Apache-2.0 */
#include "api/utf8.h"

#include <string.h>

/* Length of the well-formed sequence at p, 0 if there is none (RFC 3629, table of section 4). */
static size_t sequence(const unsigned char *p, size_t left)
{
	unsigned char low = 0x80, high = 0xbf;
	size_t n;

	if (p[0] < 0x80)
		return 1;
	if (p[0] >= 0xc2 && p[0] <= 0xdf)
		n = 2;
	else if ((p[0] & 0xf0) == 0xe0)
		n = 3;
	else if (p[0] >= 0xf0 && p[0] <= 0xf4)
		n = 4;
	else
		return 0;
	if (p[0] == 0xe0)
		low = 0xa0;
	else if (p[0] == 0xed)
		high = 0x9f;
	else if (p[0] == 0xf0)
		low = 0x90;
	else if (p[0] == 0xf4)
		high = 0x8f;
	if (n > left || p[1] < low || p[1] > high)
		return 0;
	for (size_t i = 2; i < n; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	return n;
}

size_t utf8_clean(char *to, const char *bytes, size_t length)
{
	size_t at = 0;

	for (size_t i = 0; i < length;) {
		size_t n = sequence((const unsigned char *)bytes + i, length - i);

		if (n) {
			memcpy(to + at, bytes + i, n);
			at += n;
			i += n;
		} else {
			memcpy(to + at, "\xef\xbf\xbd", 3);
			at += 3;
			i++;
		}
	}
	to[at] = '\0';
	return at;
}
