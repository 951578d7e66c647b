/* SPDX-License-Identifier: Apache-2.0 */
#include "inject/target.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/files.h"

#define MAPS_BYTES_MAX	((size_t)64 << 20)
#define HEADERS_MAX	64u
#define DYNAMIC_MAX	256u
#define CHAIN_MAX	65536u
#define MAIN_STACK_ROOM ((uint64_t)1 << 20) /* it grows by itself */

int target_read(const struct target *target, uint64_t address, void *to, size_t bytes)
{
	ssize_t n = pread(target->memory, to, bytes, (off_t)address);

	return n == (ssize_t)bytes ? 0 : n < 0 ? -errno : -EIO;
}

int target_write(const struct target *target, uint64_t address, const void *from, size_t bytes)
{
	ssize_t n = pwrite(target->memory, from, bytes, (off_t)address);

	return n == (ssize_t)bytes ? 0 : n < 0 ? -errno : -EIO;
}

int target_read_string(const struct target *target, uint64_t address, char *to, size_t size)
{
	size_t length = 0;

	for (; length + 1 < size; length++) {
		int r = target_read(target, address + length, &to[length], 1);

		if (r < 0)
			return r;
		if (to[length] == '\0')
			return 0;
	}
	to[length] = '\0';
	return 0;
}

/* A file of /proc as a whole; the kernel tells no size. */
static int read_all(const char *path, char **ret_text)
{
	size_t length = 0, capacity = (size_t)1 << 18;
	fd_auto fd = open(path, O_RDONLY | O_CLOEXEC);
	char *text = fd < 0 ? NULL : malloc(capacity);
	int r = fd < 0 ? -errno : text ? 1 : -ENOMEM;

	while (r > 0) {
		ssize_t n = read(fd, text + length, capacity - length - 1);

		if (n < 0 && errno == EINTR)
			continue;
		r = n < 0 ? -errno : n > 0;
		length += n > 0 ? (size_t)n : 0;
		if (r > 0 && length + 1 == capacity) {
			char *more = capacity < MAPS_BYTES_MAX ? realloc(text, capacity *= 2) : NULL;

			r = more ? 1 : -ENOMEM;
			text = more ? more : text;
		}
	}
	if (r < 0) {
		free(text);
		return r;
	}
	text[length] = '\0';
	*ret_text = text;
	return 0;
}

static bool parse_line(char *line, struct target_mapping *m)
{
	unsigned major_number, minor_number;
	int at = 0;

	*m = (struct target_mapping){.path = ""};
	if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s %" SCNx64 " %x:%x %" SCNu64 " %n", &m->start,
		   &m->end, m->rights, &m->offset, &major_number, &minor_number, &m->inode, &at) < 7)
		return false;
	m->device = makedev(major_number, minor_number);
	m->path = line + at;
	return true;
}

int target_look(struct target *target)
{
	char path[32], *text, *rest = NULL;
	size_t lines = 1;

	(void)snprintf(path, sizeof path, "/proc/%u/maps", target->pid);
	int r = read_all(path, &text);

	if (r < 0)
		return r;
	for (const char *p = text; (p = strchr(p, '\n')); p++)
		lines++;
	struct target_mapping *mappings = calloc(lines, sizeof *mappings);

	if (!mappings) {
		free(text);
		return -ENOMEM;
	}
	free(target->text);
	free(target->mappings);
	target->text = text;
	target->mappings = mappings;
	target->count = 0;
	for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
		target->count += parse_line(line, &mappings[target->count]);
	return 0;
}

int target_open(struct target *target, uint32_t pid)
{
	char path[32];

	*target = (struct target){.pid = pid, .memory = -1};
	int r = target_look(target);

	if (r < 0)
		return r;
	(void)snprintf(path, sizeof path, "/proc/%u/mem", pid);
	target->memory = open(path, O_RDWR | O_CLOEXEC);
	if (target->memory < 0) {
		r = -errno;
		target_close(target);
	}
	return r;
}

void target_close(struct target *target)
{
	if (target->memory >= 0)
		(void)close(target->memory);
	free(target->text);
	free(target->mappings);
	*target = (struct target){.memory = -1};
}

bool target_is_there(const struct target *target)
{
	uint8_t byte;

	for (size_t i = 0; i < target->count; i++)
		if (target->mappings[i].rights[0] == 'r')
			return target_read(target, target->mappings[i].start, &byte, 1) == 0;
	return false;
}

/* The loader has relocated some of these words in place, and of some objects none. */
static uint64_t relocated(const struct target_object *object, uint64_t word)
{
	return word < object->base ? object->base + word : word;
}

static int look_at_dynamic(const struct target *target, uint64_t address,
			   struct target_object *object)
{
	Elf64_Dyn d;

