/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A program: its kernels, circular buffers, ring entry and binaries.
 *
 * Asked after the real dispatch has returned: then it is compiled, its
 * addresses and offsets are final, and none of the accessors throws. Containers
 * are those of libstdc++ and are walked with checked reads.
 */
#include "hook/metal_program.h"

#include <string.h>

#include "hook/metal_call.h"
#include "hook/safe_read.h"

#define NOT_KNOWN UINT32_MAX
#define WALKED_MAX 4096

/* CoreRange: both ends included */
struct core_range {
	uint64_t x0, y0, x1, y1;
};

/* A CoreCoord beyond any chip is none. */
#define CORE_MAX 256

void program_range(struct metal_program_scratch *scratch, const struct region_program_range *range)
{
	struct region_program *row = &scratch->found.row;

	if (row->range_count < PROGRAM_RANGES_MAX)
		scratch->ranges[row->range_count++] = *range;
	else
		row->flags |= REGION_PROGRAM_CUT;
}

void program_ranges_of(struct metal_program_scratch *scratch, uint64_t begin, uint64_t end,
		       const struct region_program_range *like)
{
	struct core_range cores;

	for (uint64_t at = begin; at < end && end - at >= sizeof cores; at += sizeof cores) {
		struct region_program_range range = *like;

		if (safe_read(at, &cores, sizeof cores) < 0 || cores.x1 >= CORE_MAX ||
		    cores.y1 >= CORE_MAX || cores.x0 > cores.x1 || cores.y0 > cores.y1 ||
		    scratch->found.row.flags & REGION_PROGRAM_CUT)
			return;
		range.x0 = (uint16_t)cores.x0;
		range.y0 = (uint16_t)cores.y0;
		range.x1 = (uint16_t)cores.x1;
		range.y1 = (uint16_t)cores.y1;
		program_range(scratch, &range);
	}
}

static enum region_kernel_kind kernel_kind(const struct metal *metal, uint64_t kernel)
{
	char name[96];

	if (metal_class_name(metal, kernel, name, sizeof name) < 0)
		return REGION_KERNEL_OTHER;
	if (strcmp(name, "N2tt8tt_metal13ComputeKernelE") == 0)
		return REGION_KERNEL_COMPUTE;
	if (strcmp(name, "N2tt8tt_metal18DataMovementKernelE") == 0)
		return REGION_KERNEL_DATA_MOVEMENT;
	if (strcmp(name, "N2tt8tt_metal14EthernetKernelE") == 0)
		return REGION_KERNEL_ETHERNET;
	return REGION_KERNEL_OTHER;
}

/* std::string by value: {text, length, room or text}. */
static void kernel_name(const struct metal *metal, uint64_t kernel, char *to, size_t size)
{
	metal_function name = metal->symbol[METAL_SYMBOL_kernel_name];
	uint64_t string[4] = {0};

	to[0] = '\0';
	if (!name)
		return;
	((void *(*)(uint64_t *, uint64_t))name)(string, kernel);
	if (string[1] < size && safe_read(string[0], to, string[1]) == 0)
		to[string[1]] = '\0';
	else
		(void)safe_read(string[0], to, size - 1), to[size - 1] = '\0';
	if (string[0] != (uint64_t)(uintptr_t)&string[2])
		metal_release(metal, string[0]);
}

static uint32_t kernel_riscs(const struct metal *metal, uint64_t kernel, enum region_kernel_kind kind)
{
	metal_function processor = metal->symbol[METAL_SYMBOL_data_movement_processor];

	if (kind == REGION_KERNEL_COMPUTE)
		return 0x1c;
	if (kind != REGION_KERNEL_DATA_MOVEMENT || !processor)
		return 0;
	uint32_t n = ((uint32_t(*)(uint64_t, int))processor)(kernel, 0);

	return n < 2 ? 1u << n : 0;
}

/* What the kernel takes of the ring on each of its cores; 0 where sizes are not known. */
static uint32_t kernel_ring_bytes(const struct region_kernel *kernel)
{
	uint32_t sum = 0;

	for (uint32_t i = 0; i < kernel->binaries; i++)
		if (kernel->packed_bytes[i] != NOT_KNOWN)
			sum += (kernel->packed_bytes[i] + 15) & ~15u;
	return sum;
}

/*
 * The operation, by the folder its kernels lie in: ".../operations/eltwise/binary/device/kernels/x.cpp"
 * is "eltwise/binary". The source is a std::string of the kernel at a place that has no accessor, so a
 * text that does not look like such a path is none.
 */
