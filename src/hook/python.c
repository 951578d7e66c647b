/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finding the interpreter. It may come long after us, and never: while there is
 * none, only every now and then is the loader asked whether anything was loaded
 * since. Like metal_find.c: built in fresh pages, published by one
 * compare-and-swap, so that nobody waits and a fork leaves nothing half done.
 */
#include "hook/python.h"

#include <dlfcn.h>
#include <errno.h>
#include <link.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "hook/modules.h"
#include "hook/python_cache.h"

#define EVENTS_BETWEEN_LOOKS 64u

struct python *python_found;
static uint64_t loads_seen;  /* of the loader, when it was asked last */
static uint32_t events_left; /* until it is asked again */

/* And what it was called before 3.13. */
static const char *const function_names[PYTHON_FUNCTIONS][2] = {
	[PYTHON_THIS_THREAD] = {"PyGILState_GetThisThreadState"},
	[PYTHON_CURRENT_THREAD] = {"PyThreadState_GetUnchecked", "_PyThreadState_UncheckedGet"},
	[PYTHON_FINALIZING] = {"Py_IsFinalizing", "_Py_IsFinalizing"},
	[PYTHON_ERROR] = {"PyErr_Occurred"},
	[PYTHON_GC_DISABLE] = {"PyGC_Disable"},
	[PYTHON_GC_ENABLE] = {"PyGC_Enable"},
	[PYTHON_FRAME] = {"PyEval_GetFrame"},
	[PYTHON_FRAME_CODE] = {"PyFrame_GetCode"},
	[PYTHON_FRAME_BACK] = {"PyFrame_GetBack"},
	[PYTHON_FRAME_LINE] = {"PyFrame_GetLineNumber"},
	[PYTHON_CODE_LINE] = {"PyCode_Addr2Line"},
	[PYTHON_DECREF] = {"Py_DecRef"},
};

struct local_library {
	char path[4096];
};

static int find_local(struct dl_phdr_info *info, size_t size, void *to)
{
	const char *name = strrchr(info->dlpi_name, '/');
	struct local_library *local = to;

	(void)size;
	if (strncmp(name ? name + 1 : info->dlpi_name, "libpython3.", 11) != 0 ||
	    strlen(info->dlpi_name) >= sizeof local->path)
		return 0;
	/* libpython3.so only leads to the real one */
	if (strncmp(name ? name + 1 : info->dlpi_name, "libpython3.so", 13) == 0)
		return 0;
	memcpy(local->path, info->dlpi_name, strlen(info->dlpi_name) + 1);
	return 1;
}

/*
 * A handle to ask for names; NULL without an interpreter. It is never given back: what we call must
 * not be unloaded. Mostly its names are everybody's, but a plugin may have loaded it for itself.
 */
static void *find_library(void)
{
	struct local_library local;
	void *address = dlsym(RTLD_DEFAULT, function_names[PYTHON_THIS_THREAD][0]);
	Dl_info info;

	if (address) {
		if (dladdr(address, &info) && info.dli_fname)
			(void)dlopen(info.dli_fname, RTLD_NOLOAD | RTLD_LAZY);
		return RTLD_DEFAULT;
	}
	if (!dl_iterate_phdr(find_local, &local))
		return NULL;
	return dlopen(local.path, RTLD_NOLOAD | RTLD_LAZY);
}

bool python_give_up(struct python *python, const char *reason)
{
	const char *none = NULL;

	(void)__atomic_compare_exchange_n(&python->reason, &none, reason, 0, __ATOMIC_RELEASE,
					  __ATOMIC_RELAXED);
	__atomic_store_n(&python->state, PYTHON_OFF, __ATOMIC_RELEASE);
	return false;
}

static bool find_names(struct python *python, void *library)
{
	for (int i = 0; i < PYTHON_FUNCTIONS; i++) {
		void *address = dlsym(library, function_names[i][0]);

		if (!address && function_names[i][1])
			address = dlsym(library, function_names[i][1]);
		if (!address)
			return python_give_up(python, function_names[i][0]);
		memcpy(&python->call[i], &address, sizeof address);
	}
	python->code_type = (uint64_t)(uintptr_t)dlsym(library, "PyCode_Type");
	python->text_type = (uint64_t)(uintptr_t)dlsym(library, "PyUnicode_Type");
	python->bytes_type = (uint64_t)(uintptr_t)dlsym(library, "PyBytes_Type");
	return python->code_type && python->text_type && python->bytes_type
		       ? true
		       : python_give_up(python, "this Python hides its types");
}

/* Version, and the builds that are laid out otherwise. */
static bool is_known_build(struct python *python, void *library)
{
	void *address = dlsym(library, "Py_GetVersion");
	const char *(*version)(void);
	unsigned major = 0, minor = 0;

	memcpy(&version, &address, sizeof version);
	const char *text = address ? version() : "";
	size_t bytes = strcspn(text, " ");

	if (bytes >= sizeof python->version)
		bytes = sizeof python->version - 1;
	memcpy(python->version, text, bytes);
	if (strstr(text, "free-threading") || dlsym(library, "_Py_MergeZeroLocalRefcount"))
		return python_give_up(python, "Python without a GIL is not supported");
	if (dlsym(library, "_Py_NegativeRefcount"))
		return python_give_up(python, "a debug build of Python is not supported");
	if (sscanf(text, "%u.%u", &major, &minor) != 2 || major != 3)
		return python_give_up(python, "the version of this Python cannot be read");
	const struct python_layout *layout = python_layout_find(minor);

	if (!layout)
		return python_give_up(python, "only Python 3.10 to 3.13 are known");
	python->at = *layout;
	const char *why = python_layout_agrees(
		layout, (uint64_t)(uintptr_t)dlsym(library, "_PyRuntime"));

	return why ? python_give_up(python, why) : true;
}

static void fill(struct python *python, void *library)
{
	if (!is_known_build(python, library) || !find_names(python, library))
		return;
	python->cache = python_cache_create();
	if (!python->cache)
		(void)python_give_up(python, "no memory to remember sites in");
}

static struct python *publish(void *library)
{
	struct python *none = NULL;
	struct python *fresh = mmap(NULL, sizeof *fresh, PROT_READ | PROT_WRITE,
				    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (fresh == MAP_FAILED)
		return NULL;
	fill(fresh, library);
	if (__atomic_compare_exchange_n(&python_found, &none, fresh, 0, __ATOMIC_ACQ_REL,
					__ATOMIC_ACQUIRE))
		return fresh;
	if (fresh->cache)
		python_cache_destroy(fresh->cache);
	(void)munmap(fresh, sizeof *fresh);
	return none;
}

/* Anything loaded since? */
static struct python *look(void)
{
	uint64_t loads = module_counts_lately().loads;

	if (loads == __atomic_exchange_n(&loads_seen, loads, __ATOMIC_RELAXED))
		return NULL;
	void *library = find_library();

	/* RTLD_DEFAULT is NULL */
	if (!library && !dlsym(RTLD_DEFAULT, function_names[PYTHON_THIS_THREAD][0]))
		return NULL;
	return publish(library);
}

struct python *python_find(void)
{
	uint32_t left = __atomic_load_n(&events_left, __ATOMIC_RELAXED);

	if (left) {
		__atomic_store_n(&events_left, left - 1, __ATOMIC_RELAXED);
		return NULL;
	}
	__atomic_store_n(&events_left, EVENTS_BETWEEN_LOOKS, __ATOMIC_RELAXED);
	int saved_errno = errno;
	struct python *python = look();

	errno = saved_errno;
	return python;
}
