/* SPDX-License-Identifier: Apache-2.0 */
#include "hook/stack_cache.h"

#include "region/wiped.h"

#define STEPS 4096u
#define SETS  512u
#define WAYS  4u

struct step_entry {
	uint64_t seq; /* 0: never filled; odd: being filled */
	uint64_t pc, unloads;
	uint64_t kinds;	  /* cfa 8 | rbp 8 | place 8 */
	uint64_t offsets; /* cfa 32 | rbp 32 */
	uint64_t frame;
	uint64_t reserved[2];
};

struct stack_entry {
	uint64_t seq;
	uint64_t sp, key, unloads;
	uint64_t bp;
	uint64_t shape; /* site 32 | words 16 | uses bp 1 */
	uint64_t words[2 * STACK_WORDS_MAX]; /* offset, value */
	uint64_t reserved[2];
};

/* Large, but zeros from the kernel: only what is used is there. */
struct stack_cache {
	struct step_entry steps[STEPS];
	struct stack_entry stacks[SETS][WAYS];
	uint32_t turn; /* which way goes next; a hint */
	uint32_t is_known; /* stack_cache_is_new was true */
};

static struct stack_cache *instance;
static uint32_t is_refused;

/* acquire and release of every word: x86 has them for nothing, and no fence is needed */
static uint64_t load(const uint64_t *word)
{
	return __atomic_load_n(word, __ATOMIC_ACQUIRE);
}

static void store(uint64_t *word, uint64_t value)
{
	__atomic_store_n(word, value, __ATOMIC_RELEASE);
}

struct stack_cache *stack_cache_get(void)
{
	/* acquire: pairs with the compare-and-swap */
	struct stack_cache *cache = __atomic_load_n(&instance, __ATOMIC_ACQUIRE);

	if (__builtin_expect(cache != NULL, 1))
		return cache;
	/* once: who has no memory must not be asked at every event */
	if (__atomic_load_n(&is_refused, __ATOMIC_RELAXED))
		return NULL;
	/* wiped: numbers of sites are those of one table, and a child has its own */
	struct stack_cache *fresh = wiped_map(sizeof *fresh);

	if (!fresh)
		__atomic_store_n(&is_refused, 1, __ATOMIC_RELAXED);
	else if (!__atomic_compare_exchange_n(&instance, &cache, fresh, 0, __ATOMIC_ACQ_REL,
						  __ATOMIC_ACQUIRE)) {
		wiped_unmap(fresh, sizeof *fresh);
		return cache;
	}
	return fresh;
}

bool stack_cache_is_new(struct stack_cache *cache)
{
	return __atomic_exchange_n(&cache->is_known, 1, __ATOMIC_RELAXED) == 0;
}

/* The right to fill an entry. Return: its sequence word for the end; 0: somebody else has it. */
static uint64_t begin(uint64_t *seq)
{
	uint64_t old = load(seq);

	if (old & 1 || !__atomic_compare_exchange_n(seq, &old, old + 1, 0, __ATOMIC_ACQ_REL,
						    __ATOMIC_RELAXED))
		return 0;
	return old + 2;
}

static uint64_t mix(uint64_t value)
{
	value *= UINT64_C(0x9e3779b97f4a7c15);
	return value ^ value >> 29;
}

bool stack_cache_step(struct stack_cache *cache, uint64_t pc, uint64_t unloads,
		      struct stack_step *ret_step)
{
	struct step_entry *entry = &cache->steps[mix(pc) % STEPS];
	uint64_t seq = load(&entry->seq);

	if (seq == 0 || seq & 1 || load(&entry->pc) != pc || load(&entry->unloads) != unloads)
		return false;
	uint64_t kinds = load(&entry->kinds), offsets = load(&entry->offsets);

	*ret_step = (struct stack_step){
		.rule = {.cfa = (uint8_t)kinds,
			 .rbp = (uint8_t)(kinds >> 8),
			 .cfa_offset = (int32_t)offsets,
			 .rbp_offset = (int32_t)(offsets >> 32)},
		.place = (uint8_t)(kinds >> 16),
		.frame = load(&entry->frame),
	};
	return load(&entry->seq) == seq;
}

