/* SPDX-License-Identifier: Apache-2.0 */
#include "base/task.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/files.h"

char task_state(pid_t task)
{
	char path[40], stat[512];

	(void)snprintf(path, sizeof path, "/proc/%d/stat", task);
	if (file_read_at(AT_FDCWD, path, stat, sizeof stat) <= 0)
		return '\0';
	/* behind a name in parentheses, which may hold anything */
	const char *p = strrchr(stat, ')');

	return p && p[1] == ' ' ? p[2] : '\0';
}
