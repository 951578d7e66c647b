/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The file under the table: creation, backing slots with memory, giving memory
 * back, and moving to a new file when somebody closed our descriptors.
 */
#include "region/writer_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "region/memfd.h"
#include "region/quiet.h"
#include "region/words.h"

#define MEMFD_MODE_CONTROL 0600

/* Blocks backed at once: two system calls for 2,048 new slots. */
#define BLOCKS_AT_ONCE 2

/* Empty blocks that stay backed, so that a loop at a block's edge makes no system calls. */
#define BLOCKS_KEPT 4

/* Of the address space still allowed we take at most one part in eight. */
#define ADDRESS_SPACE_SHARE 8

/* Of what slots may take, programs may take one part in so many, and sites another one. */
#define EXTRAS_SHARE 8

#define SLOT_INDEX_BYTES (sizeof(uint64_t) + sizeof(uint32_t))

static uint64_t page_up(uint64_t bytes)
{
	return (bytes + REGION_PAGE_BYTES - 1) & ~(uint64_t)(REGION_PAGE_BYTES - 1);
}

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec t;

	if (clock_gettime(clock, &t) < 0)
		return 0;
	return (uint64_t)t.tv_sec * UINT64_C(1000000000) + (uint64_t)t.tv_nsec;
}

/* Reads a small file of /proc without stdio. Return: bytes read, 0 on any failure. */
static size_t slurp(const char *path, char *buffer, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return 0;
	ssize_t n = read(fd, buffer, size);

	(void)close(fd);
	return n > 0 ? (size_t)n : 0;
}

/* Bytes of address space in use: the first number of /proc/self/statm, in pages. */
static uint64_t address_space_used(void)
{
	char text[128];
	size_t n = slurp("/proc/self/statm", text, sizeof text - 1);

	text[n] = '\0';
	return strtoull(text, NULL, 10) * (uint64_t)sysconf(_SC_PAGESIZE);
}

/*
 * How many slots the limits of this process leave room for. The file gets its
 * full size and the mappings their full length at once, so these two limits
 * never have to be looked at again: growing past RLIMIT_FSIZE would be a
 * SIGXFSZ, and eating up RLIMIT_AS would make the application's malloc fail.
 */
static uint32_t slots_allowed(uint32_t wanted)
{
	uint64_t slots = wanted;
	struct rlimit limit;

	if (getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY) {
		uint64_t room = limit.rlim_cur > REGION_SLOTS_OFFSET
					? (limit.rlim_cur - REGION_SLOTS_OFFSET) / 64
					: 0;

		room -= 2 * (room / EXTRAS_SHARE);
		slots = room < slots ? room : slots;
	}
	if (getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY) {
		uint64_t used = address_space_used();
		uint64_t left = limit.rlim_cur > used ? limit.rlim_cur - used : 0;
		uint64_t fixed = REGION_SLOTS_OFFSET + sizeof(struct region_writer_private);
		uint64_t share = left / ADDRESS_SPACE_SHARE;
		uint64_t room = share > fixed ? (share - fixed) / (64 + SLOT_INDEX_BYTES) : 0;

		room -= 2 * (room / EXTRAS_SHARE);
		slots = room < slots ? room : slots;
	}
	return (uint32_t)(slots / REGION_BLOCK_SLOTS * REGION_BLOCK_SLOTS);
}

/*
 * A table that limits keep small has few programs and sites, and none before it has room for slots.
 * `unit_bytes` is what a unit of them takes.
 */
static uint32_t extras_allowed(uint32_t slots, uint64_t unit_bytes, uint32_t unit, uint32_t most)
{
	uint64_t units = (uint64_t)slots * sizeof(struct region_slot) / EXTRAS_SHARE / unit_bytes;

	return units * unit < most ? (uint32_t)units * unit : most;
}

static uint32_t programs_allowed(uint32_t slots)
{
	uint64_t bytes = region_file_bytes(0, REGION_PROGRAMS_UNIT, 0) - region_file_bytes(0, 0, 0);

	return extras_allowed(slots, bytes, REGION_PROGRAMS_UNIT, REGION_PROGRAMS_MAX);
}

