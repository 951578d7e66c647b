/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A process as somebody else's memory: which objects it has mapped and where their functions are.
 *
 * Everything is read from the memory itself, through /proc/PID/mem, not from files: it is the same
 * whatever file system the process lives in, and for a library that was replaced on disk. What is
 * read was written by a stranger: every count has a bound, and nothing is followed for ever.
 */
#ifndef TTMEM_INJECT_TARGET_H
#define TTMEM_INJECT_TARGET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct target_mapping {
	uint64_t start, end, offset;
	uint64_t device, inode;
	char	 rights[5];
	const char *path; /* "" for memory without a name */
};

struct target {
	uint32_t pid;
	int	 memory; /* /proc/PID/mem */
	char	*text;	 /* of maps */
	struct target_mapping *mappings;
	size_t	 count;
};

/* An object of the dynamic loader, as far as look-ups need it; addresses. */
struct target_object {
	uint64_t base, end;
	uint64_t symbols, strings, hash;
};

/*
 * target_open - Return: 0; -ENOENT: no such process; -EACCES, -EPERM: not ours to look into; -errno.
 * target_look - reads the mappings anew. target_close - lets go.
 */
int target_open(struct target *target, uint32_t pid);
int target_look(struct target *target);
void target_close(struct target *target);

/* target_is_there - false when the process has ended or has become another program: its memory is gone */
bool target_is_there(const struct target *target);

/* target_read, target_write - all bytes or an error: 0, -EIO, -errno */
int target_read(const struct target *target, uint64_t address, void *to, size_t bytes);
int target_write(const struct target *target, uint64_t address, const void *from, size_t bytes);
/* target_read_string - always ends with NUL */
int target_read_string(const struct target *target, uint64_t address, char *to, size_t size);

/*
 * target_find - the first object whose file has this name, or this name and more ("libc-2." finds
 * libc-2.31.so; a name that ends in a letter is whole, but for " (deleted)"). 0 or -ENOENT.
 */
int target_find(const struct target *target, const char *name, struct target_object *ret_object);
/* target_symbol - the address of a function or object that it exports. 0 or -ENOENT. */
int target_symbol(const struct target *target, const struct target_object *object,
		  const char *name, uint64_t *ret_address);
/* target_stack_room - bytes that the stack at this address may still grow by */
uint64_t target_stack_room(const struct target *target, uint64_t stack);

#endif
