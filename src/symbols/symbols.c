/* SPDX-License-Identifier: Apache-2.0 */
#include "symbols/symbols.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/clock.h"
#include "symbols/elf_file.h"
#include "symbols/names.h"
#include "symbols/op_names.h"

#define FILES_MAX     128u
#define FUNCTIONS_MAX (UINT32_C(6) << 20) /* of all files: 96 MiB */
/*
 * Reading takes some 100 ns a symbol. So much of it in so long a time: a process of TT-Metal has some
 * 300,000, and somebody who makes up files must not keep a server busy.
 */
#define BUDGET_SYMBOLS (UINT64_C(4) << 20)
#define BUDGET_NS      UINT64_C(10000000000)
#define KNOWN_MAX     65536u		  /* offsets of one file whose names are kept */
#define MANGLED_BYTES 8192

/* An offset that was asked for. */
struct known {
	uint64_t offset;
	char *name; /* NULL: a free bucket; "" unknown */
	char *op;   /* behind the name, in the same memory */
};

/* What makes two descriptors the same file with the same bytes. */
struct identity {
	uint64_t device, inode, bytes;
	int64_t changed_s, changed_ns;
};

struct symbol_file {
	struct identity identity;
	struct elf_file elf;
	bool names_elsewhere; /* in the debugging information of this machine */
	struct known *known;
	uint32_t known_count, buckets;
	uint64_t used;	/* when it was last opened, in opens */
	uint32_t users; /* sources that have it open: it stays */
};

struct symbol_cache {
	struct symbol_file *files[FILES_MAX];
	uint64_t opens;
	uint64_t budget_since_ns, budget_spent; /* symbols read since then */
};

struct symbol_cache *symbol_cache_new(void)
{
	return calloc(1, sizeof(struct symbol_cache));
}

struct symbol_cache *symbol_cache_shared(void)
{
	static struct symbol_cache *shared;

	if (!shared)
		shared = symbol_cache_new();
	return shared;
}

static void forget_known(struct symbol_file *file)
{
	for (uint32_t i = 0; i < file->buckets; i++)
		free(file->known[i].name);
	free(file->known);
	file->known = NULL;
	file->known_count = file->buckets = 0;
}

static void free_file(struct symbol_file *file)
{
	if (!file)
		return;
	forget_known(file);
	elf_clear(&file->elf);
	free(file);
}

void symbol_cache_free(struct symbol_cache *cache)
{
	for (unsigned i = 0; cache && i < FILES_MAX; i++)
		free_file(cache->files[i]);
	free(cache);
}

/*
 * A regular file and nothing else: opening a device or a pipe could do or wait for something. In a
 * process's own tree links lead to where they lead there.
 */
static int open_regular(int root, const char *path)
{
	struct open_how how = {.flags = O_PATH | O_CLOEXEC,
			       .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS};
	char name[32];
	struct stat st;
	int place = root < 0 ? open(path, O_PATH | O_CLOEXEC)
			     : (int)syscall(SYS_openat2, root, path, &how, sizeof how);

	if (place < 0)
		return -errno;
	(void)snprintf(name, sizeof name, "/proc/self/fd/%d", place);
	int fd = fstat(place, &st) == 0 && S_ISREG(st.st_mode)
			 ? open(name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)
			 : -1;

	(void)close(place);
	return fd < 0 ? -ENOENT : fd;
}

static bool has_build_id(const struct elf_file *elf, const uint8_t *build_id, uint32_t bytes)
{
	return bytes && elf->build_id_bytes == bytes && memcmp(elf->build_id, build_id, bytes) == 0;
}

/* Return: a descriptor of a file with this build id; -errno. */
static int open_checked(int root, const char *path, const uint8_t *build_id, uint32_t bytes,
			struct elf_file *ret_elf)
{
	int fd = open_regular(root, path);
	int r = fd < 0 ? fd : elf_read_head(fd, ret_elf);

	if (r == 0 && !has_build_id(ret_elf, build_id, bytes))
		r = -ESTALE;
	if (r == 0)
		return fd;
	if (fd >= 0)
		(void)close(fd);
	return r;
}

static int open_in_process(uint32_t pid, const char *path, const uint8_t *build_id, uint32_t bytes,
			   struct elf_file *ret_elf)
{
	char name[32];

	(void)snprintf(name, sizeof name, "/proc/%u/root", pid);
	int root = open(name, O_PATH | O_CLOEXEC | O_DIRECTORY);

