/* SPDX-License-Identifier: Apache-2.0 */
#include "hook/stack.h"

#include <dlfcn.h>
#include <errno.h>
#include <string.h>

#include "hook/modules.h"
#include "hook/stack_bounds.h"
#include "hook/stack_cache.h"

/* As libgcc_s has it; its header is not part of the compiler's. */
struct eh_bases {
	void *text, *data, *function;
};

typedef const uint8_t *(*find_fde_function)(void *pc, struct eh_bases *ret_bases);

/* What is looked up once; every thread that races to it finds the same. */
static struct {
	uint32_t is_ready; /* stored with release after the rest */
	find_fde_function find_fde;
	uint64_t program_has_python; /* the interpreter is in the program itself */
} environment;

static void *find_symbol(const char *library, const char *name)
{
	void *handle = dlopen(library, RTLD_NOLOAD | RTLD_LAZY);

	/* the handle is kept, and with it the library: nobody unloads his unwinder */
	return dlsym(handle ? handle : RTLD_DEFAULT, name);
}

static __attribute__((noinline)) void prepare(void)
{
	void *address = find_symbol("libgcc_s.so.1", "_Unwind_Find_FDE");
	uint64_t python = (uint64_t)(uintptr_t)dlsym(RTLD_DEFAULT, "Py_IsInitialized");
	struct module module;
	find_fde_function function = NULL;

	memcpy(&function, &address, sizeof function);
	__atomic_store_n(&environment.find_fde, function, __ATOMIC_RELAXED);
	__atomic_store_n(&environment.program_has_python,
			 python && module_find(python, &module) && module.is_program,
			 __ATOMIC_RELAXED);
	__atomic_store_n(&environment.is_ready, 1, __ATOMIC_RELEASE);
}

static bool is_interpreter(const struct module *module)
{
	const char *name = strrchr(module->path, '/');

	return (module->is_program && environment.program_has_python) ||
	       strncmp(name ? name + 1 : module->path, "libpython", 9) == 0;
}

static struct stack_rule rule_of(uint64_t address, enum stack_place *ret_place)
{
	struct eh_bases bases = {0};
	struct stack_rule rule = {0};
	const uint8_t *fde = environment.find_fde
				     ? environment.find_fde((void *)(uintptr_t)address, &bases)
				     : NULL;

	if (!fde || stack_rule_build(fde, (uint64_t)(uintptr_t)bases.function, address, &rule) < 0)
		*ret_place = STACK_PLACE_LAST;
	return rule;
}

/* A return address met for the first time. */
static __attribute__((noinline)) void learn(struct region_writer *writer, uint64_t pc,
					    struct stack_step *ret_step)
{
	uint64_t call = pc - 1, here = (uint64_t)(uintptr_t)&environment;
	struct module module;
	enum stack_place place = STACK_PLACE_CODE;

	*ret_step = (struct stack_step){.place = STACK_PLACE_NOWHERE};
	if (!module_find(call, &module))
		return;
	if (here >= module.low && here < module.high) {
		place = STACK_PLACE_HOOK;
	} else {
		const struct region_text path = {module.path, (uint32_t)strlen(module.path), true};
		uint32_t number = region_writer_module(writer, path, module.build_id,
						       module.build_id_bytes);

		ret_step->frame = region_stack_frame(number, module.file_offset);
	}
	ret_step->rule = rule_of(call, &place);
	if (is_interpreter(&module))
		place = STACK_PLACE_LAST;
	ret_step->place = (uint8_t)place;
}

/* Where the walk stands: registers as they were when the call at `pc` - 1 was made. */
struct position {
	uint64_t pc, sp, bp, high;
	uint64_t bp_at; /* where bp was read, until somebody depended on it; 0: a register */
	bool bp_is_noted;
};

static void note(struct stack_walk *walk, uint64_t address, uint64_t value)
{
	if (walk->words == STACK_WORDS_MAX) {
		walk->is_whole = false;
		return;
	}
	walk->at[walk->words] = (uint32_t)((address - walk->sp) / 8);
	walk->value[walk->words++] = value;
}

/* A word of this stack, from where the walk stands on. */
static bool read_word(const struct position *position, uint64_t address, uint64_t *ret_word)
{
	if (address < position->sp || address % 8 != 0 || address >= position->high)
		return false;
	*ret_word = *(const uint64_t *)(uintptr_t)address;
	return true;
}

static uint64_t use_bp(struct stack_walk *walk, struct position *position)
{
	if (!position->bp_is_noted && position->bp_at)
		note(walk, position->bp_at, position->bp);
	else if (!position->bp_is_noted)
		walk->uses_bp = true;
	position->bp_is_noted = true;
	return position->bp;
}

