/* SPDX-License-Identifier: Apache-2.0 */
#include "hook/sites.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

#include "hook/stack.h"

enum mode {
	MODE_UNREAD = 0,
	MODE_OFF,
	MODE_PYTHON,
	MODE_NATIVE,
	MODE_ALL,
};

static uint32_t mode_now;

static uint32_t read_mode(void)
{
	static const struct {
		const char *word;
		enum mode mode;
	} words[] = {{"off", MODE_OFF},
		     {"python", MODE_PYTHON},
		     {"native", MODE_NATIVE},
		     {"all", MODE_ALL}};
	const char *wanted = getenv("TTMEM_SITES");
	uint32_t mode = MODE_PYTHON;

	for (unsigned i = 0; wanted && i < sizeof words / sizeof words[0]; i++)
		if (strcmp(wanted, words[i].word) == 0)
			mode = words[i].mode;
	if (mode == MODE_PYTHON && !dlsym(RTLD_DEFAULT, "Py_IsInitialized"))
		mode = MODE_NATIVE;
	__atomic_store_n(&mode_now, mode, __ATOMIC_RELAXED);
	return mode;
}

/* The native half: `found` is what the other half knows, `key` stands for it (0: nothing). */
static uint32_t with_stack(struct region_writer *writer, uint64_t key,
			   const struct region_site_found *found)
{
	struct region_site_found whole = *found;
	struct stack_walk walk;
	uint32_t site;

	if (stack_find(writer, key, &walk, &site))
		return site;
	whole.depth = walk.depth;
	whole.frames = walk.frames;
	if (key == 0 && walk.depth == 0)
		return REGION_SITE_UNKNOWN;
	site = region_writer_site(writer, &whole);
	stack_remember(&walk, site);
	return site;
}

uint32_t sites_here(struct region_writer *writer)
{
	uint32_t mode = __atomic_load_n(&mode_now, __ATOMIC_RELAXED);
	struct region_site_found found = {.depth = 0};

	if (__builtin_expect(mode == MODE_UNREAD, 0))
		mode = read_mode();
	if (mode != MODE_NATIVE && mode != MODE_ALL)
		return REGION_SITE_UNKNOWN;
	return with_stack(writer, 0, &found);
}