static uint32_t sites_allowed(uint32_t slots)
{
	uint64_t bytes = region_file_bytes(0, 0, REGION_SITES_UNIT) - region_file_bytes(0, 0, 0);

	return extras_allowed(slots, bytes, REGION_SITES_UNIT, REGION_SITES_MAX);
}

uint64_t writer_table_bytes(const struct region_writer *writer)
{
	return region_file_bytes(writer->slots_max, writer->programs_max, writer->sites_max);
}

static void keep_out_of_children_and_cores(void *memory, size_t bytes)
{
	/* Advice: where a kernel lacks one of these, nothing breaks but that promise. */
	(void)madvise(memory, bytes, MADV_DONTFORK);
	(void)madvise(memory, bytes, MADV_DONTDUMP);
	(void)madvise(memory, bytes, MADV_NOHUGEPAGE);
}

void *writer_file_map(int fd, uint64_t bytes, void *at)
{
	int flags = fd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE : MAP_SHARED;
	void *memory = mmap(at, bytes, PROT_READ | PROT_WRITE, flags | (at ? MAP_FIXED : 0), fd, 0);

	if (memory == MAP_FAILED)
		return NULL;
	keep_out_of_children_and_cores(memory, bytes);
	return memory;
}

static int create_private(struct region_writer *writer)
{
	uint64_t fixed = page_up(sizeof(struct region_writer_private));
	uint64_t entries = page_up(writer->slots_max * sizeof(uint64_t));
	uint64_t buckets = page_up(writer->slots_max * sizeof(uint32_t));
	uint8_t *memory = writer_file_map(-1, fixed + entries + buckets, NULL);

	if (!memory)
		return -errno;
	writer->private = (struct region_writer_private *)(void *)memory;
	writer->private_bytes = fixed + entries + buckets;
	region_index_init(&writer->index, (uint64_t *)(void *)(memory + fixed),
			  (uint32_t *)(void *)(memory + fixed + entries), writer->slots_max);
	writer_programs_init(writer);
	return 0;
}

int writer_file_create(const char *name, uint64_t bytes, uint64_t backed_bytes, unsigned mode,
		       uint64_t *ret_device, uint64_t *ret_inode)
{
	int fd = memfd_create_sealed(name, bytes, mode);

	if (fd < 0)
		return fd;
	int r = memfd_back(fd, 0, backed_bytes);

	if (r == 0)
		r = memfd_identity(fd, ret_device, ret_inode);
	if (r < 0) {
		(void)close(fd);
		return r;
	}
	return fd;
}

static int create_control(struct region_writer *writer, void *at)
{
	int fd = writer_file_create(CONTROL_NAME, sizeof(struct control_page),
				    sizeof(struct control_page), MEMFD_MODE_CONTROL,
				    &writer->control_device, &writer->control_inode);

	if (fd < 0)
		return fd;
	struct control_page *page = writer_file_map(fd, sizeof *page, at);

	if (!page) {
		int r = -errno;

		(void)close(fd);
		return r;
	}
	page->magic = CONTROL_MAGIC;
	writer->control = page;
	writer->control_fd = fd;
	return 0;
}

/* Field 22 of /proc/self/stat; the command in field 2 may contain anything, so from its last ')'. */
static uint64_t start_ticks(void)
{
	char text[1024];
	size_t n = slurp("/proc/self/stat", text, sizeof text - 1);

	text[n] = '\0';
	char *p = strrchr(text, ')');

	for (int field = 2; p && field < 22; field++) {
		p = strchr(p + 1, ' ');
	}
	return p ? strtoull(p + 1, NULL, 10) : 0;
}

static void copy_string(char *to, size_t size, const char *from)
{
	size_t n = from ? strnlen(from, size - 1) : 0;

	memcpy(to, from ? from : "", n);
	memset(to + n, 0, size - n);
}

