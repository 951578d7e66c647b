/* SPDX-License-Identifier: Apache-2.0 */
#include "symbols/op_names.h"

#include <stddef.h>
#include <string.h>

/* How far behind the name its prefix may begin; what lies between are types. */
#define GAP_MAX 80

/* "Lc109E": one character. Return: behind it; NULL: it is none, or not one of a name. */
static const char *character(const char *at, char *ret_c)
{
	int code = 0;

	if (strncmp(at, "Lc", 2) != 0)
		return NULL;
	for (at += 2; *at >= '0' && *at <= '9' && code < 128; at++)
		code = code * 10 + *at - '0';
	if (*at != 'E' || code <= ' ' || code >= 127)
		return NULL;
	*ret_c = (char)code;
	return at + 1;
}

/* The next run of characters. Return: behind it; NULL: there is none near. */
static const char *run(const char *from, size_t gap, char *to, size_t size)
{
	const char *at = from, *next;
	size_t n = 0;
	char c;

	while (!character(at, &c)) {
		if (!*at || (size_t)(at - from) == gap)
			return NULL;
		at++;
	}
	for (; (next = character(at, &c)); at = next) {
		if (n + 1 == size)
			return NULL;
		to[n++] = c;
	}
	to[n] = '\0';
	return at;
}

bool op_name(const char *mangled, char ret_op[OP_NAME_BYTES])
{
	static const char wrapper[] = "19make_method_wrapper";
	const char *at = strstr(mangled, wrapper);
	char name[OP_NAME_BYTES / 2], prefix[OP_NAME_BYTES / 2];

	at = at ? run(at, 2 * GAP_MAX, name, sizeof name) : NULL;
	if (!at)
		return false;
	at = run(at, GAP_MAX, prefix, sizeof prefix);
	/* equal template arguments are written once: then the prefix is the usual one */
	size_t length = at ? strlen(prefix) : 0;

	if (length == 0 || prefix[length - 1] != '.')
		strcpy(prefix, "ttnn.");
	strcpy(ret_op, prefix);
	strcat(ret_op, name);
	return true;
}