void stack_cache_keep_step(struct stack_cache *cache, uint64_t pc, uint64_t unloads,
			   const struct stack_step *step)
{
	struct step_entry *entry = &cache->steps[mix(pc) % STEPS];
	uint64_t seq = begin(&entry->seq);

	if (!seq)
		return;
	store(&entry->pc, pc);
	store(&entry->unloads, unloads);
	store(&entry->kinds, step->rule.cfa | (uint64_t)step->rule.rbp << 8 |
				     (uint64_t)step->place << 16);
	store(&entry->offsets, (uint32_t)step->rule.cfa_offset |
				       (uint64_t)(uint32_t)step->rule.rbp_offset << 32);
	store(&entry->frame, step->frame);
	store(&entry->seq, seq);
}

static struct stack_entry *set_of(struct stack_cache *cache, uint64_t sp, uint64_t key)
{
	return cache->stacks[mix(sp / 8 ^ mix(key)) % SETS];
}

/* Every word in order; its place is checked as well, because the entry may change meanwhile. */
static bool words_are(const struct stack_entry *entry, uint64_t sp, uint64_t high, uint32_t words)
{
	const uint64_t *stack = (const uint64_t *)(uintptr_t)sp;
	uint64_t room = (high - sp) / 8;

	if (words > STACK_WORDS_MAX)
		return false;
	for (uint32_t i = 0; i < words; i++) {
		uint64_t at = load(&entry->words[2 * i]);

		if (at >= room || stack[at] != load(&entry->words[2 * i + 1]))
			return false;
	}
	return true;
}

static bool entry_is(const struct stack_entry *entry, const struct stack_walk *walk, uint64_t high,
		     uint32_t *ret_site)
{
	uint64_t seq = load(&entry->seq);

	if (seq == 0 || seq & 1 || load(&entry->sp) != walk->sp ||
	    load(&entry->key) != walk->key || load(&entry->unloads) != walk->unloads)
		return false;
	uint64_t shape = load(&entry->shape);

	if ((shape >> 48 & 1 && load(&entry->bp) != walk->bp) ||
	    !words_are(entry, walk->sp, high, (uint32_t)(shape >> 32 & 0xffff)))
		return false;
	*ret_site = (uint32_t)shape;
	return load(&entry->seq) == seq;
}

bool stack_cache_find(struct stack_cache *cache, const struct stack_walk *walk, uint64_t high,
		      uint32_t *ret_site)
{
	const struct stack_entry *set = set_of(cache, walk->sp, walk->key);

	for (unsigned way = 0; way < WAYS; way++)
		if (entry_is(&set[way], walk, high, ret_site))
			return true;
	return false;
}

void stack_cache_keep(struct stack_cache *cache, const struct stack_walk *walk, uint32_t site)
{
	unsigned way = 0;

	if (!walk->is_whole)
		return;
	struct stack_entry *set = set_of(cache, walk->sp, walk->key);

	while (way < WAYS && load(&set[way].seq) != 0 && load(&set[way].unloads) == walk->unloads)
		way++;
	if (way == WAYS)
		way = __atomic_fetch_add(&cache->turn, 1, __ATOMIC_RELAXED) % WAYS;
	struct stack_entry *entry = &set[way];
	uint64_t seq = begin(&entry->seq);

	if (!seq)
		return;
	store(&entry->sp, walk->sp);
	store(&entry->key, walk->key);
	store(&entry->unloads, walk->unloads);
	store(&entry->bp, walk->bp);
	store(&entry->shape,
	      site | (uint64_t)walk->words << 32 | (uint64_t)walk->uses_bp << 48);
	for (uint32_t i = 0; i < walk->words; i++) {
		store(&entry->words[2 * i], walk->at[i]);
		store(&entry->words[2 * i + 1], walk->value[i]);
	}
	store(&entry->seq, seq);
}