static void fill_site_parts(const struct region_writer *writer, struct region_part *parts)
{
	uint32_t slots = writer->slots_max, programs = writer->programs_max;
	uint32_t sites = writer->sites_max;

	parts[REGION_PART_SITES] = (struct region_part){region_sites_offset(slots, programs),
							sizeof(struct region_site), sites};
	parts[REGION_PART_SITE_STRINGS] = (struct region_part){
		region_site_strings_offset(slots, programs, sites), REGION_SITE_STRING_BYTES, sites};
	parts[REGION_PART_SITE_STACKS] = (struct region_part){
		region_site_stacks_offset(slots, programs, sites), sizeof(uint64_t),
		sites * REGION_SITE_STACK_WORDS};
	parts[REGION_PART_SITE_MODULES] = (struct region_part){
		REGION_SITE_MODULES_OFFSET, sizeof(struct region_site_module),
		sites ? REGION_SITE_MODULES_MAX : 0};
}

static void fill_head(struct region_writer *writer, const struct region_identity *identity)
{
	struct region_head *head = writer_head(writer);
	uint32_t rows = REGION_ALLOCATORS_MAX * REGION_MEMORY_TYPES;

	head->version = REGION_VERSION;
	head->head_bytes = sizeof *head;
	head->file_bytes = writer_table_bytes(writer);
	if (getrandom(head->random_id, sizeof head->random_id, GRND_NONBLOCK) < 0) {
		uint64_t seed[2] = {clock_ns(CLOCK_REALTIME) ^ (uintptr_t)head,
				    clock_ns(CLOCK_MONOTONIC) << 16 ^ (uint64_t)getpid()};

		memcpy(head->random_id, seed, sizeof seed);
	}
	head->pid = writer->pid;
	head->uid = getuid();
	head->start_ticks = start_ticks();
	head->created_realtime_ns = clock_ns(CLOCK_REALTIME);
	head->created_monotonic_ns = clock_ns(CLOCK_MONOTONIC);
	if (identity->build_id && identity->build_id_bytes <= sizeof head->build_id) {
		memcpy(head->build_id, identity->build_id, identity->build_id_bytes);
		head->build_id_bytes = (uint32_t)identity->build_id_bytes;
	}
	copy_string(head->metal_version, sizeof head->metal_version, identity->metal_version);
	copy_string(head->entry, sizeof head->entry, identity->entry);
	head->part_count = REGION_PARTS_KNOWN;
	head->parts[REGION_PART_CAPABILITIES] = (struct region_part){
		REGION_CAPABILITIES_OFFSET, sizeof(struct region_capability), REGION_CAPABILITIES_MAX};
	head->parts[REGION_PART_FAILURES] = (struct region_part){
		REGION_FAILURES_OFFSET, sizeof(struct region_failure), REGION_FAILURES_MAX};
	head->parts[REGION_PART_TOTALS] =
		(struct region_part){REGION_TOTALS_OFFSET, sizeof(struct region_totals), rows};
	head->parts[REGION_PART_VERIFY] =
		(struct region_part){REGION_VERIFY_OFFSET, sizeof(struct region_verify), rows};
	head->parts[REGION_PART_ALLOCATORS] = (struct region_part){
		REGION_ALLOCATORS_OFFSET, sizeof(struct region_allocator), REGION_ALLOCATORS_MAX};
	head->parts[REGION_PART_SLOTS] = (struct region_part){
		REGION_SLOTS_OFFSET, sizeof(struct region_slot), writer->slots_max};
	head->parts[REGION_PART_PROGRAMS] =
		(struct region_part){region_programs_offset(writer->slots_max),
				     sizeof(struct region_program), writer->programs_max};
	head->parts[REGION_PART_KERNELS] = (struct region_part){
		region_kernels_offset(writer->slots_max, writer->programs_max),
		sizeof(struct region_kernel), writer->programs_max * REGION_PROGRAM_KERNELS};
	head->parts[REGION_PART_PROGRAM_RANGES] = (struct region_part){
		region_ranges_offset(writer->slots_max, writer->programs_max),
		sizeof(struct region_program_range), writer->programs_max * REGION_PROGRAM_RANGES};
	fill_site_parts(writer, head->parts);
	head->parts[REGION_PART_LEFT] = (struct region_part){
		REGION_LEFT_OFFSET, sizeof(struct region_left), REGION_LEFT_MAX};
	(void)slurp("/proc/self/cmdline", head->command, sizeof head->command);
	/* last: without the magic nobody reads on */
	word_store(&head->magic, REGION_MAGIC);
}

