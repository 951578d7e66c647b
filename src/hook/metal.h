/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The TT-Metal of this process, as far as it can be asked: which functions it
 * exports, where its objects keep their fields, and what they say.
 *
 * Found once, at the first call of a handler, and never changed afterwards
 * except for `fields`, the verdict on field offsets. Functions here call into
 * TT-Metal, so no lock of ours may be held.
 */
#ifndef TTMEM_HOOK_METAL_H
#define TTMEM_HOOK_METAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "region/writer.h"

typedef void (*metal_function)(void);

enum metal_handler {
#define HANDLER(id, name) METAL_HANDLER_##id,
#include "hook/handlers.def"
#undef HANDLER
	METAL_HANDLERS
};

enum metal_symbol {
#define SYMBOL(id, name, older) METAL_SYMBOL_##id,
#include "hook/symbols.def"
#undef SYMBOL
	METAL_SYMBOLS
};

/* Where a Buffer's fields may be read; before 0.79.0 there is no other way. */
enum metal_fields {
	METAL_FIELDS_UNCHECKED = 0,
	METAL_FIELDS_PROVISIONAL = 4, /* all buffers so far agreed, but none could tell all fields apart */
	METAL_FIELDS_GOOD = 1,
	METAL_FIELDS_BAD = 2,
	METAL_FIELDS_NOT_NEEDED = 3, /* every field has an accessor */
};

struct metal_program_layout;

struct metal {
	bool off; /* TTMEM=off: handlers only pass on */
	uint32_t fields; /* enum metal_fields */
	void *library;
	uint64_t text_low, text_high; /* where the library is mapped */
	uint8_t	 build_id[32];
	size_t	 build_id_bytes;
	const char *version; /* NULL: a build we do not know */
	const struct metal_program_layout *program_layout; /* NULL: of no known build */
	uint32_t node_program; /* of a program in a node of a workload's map; 0: not yet seen */
	uint64_t ring; /* base and size (32 bits each) that the dispatcher was given last; 0: none */
	uint32_t cluster_description_offset; /* in tt::Cluster; 0: there is a function for it */
	metal_function real[METAL_HANDLERS];
	metal_function symbol[METAL_SYMBOLS];
};

/* metal_get - the one instance; NULL where this process has no TT-Metal. Any thread, any time. */
struct metal *metal_get(void);

/* metal_handler_name, metal_symbol_name - the (first) mangled name, for messages */
const char *metal_handler_name(enum metal_handler handler);
const char *metal_symbol_name(enum metal_symbol symbol);

/*
 * metal_buffer_read - what a live Buffer says of itself (all but row_hint, site, thread, time).
 * `allocator` is the object whose allocate_buffer just served it, 0 when that was not seen.
 * Return: true if it is to be counted; false for host memory, for a capture that allocates
 * nothing (address 0), and when its fields cannot be trusted.
 */
bool metal_buffer_read(struct metal *metal, const void *buffer, uint64_t allocator,
		       struct region_buffer *ret_buffer);
/*
 * metal_buffer_request - the same for a Buffer whose allocation has just failed: type, size, page
 * size, device. Return: false if not even that is known.
 */
bool metal_buffer_request(struct metal *metal, const void *buffer, uint64_t allocator,
			  struct region_buffer *ret_buffer);

/* metal_statistics - get_statistics() of one type: total, allocated, free, largest per bank */
bool metal_statistics(const struct metal *metal, uint64_t allocator, uint32_t type,
		      uint64_t ret_words[4]);
/* metal_allocator_describe - fills a row; what is not known stays 0 or REGION_NONE */
void metal_allocator_describe(const struct metal *metal, uint64_t allocator, uint64_t device,
			      struct region_allocator *ret_row);
/* metal_chip_id - IDevice::id(). Return: false if the object is not what we take it for. */
bool metal_chip_id(const struct metal *metal, uint64_t device, uint32_t *ret_id);
/* metal_mesh_allocator - the allocator of a MeshDevice, 0 if it has none or it cannot be asked */
uint64_t metal_mesh_allocator(const struct metal *metal, uint64_t mesh);

#endif