static void find_op(uint64_t kernel, char *op, size_t size)
{
	static const uint16_t places[] = {0x78, 0x18};
	static const char folder[] = "/operations/";
	char path[256];
	uint64_t string[2];

	for (size_t i = 0; i < sizeof places / sizeof places[0] && !op[0]; i++) {
		if (safe_read(kernel + places[i], string, sizeof string) < 0 || string[1] < 16 ||
		    string[1] >= sizeof path || safe_read(string[0], path, string[1]) < 0)
			continue;
		path[string[1]] = '\0';
		char *start = strstr(path, folder);
		char *end = start ? strstr(start, "/device/") : NULL;

		if (!start || !end)
			continue;
		start += sizeof folder - 1;
		if (end > start && (size_t)(end - start) < size) {
			memcpy(op, start, (size_t)(end - start));
			op[end - start] = '\0';
		}
	}
}

static void add_kernel(struct metal *metal, const struct metal_program_place *place,
		       struct metal_program_scratch *scratch, uint32_t handle, uint64_t kernel)
{
	struct region_program *row = &scratch->found.row;
	metal_function cores = metal->symbol[METAL_SYMBOL_kernel_cores];
	uint64_t vector[3] = {0};

	if (row->kernel_count >= PROGRAM_KERNELS_MAX) {
		row->flags |= REGION_PROGRAM_CUT;
		return;
	}
	struct region_kernel *to = &scratch->kernels[row->kernel_count];
	struct region_program_range range = {.kind = REGION_RANGE_KERNEL,
					     .object = (uint16_t)row->kernel_count};

	memset(to, 0, sizeof *to);
	to->handle = handle;
	to->kind = kernel_kind(metal, kernel);
	kernel_name(metal, kernel, to->name, sizeof to->name);
	to->riscs = kernel_riscs(metal, kernel, to->kind);
	metal_kernel_sizes(metal, kernel, to);
	range.bytes = kernel_ring_bytes(to);
	if (cores) { /* std::vector<CoreRange> by value */
		((void *(*)(uint64_t *, uint64_t))cores)(vector, kernel);
		program_ranges_of(scratch, vector[0], vector[1], &range);
		metal_release(metal, vector[0]);
	}
	if (!row->op[0])
		find_op(kernel, row->op, sizeof row->op);
	metal_scratchpads_describe(metal, place, scratch, kernel, (uint16_t)row->kernel_count);
	row->kernel_count++;
}

/* unordered_map<u32, shared_ptr<Kernel>>: {buckets, count, first node}; node {next, key, kernel} */
static void add_kernels(struct metal *metal, const struct metal_program_place *place,
			struct metal_program_scratch *scratch)
{
	metal_function kernels = metal->symbol[METAL_SYMBOL_program_kernels];
	struct {
		uint64_t next;
		uint32_t handle;
		uint32_t padding;
		uint64_t kernel;
	} node;
	uint64_t at = 0;

	if (!kernels)
		return;
	/* 0: the programmable cores that are Tensix workers */
	uint64_t map = ((uint64_t(*)(uint64_t, uint32_t))kernels)(place->program, 0);

	if (safe_read_word(map + 16, &at) < 0)
		return;
	for (int n = 0; at && n < WALKED_MAX && safe_read(at, &node, sizeof node) == 0; n++) {
		if (node.kernel)
			add_kernel(metal, place, scratch, node.handle, node.kernel);
		at = node.next;
	}
}

/* std::span in two registers */
struct span {
	uint64_t data, count;
};

static void add_circular_buffer(const struct metal *metal, struct metal_program_scratch *scratch,
				uint64_t object, uint16_t number)
{
	const uint64_t handle[1] = {object}; /* a CircularBuffer is a pointer to its CircularBufferImpl */
	uint64_t cores[2];
	struct region_program_range range = {
		.kind = REGION_RANGE_CIRCULAR_BUFFER,
		.object = number,
		.bytes = ((uint32_t(*)(const uint64_t *))metal->symbol[METAL_SYMBOL_cb_size])(handle),
	};

	if (((uint32_t(*)(const uint64_t *))metal->symbol[METAL_SYMBOL_cb_global])(handle) & 0xff)
		range.flags = REGION_RANGE_BORROWED;
	range.address = ((uint32_t(*)(uint64_t))metal->symbol[METAL_SYMBOL_cb_address])(object);
	/* a CoreRangeSet begins with its vector */
	uint64_t set = ((uint64_t(*)(const uint64_t *))metal->symbol[METAL_SYMBOL_cb_cores])(handle);

	if (safe_read(set, cores, sizeof cores) == 0)
		program_ranges_of(scratch, cores[0], cores[1], &range);
}