static int create(struct region_writer *writer, const struct region_identity *identity)
{
	int r;

	writer->slots_max =
		slots_allowed(identity->slots_max && identity->slots_max < REGION_SLOTS_MAX
				      ? identity->slots_max + REGION_BLOCK_SLOTS - 1
				      : REGION_SLOTS_MAX);
	if (writer->slots_max == 0)
		return -EFBIG;
	writer->programs_max = identity->slots_max
				       ? identity->programs_max / REGION_PROGRAMS_UNIT *
						 REGION_PROGRAMS_UNIT
				       : programs_allowed(writer->slots_max);
	writer->sites_max = identity->slots_max
				    ? identity->sites_max / REGION_SITES_UNIT * REGION_SITES_UNIT
				    : sites_allowed(writer->slots_max);
	r = create_private(writer);
	if (r < 0)
		return r;
	r = writer_file_create(REGION_NAME, writer_table_bytes(writer), FRONT_BYTES,
			       MEMFD_MODE_TABLE, &writer->table_device, &writer->table_inode);
	if (r < 0)
		return r;
	writer->table_fd = r;
	writer->table =
		writer_file_map(writer->table_fd, writer_table_bytes(writer), NULL);
	if (!writer->table)
		return -errno;
	r = create_control(writer, NULL);
	if (r < 0)
		return r;
	r = writer_back_block(writer, 0);
	if (r < 0)
		return r;
	(void)memfd_lock(writer->table_fd);
	fill_head(writer, identity);
	return 0;
}

static void release(struct region_writer *writer)
{
	if (writer->private)
		(void)munmap(writer->private, writer->private_bytes);
	if (writer->table)
		(void)munmap(writer->table, writer_table_bytes(writer));
	if (writer->control)
		(void)munmap(writer->control, sizeof *writer->control);
	if (memfd_is(writer->table_fd, writer->table_device, writer->table_inode))
		(void)close(writer->table_fd);
	if (memfd_is(writer->control_fd, writer->control_device, writer->control_inode))
		(void)close(writer->control_fd);
	if (memfd_is(writer->copy_fd, writer->copy_device, writer->copy_inode))
		(void)close(writer->copy_fd);
	writer->private = NULL;
	writer->table = NULL;
	writer->control = NULL;
}

int region_writer_create(struct region_writer *writer, const struct region_identity *identity)
{
	quiet_auto quiet = quiet_begin();

	if (region_lock_is_ours(&writer->lock))
		return -EBUSY;
	region_lock_take(&writer->lock);
	if (writer->state == REGION_WRITER_NONE) {
		writer->pid = (uint32_t)getpid();
		writer->table_fd = writer->control_fd = writer->copy_fd = -1;
		writer->error = create(writer, identity);
		if (writer->error < 0)
			release(writer);
		/* release: whoever sees READY without the lock sees all that is above */
		word_store32(&writer->state,
			     writer->error < 0 ? REGION_WRITER_OFF : REGION_WRITER_READY);
	}
	region_lock_give(&writer->lock);
	return writer->error;
}

void region_writer_destroy(struct region_writer *writer)
{
	if (writer->state == REGION_WRITER_READY)
		release(writer);
	memset(writer, 0, sizeof *writer);
}

static void block_mark(struct region_writer *writer, uint32_t block, bool backed)
{
	uint64_t bit = UINT64_C(1) << (block % 64);
	uint64_t *word = &writer->private->block_backed[block / 64];

	*word = backed ? *word | bit : *word & ~bit;
	writer->blocks_backed += backed ? 1 : UINT32_MAX;
}

static uint32_t highest_backed(const struct region_writer *writer, bool empty)
{
	for (uint32_t block = writer->slots_max / REGION_BLOCK_SLOTS; block-- > 0;)
		if (writer_block_is_backed(writer, block) &&
		    (!empty || writer->private->block_live[block] == 0))
			return block;
	return REGION_NONE;
}

