/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tables that lie, by the million. An honest table is spoilt by patches from
 * the input, sealed, and goes the whole way: map, image, slots, programs, snapshot,
 * JSON.
 * Reason: it comes from another process, perhaps of another user; whoever
 * reads it must neither crash nor hang nor use more memory than the limits
 * (libFuzzer checks those), nor make pages of the file real by looking, and
 * what it shows must be readable again.
 *
 * Input: one byte of flags, then patches of
 *   part (1)  row (2)  word (1)  repeat (1)  length (1)  bytes (length)
 * A patch writes its bytes at a word of a row of a part, and at the same word
 * of the `repeat` rows after it.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/json.h"
#include "api/programs.h"
#include "collect/collect.h"
#include "fuzz.h"
#include "region/reader.h"
#include "region/writer.h"

#define SLOTS	REGION_BLOCK_SLOTS
#define PROGRAMS REGION_PROGRAMS_UNIT
#define SITES	REGION_SITES_UNIT
#define BYTES	(REGION_FILE_BYTES(SLOTS) + PROGRAMS_BYTES + SITES_BYTES)
#define BUFFERS 40u
#define SITES_ADDED 4u

/* The parts of programs, as region_programs_offset() and those after it have them. */
#define KERNELS_AT     (PROGRAMS * sizeof(struct region_program))
#define RANGES_AT      (KERNELS_AT + PROGRAMS * REGION_PROGRAM_KERNELS * sizeof(struct region_kernel))
#define PROGRAMS_BYTES                                                                             \
	(RANGES_AT + PROGRAMS * REGION_PROGRAM_RANGES * sizeof(struct region_program_range))

/* And those of sites, as region_sites_offset() and those after it. */
#define STRINGS_AT  (SITES * sizeof(struct region_site))
#define STACKS_AT   (STRINGS_AT + (uint64_t)SITES * REGION_SITE_STRING_BYTES)
#define SITES_BYTES (STACKS_AT + SITES * REGION_SITE_STACK_WORDS * sizeof(uint64_t))

enum flags {
	FLAG_NOT_SEALED = 1,
	FLAG_ODD_SIZE = 2, /* the file is one page shorter than the head says */
	FLAG_NO_BUFFERS = 4,
	FLAG_NO_LARGEST = 8,
	FLAG_HOLES = 16, /* the second half of the file has no pages */
	FLAG_NO_JSON = 32, /* many more inputs in a second */
	FLAG_NO_PROGRAMS = 64,
	FLAG_STACKS = 128,
};

static const struct {
	uint64_t offset;
	uint32_t bytes;
} parts[] = {
	{REGION_HEAD_OFFSET, 0},
	{REGION_CAPABILITIES_OFFSET, sizeof(struct region_capability)},
	{REGION_FAILURES_OFFSET, sizeof(struct region_failure)},
	{REGION_TOTALS_OFFSET, sizeof(struct region_totals)},
	{REGION_VERIFY_OFFSET, sizeof(struct region_verify)},
	{REGION_ALLOCATORS_OFFSET, sizeof(struct region_allocator)},
	{REGION_SLOTS_OFFSET, sizeof(struct region_slot)},
	{REGION_HEAD_OFFSET, 64}, /* anywhere in the first 4 MiB */
	{REGION_FILE_BYTES(SLOTS), sizeof(struct region_program)},
	{REGION_FILE_BYTES(SLOTS) + KERNELS_AT, sizeof(struct region_kernel)},
	{REGION_FILE_BYTES(SLOTS) + RANGES_AT, sizeof(struct region_program_range)},
	{REGION_FILE_BYTES(SLOTS) + PROGRAMS_BYTES, sizeof(struct region_site)},
	{REGION_FILE_BYTES(SLOTS) + PROGRAMS_BYTES + STRINGS_AT, REGION_SITE_STRING_BYTES},
	{REGION_FILE_BYTES(SLOTS) + PROGRAMS_BYTES + STACKS_AT, sizeof(uint64_t)},
	{REGION_SITE_MODULES_OFFSET, sizeof(struct region_site_module)},
	{REGION_LEFT_OFFSET, sizeof(struct region_left)},
};

struct patch {
	uint8_t part;
	uint8_t row[2];
	uint8_t word, repeat, length;
};

/* An open mesh over two chips, a submesh of it that holds buffers too, and a closed one. */
static void add_allocators(struct region_writer *writer)
{
	for (uint32_t i = 0; i < 3; i++) {
		struct region_allocator row = {.object = 100 + i,
					       .device = 200 + i,
					       .parent_device = i ? 200 : 0,
					       .arch = 2,
					       .chip_count = i == 1 ? 1 : 2};
		uint32_t at;

		for (uint32_t type = 0; type < REGION_MEMORY_TYPES; type++)
			row.geometry[type] = (struct region_geometry){
				.banks = 12, .alignment = 32, .bank_bytes = 1 << 20,
				.base_address = 4096};
		for (uint32_t chip = 0; chip < row.chip_count; chip++)
			row.chips[chip] = (struct region_chip){
				.unique_id = 1000 + chip, .chip_id = chip,
				.flags = chip ? REGION_CHIP_HAS_UNIQUE_ID : 0};
		FUZZ_CHECK(region_writer_allocator_add(writer, &row, 1, &at) == 0);
	}
}

