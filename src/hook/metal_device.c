/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a device, its allocator and the cluster say: asked once per allocator,
 * when it is met for the first time.
 *
 * A pointer to a device object comes out of a Buffer; before anything is
 * called through its vtable, the table must lie inside the library and the
 * class name must be one we know. Containers are walked with checked reads.
 */
#include <dlfcn.h>
#include <errno.h>
#include <string.h>

#include "hook/metal.h"
#include "hook/metal_call.h"
#include "hook/safe_read.h"

/* IDevice's vtable, the same in every release from 0.60.1 to 0.81.1 */
#define SLOT_ARCH     2
#define SLOT_ID	      3
#define SLOT_L1_BYTES 8

/* tt::tt_metal::BufferType of our memory types */
static const uint64_t buffer_type[REGION_MEMORY_TYPES] = {0, 1, 3, 4};

enum { TYPE_DRAM = 0, TYPE_L1 = 1, TYPE_L1_SMALL = 2, TYPE_TRACE = 3 };

/* tt::tt_metal::HalMemType */
enum { HAL_L1 = 0, HAL_DRAM = 1 };

/* More than any machine has; a longer list is not a list. */
#define CHIPS_WALKED 4096

enum device_kind { DEVICE_UNKNOWN, DEVICE_SINGLE, DEVICE_MESH };

static bool in_library(const struct metal *metal, uint64_t address)
{
	return address >= metal->text_low && address < metal->text_high;
}

int metal_class_name(const struct metal *metal, uint64_t object, char *to, size_t size)
{
	uint64_t vtable, type_info, name;

	if (object == 0 || object & 7 || safe_read_word(object, &vtable) < 0 ||
	    !in_library(metal, vtable) || safe_read_word(vtable - 8, &type_info) < 0 ||
	    safe_read_word(type_info + 8, &name) < 0 || safe_read_string(name, to, size) < 0)
		return -ENOENT;
	return 0;
}

static enum device_kind device_kind(const struct metal *metal, uint64_t device)
{
	char text[64];

	if (metal_class_name(metal, device, text, sizeof text) < 0)
		return DEVICE_UNKNOWN;
	if (strcmp(text, "N2tt8tt_metal6DeviceE") == 0)
		return DEVICE_SINGLE;
	if (strcmp(text, "N2tt8tt_metal11distributed10MeshDeviceE") == 0)
		return DEVICE_MESH;
	return DEVICE_UNKNOWN;
}

bool metal_is_mesh(const struct metal *metal, uint64_t object)
{
	return device_kind(metal, object) == DEVICE_MESH;
}

/* A virtual function of a device that device_kind() knows; NULL if it lies elsewhere. */
static metal_function device_virtual(const struct metal *metal, uint64_t device, unsigned slot)
{
	uint64_t vtable, address;
	metal_function function = NULL;

	if (safe_read_word(device, &vtable) < 0 ||
	    safe_read_word(vtable + slot * sizeof(uint64_t), &address) < 0 ||
	    !in_library(metal, address))
		return NULL;
	memcpy(&function, &address, sizeof function);
	return function;
}

static uint64_t device_call(const struct metal *metal, uint64_t device, unsigned slot)
{
	metal_function function = device_virtual(metal, device, slot);

	return function ? ((uint64_t(*)(uint64_t))function)(device) : 0;
}

bool metal_chip_id(const struct metal *metal, uint64_t device, uint32_t *ret_id)
{
	if (device_kind(metal, device) == DEVICE_UNKNOWN)
		return false;
	metal_function id = device_virtual(metal, device, SLOT_ID);

	if (!id)
		return false;
	*ret_id = ((uint32_t(*)(uint64_t))id)(device);
	return true;
}

void metal_release(const struct metal *metal, uint64_t memory)
{
	void *delete = dlsym(RTLD_DEFAULT, "_ZdlPv");
	void (*function)(uint64_t) = NULL;

	if (!delete)
		delete = dlsym(metal->library, "_ZdlPv");
	memcpy(&function, &delete, sizeof function);
	if (function && memory)
		function(memory);
}