static void add_circular_buffers(const struct metal *metal, const struct metal_program_place *place,
				 struct metal_program_scratch *scratch)
{
	metal_function cbs = metal->symbol[METAL_SYMBOL_program_cbs];
	uint64_t object;

	/* up to 0.65 the function gives something else, and a circular buffer has no accessors */
	if (!cbs || !metal->symbol[METAL_SYMBOL_cb_address] || !metal->symbol[METAL_SYMBOL_cb_size] ||
	    !metal->symbol[METAL_SYMBOL_cb_global] || !metal->symbol[METAL_SYMBOL_cb_cores])
		return;
	struct span span = ((struct span(*)(uint64_t))cbs)(place->program);

	for (uint64_t i = 0; i < span.count && i < WALKED_MAX; i++)
		if (safe_read_word(span.data + i * 16, &object) == 0 && object)
			add_circular_buffer(metal, scratch, object, (uint16_t)i);
}

/*
 * ProgramConfig: offsets in the ring entry. Its length differs by release; the first words do not, and
 * the last two are the text (from 0.70 on). Believed when they add up to the size that the program
 * itself gives.
 */
static void add_ring_entry(const struct metal *metal, const struct metal_program_place *place,
			   struct region_program *row)
{
	metal_function config = metal->symbol[METAL_SYMBOL_program_config];
	metal_function size = metal->symbol[METAL_SYMBOL_program_config_size];
	uint32_t words[16], ring = 0;

	if (size && safe_read(((uint64_t(*)(uint64_t, uint32_t))size)(place->program, 0), &ring,
			      sizeof ring) == 0)
		row->ring_bytes = ring;
	if (!config || row->ring_bytes == NOT_KNOWN)
		return;
	uint64_t first = ((uint64_t(*)(uint64_t, uint32_t))config)(place->program, 0);
	uint64_t second = ((uint64_t(*)(uint64_t, uint32_t))config)(place->program, 1);
	uint64_t count = (second - first) / sizeof words[0];

	if (count < 8 || count > 16 || safe_read(first, words, count * sizeof words[0]) < 0)
		return;
	uint32_t text_at = words[count - 2], text = words[count - 1];

	if ((uint64_t)text_at + text != ring || words[1] < words[0] || words[3] < words[1] ||
	    words[3] - words[1] < words[2] || words[3] > text_at || words[4] > text_at - words[3])
		return;
	row->text_bytes = text;
	row->runtime_args_bytes = words[1] - words[0];
	row->semaphore_bytes = words[2];
	row->cb_config_bytes = words[4];
	/* a program without any says neither where nor how much */
	if (count >= 10 && (words[6] == 0 || (words[5] >= words[3] && words[5] <= text_at &&
					      words[6] <= text_at - words[5])))
		row->dfb_config_bytes = words[6];
}

/* shared_ptr<Buffer> by value; the program keeps another one, so our count is never the last. */
static void add_binaries(struct metal *metal, const struct metal_program_place *place,
			 struct region_program *row)
{
	metal_function binaries = metal->symbol[METAL_SYMBOL_program_binaries];
	struct region_buffer buffer;
	uint64_t shared[2] = {0};

	if (!binaries)
		return;
	((void *(*)(uint64_t *, uint64_t, uint64_t))binaries)(shared, place->program, place->device);
	row->dram_bytes = 0;
	if (shared[0] &&
	    metal_buffer_read(metal, (const void *)(uintptr_t)shared[0], 0, &buffer)) {
		row->dram_bytes = buffer.requested_bytes;
		row->dram_address = buffer.address;
	} else if (shared[0]) {
		row->dram_bytes = UINT64_MAX;
	}
	/* {vtable, u32 use count, u32 weak count} */
	if (shared[1])
		(void)__atomic_fetch_sub((uint32_t *)(uintptr_t)(shared[1] + 8), 1, __ATOMIC_ACQ_REL);
}

static bool is_program_memory(const struct region_program_range *range)
{
	return range->kind != REGION_RANGE_KERNEL && !range->flags;
}

/* Bytes of the union of its own ranges on one core. */
static uint32_t bytes_on_core(const struct metal_program_scratch *scratch, uint16_t x, uint16_t y)
{
	uint64_t floor = 0, sum = 0;

	/* the lowest range that ends above `floor`, again and again */
	for (uint32_t n = 0; n < scratch->found.row.range_count; n++) {
		uint64_t low = UINT64_MAX, high = 0;

		for (uint32_t i = 0; i < scratch->found.row.range_count; i++) {
			const struct region_program_range *r = &scratch->ranges[i];
			uint64_t start = r->address > floor ? r->address : floor;
			uint64_t end = (uint64_t)r->address + r->bytes;

			if (!is_program_memory(r) || x < r->x0 || x > r->x1 || y < r->y0 ||
			    y > r->y1 || end <= floor || start > low)
				continue;
			high = start == low && high > end ? high : end;
			low = start;
		}
		if (high == 0)
			break;
		sum += high - low;
		floor = high;
	}
	return sum > UINT32_MAX ? UINT32_MAX : (uint32_t)sum;
}

