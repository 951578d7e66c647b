/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Copies of the table: a whole one when it moves, and one of limited size for
 * an allocation that has failed.
 *
 * Where not all buffers fit, whoever looks for what filled the memory wants the
 * largest. They are found without a sort and without memory: one pass counts
 * the live slots by class of size, the next one copies the classes from the
 * top. In the last class that gets a place, whose sizes differ by an eighth at
 * most, the first slots win.
 */
#include "region/writer_internal.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "region/memfd.h"
#include "region/quiet.h"
#include "region/words.h"

/* A program that retries a failing allocation must not spend its time on copies. */
#define COPY_EVERY_NS UINT64_C(1000000000)

#define COPY_SLOTS_MAX	(REGION_COPY_BYTES_MAX / sizeof(struct region_slot))
#define COPY_BLOCKS_MAX (REGION_COPY_BYTES_MAX / REGION_BLOCK_BYTES)

/* Eight classes of size for each power of two. */
#define SIZE_CLASSES 512u

static int copy_front(struct region_writer *writer, int fd, uint8_t *to)
{
	uint64_t rows = writer->allocators_used;
	uint64_t front[][2] = {
		{0, FRONT_BYTES},
		{REGION_TOTALS_OFFSET, rows * REGION_MEMORY_TYPES * sizeof(struct region_totals)},
		{REGION_VERIFY_OFFSET, rows * REGION_MEMORY_TYPES * sizeof(struct region_verify)},
		{REGION_ALLOCATORS_OFFSET, rows * sizeof(struct region_allocator)},
		/* what has pages, used or not: the next row is written there */
		{REGION_LEFT_OFFSET, writer->private->left.backed * sizeof(struct region_left)},
	};

	for (unsigned i = 0; i < sizeof front / sizeof front[0]; i++) {
		int r = front[i][1] ? memfd_back(fd, front[i][0], front[i][1]) : 0;

		if (r < 0)
			return r;
		/* without its magic, the first word, nobody takes it for a table before all is there */
		uint64_t skipped = front[i][0] == 0 ? sizeof(uint64_t) : 0;

		memcpy(to + front[i][0] + skipped, writer->table + front[i][0] + skipped,
		       front[i][1] - skipped);
	}
	return 0;
}

/* All of a copy is there: from now on it is a table. */
static void finish_copy(uint8_t *to)
{
	word_store(&((struct region_head *)(void *)to)->magic, REGION_MAGIC);
}

/* Every block that is backed, to the same place; the rest of the new file stays a hole. */
static int copy_blocks(struct region_writer *writer, int fd, uint8_t *to)
{
	for (uint32_t block = 0; block < writer->slots_max / REGION_BLOCK_SLOTS; block++) {
		uint64_t offset = REGION_SLOTS_OFFSET + (uint64_t)block * REGION_BLOCK_BYTES;

		if (!writer_block_is_backed(writer, block))
			continue;
		int r = memfd_back(fd, offset, REGION_BLOCK_BYTES);

		if (r < 0)
			return r;
		memcpy(to + offset, writer->table + offset, REGION_BLOCK_BYTES);
	}
	return 0;
}

/* All of them: a few MiB at most, and what was resident is half of an answer. */
static int copy_programs(const struct region_writer *writer, int fd, uint8_t *to)
{
	for (uint64_t block = 0; block < REGION_PROGRAM_BLOCKS; block++) {
		uint64_t offset = region_programs_offset(writer->slots_max) +
				  block * REGION_BLOCK_BYTES;

		if (!writer_program_block_is_backed(writer, block))
			continue;
		int r = memfd_back(fd, offset, REGION_BLOCK_BYTES);

		if (r < 0)
			return r;
		memcpy(to + offset, writer->table + offset, REGION_BLOCK_BYTES);
	}
	return 0;
}

int writer_copy_table(struct region_writer *writer, int fd, uint8_t *to)
{
	int r = copy_front(writer, fd, to);

	if (r == 0)
		r = copy_blocks(writer, fd, to);
	if (r == 0)
		r = copy_programs(writer, fd, to);
	if (r == 0)
		r = writer_copy_sites(writer, fd, to);
	if (r == 0) {
		((struct region_head *)(void *)to)->copies++;
		finish_copy(to);
	}
	return r;
}

static uint32_t size_class(uint64_t bytes)
{
	if (bytes < 16)
		return (uint32_t)bytes;
	unsigned top = 63 - (unsigned)__builtin_clzll(bytes);

	return top << 3 | (uint32_t)(bytes >> (top - 3) & 7);
}

/* What of the live slots gets a place. */
struct selection {
	uint32_t whole; /* this class and all above it have room for all of theirs */
	uint32_t room;	/* so many of the class below are left */
	uint32_t count;
};

