/* SPDX-License-Identifier: Apache-2.0 */
#include "hook/slots.h"

#include <elf.h>
#include <errno.h>
#include <link.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include "hook/metal_call.h"

/* 0.81.1 has 19 of them. */
#define SLOTS_MAX 512
#define PAGE_SIZE UINT64_C(4096)
#define PREFETCH  12

struct slot {
	uint64_t *at;
	uint64_t before; /* the word that was there */
	enum metal_handler handler;
	bool is_protected; /* lies where the loader has taken the right to write away */
	bool is_lazy;	   /* was not bound yet */
	bool is_there;	   /* of this turn: its object is still loaded */
};

static struct slot slots[SLOTS_MAX];
static unsigned slot_count;
static uint64_t unloads; /* of the loader, when the slots were found */

/* Our own functions; -Bsymbolic binds these names here, whatever else exports them. */
#define HANDLER(id, name) extern void slots_handler_##id(void) __asm__(name);
#include "hook/handlers.def"
#undef HANDLER

static const metal_function handlers[METAL_HANDLERS] = {
#define HANDLER(id, name) [METAL_HANDLER_##id] = slots_handler_##id,
#include "hook/handlers.def"
#undef HANDLER
};

/* What an object has of interest; addresses, not offsets. */
struct object {
	const struct dl_phdr_info *info;
	const Elf64_Sym *symbols;
	const char *strings;
	const uint32_t *hash; /* DT_GNU_HASH */
	const Elf64_Rela *rela[2]; /* DT_RELA, DT_JMPREL */
	uint64_t rela_bytes[2];
	uint64_t low, high;		/* where it is mapped */
	uint64_t relro_low, relro_high; /* whole pages that became read-only */
	uint32_t symbol_of[METAL_HANDLERS]; /* 0: it does not know the name */
	uint64_t filter; /* bit n: one of these is n modulo 64 */
};

struct search {
	const struct metal *metal;
	unsigned ours; /* slots that the loader itself has bound to us */
	int error;
};

/* The loader has relocated these words of a dynamic section in place; some objects it leaves alone. */
static uint64_t address_of(const struct object *object, uint64_t word)
{
	return word < object->low ? object->info->dlpi_addr + word : word;
}

static void look_at_dynamic(struct object *object, const Elf64_Dyn *d)
{
	for (; d->d_tag != DT_NULL; d++) {
		uint64_t address = address_of(object, d->d_un.d_ptr);

		switch (d->d_tag) {
		case DT_SYMTAB:
			object->symbols = (const Elf64_Sym *)(uintptr_t)address;
			break;
		case DT_STRTAB:
			object->strings = (const char *)(uintptr_t)address;
			break;
		case DT_GNU_HASH:
			object->hash = (const uint32_t *)(uintptr_t)address;
			break;
		case DT_RELA:
			object->rela[0] = (const Elf64_Rela *)(uintptr_t)address;
			break;
		case DT_JMPREL:
			object->rela[1] = (const Elf64_Rela *)(uintptr_t)address;
			break;
		case DT_RELASZ:
			object->rela_bytes[0] = d->d_un.d_val;
			break;
		case DT_PLTRELSZ:
			object->rela_bytes[1] = d->d_un.d_val;
			break;
		default:
			break;
		}
	}
}

static bool look_at_object(struct object *object, const struct dl_phdr_info *info)
{
	const Elf64_Dyn *dynamic = NULL;

	*object = (struct object){.info = info, .low = UINT64_MAX};
	for (unsigned i = 0; i < info->dlpi_phnum; i++) {
		const Elf64_Phdr *p = &info->dlpi_phdr[i];
		uint64_t start = info->dlpi_addr + p->p_vaddr, end = start + p->p_memsz;

		if (p->p_type == PT_LOAD) {
			object->low = start < object->low ? start : object->low;
			object->high = end > object->high ? end : object->high;
		} else if (p->p_type == PT_GNU_RELRO) {
			object->relro_low = start & ~(PAGE_SIZE - 1);
			object->relro_high = end & ~(PAGE_SIZE - 1);
		} else if (p->p_type == PT_DYNAMIC) {
			dynamic = (const Elf64_Dyn *)(uintptr_t)start;
		}
	}
	if (dynamic)
		look_at_dynamic(object, dynamic);
	return object->symbols && object->strings && object->hash;
}

