/* SPDX-License-Identifier: Apache-2.0 */
#include "region/wiped.h"

#include <sys/mman.h>

#ifndef MADV_WIPEONFORK
#define MADV_WIPEONFORK 18
#endif

void *wiped_map(size_t bytes)
{
	void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (memory == MAP_FAILED)
		return NULL;
	if (madvise(memory, bytes, MADV_WIPEONFORK) < 0) {
		wiped_unmap(memory, bytes);
		return NULL;
	}
	(void)madvise(memory, bytes, MADV_DONTDUMP);
	(void)madvise(memory, bytes, MADV_NOHUGEPAGE);
	return memory;
}

void wiped_unmap(void *memory, size_t bytes)
{
	(void)munmap(memory, bytes);
}