	if (root < 0)
		return -errno;
	int fd = open_checked(root, path, build_id, bytes, ret_elf);

	(void)close(root);
	return fd;
}

static int open_debug(const uint8_t *build_id, uint32_t bytes)
{
	static const char start[] = "/usr/lib/debug/.build-id/";
	char path[sizeof start + 2 * ELF_BUILD_ID_BYTES + 8];
	struct elf_file elf;
	size_t n = sizeof start - 1;

	if (bytes < 2)
		return -ENOENT;
	memcpy(path, start, n);
	for (uint32_t i = 0; i < bytes; i++)
		n += (size_t)snprintf(path + n, 4, i == 0 ? "%02x/" : "%02x", build_id[i]);
	strcpy(path + n, ".debug");
	return open_checked(-1, path, build_id, bytes, &elf);
}

static struct identity identity_of(int fd)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return (struct identity){0};
	return (struct identity){st.st_dev, st.st_ino, (uint64_t)st.st_size, st.st_ctim.tv_sec,
				 st.st_ctim.tv_nsec};
}

static bool is_same(const struct identity *a, const struct identity *b)
{
	return a->device == b->device && a->inode == b->inode && a->bytes == b->bytes &&
	       a->changed_s == b->changed_s && a->changed_ns == b->changed_ns;
}

/* The file not asked for longest, of those that nobody uses; NULL: all are in use. */
static struct symbol_file **oldest_of(struct symbol_cache *cache, bool indexed)
{
	struct symbol_file **oldest = NULL;

	for (unsigned i = 0; i < FILES_MAX; i++) {
		struct symbol_file *file = cache->files[i];

		if (file && file->users == 0 && (!indexed || file->elf.function_count) &&
		    (!oldest || file->used < (*oldest)->used))
			oldest = &cache->files[i];
	}
	return oldest;
}

/* A place for one more file, or NULL. */
static struct symbol_file **make_room(struct symbol_cache *cache)
{
	for (unsigned i = 0; i < FILES_MAX; i++)
		if (!cache->files[i])
			return &cache->files[i];
	struct symbol_file **oldest = oldest_of(cache, false);

	if (oldest) {
		free_file(*oldest);
		*oldest = NULL;
	}
	return oldest;
}

/* Indices are the large part: the oldest go until the rest may stay. */
static void bound_functions(struct symbol_cache *cache)
{
	for (;;) {
		struct symbol_file **oldest = oldest_of(cache, true);
		uint64_t sum = 0;

		for (unsigned i = 0; i < FILES_MAX; i++)
			sum += cache->files[i] ? cache->files[i]->elf.function_count : 0;
		if (sum <= FUNCTIONS_MAX || !oldest)
			return;
		free_file(*oldest);
		*oldest = NULL;
	}
}

/* May one more file be read? */
static bool has_budget(struct symbol_cache *cache)
{
	uint64_t now_ns = clock_monotonic_ns();

	if (now_ns - cache->budget_since_ns > BUDGET_NS) {
		cache->budget_since_ns = now_ns;
		cache->budget_spent = 0;
	}
	return cache->budget_spent < BUDGET_SYMBOLS;
}

static void read_functions(struct symbol_file *file, int fd)
{
	(void)elf_read_functions(fd, &file->elf);
	/* the few that a stripped file exports are not where its other functions end */
	int debug = open_debug(file->elf.build_id, file->elf.build_id_bytes);

	if (debug < 0)
		return;
	struct elf_file elf = file->elf;

	elf.functions = NULL;
	elf.function_count = 0;
	if (elf_read_functions(debug, &elf) == 0 &&
	    elf.function_count > file->elf.function_count) {
		elf_clear(&file->elf);
		file->elf = elf;
		file->names_elsewhere = true;
	} else {
		file->elf.symbol_count = elf.symbol_count;
		elf_clear(&elf);
	}
	(void)close(debug);
}

/* The file of a descriptor, which is known or becomes so; NULL: there is no room, or not now. */
static struct symbol_file *file_of(struct symbol_cache *cache, int fd, const struct elf_file *elf)
{
	const struct identity identity = identity_of(fd);

	cache->opens++;
	for (unsigned i = 0; i < FILES_MAX; i++) {
		struct symbol_file *file = cache->files[i];

		/* a file may have been changed within its time's grain: then its id tells */
		if (file && is_same(&file->identity, &identity) &&
		    has_build_id(elf, file->elf.build_id, file->elf.build_id_bytes)) {
			file->used = cache->opens;
			/* somebody makes up offsets: from the start again */
			if (file->users == 0 && file->known_count >= KNOWN_MAX)
				forget_known(file);
			return file;
		}
	}
	struct symbol_file **place = has_budget(cache) ? make_room(cache) : NULL;
	struct symbol_file *file = place ? calloc(1, sizeof *file) : NULL;