static int handler_of(const char *name)
{
	static const char prefix[] = "_ZN2tt8tt_metal";

	if (strncmp(name, prefix, sizeof prefix - 1) != 0)
		return -1;
	for (int i = 0; i < METAL_HANDLERS; i++)
		if (strcmp(name, metal_handler_name((enum metal_handler)i)) == 0)
			return i;
	return -1;
}

static void found(struct object *object, int handler, uint32_t symbol)
{
	object->symbol_of[handler] = symbol;
	object->filter |= UINT64_C(1) << (symbol % 64);
}

static uint32_t gnu_hash(const char *name)
{
	uint32_t hash = 5381;

	for (; *name; name++)
		hash = hash * 33 + (uint8_t)*name;
	return hash;
}

/* A name that the object defines: by its own hash table. Return: index of the symbol, 0: none. */
static uint32_t find_defined(const struct object *object, const char *name)
{
	const uint32_t *head = object->hash; /* buckets, first symbol, words of the filter, shift */
	const uint32_t *buckets = head + 4 + 2 * (size_t)head[2], *chains = buckets + head[0];
	uint32_t hash = gnu_hash(name), index = buckets[hash % head[0]];

	if (index < head[1])
		return 0;
	for (;; index++) {
		uint32_t entry = chains[index - head[1]];

		if ((entry | 1) == (hash | 1) &&
		    strcmp(object->strings + object->symbols[index].st_name, name) == 0)
			return index;
		if (entry & 1)
			return 0;
	}
}

/* Those that it does not define stand before the hashed ones; all of them, where none is hashed. */
static uint32_t undefined_end(const struct object *object)
{
	const uint32_t *head = object->hash, *buckets = head + 4 + 2 * (size_t)head[2];
	uint64_t symbols = (uint64_t)(uintptr_t)object->symbols;
	uint64_t strings = (uint64_t)(uintptr_t)object->strings;

	for (uint32_t i = 0; i < head[0]; i++)
		if (buckets[i])
			return head[1];
	return strings > symbols && strings < object->high
		       ? (uint32_t)((strings - symbols) / sizeof *object->symbols)
		       : 0;
}

/*
 * Which symbols of the object have our names? Looking at the names of all its relocations would
 * take five times as long, nearly all of it spent on waiting for memory.
 */
static bool find_names(struct object *object)
{
	const Elf64_Sym *symbols = object->symbols;
	uint32_t end = object->hash[0] ? undefined_end(object) : 0;

	for (uint32_t i = 1; i < end; i++) {
		if (i + PREFETCH < end)
			__builtin_prefetch(object->strings + symbols[i + PREFETCH].st_name);
		int handler = handler_of(object->strings + symbols[i].st_name);

		if (handler >= 0)
			found(object, handler, i);
	}
	for (int h = 0; h < METAL_HANDLERS && end; h++) {
		uint32_t symbol = object->symbol_of[h]
					  ? 0
					  : find_defined(object, metal_handler_name((enum metal_handler)h));

		if (symbol)
			found(object, h, symbol);
	}
	return object->filter != 0;
}

static int handler_of_symbol(const struct object *object, uint32_t symbol)
{
	if (!(object->filter >> (symbol % 64) & 1))
		return -1;
	for (int h = 0; h < METAL_HANDLERS; h++)
		if (object->symbol_of[h] == symbol)
			return h;
	return -1;
}

