/* SPDX-License-Identifier: Apache-2.0 */
#include "tool/hook_path.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tool/exit_codes.h"
#include "tool/output.h"

/* Relative to the directory of the program: installed, and in the build tree. */
static const char *const places[] = {
	"../lib/ttmem/libttmem-hook.so",
	"../hook/libttmem-hook.so",
};

static int check(const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -ENOENT;
	if (access(path, R_OK) < 0)
		return -errno;
	return strpbrk(path, " \t\n:") ? -EINVAL : 0;
}

/* A relative path would mean something else after the program has changed its directory. */
static int given_path(const char *given, char *to, size_t size)
{
	char here[PATH_MAX] = "";

	if (given[0] != '/' && !getcwd(here, sizeof here))
		return -errno;
	int length = snprintf(to, size, "%s%s%s", here, here[0] ? "/" : "", given);

	return length < 0 || (size_t)length >= size ? -ENAMETOOLONG : check(to);
}

int hook_path(char *to, size_t size)
{
	const char *given = getenv("TTMEM_HOOK");
	char self[PATH_MAX], candidate[PATH_MAX], real[PATH_MAX];

	if (given && *given)
		return given_path(given, to, size);
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

int hook_refused(const char *path, int error)
{
	if (error == -EINVAL)
		output_error("no_hook", "put it elsewhere and set TTMEM_HOOK",
			     "the hook's path has a blank or a colon, which LD_PRELOAD cannot "
			     "carry: %s",
			     path);
	else
		output_error("no_hook", "set TTMEM_HOOK, or install ttmem again",
			     "the hook cannot be used: %s: %s", path, strerror(-error));
	return EXIT_NOT_STARTED;
}

/* LD_PRELOAD is separated by colons or blanks. */
static bool is_listed(const char *list, const char *path)
{
	size_t length = strlen(path);

	while (*list) {
		size_t n = strcspn(list, ": ");

		if (n == length && memcmp(list, path, n) == 0)
			return true;
		list += n + (list[n] != '\0');
	}
	return false;
}

int hook_preload(const char *present, const char *path, char **ret_value)
{
	bool any = present && *present;
	char *value;
	int n;

	/* appended: what the user preloads keeps its place in front of ours */
	if (any && is_listed(present, path))
		n = asprintf(&value, "%s", present);
	else
		n = asprintf(&value, "%s%s%s", any ? present : "", any ? ":" : "", path);
	if (n < 0)
		return -ENOMEM;
	*ret_value = value;
	return 0;
}
