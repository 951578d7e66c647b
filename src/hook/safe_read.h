/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading memory of our own process through a pointer nobody vouches for.
 *
 * A foreign object's fields are where one release put them; in the next one
 * the word may be anything. The kernel copies, and says EFAULT where we would
 * have died. Costs a system call, so it is for first meetings, not for events.
 */
#ifndef TTMEM_HOOK_SAFE_READ_H
#define TTMEM_HOOK_SAFE_READ_H

#include <stddef.h>
#include <stdint.h>

/* safe_read - copies bytes from an address. Return: 0; -EFAULT; -EPERM where it is forbidden. */
int safe_read(uint64_t address, void *to, size_t bytes);
/* safe_read_word - one 8-byte word, in place of *(uint64_t *)address */
int safe_read_word(uint64_t address, uint64_t *ret_word);
/* safe_read_string - up to size - 1 bytes and always a NUL; stops at the end of what is mapped */
int safe_read_string(uint64_t address, char *to, size_t size);

#endif