	if (!file)
		return NULL;
	file->identity = identity;
	file->elf = *elf;
	file->used = cache->opens;
	read_functions(file, fd);
	cache->budget_spent += file->elf.symbol_count;
	*place = file;
	file->users++;
	bound_functions(cache);
	file->users--;
	return file;
}

void symbol_source_open(struct symbol_source *source, struct symbol_cache *cache, uint32_t pid,
			const char *path, const uint8_t *build_id, uint32_t build_id_bytes)
{
	struct elf_file elf;
	int fd = -ENOENT;

	*source = (struct symbol_source){.cache = cache, .fd = -1, .names_fd = -1};
	if (!cache || path[0] != '/' || build_id_bytes == 0 ||
	    build_id_bytes > ELF_BUILD_ID_BYTES)
		return;
	if (pid)
		fd = open_in_process(pid, path, build_id, build_id_bytes, &elf);
	if (fd < 0)
		fd = open_checked(-1, path, build_id, build_id_bytes, &elf);
	if (fd < 0)
		return;
	source->file = file_of(cache, fd, &elf);
	source->fd = fd;
	if (source->file)
		source->file->users++;
}

void symbol_source_close(struct symbol_source *source)
{
	if (source->file)
		source->file->users--;
	if (source->fd >= 0)
		(void)close(source->fd);
	if (source->names_fd >= 0)
		(void)close(source->names_fd);
	*source = (struct symbol_source){.fd = -1, .names_fd = -1};
}

/* The bucket of an offset, free or its own; buckets are a power of two, at most half of them full. */
static struct known *bucket_of(const struct symbol_file *file, uint64_t offset)
{
	uint64_t at = offset * UINT64_C(0x9e3779b97f4a7c15) >> 32;

	while (file->known[at & (file->buckets - 1)].name &&
	       file->known[at & (file->buckets - 1)].offset != offset)
		at++;
	return &file->known[at & (file->buckets - 1)];
}

static bool grow(struct symbol_file *file)
{
	if (file->known_count < file->buckets / 2)
		return true;
	/* names that were given out stay as long as the file is in use */
	if (file->known_count >= KNOWN_MAX)
		return false;
	struct symbol_file larger = *file;

	larger.buckets = file->buckets ? file->buckets * 2 : 64;
	larger.known = calloc(larger.buckets, sizeof *larger.known);
	if (!larger.known)
		return false;
	for (uint32_t i = 0; i < file->buckets; i++)
		if (file->known[i].name)
			*bucket_of(&larger, file->known[i].offset) = file->known[i];
	free(file->known);
	*file = larger;
	return true;
}

static int read_name(struct symbol_source *source, uint64_t offset, char *mangled)
{
	const struct elf_file *elf = &source->file->elf;
	const struct elf_function *function = elf_find(elf, offset);

	if (!function)
		return -ENOENT;
	if (source->file->names_elsewhere && source->names_fd < 0)
		source->names_fd = open_debug(elf->build_id, elf->build_id_bytes);
	int fd = source->file->names_elsewhere ? source->names_fd : source->fd;

	return fd < 0 ? -ENOENT : elf_read_name(fd, elf, function, mangled, MANGLED_BYTES);
}

struct symbol symbol_find(struct symbol_source *source, uint64_t offset)
{
	const struct symbol unknown = {"", ""};
	char mangled[MANGLED_BYTES], name[NAME_SHORT_BYTES] = "", op[OP_NAME_BYTES] = "";
	struct symbol_file *file = source->file;

	if (!file || !grow(file))
		return unknown;
	struct known *known = bucket_of(file, offset);

	if (!known->name) {
		if (read_name(source, offset, mangled) == 0) {
			name_short(mangled, name);
			if (!op_name(mangled, op))
				op[0] = '\0';
		}
		size_t bytes = strlen(name) + 1;

		known->name = malloc(bytes + strlen(op) + 1);
		if (!known->name)
			return unknown;
		known->op = strcpy(known->name + bytes, op);
		strcpy(known->name, name);
		known->offset = offset;
		file->known_count++;
	}
	return (struct symbol){known->name, known->op};
}