bool metal_statistics(const struct metal *metal, uint64_t allocator, uint32_t type,
		      uint64_t ret_words[4])
{
	/* 32 bytes in most releases, 56 with a vector at the end in some; room for more */
	uint64_t words[32] = {0};
	metal_function statistics = metal->symbol[METAL_SYMBOL_allocator_statistics];

	if (!statistics || !allocator)
		return false;
	((void *(*)(uint64_t *, uint64_t, const uint64_t *))statistics)(words, allocator,
									&buffer_type[type]);
	/* {begin, end, capacity end}: the tail that would leak */
	if (words[4] && words[4] <= words[5] && words[5] <= words[6])
		metal_release(metal, words[4]);
	memcpy(ret_words, words, 4 * sizeof words[0]);
	return true;
}

static uint64_t allocator_base(const struct metal *metal, uint64_t allocator, uint64_t hal_type)
{
	metal_function base = metal->symbol[METAL_SYMBOL_allocator_base];

	return base ? ((uint64_t(*)(uint64_t, const uint64_t *))base)(allocator, &hal_type) : 0;
}

static void describe_geometry(const struct metal *metal, uint64_t allocator,
			      struct region_allocator *row)
{
	metal_function banks = metal->symbol[METAL_SYMBOL_allocator_num_banks];
	metal_function alignment = metal->symbol[METAL_SYMBOL_allocator_alignment];
	struct region_geometry *g = row->geometry;
	uint64_t words[4];

	for (uint32_t type = 0; type < REGION_MEMORY_TYPES; type++) {
		if (!metal_statistics(metal, allocator, type, words) || !banks)
			return;
		g[type].bank_bytes = words[0];
		g[type].banks = ((uint32_t(*)(uint64_t, const uint64_t *))banks)(
			allocator, &buffer_type[type]);
		if (alignment)
			g[type].alignment = ((uint32_t(*)(uint64_t, uint32_t))alignment)(
				allocator, (uint32_t)buffer_type[type]);
	}
	/* L1_SMALL is cut from the top of the L1 bank, TRACE from the top of the DRAM bank */
	g[TYPE_DRAM].base_address = allocator_base(metal, allocator, HAL_DRAM);
	g[TYPE_TRACE].base_address = g[TYPE_DRAM].base_address + g[TYPE_DRAM].bank_bytes;
	g[TYPE_L1].base_address = allocator_base(metal, allocator, HAL_L1);
	g[TYPE_L1_SMALL].base_address = g[TYPE_L1].base_address + g[TYPE_L1].bank_bytes;
}

static void add_chip(const struct metal *metal, uint64_t device, struct region_allocator *row)
{
	uint32_t id;

	if (row->chip_count < REGION_CHIPS_MAX && metal_chip_id(metal, device, &id))
		row->chips[row->chip_count++].chip_id = id;
}

/* get_devices() gives a std::vector<IDevice *> by value. */
static void describe_mesh(const struct metal *metal, uint64_t mesh, struct region_allocator *row)
{
	metal_function devices = metal->symbol[METAL_SYMBOL_mesh_devices];
	metal_function parent = metal->symbol[METAL_SYMBOL_mesh_parent];
	metal_function id = metal->symbol[METAL_SYMBOL_mesh_id];
	metal_function grid = metal->symbol[METAL_SYMBOL_mesh_grid];
	uint64_t vector[3] = {0}, device;

	row->flags |= REGION_ALLOCATOR_MESH;
	if (devices) {
		((void *(*)(uint64_t *, uint64_t))devices)(vector, mesh);
		for (uint64_t at = vector[0]; at < vector[1]; at += sizeof device)
			if (safe_read_word(at, &device) == 0)
				add_chip(metal, device, row);
		metal_release(metal, vector[0]);
	}
	if (parent) /* a reference to a shared_ptr, whose first word is the pointer */
		(void)safe_read_word(((uint64_t(*)(uint64_t))parent)(mesh), &row->parent_device);
	if (id)
		row->mesh_id = ((uint32_t(*)(uint64_t))id)(mesh);
	if (grid) {
		struct core core = ((struct core(*)(uint64_t))grid)(mesh);

		row->grid_x = (uint32_t)core.x;
		row->grid_y = (uint32_t)core.y;
	}
}

