/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What was found out about places in code, in a table of fixed size without
 * locks: an entry is a cache line under a sequence word, and a writer that
 * meets another one leaves it alone. In a forked child the kernel makes it
 * empty: the child has a table of its own, with other numbers.
 */
#ifndef TTMEM_HOOK_PYTHON_CACHE_H
#define TTMEM_HOOK_PYTHON_CACHE_H

#include <stdbool.h>
#include <stdint.h>

enum python_place_kind {
	PYTHON_PLACE_USER = 1,	/* has a site */
	PYTHON_PLACE_INNER = 2, /* the framework's own code, or a frame that does not count yet */
	PYTHON_PLACE_OP = 3,	/* likewise, and its first local is the operation */
};

/* Equal in the first four: the same place. */
struct python_place {
	uint64_t code;	   /* address of the code object */
	uint64_t identity; /* what tells it from others that were or will be at that address */
	uint64_t op;	   /* hash of the operation's name; 0: none */
	int64_t	 lasti;
	uint64_t lines; /* of a user's: hash of what gave its line; 0: identity says it all */
	uint64_t type;	/* of an operation: the class of its object */
	uint32_t lines_bytes; /* how much of the line table gave its line */
	uint32_t kind;	      /* enum python_place_kind */
	uint32_t site;
};

/* python_cache_create - NULL where the kernel has no memory, or cannot clear it in children */
struct python_cache *python_cache_create(void);
void python_cache_destroy(struct python_cache *cache);
/* python_cache_find - by code, identity, op and lasti of *place, which is filled in. Is it known? */
bool python_cache_find(struct python_cache *cache, struct python_place *place);
/* python_cache_add - takes the place of an older one where there is no room; may be lost */
void python_cache_add(struct python_cache *cache, const struct python_place *place);

#endif
