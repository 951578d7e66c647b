/* SPDX-License-Identifier: Apache-2.0 */
#include "api/servers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool servers_place(unsigned index, char *to, size_t size)
{
	const char *list = getenv("TTMEM_SOCKET_DIR"), *runtime = getenv("XDG_RUNTIME_DIR");
	int n = -1;

	while (list && *list) {
		size_t length = strcspn(list, ":");

		if (length && index-- == 0) {
			n = snprintf(to, size, "%.*s", (int)length, list);
			break;
		}
		list += length + (list[length] == ':');
	}
	if (n < 0 && index == 0)
		n = snprintf(to, size, "/run/ttmem");
	else if (n < 0 && index == 1 && runtime && *runtime)
		n = snprintf(to, size, "%s/ttmem", runtime);
	if (n >= 0 && (size_t)n >= size)
		to[0] = '\0';
	return n >= 0;
}
