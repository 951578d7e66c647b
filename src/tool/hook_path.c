/* SPDX-License-Identifier: Apache-2.0 */
#include "tool/hook_path.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Relative to the directory of the program: installed, and in the build tree. */
static const char *const places[] = {
	"../lib/ttmem/libttmem-hook.so",
	"../hook/libttmem-hook.so",
};

static int check(const char *path)
{
	if (access(path, R_OK) < 0)
		return -ENOENT;
	return strpbrk(path, " \t:") ? -EINVAL : 0;
}

int hook_path(char *to, size_t size)
{
	const char *given = getenv("TTMEM_HOOK");
	char self[PATH_MAX], candidate[PATH_MAX], real[PATH_MAX];

	if (given && *given) {
		(void)snprintf(to, size, "%s", given);
		return check(to);
	}
	ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);

	if (n < 0)
		return -errno;
	self[n] = '\0';
	char *slash = strrchr(self, '/');

	if (slash)
		slash[1] = '\0';
	for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
		int length = snprintf(candidate, sizeof candidate, "%s%s", self, places[i]);

		if (length < 0 || (size_t)length >= sizeof candidate)
			return -ENAMETOOLONG;
		if (!realpath(candidate, real))
			continue;
		(void)snprintf(to, size, "%s", real);
		return check(to);
	}
	(void)snprintf(to, size, "%s%s", self, places[0]);
	return -ENOENT;
}

int hook_preload(const char *present, const char *path, char **ret_value)
{
	char *value;

	/* appended: what the user preloads keeps its place in front of ours */
	int n = present && *present ? asprintf(&value, "%s:%s", present, path)
				    : asprintf(&value, "%s", path);

	if (n < 0)
		return -ENOMEM;
	*ret_value = value;
	return 0;
}