static uint64_t word_of(metal_function function)
{
	return (uint64_t)(uintptr_t)function;
}

static void note(struct search *search, const struct object *object, const Elf64_Rela *rela,
		 enum metal_handler handler)
{
	uint64_t at = object->info->dlpi_addr + rela->r_offset;
	uint64_t *word = (uint64_t *)(uintptr_t)at;
	uint64_t real = word_of(search->metal->real[handler]);

	if (at & 7 || at < object->low || at + sizeof *word > object->high || !real)
		return;
	uint64_t value = __atomic_load_n(word, __ATOMIC_RELAXED);
	/* before its first call a slot of the PLT leads into the object's own code, to the resolver */
	bool is_lazy = ELF64_R_TYPE(rela->r_info) == R_X86_64_JUMP_SLOT && value != real &&
		       value >= object->low && value < object->high;

	if (value == word_of(handlers[handler])) {
		search->ours++;
		return;
	}
	/* neither: somebody else stands in this function's place, and is not ours to push away */
	if (value != real && !is_lazy)
		return;
	if (slot_count == SLOTS_MAX) {
		search->error = -ENOSPC;
		return;
	}
	slots[slot_count++] = (struct slot){
		.at = word,
		.before = value,
		.handler = handler,
		.is_protected = at >= object->relro_low && at < object->relro_high,
		.is_lazy = is_lazy,
	};
}

/* dl_iterate_phdr callback */
static int look_at(struct dl_phdr_info *info, size_t size, void *argument)
{
	struct search *search = argument;
	struct object object;

	(void)size;
	unloads = info->dlpi_subs;
	if (!look_at_object(&object, info) || !find_names(&object))
		return 0;
	for (unsigned part = 0; part < 2; part++) {
		const Elf64_Rela *rela = object.rela[part];

		for (uint64_t n = rela ? object.rela_bytes[part] / sizeof *rela : 0; n > 0;
		     n--, rela++) {
			uint32_t type = ELF64_R_TYPE(rela->r_info);

			if (type != R_X86_64_JUMP_SLOT && type != R_X86_64_GLOB_DAT &&
			    (type != R_X86_64_64 || rela->r_addend != 0))
				continue;
			int handler = handler_of_symbol(&object,
							(uint32_t)ELF64_R_SYM(rela->r_info));

			if (handler >= 0)
				note(search, &object, rela, (enum metal_handler)handler);
		}
	}
	return search->error != 0;
}

/*
 * A word of a page that the loader may or may not have closed yet. While it still relocates the object,
 * in another thread, the page must not be closed under its feet; so the kernel is asked to write, which
 * it does only where that is allowed. Nobody runs the code of an object in that state.
 */
static bool is_open_and_written(uint64_t *at, uint64_t value)
{
	const struct iovec from = {&value, sizeof value}, to = {at, sizeof *at};

	return process_vm_writev(getpid(), &from, 1, &to, 1, 0) == (ssize_t)sizeof value;
}

/* One word, in a page that may have to be opened for it. */
static int put(const struct slot *slot, uint64_t value)
{
	uint64_t page = (uint64_t)(uintptr_t)slot->at & ~(PAGE_SIZE - 1);
	void *start = (void *)(uintptr_t)page;

	if (slot->is_protected && is_open_and_written(slot->at, value))
		return 0;
	if (slot->is_protected && mprotect(start, PAGE_SIZE, PROT_READ | PROT_WRITE) < 0)
		return -EACCES;
	/* release: who calls our handler through it finds all that we have set up */
	__atomic_store_n(slot->at, value, __ATOMIC_RELEASE);
	if (slot->is_protected)
		(void)mprotect(start, PAGE_SIZE, PROT_READ);
	return 0;
}

static uint64_t ours(const struct slot *slot)
{
	return word_of(handlers[slot->handler]);
}

static uint64_t value_of(const struct slot *slot)
{
	return __atomic_load_n(slot->at, __ATOMIC_RELAXED);
}

