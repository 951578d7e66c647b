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

uint32_t sites_here(struct region_writer *writer)
{
	uint32_t mode = __atomic_load_n(&mode_now, __ATOMIC_RELAXED);

	if (__builtin_expect(mode == MODE_UNREAD, 0))
		mode = read_mode();
	if (mode != MODE_NATIVE && mode != MODE_ALL)
		return REGION_SITE_UNKNOWN;
	return stack_site(writer, REGION_SITE_UNKNOWN);
}
