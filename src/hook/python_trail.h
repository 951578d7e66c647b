/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The commonest way to a site, remembered whole: the innermost frame runs an
 * operation and the next one is the user's.
 *
 * Found by the two instructions alone, so that the processor need not have read
 * the operation's name before it knows where to look, and one cache line
 * instead of two. All that the places of both frames would be compared by is
 * compared; a trail says nothing that following the frames would not say.
 */
#ifndef TTMEM_HOOK_PYTHON_TRAIL_H
#define TTMEM_HOOK_PYTHON_TRAIL_H

#include "hook/python_cache.h"
#include "hook/python_identity.h"
#include "hook/python_op.h"

/* Words of its entry. The upper 16 bits of the first two are the instruction's. */
enum {
	PYTHON_TRAIL_INNER,
	PYTHON_TRAIL_USER,
	PYTHON_TRAIL_INNER_IDENTITY,
	PYTHON_TRAIL_USER_IDENTITY,
	PYTHON_TRAIL_OP,
	PYTHON_TRAIL_CLASS, /* of `self`; upper 16 bits: lines_bytes of the user's place */
	PYTHON_TRAIL_CONTENT,
};

#define PYTHON_TRAIL_BITS 48
#define PYTHON_TRAIL_MASK ((UINT64_C(1) << PYTHON_TRAIL_BITS) - 1)

/* Have both room in a word? */
static inline bool python_trail_fits(uint64_t address, uint64_t number)
{
	return (address >> PYTHON_TRAIL_BITS | number >> (64 - PYTHON_TRAIL_BITS)) == 0;
}

static inline uint64_t python_trail_word(uint64_t address, uint64_t number)
{
	return address | number << PYTHON_TRAIL_BITS;
}

/*
 * By the object as well, as one line may run many operations. Whose address it is does not matter
 * here: that chooses where to look, and decides nothing.
 */
static inline struct python_entry *python_trail_set(const struct python *python,
						    const struct python_frame *frame,
						    uint64_t inner, uint64_t user)
{
	uint64_t self = python_word(frame->frame + python->at.frame_self);
	uint64_t hash = (inner ^ self >> 4 ^ user << 13) * UINT64_C(0x9e3779b97f4a7c15);

	return python->cache->trails[hash >> 40 & (PYTHON_TRAIL_SETS - 1)];
}

/* python_trail_begins - is it where the last trail begins? If not, nobody need look. */
static inline bool python_trail_begins(const struct python *python, const struct python_frame *inner)
{
	return __atomic_load_n(&python->trail_code, __ATOMIC_RELAXED) == inner->code;
}

static inline bool python_trail_is_at(const struct python_entry *entry, uint64_t inner, uint64_t user)
{
	return python_entry_word(&entry->words[PYTHON_TRAIL_USER]) == user &&
	       python_entry_word(&entry->words[PYTHON_TRAIL_INNER]) == inner;
}

/* Are they still the same code, and the operation the same? */
static inline bool python_trail_holds(const struct python *python, const struct python_entry *entry,
				      const struct python_frame *inner,
				      const struct python_frame *user)
{
	uint64_t word = python_entry_word(&entry->words[PYTHON_TRAIL_CLASS]);
	uint64_t content = python_entry_word(&entry->words[PYTHON_TRAIL_CONTENT]);
	uint64_t class = word & PYTHON_TRAIL_MASK;

	if (python_entry_word(&entry->words[PYTHON_TRAIL_INNER_IDENTITY]) !=
		    python_identity(python, inner->code) ||
	    python_entry_word(&entry->words[PYTHON_TRAIL_USER_IDENTITY]) !=
		    python_identity(python, user->code) ||
	    python_self_class(python, inner) != class)
		return false;
	uint64_t name = python_op_name(python, inner, class);

	return name &&
	       python_text_identity(python, name) ==
		       python_entry_word(&entry->words[PYTHON_TRAIL_OP]) &&
	       (content == 0 ||
		content == python_content(python, user->code, word >> PYTHON_TRAIL_BITS));
}

/* python_trail_find - Return: the site; REGION_SITE_UNKNOWN: the frames are to be followed */
static inline uint32_t python_trail_find(const struct python *python,
					 const struct python_frame *inner,
					 const struct python_frame *user)
{
	uint64_t a = python_trail_word(inner->code, (uint64_t)inner->lasti);
	uint64_t b = python_trail_word(user->code, (uint64_t)user->lasti);
	const struct python_entry *set = python_trail_set(python, inner, a, b);

	if (!python_trail_fits(inner->code | user->code, (uint64_t)(inner->lasti | user->lasti)))
		return REGION_SITE_UNKNOWN;
	for (unsigned way = 0; way < 2; way++) {
		/* acquire, as for places: the words are not older than the number */
		uint32_t seq = __atomic_load_n(&set[way].seq, __ATOMIC_ACQUIRE);

		if (!python_trail_is_at(&set[way], a, b) || seq & 1 ||
		    !python_trail_holds(python, &set[way], inner, user))
			continue;
		uint32_t site = __atomic_load_n(&set[way].site, __ATOMIC_ACQUIRE);

		if (__atomic_load_n(&set[way].seq, __ATOMIC_RELAXED) == seq)
			return site;
	}
	return REGION_SITE_UNKNOWN;
}

/* python_trail_add - of two frames and their places, which were just looked up */
void python_trail_add(struct python *python, const struct python_frame *frame,
		      const struct python_place *inner, const struct python_place *user);

#endif
