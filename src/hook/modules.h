/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files with code in this process, as the loader knows them. Each look takes the
 * loader's own lock for a moment (dl_iterate_phdr), so it is for first meetings;
 * nothing is kept, because a file may be unloaded.
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
/*
 * module_unloads - how many files were unloaded so far: as long as it stays, an address means what
 * it meant. The one look that events may take (some 25 ns).
 */
uint64_t module_unloads(void);
/* module_build_id - NT_GNU_BUILD_ID among notes in memory. Return: its length; 0: not there. */
uint32_t module_build_id(uint64_t notes, uint64_t bytes,
			 uint8_t ret_build_id[MODULE_BUILD_ID_BYTES]);

#endif
