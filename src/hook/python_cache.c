/* SPDX-License-Identifier: Apache-2.0 */
#include "hook/python_cache.h"

#include <string.h>
#include <sys/mman.h>

#ifndef MADV_WIPEONFORK
#define MADV_WIPEONFORK 18
#endif

#define SETS 2048u /* of two entries each: 256 KiB, of which only what is used is there */
#define WORDS 7u

/* Odd: being written. The words are those of struct python_place, in its order. */
struct entry {
	uint32_t seq;
	uint32_t site;
	uint64_t words[WORDS];
};

_Static_assert(sizeof(struct entry) == 64, "an entry is a cache line");

enum { CODE, IDENTITY, OP, LASTI, LINES, TYPE, REST };

struct python_cache {
	struct entry entries[SETS][2];
};

struct python_cache *python_cache_create(void)
{
	struct python_cache *cache = mmap(NULL, sizeof *cache, PROT_READ | PROT_WRITE,
					  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (cache == MAP_FAILED)
		return NULL;
	if (madvise(cache, sizeof *cache, MADV_WIPEONFORK) < 0) {
		(void)munmap(cache, sizeof *cache);
		return NULL;
	}
	(void)madvise(cache, sizeof *cache, MADV_DONTDUMP);
	return cache;
}

void python_cache_destroy(struct python_cache *cache)
{
	(void)munmap(cache, sizeof *cache);
}

static inline struct entry *set_of(struct python_cache *cache, const struct python_place *place)
{
	uint64_t hash = (place->code >> 4) ^ (uint64_t)place->lasti ^ place->op;

	hash *= UINT64_C(0x9e3779b97f4a7c15);
	return cache->entries[hash >> 32 & (SETS - 1)];
}

static inline uint64_t load(const uint64_t *word)
{
	return __atomic_load_n(word, __ATOMIC_RELAXED);
}

static inline bool is_same(const struct entry *entry, const struct python_place *place)
{
	return load(&entry->words[CODE]) == place->code &&
	       load(&entry->words[LASTI]) == (uint64_t)place->lasti &&
	       load(&entry->words[OP]) == place->op;
}

bool python_cache_find(struct python_cache *cache, struct python_place *place)
{
	struct entry *set = set_of(cache, place);

	for (unsigned way = 0; way < 2; way++) {
		const struct entry *entry = &set[way];
		/* acquire: the words are not older than the number */
		uint32_t seq = __atomic_load_n(&entry->seq, __ATOMIC_ACQUIRE);

		if (seq == 0 || seq & 1 || !is_same(entry, place) ||
		    load(&entry->words[IDENTITY]) != place->identity)
			continue;
		uint64_t rest = load(&entry->words[REST]);

		place->lines = load(&entry->words[LINES]);
		place->type = load(&entry->words[TYPE]);
		place->lines_bytes = (uint32_t)rest;
		place->kind = (uint32_t)(rest >> 32);
		place->site = __atomic_load_n(&entry->site, __ATOMIC_RELAXED);
		/* and not younger */
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
		if (__atomic_load_n(&entry->seq, __ATOMIC_RELAXED) == seq)
			return true;
	}
	return false;
}

void python_cache_add(struct python_cache *cache, const struct python_place *place)
{
	struct entry *set = set_of(cache, place), *entry;
	uint32_t seq[2] = {__atomic_load_n(&set[0].seq, __ATOMIC_RELAXED),
			   __atomic_load_n(&set[1].seq, __ATOMIC_RELAXED)};

	/* where it was before its identity or its lines changed; else the one written less often */
	if (is_same(&set[0], place) || is_same(&set[1], place))
		entry = is_same(&set[0], place) ? &set[0] : &set[1];
	else
		entry = seq[0] <= seq[1] ? &set[0] : &set[1];
	uint32_t now = seq[entry - set];

	if (now & 1 || !__atomic_compare_exchange_n(&entry->seq, &now, now + 1, 0, __ATOMIC_ACQUIRE,
						    __ATOMIC_RELAXED))
		return;
	__atomic_thread_fence(__ATOMIC_RELEASE);
	const uint64_t words[WORDS] = {
		[CODE] = place->code,
		[IDENTITY] = place->identity,
		[OP] = place->op,
		[LASTI] = (uint64_t)place->lasti,
		[LINES] = place->lines,
		[TYPE] = place->type,
		[REST] = (uint64_t)place->kind << 32 | place->lines_bytes,
	};

	for (unsigned i = 0; i < WORDS; i++)
		__atomic_store_n(&entry->words[i], words[i], __ATOMIC_RELAXED);
	__atomic_store_n(&entry->site, place->site, __ATOMIC_RELAXED);
	now += 2;
	__atomic_store_n(&entry->seq, now ? now : 2, __ATOMIC_RELEASE);
}
