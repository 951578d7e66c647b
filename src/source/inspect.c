/* SPDX-License-Identifier: Apache-2.0 */
#include "source/inspect.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/files.h"

#define HOOK_NAME "libttmem-hook.so"

/* A limit against an environment or a map made to keep us busy. */
#define READ_BYTES_MAX ((size_t)16 << 20)

/* Begins with one of these and goes on with a version or not at all. */
static const char *const metal_names[] = {"libtt_metal.so", "_ttnncpp.so"};

/* A whole file of /proc, NUL-terminated; NULL with errno. */
static char *read_all(int directory, const char *name, size_t *ret_length)
{
	size_t length = 0, capacity = 1 << 16;
	fd_auto fd = openat(directory, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	char *bytes = fd < 0 ? NULL : malloc(capacity);

	while (bytes) {
		ssize_t n = read(fd, bytes + length, capacity - length - 1);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			free(bytes);
			return NULL;
		}
		length += (size_t)n;
		if (n == 0 || length + 1 >= READ_BYTES_MAX)
			break;
		if (length + 1 == capacity) {
			char *memory = realloc(bytes, capacity *= 2);

			if (!memory) {
				free(bytes);
				return NULL;
			}
			bytes = memory;
		}
	}
	if (bytes) {
		bytes[length] = '\0';
		*ret_length = length;
	}
	return bytes;
}

static bool is_named(const char *path, const char *name)
{
	const char *base = strrchr(path, '/');
	size_t length = strlen(name);

	base = base ? base + 1 : path;
	return strncmp(base, name, length) == 0 &&
	       (base[length] == '\0' || base[length] == '.' || base[length] == ' ');
}

static void look_at_line(const char *line, struct inspection *to)
{
	/* the name is the only part of a line that has a slash */
	const char *path = strchr(line, '/');

	if (!path)
		return;
	to->has_hook |= is_named(path, HOOK_NAME);
	for (size_t i = 0; i < sizeof metal_names / sizeof metal_names[0]; i++)
		if (is_named(path, metal_names[i]) && !to->has_metal) {
			to->has_metal = true;
			(void)snprintf(to->metal, sizeof to->metal, "%s", path);
		}
}

static void look_at_maps(int directory, struct inspection *to)
{
	size_t length;
	char *maps = read_all(directory, "maps", &length), *rest = NULL;

	to->is_denied = !maps && (errno == EACCES || errno == EPERM);
	to->has_maps = maps != NULL;
	if (!maps)
		return;
	for (char *line = strtok_r(maps, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
		look_at_line(line, to);
	free(maps);
}

/* Does the program ask for a loader? What is no 64-bit ELF file is taken for one that does. */
static bool is_static(int directory)
{
	fd_auto fd = openat(directory, "exe", O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	Elf64_Ehdr head;
	Elf64_Phdr part;

	if (fd < 0 || pread(fd, &head, sizeof head, 0) != (ssize_t)sizeof head ||
	    memcmp(head.e_ident, ELFMAG, SELFMAG) != 0 || head.e_ident[EI_CLASS] != ELFCLASS64 ||
	    head.e_phentsize != sizeof part || head.e_phnum == 0)
		return false;
	for (unsigned i = 0; i < head.e_phnum; i++) {
		off_t at = (off_t)(head.e_phoff + i * sizeof part);

		if (pread(fd, &part, sizeof part, at) != (ssize_t)sizeof part ||
		    part.p_type == PT_INTERP)
			return false;
	}
	return true;
}

static bool is_secure(int directory)
{
	size_t length;
	char *bytes = read_all(directory, "auxv", &length);
	Elf64_auxv_t entry;
	bool secure = false;

	for (size_t at = 0; bytes && at + sizeof entry <= length; at += sizeof entry) {
		memcpy(&entry, bytes + at, sizeof entry);
		secure |= entry.a_type == AT_SECURE && entry.a_un.a_val != 0;
	}
	free(bytes);
	return secure;
}

/* The file that LD_PRELOAD names, as the process would find it: below its own root. */
static bool is_missing(int directory, const char *path)
{
	char below[INSPECT_PATH_BYTES + 8];
	struct stat st;

	if (path[0] != '/')
		return false;
	(void)snprintf(below, sizeof below, "root%s", path);
	return fstatat(directory, below, &st, 0) < 0 && (errno == ENOENT || errno == ENOTDIR);
}

static void look_at_preload(int directory, const char *list, struct inspection *to)
{
	while (*list) {
		size_t length = strcspn(list, ": \t");

		if (length && length < sizeof to->preload && !to->is_preloaded) {
			memcpy(to->preload, list, length);
			to->preload[length] = '\0';
			to->is_preloaded = is_named(to->preload, HOOK_NAME);
		}
		list += length + (list[length] != '\0');
	}
	if (!to->is_preloaded)
		to->preload[0] = '\0';
	else
		to->preload_is_missing = is_missing(directory, to->preload);
}

static void look_at_environment(int directory, struct inspection *to)
{
	size_t length;
	char *bytes = read_all(directory, "environ", &length);

	to->has_environment = bytes != NULL;
	for (size_t at = 0; bytes && at < length; at += strlen(bytes + at) + 1) {
		if (strncmp(bytes + at, "LD_PRELOAD=", 11) == 0)
			look_at_preload(directory, bytes + at + 11, to);
		to->is_off |= strcmp(bytes + at, "TTMEM=off") == 0;
	}
	free(bytes);
}

static bool is_other(int directory, const char *name)
{
	char theirs[64], ours[64], path[64];

	(void)snprintf(path, sizeof path, "/proc/self/%s", name);
	ssize_t a = readlinkat(directory, name, theirs, sizeof theirs);
	ssize_t b = readlink(path, ours, sizeof ours);

	return a > 0 && b > 0 && (a != b || memcmp(theirs, ours, (size_t)a) != 0);
}

void inspect_process(int root, uint32_t pid, struct inspection *ret_inspection)
{
	struct inspection *to = ret_inspection;
	char path[32];

	*to = (struct inspection){0};
	(void)snprintf(path, sizeof path, "proc/%u", pid);
	fd_auto directory = openat(root, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (directory < 0)
		return;
	to->exists = true;
	look_at_maps(directory, to);
	look_at_environment(directory, to);
	to->is_static = is_static(directory);
	to->is_secure = is_secure(directory);
	to->other_mounts = is_other(directory, "ns/mnt");
	to->other_pids = is_other(directory, "ns/pid");
}

bool inspect_hides_processes(int root)
{
	size_t length;
	char *mounts = read_all(root, "proc/self/mounts", &length), *rest = NULL;
	bool hides = false;

	for (char *line = mounts ? strtok_r(mounts, "\n", &rest) : NULL; line;
	     line = strtok_r(NULL, "\n", &rest)) {
		const char *option = strstr(line, "hidepid=");

		/* the last one mounted there counts */
		if (strstr(line, " /proc proc "))
			hides = option && strncmp(option, "hidepid=0", 9) != 0 &&
				strncmp(option, "hidepid=off", 11) != 0;
	}
	free(mounts);
	return hides;
}