static void publish_high_water(struct region_writer *writer)
{
	uint32_t block = highest_backed(writer, false);

	word_store32(&writer_head(writer)->slots_high_water,
		     block == REGION_NONE ? 0 : (block + 1) * REGION_BLOCK_SLOTS);
}

static int back_block(struct region_writer *writer, uint32_t block)
{
	uint32_t blocks = writer->slots_max / REGION_BLOCK_SLOTS;
	uint32_t n = 0;

	if (writer_block_is_backed(writer, block))
		return 0;
	int r = writer_check_table(writer);

	if (r < 0)
		return r;
	while (n < BLOCKS_AT_ONCE && block + n < blocks && !writer_block_is_backed(writer, block + n))
		n++;
	r = memfd_back(writer->table_fd, REGION_SLOTS_OFFSET + (uint64_t)block * REGION_BLOCK_BYTES,
		       (uint64_t)n * REGION_BLOCK_BYTES);
	if (r < 0)
		return r;
	for (uint32_t i = 0; i < n; i++)
		block_mark(writer, block + i, true);
	writer->blocks_empty += n;
	publish_high_water(writer);
	return 0;
}

/* The two below are where an event makes system calls, so errno is kept here and not by events. */
int writer_back_block(struct region_writer *writer, uint32_t block)
{
	quiet_auto quiet = quiet_begin();
	int r = back_block(writer, block);

	return r;
}

static bool trim(struct region_writer *writer)
{
	uint32_t block = highest_backed(writer, true);
	uint64_t *entries = writer->index.entries + (uint64_t)block * REGION_BLOCK_SLOTS;

	if (block == REGION_NONE || !memfd_is(writer->table_fd, writer->table_device,
					      writer->table_inode))
		return false;
	if (memfd_give_back(writer->table_fd,
			    REGION_SLOTS_OFFSET + (uint64_t)block * REGION_BLOCK_BYTES,
			    REGION_BLOCK_BYTES) < 0)
		return false;
	block_mark(writer, block, false);
	writer->blocks_empty--;
	publish_high_water(writer);
	(void)madvise(entries, REGION_BLOCK_SLOTS * sizeof *entries, MADV_DONTNEED);

	uint64_t used = page_up(writer->index.buckets_used * sizeof(uint32_t));
	uint64_t touched = page_up(writer->index.buckets_touched * sizeof(uint32_t));

	/* Bucket words above buckets_used are zeroed when they come into use, so dropping is safe. */
	if (touched > used + REGION_BLOCK_BYTES) {
		(void)madvise((uint8_t *)writer->index.buckets + used, touched - used,
			      MADV_DONTNEED);
		writer->index.buckets_touched = writer->index.buckets_used;
	}
	return true;
}

bool writer_trim(struct region_writer *writer)
{
	if (writer->blocks_empty <= BLOCKS_KEPT + writer->blocks_backed / 8)
		return false;
	quiet_auto quiet = quiet_begin();
	bool given_back = trim(writer);

	return given_back;
}

int writer_back_row(struct region_writer *writer, uint32_t row)
{
	const uint64_t ranges[][2] = {
		{REGION_ALLOCATORS_OFFSET, sizeof(struct region_allocator)},
		{REGION_TOTALS_OFFSET, REGION_MEMORY_TYPES * sizeof(struct region_totals)},
		{REGION_VERIFY_OFFSET, REGION_MEMORY_TYPES * sizeof(struct region_verify)},
	};

	int r = writer_check_table(writer);

	for (unsigned i = 0; r == 0 && i < sizeof ranges / sizeof ranges[0]; i++)
		r = memfd_back(writer->table_fd, ranges[i][0] + row * ranges[i][1],
			       ranges[i][1]);
	return r;
}