const struct region_slot *writer_next_live(const struct region_writer *writer, uint32_t *at)
{
	for (; *at < writer->slots_max; ++*at) {
		if (*at % REGION_BLOCK_SLOTS == 0) {
			uint32_t block = *at / REGION_BLOCK_SLOTS;

			if (!writer_block_is_backed(writer, block) ||
			    writer->private->block_live[block] == 0) {
				*at += REGION_BLOCK_SLOTS - 1;
				continue;
			}
		}
		const struct region_slot *slot = writer_slot(writer, *at);

		if (slot->seq != 0)
			return slot;
	}
	return NULL;
}

static struct selection select_largest(const struct region_writer *writer)
{
	uint32_t counts[SIZE_CLASSES] = {0}, total = 0;
	const struct region_slot *slot;

	for (uint32_t at = 0; (slot = writer_next_live(writer, &at)); at++) {
		counts[size_class(slot->requested_bytes)]++;
		total++;
	}
	struct selection selection = {.whole = SIZE_CLASSES, .room = COPY_SLOTS_MAX};

	while (selection.whole > 0 && counts[selection.whole - 1] <= selection.room)
		selection.room -= counts[--selection.whole];
	selection.count = total < COPY_SLOTS_MAX ? total : COPY_SLOTS_MAX;
	return selection;
}

static bool has_place(struct selection *selection, const struct region_slot *slot)
{
	uint32_t class = size_class(slot->requested_bytes);

	if (class >= selection->whole)
		return true;
	if (class + 1 < selection->whole || selection->room == 0)
		return false;
	selection->room--;
	return true;
}

/* Densely, from the first slot on: places mean nothing in a copy. */
static int copy_largest(struct region_writer *writer, int fd, uint8_t *to)
{
	struct selection selection = select_largest(writer);
	struct region_slot *copy = (struct region_slot *)(void *)(to + REGION_SLOTS_OFFSET);
	struct region_head *head = (struct region_head *)(void *)to;
	uint64_t bytes = selection.count * sizeof *copy;
	const struct region_slot *slot;
	uint32_t count = 0;
	int r = bytes ? memfd_back(fd, REGION_SLOTS_OFFSET, bytes) : 0;

	if (r < 0)
		return r;
	for (uint32_t at = 0; count < selection.count && (slot = writer_next_live(writer, &at)); at++)
		if (has_place(&selection, slot))
			copy[count++] = *slot;
	head->left_out = writer->live > count ? writer->live - count : 0;
	word_store32(&head->slots_live, count);
	word_store32(&head->slots_high_water, count);
	return 0;
}

/* Lock held. The new copy replaces the last one. Return: 0 or -errno. */
static int make_copy(struct region_writer *writer)
{
	uint64_t bytes = writer_table_bytes(writer), device = 0, inode = 0;
	struct rlimit limit;

	/* a second mapping, however short, could make another thread's malloc fail */
	if (getrlimit(RLIMIT_AS, &limit) < 0 || limit.rlim_cur != RLIM_INFINITY)
		return -ENOMEM;
	int fd = writer_file_create(FAILURE_NAME, bytes, FRONT_BYTES, MEMFD_MODE_TABLE, &device,
				    &inode);

	if (fd < 0)
		return fd;
	uint8_t *copy = writer_file_map(fd, bytes, NULL);
	int r = copy ? copy_front(writer, fd, copy) : -errno;

	if (r == 0)
		r = writer->blocks_backed <= COPY_BLOCKS_MAX ? copy_blocks(writer, fd, copy)
							     : copy_largest(writer, fd, copy);
	if (r == 0)
		r = copy_programs(writer, fd, copy);
	if (r == 0)
		r = writer_copy_sites(writer, fd, copy);
	if (r == 0)
		finish_copy(copy);
	if (copy)
		(void)munmap(copy, bytes);
	if (r < 0) {
		(void)close(fd);
		return r;
	}
	if (memfd_is(writer->copy_fd, writer->copy_device, writer->copy_inode))
		(void)close(writer->copy_fd);
	writer->copy_fd = fd;
	writer->copy_device = device;
	writer->copy_inode = inode;
	return 0;
}

int region_writer_copy(struct region_writer *writer, uint64_t now_ns)
{
	quiet_auto quiet = quiet_begin();
	int r = -EAGAIN;

	if (region_lock_is_ours(&writer->lock))
		return r;
	region_lock_take(&writer->lock);
	if (writer->state == REGION_WRITER_READY &&
	    (writer->copied_ns == 0 || now_ns - writer->copied_ns >= COPY_EVERY_NS)) {
		writer->copied_ns = now_ns ? now_ns : 1;
		r = make_copy(writer);
		if (r == 0)
			r = writer_file_reopen(writer->copy_fd);
	}
	region_lock_give(&writer->lock);
	return r;
}
