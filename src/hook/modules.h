/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files with code in this process, as the loader knows them. Each look takes the
 * loader's own lock for a moment (dl_iterate_phdr), so it is for first meetings;
 * nothing of a file is kept, because it may be unloaded.
 */
#ifndef TTMEM_HOOK_MODULES_H
#define TTMEM_HOOK_MODULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MODULE_PATH_BYTES     1024
#define MODULE_BUILD_ID_BYTES 32

struct module {
	uint64_t low, high;	/* where it is mapped */
	uint64_t file_offset;	/* of the address that was asked for */
	uint8_t	 build_id[MODULE_BUILD_ID_BYTES];
	uint32_t build_id_bytes; /* 0: it has none */
	bool	 is_program;	 /* the executable itself */
	char	 path[MODULE_PATH_BYTES]; /* as the process sees it; "" where it is too long */
};

/* module_find - the file that an address lies in. Return: is there one? Keeps errno. */
bool module_find(uint64_t address, struct module *ret_module);

/* How many files were loaded and unloaded so far. While `unloads` stays, an address means what it meant. */
struct module_counts {
	uint64_t loads, unloads;
};

/*
 * module_counts - as they are. module_counts_lately - as they were a moment ago, for every event: a
 * thread of the process may fork while another one is inside the loader, and the child, which has
 * the lock without its owner, waits for ever at its next dlopen() or exception. So looks are rare.
 */
struct module_counts module_counts(void);
struct module_counts module_counts_lately(void);

#endif
