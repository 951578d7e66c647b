/* SPDX-License-Identifier: Apache-2.0 */
#include "hook/metal_live.h"

#include <dlfcn.h>
#include <errno.h>
#include <string.h>

#include "hook/safe_read.h"

/* std::unordered_set<T *>: a node is {next, value}, the hash of a pointer is the pointer. */
enum { WORD_BUCKETS, WORD_BUCKET_COUNT, WORD_FIRST, WORD_COUNT, WORD_LOAD, WORD_RESIZE, WORD_SINGLE };

#define COUNT_MAX (UINT64_C(1) << 24)
#define LOAD_ONE  0x3f800000u /* max_load_factor() of 1.0f, which nobody changes */

struct node {
	const struct node *next;
	uint64_t value;
};

static const struct node *node_at(uint64_t address)
{
	return (const struct node *)(uintptr_t)address;
}

bool metal_live_is_asked(const struct metal *metal)
{
	return metal->symbol[METAL_SYMBOL_allocator_live] != NULL &&
	       metal->symbol[METAL_SYMBOL_buffer_is_allocated] != NULL;
}

bool metal_live_has(const struct metal_live *live, uint64_t buffer)
{
	uint64_t count = live->words[WORD_BUCKET_COUNT], bucket = buffer % count;
	const uint64_t *buckets = (const uint64_t *)(uintptr_t)live->words[WORD_BUCKETS];

	if (!buckets[bucket])
		return false;
	/* a bucket points at the node before its first */
	for (const struct node *n = node_at(buckets[bucket])->next; n && n->value % count == bucket;
	     n = n->next)
		if (n->value == buffer)
			return true;
	return false;
}

/* Is it a set of so many pointers, each of them found where a look-up expects it? */
static bool is_set(const struct metal_live *live)
{
	const uint64_t *w = live->words;
	uint64_t count = 0, probe;

	if (w[WORD_BUCKET_COUNT] == 0 || w[WORD_BUCKET_COUNT] > COUNT_MAX ||
	    w[WORD_COUNT] > COUNT_MAX || (uint32_t)w[WORD_LOAD] != LOAD_ONE ||
	    (w[WORD_COUNT] == 0) != (w[WORD_FIRST] == 0) ||
	    safe_read_word(w[WORD_BUCKETS], &probe) < 0)
		return false;
	if (w[WORD_FIRST] == 0)
		return true;
	if (safe_read_word(w[WORD_FIRST], &probe) < 0)
		return false;
	for (const struct node *n = node_at(w[WORD_FIRST]); n; n = n->next)
		if (!n->value || n->value & 7 || ++count > w[WORD_COUNT] ||
		    !metal_live_has(live, n->value))
			return false;
	return count == w[WORD_COUNT];
}

int metal_live_take(const struct metal *metal, uint64_t allocator, struct metal_live *ret_live)
{
	metal_function take = metal->symbol[METAL_SYMBOL_allocator_live];

	if (!metal_live_is_asked(metal))
		return -ENOSYS;
	memset(ret_live, 0, sizeof *ret_live);
	const void *result =
		((void *(*)(uint64_t *, uint64_t))take)(ret_live->words, allocator);

	return result == ret_live->words && is_set(ret_live) ? 0 : -EBADMSG;
}

uint64_t metal_live_next(struct metal_live *live)
{
	uint64_t at = live->at ? (uint64_t)(uintptr_t)node_at(live->at)->next
			       : live->words[WORD_FIRST];

	if (!at)
		return 0;
	live->at = at;
	return node_at(at)->value;
}

/* Fifty thousand nodes: the function is looked up once. */
void metal_live_release(const struct metal *metal, struct metal_live *live)
{
	void *delete = dlsym(RTLD_DEFAULT, "_ZdlPv");
	void (*function)(uint64_t) = NULL;
	uint64_t *w = live->words;

	if (!delete)
		delete = dlsym(metal->library, "_ZdlPv");
	memcpy(&function, &delete, sizeof function);
	if (!function)
		return;
	for (uint64_t at = w[WORD_FIRST], next; at; at = next) {
		next = (uint64_t)(uintptr_t)node_at(at)->next;
		function(at);
	}
	if (w[WORD_BUCKETS] != (uint64_t)(uintptr_t)&w[WORD_SINGLE])
		function(w[WORD_BUCKETS]);
}