/* Programs on both open meshes, one kernel and two ranges each; the last one was dispatched twice. */
static void add_programs(struct region_writer *writer)
{
	for (uint32_t i = 0; i < 6; i++) {
		const struct region_kernel kernel = {.name = "a_kernel", .kind = 2, .riscs = 0x1c,
						     .binaries = 3};
		const struct region_program_range ranges[] = {
			{.kind = REGION_RANGE_KERNEL, .x1 = 7, .y1 = 7},
			{.kind = REGION_RANGE_CIRCULAR_BUFFER, .address = 105824, .bytes = 4096,
			 .x1 = 7, .y1 = 7},
		};
		const struct region_program_found found = {
			.row = {.object = 8 * (i + 1), .program_id = i, .chips = 3,
				.allocator = i % 2, .kernel_count = 1, .range_count = 2,
				.op = "an/operation"},
			.kernels = &kernel,
			.ranges = ranges,
		};

		FUZZ_CHECK(region_writer_program_add(writer, &found, 3) == 0);
	}
	FUZZ_CHECK(region_writer_program_dispatch(writer, 48, 4) == 0);
}

static struct region_text text_of(const char *s)
{
	return (struct region_text){.start = s, .bytes = (uint32_t)strlen(s)};
}

/* Lines of Python, with and without an operation, a native stack and a tag; one is native only. */
static void add_sites(struct region_writer *writer)
{
	static const uint8_t build_id[] = {1, 2, 3, 4};
	uint32_t module = region_writer_module(writer, text_of("/lib/libc.so.6"), build_id,
					       sizeof build_id);
	const uint64_t frames[] = {region_stack_frame(module, 4096),
				   region_stack_frame(REGION_MODULE_NONE, 5)};

	for (uint32_t i = 1; i <= SITES_ADDED; i++) {
		const struct region_site_found found = {
			.op = text_of(i % 2 ? "ttnn.matmul" : ""),
			.file = text_of(i == 4 ? "" : "/srv/model.py"),
			.function = text_of(i == 4 ? "" : "Model.forward"),
			.line = i == 4 ? 0 : i,
			.frames = frames,
			.depth = i >= 3 ? 2 : 0,
		};

		FUZZ_CHECK(region_writer_site(writer, &found) == i);
	}
	FUZZ_CHECK(region_writer_site_tag(writer, 1, text_of("kv-cache")) == SITES_ADDED + 1);
}

static void fill_table(struct region_writer *writer)
{
	struct region_failure failure = {.time_ns = 5, .requested_bytes = 1 << 30, .thread = 7,
					 .site = 2};

	add_allocators(writer);
	add_sites(writer);
	for (uint32_t i = 0; i < BUFFERS; i++) {
		struct region_buffer b = {.object = 4096 + 8 * i,
					  .allocator = 100 + i % 3,
					  .device = 200 + i % 3,
					  .address = 4096 + 4096 * i,
					  .requested_bytes = 3000,
					  .bank_bytes = 2048,
					  .page_bytes = 1024,
					  .pages = 3,
					  .cores = REGION_NONE,
					  .site = i % 7 < SITES_ADDED + 2 ? i % 7
									  : REGION_SITE_BEFORE_ATTACH,
					  .type = (uint8_t)(i / 3 % REGION_MEMORY_TYPES)};

		FUZZ_CHECK(region_writer_alloc(writer, &b) == 0);
	}
	add_programs(writer);
	region_writer_close_device(writer, 202, 9);
	for (int i = 0; i < 3; i++)
		region_writer_fail(writer, &failure);
	region_writer_capability(writer, "buffers", CAPABILITY_PRESENT, NULL);
	region_writer_capability(writer, "unique_ids", CAPABILITY_MISSING, "a_symbol");
}

/* The bytes of an honest table; made once, copied for each input. */
static const uint8_t *honest_table(void)
{
	static const uint8_t *bytes;
	struct region_identity identity = {.entry = "fuzz", .slots_max = SLOTS,
					   .programs_max = PROGRAMS, .sites_max = SITES};

	if (bytes)
		return bytes;
	struct region_writer *writer = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
					    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	FUZZ_CHECK(writer != MAP_FAILED);
	FUZZ_CHECK(region_writer_create(writer, &identity) == 0);
	fill_table(writer);
	bytes = writer->table; /* stays mapped for good */
	return bytes;
}

