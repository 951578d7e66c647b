/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The terms of one worker core's L1, from the process itself: they move with
 * nearly every release, so none of them is in a table of ours.
 *
 * The kernel-config ring is what the dispatcher's ring manager was given, with
 * slow dispatch what the HAL has; either is believed only if it fits between
 * the bottom of L1 and the first address that programs may use. The HAL's
 * tables are believed if they give the L1 size and that address as well.
 */
#include <string.h>

#include "hook/metal_call.h"
#include "hook/safe_read.h"

/* Hal: three core infos, each with a vector of bases and one of sizes */
#define HAL_CORES  0x08
#define INFO_BASES 0x50
#define INFO_SIZES 0x68

enum {
	HAL_BASE = 0,
	HAL_BARRIER = 1,
	HAL_MAILBOX = 2,
	HAL_KERNEL_CONFIG = 7,
	HAL_UNRESERVED = 9,
	HAL_ENTRIES_MIN = 10,
	HAL_ENTRIES_MAX = 64,
};

/* The addresses of a worker core by the HAL. */
struct hal_table {
	uint32_t entries;
	uint64_t bases[HAL_ENTRIES_MAX];
	uint32_t sizes[HAL_ENTRIES_MAX];
};

static bool read_vector(uint64_t at, void *to, size_t element, uint32_t *ret_count)
{
	uint64_t vector[2];

	if (safe_read(at, vector, sizeof vector) < 0 || vector[1] < vector[0] ||
	    (vector[1] - vector[0]) % element != 0)
		return false;
	uint64_t count = (vector[1] - vector[0]) / element;

	if (count < HAL_ENTRIES_MIN || count > HAL_ENTRIES_MAX ||
	    safe_read(vector[0], to, count * element) < 0)
		return false;
	*ret_count = (uint32_t)count;
	return true;
}

/* The first of the core infos is that of the worker cores. */
static bool read_hal(const struct metal *metal, const struct region_allocator *row,
		     struct hal_table *ret_table)
{
	struct hal_table t = {0};
	uint32_t sizes = 0;
	uint64_t info = 0;

	if (!metal->symbol[METAL_SYMBOL_context_hal])
		return false;
	uint64_t hal = metal_follow(metal, METAL_SYMBOL_context_hal, metal_context(metal));

	if (!hal || safe_read_word(hal + HAL_CORES, &info) < 0 ||
	    !read_vector(info + INFO_BASES, t.bases, sizeof t.bases[0], &t.entries) ||
	    !read_vector(info + INFO_SIZES, t.sizes, sizeof t.sizes[0], &sizes) ||
	    sizes != t.entries || t.sizes[HAL_BASE] != row->l1_bytes_per_core ||
	    t.bases[HAL_UNRESERVED] != row->unreserved_base ||
	    t.bases[HAL_KERNEL_CONFIG] == 0 || t.bases[HAL_KERNEL_CONFIG] > row->unreserved_base)
		return false;
	*ret_table = t;
	return true;
}

static void add_piece(const struct hal_table *t, unsigned entry, struct region_allocator *row,
		      enum region_l1_piece_id id)
{
	if (entry >= t->entries || t->sizes[entry] == 0 ||
	    t->bases[entry] + t->sizes[entry] > row->ring_base)
		return;
	row->pieces[id].base = (uint32_t)t->bases[entry];
	row->pieces[id].bytes = t->sizes[entry];
}

/* Entries behind the first seventeen have moved once: tables of 32, and of 38 and more. */
static void add_pieces(const struct hal_table *t, struct region_allocator *row)
{
	unsigned routing = t->entries >= 38 ? 32 : t->entries == 32 ? 26 : HAL_ENTRIES_MAX;

	add_piece(t, HAL_BARRIER, row, REGION_L1_BARRIER);
	add_piece(t, HAL_MAILBOX, row, REGION_L1_MAILBOX);
	add_piece(t, routing, row, REGION_L1_ROUTING_TABLE);
	add_piece(t, routing + 4, row, REGION_L1_FABRIC_CONNECTIONS);
	add_piece(t, routing + 5, row, REGION_L1_FABRIC_LOCK);
}

