/* SPDX-License-Identifier: Apache-2.0 */
#include "hook/modules.h"

#include <elf.h>
#include <errno.h>
#include <link.h>
#include <string.h>
#include <unistd.h>

#include "hook/now.h"

#define LATELY_NS UINT64_C(10000000)

/* NT_GNU_BUILD_ID among notes in memory. Return: its length; 0: not there. */
static uint32_t module_build_id(uint64_t notes, uint64_t bytes,
				uint8_t ret_build_id[MODULE_BUILD_ID_BYTES])
{
	const uint8_t *p = (const uint8_t *)(uintptr_t)notes;

	while (bytes >= sizeof(ElfW(Nhdr))) {
		ElfW(Nhdr) note;

		memcpy(&note, p, sizeof note);
		uint64_t name = (note.n_namesz + UINT64_C(3)) & ~UINT64_C(3);
		uint64_t desc = (note.n_descsz + UINT64_C(3)) & ~UINT64_C(3);

		if (name + desc > bytes - sizeof note)
			return 0;
		if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 &&
		    memcmp(p + sizeof note, "GNU", 4) == 0 &&
		    note.n_descsz <= MODULE_BUILD_ID_BYTES) {
			memcpy(ret_build_id, p + sizeof note + name, note.n_descsz);
			return note.n_descsz;
		}
		p += sizeof note + name + desc;
		bytes -= sizeof note + name + desc;
	}
	return 0;
}

struct search {
	uint64_t address;
	struct module *module;
	char name[MODULE_PATH_BYTES];
	bool found;
};

/* Is the address in one of its segments? Then where in the file. */
static bool covers(const struct dl_phdr_info *info, struct search *search)
{
	struct module *module = search->module;
	bool found = false;

	module->low = UINT64_MAX;
	module->high = 0;
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *p = &info->dlpi_phdr[i];
		uint64_t start = info->dlpi_addr + p->p_vaddr, inside = search->address - start;

		if (p->p_type != PT_LOAD)
			continue;
		if (start < module->low)
			module->low = start;
		if (start + p->p_memsz > module->high)
			module->high = start + p->p_memsz;
		if (inside < p->p_filesz) {
			module->file_offset = p->p_offset + inside;
			found = true;
		}
	}
	return found;
}

/* dl_iterate_phdr callback. The program itself comes first and has no name. */
static int look(struct dl_phdr_info *info, size_t size, void *argument)
{
	struct search *search = argument;
	struct module *module = search->module;
	const char *name = info->dlpi_name ? info->dlpi_name : "";

	(void)size;
	if (!covers(info, search))
		return 0;
	search->found = true;
	module->is_program = *name == '\0';
	if (strlen(name) < sizeof search->name)
		strcpy(search->name, name);
	for (int i = 0; i < info->dlpi_phnum && module->build_id_bytes == 0; i++)
		if (info->dlpi_phdr[i].p_type == PT_NOTE)
			module->build_id_bytes =
				module_build_id(info->dlpi_addr + info->dlpi_phdr[i].p_vaddr,
						info->dlpi_phdr[i].p_memsz, module->build_id);
	return 1;
}

/* Whole paths only: the loader keeps a name as it was given. */
static void make_path(struct module *module, const char *name)
{
	size_t length = 0;
	ssize_t n = 0;

	if (module->is_program)
		n = readlink("/proc/self/exe", module->path, sizeof module->path - 1);
	else if (*name != '/')
		n = readlink("/proc/self/cwd", module->path, sizeof module->path - 1);
	if (n < 0 || (size_t)n == sizeof module->path - 1)
		n = 0;
	length = (size_t)n;
	if (!module->is_program) {
		if (length)
			module->path[length++] = '/';
		if (length + strlen(name) >= sizeof module->path)
			length = 0;
		else
			length += strlen(strcpy(module->path + length, name));
	}
	module->path[length] = '\0';
}

bool module_find(uint64_t address, struct module *ret_module)
{
	struct search search = {.address = address, .module = ret_module};
	int saved_errno = errno;

	ret_module->build_id_bytes = 0;
	(void)dl_iterate_phdr(look, &search);
	if (search.found)
		make_path(ret_module, search.name);
	errno = saved_errno;
	return search.found;
}

static int take_counts(struct dl_phdr_info *info, size_t size, void *argument)
{
	(void)size;
	*(struct module_counts *)argument = (struct module_counts){info->dlpi_adds, info->dlpi_subs};
	return 1;
}

/* Words of their own: of two threads the slower one may make them a moment older, no more. */
static struct module_counts known;
static uint64_t known_ns;

struct module_counts module_counts(void)
{
	struct module_counts counts = {0};

	(void)dl_iterate_phdr(take_counts, &counts);
	__atomic_store_n(&known.loads, counts.loads, __ATOMIC_RELAXED);
	__atomic_store_n(&known.unloads, counts.unloads, __ATOMIC_RELAXED);
	/* release: whoever sees the time sees the counts */
	__atomic_store_n(&known_ns, hook_now_ns(), __ATOMIC_RELEASE);
	return counts;
}

struct module_counts module_counts_lately(void)
{
	/* acquire: pairs with the store above */
	if (__builtin_expect(hook_now_ns() - __atomic_load_n(&known_ns, __ATOMIC_ACQUIRE) > LATELY_NS,
			     0))
		return module_counts();
	return (struct module_counts){
		.loads = __atomic_load_n(&known.loads, __ATOMIC_RELAXED),
		.unloads = __atomic_load_n(&known.unloads, __ATOMIC_RELAXED),
	};
}