	for (unsigned i = 0; i < DYNAMIC_MAX; i++) {
		int r = target_read(target, address + i * sizeof d, &d, sizeof d);

		if (r < 0)
			return r;
		if (d.d_tag == DT_NULL)
			break;
		if (d.d_tag == DT_SYMTAB)
			object->symbols = relocated(object, d.d_un.d_ptr);
		else if (d.d_tag == DT_STRTAB)
			object->strings = relocated(object, d.d_un.d_ptr);
		else if (d.d_tag == DT_GNU_HASH)
			object->hash = relocated(object, d.d_un.d_ptr);
	}
	return object->symbols && object->strings && object->hash ? 0 : -ENOENT;
}

static int look_at_object(const struct target *target, uint64_t base,
			  struct target_object *ret_object)
{
	struct target_object object = {.base = base};
	Elf64_Ehdr head;
	Elf64_Phdr part;
	uint64_t dynamic = 0;
	int r = target_read(target, base, &head, sizeof head);

	if (r < 0)
		return r;
	if (memcmp(head.e_ident, ELFMAG, SELFMAG) != 0 || head.e_ident[EI_CLASS] != ELFCLASS64 ||
	    head.e_machine != EM_X86_64 || head.e_phnum > HEADERS_MAX ||
	    head.e_phentsize != sizeof part)
		return -ENOENT;
	for (unsigned i = 0; i < head.e_phnum; i++) {
		r = target_read(target, base + head.e_phoff + i * sizeof part, &part, sizeof part);
		if (r < 0)
			return r;
		if (part.p_type == PT_DYNAMIC)
			dynamic = base + part.p_vaddr;
		if (part.p_type == PT_LOAD)
			object.end = base + part.p_vaddr + part.p_memsz;
	}
	r = dynamic ? look_at_dynamic(target, dynamic, &object) : -ENOENT;
	if (r == 0)
		*ret_object = object;
	return r;
}

static bool is_named(const char *path, const char *name)
{
	const char *base = strrchr(path, '/');
	size_t length = strlen(name);

	base = base ? base + 1 : path;
	if (strncmp(base, name, length) != 0)
		return false;
	return name[length - 1] == '.' || base[length] == '\0' || base[length] == '.' ||
	       base[length] == ' ';
}

int target_find(const struct target *target, const char *name, struct target_object *ret_object)
{
	for (size_t i = 0; i < target->count; i++) {
		const struct target_mapping *m = &target->mappings[i];

		if (m->offset == 0 && is_named(m->path, name) &&
		    look_at_object(target, m->start, ret_object) == 0)
			return 0;
	}
	return -ENOENT;
}

static uint32_t gnu_hash(const char *name)
{
	uint32_t hash = 5381;

	for (; *name; name++)
		hash = hash * 33 + (uint8_t)*name;
	return hash;
}

/* Symbol `index`, if it is a defined one of this name. */
static bool is_symbol(const struct target *target, const struct target_object *object,
		      uint32_t index, const char *name, uint64_t *ret_address)
{
	char text[128];
	Elf64_Sym s;

	if (strlen(name) >= sizeof text - 1 ||
	    target_read(target, object->symbols + index * sizeof s, &s, sizeof s) < 0 ||
	    s.st_shndx == SHN_UNDEF ||
	    target_read_string(target, object->strings + s.st_name, text, sizeof text) < 0 ||
	    strcmp(text, name) != 0)
		return false;
	*ret_address = object->base + s.st_value;
	return true;
}

int target_symbol(const struct target *target, const struct target_object *object,
		  const char *name, uint64_t *ret_address)
{
	/* bucket count, first symbol, words of the filter, its shift; then filter, buckets, chains */
	uint32_t head[4], index, entry, hash = gnu_hash(name);

	if (target_read(target, object->hash, head, sizeof head) < 0 || head[0] == 0)
		return -ENOENT;
	uint64_t buckets = object->hash + sizeof head + (uint64_t)head[2] * 8;
	uint64_t chains = buckets + (uint64_t)head[0] * 4;

	if (target_read(target, buckets + (uint64_t)(hash % head[0]) * 4, &index, sizeof index) < 0 ||
	    index < head[1])
		return -ENOENT;
	for (unsigned i = 0; i < CHAIN_MAX; i++, index++) {
		if (target_read(target, chains + (uint64_t)(index - head[1]) * 4, &entry,
				sizeof entry) < 0)
			return -ENOENT;
		if ((entry | 1) == (hash | 1) && is_symbol(target, object, index, name, ret_address))
			return 0;
		if (entry & 1)
			break;
	}
	return -ENOENT;
}

uint64_t target_stack_room(const struct target *target, uint64_t stack)
{
	for (size_t i = 0; i < target->count; i++) {
		const struct target_mapping *m = &target->mappings[i];

		if (stack < m->start || stack >= m->end || m->rights[1] != 'w')
			continue;
		return strcmp(m->path, "[stack]") == 0 ? MAIN_STACK_ROOM : stack - m->start;
	}
	return 0;
}