/* Blocks of programs stay: all of them together are a few MiB. */
int writer_back_program_rows(struct region_writer *writer, uint64_t offset, uint64_t bytes)
{
	uint64_t base = region_programs_offset(writer->slots_max);
	uint64_t last = (offset + bytes - 1 - base) / REGION_BLOCK_BYTES;
	quiet_auto quiet = quiet_begin();
	int r = 0;

	for (uint64_t b = (offset - base) / REGION_BLOCK_BYTES; r == 0 && b <= last; b++) {
		if (writer_program_block_is_backed(writer, b))
			continue;
		r = writer_check_table(writer);
		if (r == 0)
			r = memfd_back(writer->table_fd, base + b * REGION_BLOCK_BYTES,
				       REGION_BLOCK_BYTES);
		if (r == 0)
			writer->private->programs.block_backed[b / 64] |= UINT64_C(1) << (b % 64);
	}
	return r;
}

/*
 * After close_range(2) or a daemon's closefrom() our number may be another
 * file. The mapping is still whole, but nobody can find it by descriptor and
 * it could not grow: so a new file takes its place.
 */
static int move_table(struct region_writer *writer)
{
	uint64_t bytes = writer_table_bytes(writer);
	uint64_t device, inode;
	int fd = writer_file_create(REGION_NAME, bytes, FRONT_BYTES, MEMFD_MODE_TABLE, &device,
				    &inode);

	if (fd < 0)
		return fd;
	/* before it is a table: one without a lock has a writer that is gone */
	(void)memfd_lock(fd);
	uint8_t *copy = writer_file_map(fd, bytes, NULL);
	int r = copy ? writer_copy_table(writer, fd, copy) : -errno;

	if (r < 0) {
		if (copy)
			(void)munmap(copy, bytes);
		(void)close(fd);
		return r;
	}
	word_store(&writer_head(writer)->moved, 1);
	/* everybody reaches the table through the pointer, under the lock: no address need stay */
	(void)munmap(writer->table, bytes);
	writer->table = copy;
	writer->table_fd = fd;
	writer->table_device = device;
	writer->table_inode = inode;
	return 0;
}

/* A page that no server beats on: that is how each of them is told of the other table. */
static void renew_control(struct region_writer *writer)
{
	int old = writer->control_fd;
	bool is_ours = memfd_is(old, writer->control_device, writer->control_inode);

	if (create_control(writer, writer->control) == 0 && is_ours)
		(void)close(old);
}

int writer_check_table(struct region_writer *writer)
{
	if (memfd_is(writer->table_fd, writer->table_device, writer->table_inode))
		return 0;
	int r = move_table(writer);

	if (r == 0)
		renew_control(writer);
	return r;
}

int writer_check_files(struct region_writer *writer)
{
	if (!memfd_is(writer->control_fd, writer->control_device, writer->control_inode))
		renew_control(writer);
	int r = writer_check_table(writer);

	/* whoever in this process closes another descriptor of the table drops our lock */
	if (r == 0)
		(void)memfd_lock(writer->table_fd);
	return r;
}

/*
 * A descriptor that can only read. A process that has changed its uid may not
 * reopen its own file any more; the servers it trusts then get one that could
 * write, which is better than none.
 */
int writer_file_reopen(int fd)
{
	char path[64];

	(void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	int reader = open(path, O_RDONLY | O_CLOEXEC);

	if (reader < 0)
		reader = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	return reader < 0 ? -errno : reader;
}

int region_writer_share(struct region_writer *writer)
{
	quiet_auto quiet = quiet_begin();

	if (region_lock_is_ours(&writer->lock))
		return -EBUSY;
	region_lock_take(&writer->lock);
	int r = writer_check_files(writer);

	if (r == 0)
		r = writer_file_reopen(writer->table_fd);
	region_lock_give(&writer->lock);
	return r;
}

void region_writer_unshare(struct region_writer *writer, int fd)
{
	quiet_auto quiet = quiet_begin();

	region_lock_take(&writer->lock);
	(void)close(fd);
	if (memfd_is(writer->table_fd, writer->table_device, writer->table_inode))
		(void)memfd_lock(writer->table_fd);
	region_lock_give(&writer->lock);
}

uint64_t region_writer_start_ticks(struct region_writer *writer)
{
	if (region_lock_is_ours(&writer->lock))
		return 0;
	/* the lock: the table may just be moving */
	region_lock_take(&writer->lock);
	uint64_t ticks = writer_head(writer)->start_ticks;

	region_lock_give(&writer->lock);
	return ticks;
}
