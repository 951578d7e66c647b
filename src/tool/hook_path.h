/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TTMEM_TOOL_HOOK_PATH_H
#define TTMEM_TOOL_HOOK_PATH_H

#include <stddef.h>

/*
 * hook_path - where libttmem-hook.so is: $TTMEM_HOOK, beside this program as installed, or in the
 * build tree. Return: 0; -ENOENT; -EINVAL when the path has a blank or a colon, which LD_PRELOAD
 * takes for separators. `to` holds the path looked for even then.
 */
int hook_path(char *to, size_t size);

/*
 * hook_refused - says why there is no path; `error` and `path` as hook_path() left them.
 * Return: exit code.
 */
int hook_refused(const char *path, int error);

/*
 * hook_preload - the new value of LD_PRELOAD: the present one, a colon, the hook; once, however
 * often ttmem starts ttmem. Return: 0 or -ENOMEM; the caller frees the string.
 */
int hook_preload(const char *present, const char *path, char **ret_value);

#endif