/* The most on any core: some range's left edge and some range's top edge meet where it is reached. */
static void add_sums(struct metal_program_scratch *scratch)
{
	struct region_program *row = &scratch->found.row;
	uint8_t columns[CORE_MAX] = {0}, rows[CORE_MAX] = {0};

	for (uint32_t i = 0; i < row->range_count; i++) {
		const struct region_program_range *r = &scratch->ranges[i];

		if (!is_program_memory(r))
			continue;
		columns[r->x0] = rows[r->y0] = 1;
		if (r->address + r->bytes > row->end_address)
			row->end_address = r->address + r->bytes;
	}
	for (uint16_t x = 0; x < CORE_MAX; x++)
		for (uint16_t y = 0; columns[x] && y < CORE_MAX; y++) {
			uint32_t bytes = rows[y] ? bytes_on_core(scratch, x, y) : 0;

			row->core_bytes = bytes > row->core_bytes ? bytes : row->core_bytes;
		}
}

/* Of the kernels on one core; each range of a kernel says what it has there. */
static uint64_t code_on_core(const struct metal_program_scratch *scratch, uint16_t x, uint16_t y)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < scratch->found.row.range_count; i++) {
		const struct region_program_range *r = &scratch->ranges[i];

		if (r->kind == REGION_RANGE_KERNEL && x >= r->x0 && x <= r->x1 && y >= r->y0 &&
		    y <= r->y1)
			sum += r->bytes;
	}
	return sum;
}

static void begin(struct metal *metal, const struct metal_program_place *place,
		  struct metal_program_scratch *scratch)
{
	metal_function id = metal->symbol[METAL_SYMBOL_program_id];
	struct region_program *row = &scratch->found.row;

	*row = (struct region_program){
		.object = place->program,
		.program_id = id ? ((uint64_t(*)(uint64_t))id)(place->program) : UINT64_MAX,
		.chips = place->chips,
		.dram_bytes = UINT64_MAX,
		.allocator = place->allocator,
		.mesh_start = {place->mesh_start[0], place->mesh_start[1]},
		.mesh_end = {place->mesh_end[0], place->mesh_end[1]},
		.ring_bytes = NOT_KNOWN,
		.text_bytes = NOT_KNOWN,
		.runtime_args_bytes = NOT_KNOWN,
		.semaphore_bytes = NOT_KNOWN,
		.cb_config_bytes = NOT_KNOWN,
		.dfb_config_bytes = NOT_KNOWN,
	};
	scratch->found.kernels = scratch->kernels;
	scratch->found.ranges = scratch->ranges;
	scratch->found.is_restated = false;
}

void metal_program_memory(struct metal *metal, const struct metal_program_place *place,
			  bool dataflow, struct metal_program_scratch *scratch)
{
	begin(metal, place, scratch);
	add_circular_buffers(metal, place, scratch);
	if (dataflow)
		metal_dfb_describe(metal, place, scratch);
	add_sums(scratch);
}

uint32_t metal_program_code(struct metal *metal, const struct metal_program_place *place,
			    struct metal_program_scratch *scratch)
{
	uint64_t most = 0;

	begin(metal, place, scratch);
	add_kernels(metal, place, scratch);
	/* where it is most some range begins, in both directions */
	for (uint32_t i = 0; i < scratch->found.row.range_count; i++)
		for (uint32_t j = 0; j < scratch->found.row.range_count; j++) {
			uint64_t sum = code_on_core(scratch, scratch->ranges[i].x0,
						    scratch->ranges[j].y0);

			most = sum > most ? sum : most;
		}
	return most > UINT32_MAX ? UINT32_MAX : (uint32_t)most;
}

void metal_program_describe(struct metal *metal, const struct metal_program_place *place,
			    struct metal_program_scratch *scratch)
{
	struct region_program *row = &scratch->found.row;

	begin(metal, place, scratch);
	add_kernels(metal, place, scratch);
	add_circular_buffers(metal, place, scratch);
	metal_dfb_describe(metal, place, scratch);
	add_ring_entry(metal, place, row);
	add_binaries(metal, place, row);
	add_sums(scratch);
}
