/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finding TT-Metal in this process.
 *
 * Python loads it RTLD_LOCAL, so RTLD_NEXT does not see it; dlopen() by SONAME
 * with NOLOAD does. The result is built in a fresh page and published with one
 * compare-and-swap: two threads may build it twice, but nobody ever waits, and
 * a fork in the middle leaves nothing half done.
 */
#include "hook/metal.h"
#include "hook/modules.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "metal/builds.h"
#include "metal/program_layouts.h"

static const char *const handler_names[METAL_HANDLERS] = {
#define HANDLER(id, name) [METAL_HANDLER_##id] = name,
#include "hook/handlers.def"
#undef HANDLER
};

static const char *const symbol_names[METAL_SYMBOLS][2] = {
#define SYMBOL(id, name, older) [METAL_SYMBOL_##id] = {name, older},
#include "hook/symbols.def"
#undef SYMBOL
};

static struct metal *instance;

const char *metal_handler_name(enum metal_handler handler)
{
	return handler_names[handler];
}

const char *metal_symbol_name(enum metal_symbol symbol)
{
	return symbol_names[symbol][0];
}

static metal_function find(void *library, const char *name)
{
	metal_function function = NULL;
	void *address = name[0] ? dlsym(library, name) : NULL;

	/* ISO C has no cast from object to function pointer */
	memcpy(&function, &address, sizeof function);
	return function;
}

/* The file in which track_allocate lies. */
static void look_at_module(struct metal *metal)
{
	struct module module;

	if (!module_find((uint64_t)(uintptr_t)metal->real[METAL_HANDLER_track_allocate], &module))
		return;
	metal->text_low = module.low;
	metal->text_high = module.high;
	metal->build_id_bytes = module.build_id_bytes;
	memcpy(metal->build_id, module.build_id, module.build_id_bytes);
}

static bool is_of_allocator(const char *name)
{
	static const char prefix[] = "_ZNK2tt8tt_metal9Allocator";

	return strncmp(name, prefix, sizeof prefix - 1) == 0;
}

/*
 * From 0.65.1 on Allocator is a facade before AllocatorImpl, with methods of
 * the same names. Our objects are AllocatorImpls then: where one of its
 * functions is missing, the facade's must not be called in its place.
 */
static bool has_allocator_impl(const struct metal *metal)
{
	static const enum metal_symbol any[] = {
		METAL_SYMBOL_allocator_statistics,
		METAL_SYMBOL_allocator_num_banks,
		METAL_SYMBOL_allocator_base,
		METAL_SYMBOL_allocator_alignment,
	};

	for (size_t i = 0; i < sizeof any / sizeof any[0]; i++)
		if (metal->symbol[any[i]])
			return true;
	return metal->real[METAL_HANDLER_allocator_impl_allocate] != NULL;
}

static void fill(struct metal *metal)
{
	const char *off = getenv("TTMEM");

	for (int i = 0; i < METAL_HANDLERS; i++)
		metal->real[i] = find(metal->library, handler_names[i]);
	for (int i = 0; i < METAL_SYMBOLS; i++)
		metal->symbol[i] = find(metal->library, symbol_names[i][0]);
	bool has_impl = has_allocator_impl(metal);

	for (int i = 0; i < METAL_SYMBOLS; i++)
		if (!metal->symbol[i] && !(has_impl && is_of_allocator(symbol_names[i][1])))
			metal->symbol[i] = find(metal->library, symbol_names[i][1]);
	look_at_module(metal);

	const struct metal_build *build = metal_build_find(metal->build_id, metal->build_id_bytes);

	metal->version = build ? build->version : NULL;
	metal->program_layout = metal_program_layout_find(metal->version);
	metal->cluster_description_offset = build ? build->cluster_description_offset : 0;
	if (metal->symbol[METAL_SYMBOL_buffer_size] && metal->symbol[METAL_SYMBOL_buffer_type] &&
	    metal->symbol[METAL_SYMBOL_buffer_layout] &&
	    metal->symbol[METAL_SYMBOL_buffer_device] &&
	    metal->symbol[METAL_SYMBOL_buffer_allocator])
		metal->fields = METAL_FIELDS_NOT_NEEDED;
	metal->off = off && strcmp(off, "off") == 0;
}

static struct metal *metal_find(void)
{
	/* 0.60 keeps everything in one library */
	static const char *const names[] = {"libtt_metal.so", "_ttnncpp.so"};
	void *library = NULL;

	for (size_t i = 0; !library && i < sizeof names / sizeof names[0]; i++) {
		library = dlopen(names[i], RTLD_NOLOAD | RTLD_LAZY);
		if (library &&
		    !find(library, handler_names[METAL_HANDLER_track_allocate])) {
			(void)dlclose(library);
			library = NULL;
		}
	}
	if (!library)
		return NULL;
	struct metal *metal = mmap(NULL, sizeof *metal, PROT_READ | PROT_WRITE,
				   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (metal == MAP_FAILED)
		return NULL;
	metal->library = library;
	fill(metal);
	return metal;
}

struct metal *metal_get(void)
{
	/* acquire: pairs with the compare-and-swap below */
	struct metal *metal = __atomic_load_n(&instance, __ATOMIC_ACQUIRE);

	if (__builtin_expect(metal != NULL, 1))
		return metal;
	int saved_errno = errno;
	struct metal *fresh = metal_find();

	if (fresh && !__atomic_compare_exchange_n(&instance, &metal, fresh, 0, __ATOMIC_ACQ_REL,
						  __ATOMIC_ACQUIRE)) {
		(void)munmap(fresh, sizeof *fresh);
		fresh = metal;
	}
	errno = saved_errno;
	return fresh;
}
