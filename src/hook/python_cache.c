/* SPDX-License-Identifier: Apache-2.0 */
#include "hook/python_cache.h"

#include "region/wiped.h"

struct python_cache *python_cache_create(void)
{
	return wiped_map(sizeof(struct python_cache));
}

void python_cache_destroy(struct python_cache *cache)
{
	wiped_unmap(cache, sizeof *cache);
}

void python_entry_write(struct python_entry *entry, const uint64_t words[PYTHON_WORDS],
			uint32_t site)
{
	uint32_t now = __atomic_load_n(&entry->seq, __ATOMIC_RELAXED);

	if (now & 1 || !__atomic_compare_exchange_n(&entry->seq, &now, now + 1, 0, __ATOMIC_ACQUIRE,
						    __ATOMIC_RELAXED))
		return;
	/* release: none is there before the odd number, without a fence of its own as in the table */
	for (unsigned i = 0; i < PYTHON_WORDS; i++)
		__atomic_store_n(&entry->words[i], words[i], __ATOMIC_RELEASE);
	__atomic_store_n(&entry->site, site, __ATOMIC_RELEASE);
	now += 2;
	__atomic_store_n(&entry->seq, now ? now : 2, __ATOMIC_RELEASE);
}

struct python_entry *python_entry_to_write(struct python_entry set[2], const bool is_there[2])
{
	if (is_there[0] || is_there[1])
		return is_there[0] ? &set[0] : &set[1];
	return __atomic_load_n(&set[0].seq, __ATOMIC_RELAXED) <=
			       __atomic_load_n(&set[1].seq, __ATOMIC_RELAXED)
		       ? &set[0]
		       : &set[1];
}

void python_cache_add(struct python_cache *cache, const struct python_place *place)
{
	struct python_entry *set = python_cache_set(cache, place);
	const uint64_t words[PYTHON_WORDS] = {
		[PYTHON_WORD_CODE] = place->code,
		[PYTHON_WORD_IDENTITY] = place->identity,
		[PYTHON_WORD_OP] = place->op,
		[PYTHON_WORD_LASTI] = (uint64_t)place->lasti,
		[PYTHON_WORD_CONTENT] = place->content,
		[PYTHON_WORD_TYPE] = place->type,
		[PYTHON_WORD_REST] = (uint64_t)place->kind << 32 | place->lines_bytes,
	};

	/* it may be there with an identity or lines that it had before */
	const bool is_there[2] = {python_entry_is(&set[0], place), python_entry_is(&set[1], place)};

	python_entry_write(python_entry_to_write(set, is_there), words, place->site);
}