uint64_t metal_first_chip(const struct metal *metal, uint64_t device)
{
	metal_function devices = metal->symbol[METAL_SYMBOL_mesh_devices];
	enum device_kind kind = device_kind(metal, device);
	uint64_t vector[3] = {0}, chip = 0;

	if (kind != DEVICE_MESH || !devices)
		return kind == DEVICE_SINGLE ? device : 0;
	((void *(*)(uint64_t *, uint64_t))devices)(vector, device);
	if (vector[0] < vector[1])
		(void)safe_read_word(vector[0], &chip);
	metal_release(metal, vector[0]);
	return device_kind(metal, chip) == DEVICE_SINGLE ? chip : 0;
}

uint64_t metal_follow(const struct metal *metal, enum metal_symbol symbol, uint64_t object)
{
	metal_function function = metal->symbol[symbol];

	return object && function ? ((uint64_t(*)(uint64_t))function)(object) : 0;
}

/* By its function or, in known builds without one, by its place in the object. */
static uint64_t cluster_description(const struct metal *metal, uint64_t cluster)
{
	uint64_t description = 0;

	if (metal->symbol[METAL_SYMBOL_cluster_description])
		return metal_follow(metal, METAL_SYMBOL_cluster_description, cluster);
	if (cluster && metal->cluster_description_offset &&
	    safe_read_word(cluster + metal->cluster_description_offset, &description) < 0)
		return 0;
	return description;
}

uint64_t metal_context(const struct metal *metal)
{
	metal_function instance = metal->symbol[METAL_SYMBOL_context_instance];

	/* context 0; the older form has no parameter and ignores it */
	return instance ? ((uint64_t(*)(int))instance)(0) : 0;
}

/* MetalContext -> Cluster -> ClusterDescriptor -> unordered_map<chip id, unique id>; 0: none */
static uint64_t unique_id_map(const struct metal *metal)
{
	/* without the end of the way there is no reason to begin it */
	if (!metal->symbol[METAL_SYMBOL_chip_unique_ids])
		return 0;
	uint64_t cluster =
		metal_follow(metal, METAL_SYMBOL_context_cluster, metal_context(metal));

	return metal_follow(metal, METAL_SYMBOL_chip_unique_ids, cluster_description(metal, cluster));
}

static void describe_unique_ids(const struct metal *metal, struct region_allocator *row)
{
	/* libstdc++: {buckets, bucket count, first node, count, ...}; node {next, key, value} */
	struct {
		uint64_t next;
		int32_t	 key;
		uint32_t padding;
		uint64_t value;
	} node;
	uint64_t map = unique_id_map(metal), at;

	if (!map || safe_read_word(map + 16, &at) < 0)
		return;
	for (int n = 0; at && n < CHIPS_WALKED && safe_read(at, &node, sizeof node) == 0; n++) {
		for (uint32_t i = 0; i < row->chip_count; i++) {
			if (row->chips[i].chip_id != (uint32_t)node.key)
				continue;
			row->chips[i].unique_id = node.value;
			row->chips[i].flags |= REGION_CHIP_HAS_UNIQUE_ID;
		}
		at = node.next;
	}
}

void metal_allocator_describe(const struct metal *metal, uint64_t allocator, uint64_t device,
			      struct region_allocator *ret_row)
{
	struct region_allocator row = {
		.object = allocator,
		.device = device,
		.mesh_id = REGION_NONE,
	};
	enum device_kind kind = device_kind(metal, device);

	describe_geometry(metal, allocator, &row);
	if (kind == DEVICE_MESH)
		describe_mesh(metal, device, &row);
	else
		add_chip(metal, device, &row);
	if (kind != DEVICE_UNKNOWN) {
		row.arch = (uint32_t)device_call(metal, device, SLOT_ARCH) & 0xff;
		row.l1_bytes_per_core = device_call(metal, device, SLOT_L1_BYTES) & UINT32_MAX;
		describe_unique_ids(metal, &row);
		metal_l1_describe(metal, device, &row);
	}
	*ret_row = row;
}

uint64_t metal_mesh_allocator(const struct metal *metal, uint64_t mesh)
{
	metal_function allocator = metal->symbol[METAL_SYMBOL_mesh_allocator];
	uint64_t object = 0;

	if (!allocator || device_kind(metal, mesh) != DEVICE_MESH)
		return 0;
	/* a reference to a unique_ptr */
	if (safe_read_word(((uint64_t(*)(uint64_t))allocator)(mesh), &object) < 0)
		return 0;
	return object;
}
