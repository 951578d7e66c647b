/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A sealed memfd that its maker keeps out of the application's way.
 *
 * The descriptor is moved to a high number, so that the application's own
 * descriptors keep the numbers they would have without us, and mode 0400 plus
 * seals keep other holders from writing or truncating it.
 */
#ifndef TTMEM_REGION_MEMFD_H
#define TTMEM_REGION_MEMFD_H

#include <stdbool.h>
#include <stdint.h>

/*
 * memfd_create_sealed - a file of `bytes` (all holes), sealed against SHRINK, GROW and further
 * seals. Return: descriptor (close-on-exec); -EFBIG when RLIMIT_FSIZE forbids it; -errno.
 */
int memfd_create_sealed(const char *name, uint64_t bytes, unsigned mode);
/* memfd_identity - device and inode behind a descriptor. Return: 0 or -errno. */
int memfd_identity(int fd, uint64_t *ret_device, uint64_t *ret_inode);
/* memfd_is - does the number still mean that file? After close_range(2) it may be anybody's. */
bool memfd_is(int fd, uint64_t device, uint64_t inode);
/* memfd_back - allocates the pages of a range. Return: 0 or -errno, never SIGBUS later. */
int memfd_back(int fd, uint64_t offset, uint64_t bytes);
/* memfd_give_back - makes a range a hole again. Return: 0 or -errno. */
int memfd_give_back(int fd, uint64_t offset, uint64_t bytes);
/* memfd_lock - takes the write lock on byte 0 that tells readers the maker lives. */
int memfd_lock(int fd);

/*
 * memfd_numbers_from - new files get descriptors from this number on; 900 if never called. A number
 * beyond the end of the process's descriptor table makes the table grow, and with several threads
 * the kernel waits for all processors then: some 10 ms.
 */
void memfd_numbers_from(int number);

#endif