static bool caller_frame(struct stack_walk *walk, struct position *position,
			 const struct stack_rule *rule, uint64_t *ret_cfa)
{
	uint64_t offset = (uint64_t)(int64_t)rule->cfa_offset;

	if (rule->cfa == STACK_CFA_RSP) {
		*ret_cfa = position->sp + offset;
		return true;
	}
	uint64_t address = use_bp(walk, position) + offset;

	*ret_cfa = address;
	if (rule->cfa == STACK_CFA_RBP)
		return true;
	if (!read_word(position, address, ret_cfa))
		return false;
	note(walk, address, *ret_cfa);
	return true;
}

/* One function outwards. Return: false where the stack ends, or cannot be what it says. */
static bool leave(struct stack_walk *walk, struct position *position,
		  const struct stack_rule *rule)
{
	uint64_t cfa, pc, bp;

	if (rule->cfa == STACK_CFA_NONE || !caller_frame(walk, position, rule, &cfa) ||
	    cfa <= position->sp || cfa > position->high || !read_word(position, cfa - 8, &pc))
		return false;
	if (rule->rbp != STACK_RBP_SAME) {
		uint64_t offset = (uint64_t)(int64_t)rule->rbp_offset;
		uint64_t base = rule->rbp == STACK_RBP_AT_CFA ? cfa : use_bp(walk, position);

		if (!read_word(position, base + offset, &bp))
			return false;
		position->bp = bp;
		position->bp_at = base + offset;
		position->bp_is_noted = false;
	}
	note(walk, cfa - 8, pc);
	position->pc = pc;
	position->sp = cfa;
	return pc != 0;
}

static void walk_up(struct region_writer *writer, struct stack_cache *cache,
		    struct stack_walk *walk, struct position position)
{
	struct stack_step step;

	do {
		if (!stack_cache_step(cache, position.pc, walk->unloads, &step)) {
			learn(writer, position.pc, &step);
			stack_cache_keep_step(cache, position.pc, walk->unloads, &step);
		}
		if (step.place == STACK_PLACE_NOWHERE)
			return;
		if (step.place != STACK_PLACE_HOOK)
			walk->frames[walk->depth++] = step.frame;
	} while (step.place != STACK_PLACE_LAST && walk->depth < STACK_FRAMES_MAX &&
		 leave(walk, &position, &step.rule));
}

/*
 * The site that was remembered, or a walk for a new one. It begins inside this very
 * function, whose frame stays as long as the walk takes: so it must neither be
 * inlined nor end in a jump.
 */
static __attribute__((noinline)) bool find(struct region_writer *writer, struct stack_cache *cache,
					   uint64_t key, struct stack_walk *ret_walk,
					   uint32_t *ret_site)
{
	struct position here = {0};

	ret_walk->words = ret_walk->depth = 0;
	ret_walk->is_whole = ret_walk->uses_bp = false;
#ifdef __x86_64__ /* elsewhere the stack has no end, and so no beginning */
	__asm__ volatile("leaq 0f(%%rip), %0\n0:\tmovq %%rsp, %1\n\tmovq %%rbp, %2"
			 : "=&r"(here.pc), "=&r"(here.sp), "=&r"(here.bp));
	here.high = stack_high(here.sp);
#endif
	if (here.high == 0)
		return false;
	ret_walk->sp = here.sp;
	ret_walk->bp = here.bp;
	ret_walk->key = key;
	/* should code be another one since: its stack would have to have the very same words */
	ret_walk->unloads = module_counts_lately().unloads;
	if (stack_cache_find(cache, ret_walk, here.high, ret_site))
		return true;
	int saved_errno = errno;

	ret_walk->unloads = module_counts().unloads;

	if (!__atomic_load_n(&environment.is_ready, __ATOMIC_ACQUIRE))
		prepare();
	if (stack_cache_is_new(cache))
		region_writer_capability(writer, "stacks",
					 environment.find_fde ? CAPABILITY_PRESENT
							      : CAPABILITY_MISSING,
					 environment.find_fde ? NULL : "_Unwind_Find_FDE");
	ret_walk->is_whole = true;
	walk_up(writer, cache, ret_walk, here);
	errno = saved_errno;
	return false;
}

uint32_t stack_site(struct region_writer *writer, uint32_t base)
{
	struct stack_cache *cache = stack_cache_get();
	struct stack_walk walk;
	uint32_t site;

	if (!cache)
		return base;
	if (find(writer, cache, base, &walk, &site))
		return site;
	site = region_writer_site_stack(writer, base, walk.frames, walk.depth);
	stack_cache_keep(cache, &walk, site);
	return site;
}