/* std::vector<CoreCoord> by value. Return: how many; the first ones go to `to`, which may be NULL. */
static uint32_t list_cores(const struct metal *metal, enum metal_symbol symbol, uint64_t manager,
			   uint32_t chip, uint8_t (*to)[2])
{
	metal_function list = metal->symbol[symbol];
	uint64_t vector[3] = {0};
	struct core core;

	if (!list || !manager)
		return REGION_NONE;
	((void *(*)(uint64_t *, uint64_t, uint32_t))list)(vector, manager, chip);
	uint64_t count = (vector[1] - vector[0]) / sizeof core;

	for (uint32_t i = 0; to && i < count && i < REGION_DISPATCH_CORES; i++)
		if (safe_read(vector[0] + i * sizeof core, &core, sizeof core) == 0) {
			to[i][0] = (uint8_t)core.x;
			to[i][1] = (uint8_t)core.y;
		}
	metal_release(metal, vector[0]);
	return count < REGION_CHIPS_MAX * REGION_CHIPS_MAX ? (uint32_t)count : REGION_NONE;
}

static void describe_dispatch(const struct metal *metal, struct region_allocator *row)
{
	uint64_t manager = 0;

	/* with slow dispatch there is none, and asking for it is an error there */
	if (row->l1_source == REGION_L1_DISPATCHER && row->chip_count)
		manager = metal_follow(metal, METAL_SYMBOL_context_dispatch, metal_context(metal));
	row->dispatch_cores = list_cores(metal, METAL_SYMBOL_dispatch_cores, manager,
					 row->chips[0].chip_id, row->dispatch_at);
	row->dispatch_cores_used = list_cores(metal, METAL_SYMBOL_dispatch_cores_used, manager,
					      row->chips[0].chip_id, NULL);
}

static void describe_ring(const struct metal *metal, const struct hal_table *hal,
			  struct region_allocator *row)
{
	uint64_t ring = __atomic_load_n(&metal->ring, __ATOMIC_ACQUIRE);
	uint32_t base = (uint32_t)(ring >> 32), bytes = (uint32_t)ring;

	if (bytes && (uint64_t)base + bytes == row->unreserved_base) {
		row->l1_source = REGION_L1_DISPATCHER;
	} else if (hal) {
		base = (uint32_t)hal->bases[HAL_KERNEL_CONFIG];
		bytes = row->unreserved_base - base;
		row->l1_source = REGION_L1_HAL;
	} else {
		return;
	}
	row->ring_base = base;
	row->ring_bytes = bytes;
}

void metal_l1_describe(const struct metal *metal, uint64_t device, struct region_allocator *row)
{
	/* L1 is the second memory type, L1_SMALL the third */
	const struct region_geometry *l1 = &row->geometry[1], *small = &row->geometry[2];
	metal_function grid = metal->symbol[METAL_SYMBOL_device_grid];
	struct hal_table hal;

	row->dispatch_cores = row->dispatch_cores_used = REGION_NONE;
	if (l1->banks == 0 || l1->base_address > UINT32_MAX)
		return;
	row->unreserved_base = (uint32_t)l1->base_address;
	row->l1_small_bytes = (uint32_t)small->bank_bytes;
	bool has_hal = read_hal(metal, row, &hal);

	describe_ring(metal, has_hal ? &hal : NULL, row);
	if (has_hal)
		add_pieces(&hal, row);
	uint64_t chip = metal_first_chip(metal, device);

	if (grid && chip) {
		struct core core = ((struct core(*)(uint64_t))grid)(chip);

		row->worker_x = (uint32_t)core.x;
		row->worker_y = (uint32_t)core.y;
	}
	describe_dispatch(metal, row);
}