static void apply(uint8_t *table, const struct patch *patch, const uint8_t *bytes)
{
	unsigned part = patch->part % (sizeof parts / sizeof parts[0]);
	uint64_t row = (uint64_t)patch->row[0] | (uint64_t)patch->row[1] << 8;

	for (uint64_t i = row; i <= row + patch->repeat; i++) {
		uint64_t at = parts[part].offset + i * parts[part].bytes + 8u * patch->word;

		if (at + patch->length <= BYTES)
			memcpy(table + at, bytes, patch->length);
	}
}

/* A file with the patched table; the descriptor, as a reader would get it. */
static int forge(struct input *input, unsigned flags)
{
	uint64_t bytes = flags & FLAG_ODD_SIZE ? BYTES - REGION_PAGE_BYTES : BYTES;
	const uint8_t *honest = honest_table();
	int fd = (int)memfd_create("forged", MFD_ALLOW_SEALING | MFD_CLOEXEC);

	FUZZ_CHECK(fd >= 0 && ftruncate(fd, (off_t)BYTES) == 0);
	uint8_t *table = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	FUZZ_CHECK(table != MAP_FAILED);
	/* what the writer has backed: the front, a few rows of each part, one block of slots */
	memcpy(table, honest, REGION_TOTALS_OFFSET + 4096);
	memcpy(table + REGION_VERIFY_OFFSET, honest + REGION_VERIFY_OFFSET, 4096);
	memcpy(table + REGION_ALLOCATORS_OFFSET, honest + REGION_ALLOCATORS_OFFSET, 8192);
	memcpy(table + REGION_SLOTS_OFFSET, honest + REGION_SLOTS_OFFSET, 4096);
	for (size_t i = 8; i < sizeof parts / sizeof parts[0]; i++)
		memcpy(table + parts[i].offset, honest + parts[i].offset, 4096);
	while (input->size > 0) {
		struct patch patch;
		uint8_t patch_bytes[UINT8_MAX];

		input_take(input, &patch, sizeof patch);
		patch.length = (uint8_t)input_take(input, patch_bytes, patch.length);
		apply(table, &patch, patch_bytes);
	}
	(void)munmap(table, BYTES);
	FUZZ_CHECK(ftruncate(fd, (off_t)bytes) == 0);
	if (flags & FLAG_HOLES)
		FUZZ_CHECK(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
				     (off_t)BYTES / 2, (off_t)BYTES / 2) == 0);
	if (!(flags & FLAG_NOT_SEALED))
		FUZZ_CHECK(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW) == 0);
	return fd;
}

static uint64_t allocated(int fd)
{
	struct stat st;

	FUZZ_CHECK(fstat(fd, &st) == 0);
	return (uint64_t)st.st_blocks;
}

static void write_and_read(const struct snapshot *snapshot)
{
	struct snapshot again;
	struct text text = TEXT_INIT;

	json_write_snapshot(&text, snapshot);
	FUZZ_CHECK(!text.failed);
	FUZZ_CHECK(json_read_snapshot(text.bytes, text.length, &again) == 0);
	text_free(&text);
	snapshot_clear(&again);
	json_write_programs(&text, snapshot);
	FUZZ_CHECK(!text.failed);
	text_free(&text);
	json_write_buffers(&text, snapshot, NULL, snapshot->buffer_count);
	FUZZ_CHECK(!text.failed);
	FUZZ_CHECK(json_read_buffers(text.bytes, text.length, &again) == 0);
	FUZZ_CHECK(again.buffer_count == snapshot->buffer_count);
	text_free(&text);
	snapshot_clear(&again);
}

static void collect(struct region_map *map, unsigned flags)
{
	struct collect_options options = {.buffers = !(flags & FLAG_NO_BUFFERS),
					  .programs = !(flags & FLAG_NO_PROGRAMS),
					  .leftovers = true,
					  .largest_free = !(flags & FLAG_NO_LARGEST),
					  .stacks = flags & FLAG_STACKS};
	struct collection collection;
	struct snapshot snapshot;

	collection_init(&collection, &options);
	/* twice: chips are then covered by two processes, the ranges of the first lie before */
	FUZZ_CHECK(collection_add_table(&collection, map, 1, 0, PROCESS_LIVE) == 0);
	FUZZ_CHECK(collection_add_table(&collection, map, 2, 0, PROCESS_LIVE) == 0);
	FUZZ_CHECK(collection_finish(&collection, &snapshot) == 0);
	if (!(flags & FLAG_NO_JSON))
		write_and_read(&snapshot);
	snapshot_clear(&snapshot);
	collection_clear(&collection);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input input = {data, size};
	unsigned flags = input_byte(&input);
	struct region_map map;
	int fd = forge(&input, flags);
	uint64_t before = allocated(fd);
	int r = region_map_open(fd, &map);

	FUZZ_CHECK(r >= 0);
	if (flags & FLAG_NOT_SEALED)
		FUZZ_CHECK(r > 0);
	if (r == 0) {
		collect(&map, flags);
		region_map_close(&map);
	}
	FUZZ_CHECK(allocated(fd) == before);
	(void)close(fd);
	return 0;
}
