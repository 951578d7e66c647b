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
	uint64_t content; /* hash of what identity leaves out; 0: nothing */
	uint64_t type;	/* of a frame that runs an object of the framework: its class */
	uint32_t lines_bytes; /* how much of the line table gave its line */
	uint32_t kind;	      /* enum python_place_kind */
	uint32_t site;
};

#define PYTHON_SETS 2048u /* of two entries each: 256 KiB, of which only what is used is there */
#define PYTHON_TRAIL_SETS 1024u

enum {
	PYTHON_WORD_CODE,
	PYTHON_WORD_IDENTITY,
	PYTHON_WORD_OP,
	PYTHON_WORD_LASTI,
	PYTHON_WORD_CONTENT,
	PYTHON_WORD_TYPE,
	PYTHON_WORD_REST, /* kind and lines_bytes */
	PYTHON_WORDS
};

/* Odd: being written. The words are those of struct python_place, in its order. */
struct python_entry {
	uint32_t seq;
	uint32_t site;
	uint64_t words[PYTHON_WORDS];
};

_Static_assert(sizeof(struct python_entry) == 64, "an entry is a cache line");

struct python_cache {
	struct python_entry entries[PYTHON_SETS][2];
	/* the words of these are those of python_trail.h */
	struct python_entry trails[PYTHON_TRAIL_SETS][2];
};

/* python_cache_create - NULL where the kernel has no memory, or cannot clear it in children */
struct python_cache *python_cache_create(void);
void python_cache_destroy(struct python_cache *cache);
/* python_entry_write - may be lost to another writer */
void python_entry_write(struct python_entry *entry, const uint64_t words[PYTHON_WORDS],
			uint32_t site);
/* python_entry_to_write - of a set: where the same is already; else the one written less often */
struct python_entry *python_entry_to_write(struct python_entry set[2], const bool is_there[2]);
/* python_cache_add - takes the place of an older one where there is no room; may be lost */
void python_cache_add(struct python_cache *cache, const struct python_place *place);

static inline struct python_entry *python_cache_set(struct python_cache *cache,
						    const struct python_place *place)
{
	uint64_t hash = (place->code >> 4) ^ (uint64_t)place->lasti ^ place->op;

	hash *= UINT64_C(0x9e3779b97f4a7c15);
	return cache->entries[hash >> 32 & (PYTHON_SETS - 1)];
}

static inline uint64_t python_entry_word(const uint64_t *word)
{
	return __atomic_load_n(word, __ATOMIC_ACQUIRE);
}

static inline bool python_entry_is(const struct python_entry *entry,
				   const struct python_place *place)
{
	return python_entry_word(&entry->words[PYTHON_WORD_CODE]) == place->code &&
	       python_entry_word(&entry->words[PYTHON_WORD_LASTI]) == (uint64_t)place->lasti &&
	       python_entry_word(&entry->words[PYTHON_WORD_OP]) == place->op;
}

/*
 * python_cache_find - by code, identity, op and lasti of *place; the rest is filled in. Return: is
 * it known?
 */
static inline bool python_cache_find(struct python_cache *cache, struct python_place *place)
{
	struct python_entry *set = python_cache_set(cache, place);

	for (unsigned way = 0; way < 2; way++) {
		const struct python_entry *entry = &set[way];
		/* acquire: the words are not older than the number */
		uint32_t seq = __atomic_load_n(&entry->seq, __ATOMIC_ACQUIRE);

		if (seq == 0 || seq & 1 || !python_entry_is(entry, place) ||
		    python_entry_word(&entry->words[PYTHON_WORD_IDENTITY]) != place->identity)
			continue;
		uint64_t rest = python_entry_word(&entry->words[PYTHON_WORD_REST]);

		place->content = python_entry_word(&entry->words[PYTHON_WORD_CONTENT]);
		place->type = python_entry_word(&entry->words[PYTHON_WORD_TYPE]);
		place->lines_bytes = (uint32_t)rest;
		place->kind = (uint32_t)(rest >> 32);
		/* every word with acquire, so that none is younger than the number below */
		place->site = __atomic_load_n(&entry->site, __ATOMIC_ACQUIRE);
		if (__atomic_load_n(&entry->seq, __ATOMIC_RELAXED) == seq)
			return true;
	}
	return false;
}

#endif