/* dl_iterate_phdr callback */
static int mark(struct dl_phdr_info *info, size_t size, void *argument)
{
	(void)size;
	(void)argument;
	for (unsigned i = 0; i < info->dlpi_phnum; i++) {
		const Elf64_Phdr *p = &info->dlpi_phdr[i];
		uint64_t start = info->dlpi_addr + p->p_vaddr;

		if (p->p_type != PT_LOAD || !(p->p_flags & PF_W))
			continue;
		for (unsigned n = 0; n < slot_count; n++) {
			uint64_t at = (uint64_t)(uintptr_t)slots[n].at;

			if (at >= start && at - start + sizeof *slots[n].at <= p->p_memsz)
				slots[n].is_there = true;
		}
	}
	return 0;
}

struct turn {
	int (*run)(bool is_same);
	int result;
};

/* dl_iterate_phdr callback, once */
static int take_turn(struct dl_phdr_info *info, size_t size, void *argument)
{
	struct turn *turn = argument;

	(void)size;
	for (unsigned i = 0; i < slot_count; i++)
		slots[i].is_there = false;
	(void)dl_iterate_phdr(mark, NULL);
	turn->result = turn->run(info->dlpi_subs == unloads);
	return 1;
}

/*
 * A library may be unloaded, its words with it, and another one loaded in their place. So slots are
 * touched only under the loader's own lock, which it also unloads under, and only those that are
 * there. `is_same`: nothing was unloaded since they were found.
 */
static int with_loader(int (*run)(bool is_same))
{
	struct turn turn = {.run = run};

	(void)dl_iterate_phdr(take_turn, &turn);
	return turn.result;
}

/* Only a word that still leads to us is surely the one that was patched: others are found anew. */
static int forget(bool is_same)
{
	unsigned kept = 0;

	(void)is_same;
	for (unsigned i = 0; i < slot_count; i++)
		if (slots[i].is_there && value_of(&slots[i]) == ours(&slots[i]))
			slots[kept++] = slots[i];
	slot_count = kept;
	return 0;
}

int slots_find(const struct metal *metal)
{
	struct search search = {.metal = metal};

	(void)with_loader(forget);
	unsigned first = slot_count;

	(void)dl_iterate_phdr(look_at, &search);
	/* bound to us by the loader, all but those that were never called: they will be, too */
	if (search.error || (first == 0 && search.ours > 0))
		slot_count = first;
	if (search.error)
		return search.error;
	return slot_count || search.ours ? (int)slot_count : -ENOENT;
}

static int restore(bool is_same)
{
	unsigned kept = 0;

	(void)is_same;
	for (unsigned i = 0; i < slot_count; i++)
		if (slots[i].is_there && value_of(&slots[i]) == ours(&slots[i]) &&
		    put(&slots[i], slots[i].before) < 0)
			slots[kept++] = slots[i];
	slot_count = kept;
	return kept ? -EACCES : 0;
}

static int patch(bool is_same)
{
	if (!is_same)
		return -EAGAIN;
	for (unsigned i = 0; i < slot_count; i++) {
		int r = value_of(&slots[i]) == ours(&slots[i]) ? 0 : put(&slots[i], ours(&slots[i]));

		if (r < 0) {
			(void)restore(is_same);
			return r;
		}
	}
	return 0;
}

static int repair(bool is_same)
{
	int repaired = 0;

	for (unsigned i = 0; is_same && i < slot_count; i++)
		if (slots[i].is_lazy && value_of(&slots[i]) != ours(&slots[i]))
			repaired += put(&slots[i], ours(&slots[i])) == 0;
	return repaired;
}

int slots_patch(void)
{
	return with_loader(patch);
}

int slots_restore(void)
{
	return with_loader(restore);
}

int slots_repair(void)
{
	return with_loader(repair);
}

unsigned slots_count(void)
{
	return slot_count;
}
