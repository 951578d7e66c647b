/* SPDX-License-Identifier: Apache-2.0 */
#include "source/cgroup.h"

#include <ctype.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/files.h"

#define ID_LENGTH  64
#define POD_LENGTH 36

static size_t hex_run(const char *p)
{
	size_t n = 0;

	while (isxdigit((unsigned char)p[n]) && !isupper((unsigned char)p[n]))
		n++;
	return n;
}

/*
 * A pod's uid, 8-4-4-4-12 hex digits. systemd's names cannot carry '-', so
 * there it is written with '_'.
 */
static int parse_pod(const char *p, char pod[POD_LENGTH + 1])
{
	static const char groups[] = {8, 4, 4, 4, 12};
	char copy[POD_LENGTH + 1];
	size_t at = 0;

	for (size_t g = 0; g < sizeof groups; g++) {
		if (g > 0) {
			if (p[at] != '-' && p[at] != '_')
				return 0;
			copy[at++] = '-';
		}
		for (int i = 0; i < groups[g]; i++, at++) {
			if (!isxdigit((unsigned char)p[at]))
				return 0;
			copy[at] = p[at];
		}
	}
	copy[at] = '\0';
	memcpy(pod, copy, sizeof copy);
	return 1;
}

void cgroup_parse(const char *text, struct container *ret_container)
{
	struct container container = {0};

	for (const char *p = text; *p;) {
		size_t n = hex_run(p);

		/* exactly 64: a longer run is something else */
		if (n == ID_LENGTH) {
			memcpy(container.id, p, ID_LENGTH);
			container.id[ID_LENGTH] = '\0';
		}
		if (strncmp(p, "pod", 3) == 0 && container.pod[0] == '\0' &&
		    parse_pod(p + 3, container.pod)) {
			p += 3 + POD_LENGTH;
			continue;
		}
		p += n ? n : 1;
	}
	*ret_container = container;
}

void cgroup_of(uint32_t pid, struct container *ret_container)
{
	char path[40], text[4096];

	(void)snprintf(path, sizeof path, "/proc/%u/cgroup", pid);
	if (file_read_at(AT_FDCWD, path, text, sizeof text) <= 0)
		text[0] = '\0';
	cgroup_parse(text, ret_container);
}
