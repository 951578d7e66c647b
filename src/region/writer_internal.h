/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shared by writer.c and programs.c (events), writer_file.c (the file below them) and writer_copy.c
 * (copies of it). Lock held, unless said.
 */
#ifndef TTMEM_REGION_WRITER_INTERNAL_H
#define TTMEM_REGION_WRITER_INTERNAL_H

#include <string.h>

#include "region/words.h"
#include "region/writer.h"

static inline struct region_head *writer_head(const struct region_writer *writer)
{
	return (struct region_head *)(void *)(writer->table + REGION_HEAD_OFFSET);
}

static inline struct region_slot *writer_slot(const struct region_writer *writer, uint32_t slot)
{
	return (struct region_slot *)(void *)(writer->table + REGION_SLOTS_OFFSET) + slot;
}

static inline struct region_totals *writer_totals(const struct region_writer *writer, uint32_t row,
						  uint32_t type)
{
	return (struct region_totals *)(void *)(writer->table + REGION_TOTALS_OFFSET) +
	       (row % REGION_ALLOCATORS_MAX) * REGION_MEMORY_TYPES + (type % REGION_MEMORY_TYPES);
}

static inline struct region_verify *writer_verify(const struct region_writer *writer, uint32_t row,
						  uint32_t type)
{
	return (struct region_verify *)(void *)(writer->table + REGION_VERIFY_OFFSET) +
	       (row % REGION_ALLOCATORS_MAX) * REGION_MEMORY_TYPES + (type % REGION_MEMORY_TYPES);
}

static inline struct region_allocator *writer_allocator(const struct region_writer *writer,
							uint32_t row)
{
	return (struct region_allocator *)(void *)(writer->table + REGION_ALLOCATORS_OFFSET) +
	       row % REGION_ALLOCATORS_MAX;
}

/* Our own last value: no other thread stores while the lock is held. */
static inline uint64_t own(const uint64_t *word)
{
	return __atomic_load_n(word, __ATOMIC_RELAXED);
}

static inline void add(uint64_t *word, uint64_t value)
{
	word_store(word, own(word) + value);
}

/* Never below zero: the mapping is shared, and a damaged row must not spread. */
static inline void subtract(uint64_t *word, uint64_t value)
{
	uint64_t now = own(word);

	word_store(word, now > value ? now - value : 0);
}

static inline void raise_to(uint64_t *word, uint64_t value)
{
	if (own(word) < value)
		word_store(word, value);
}

static inline void event_begin(struct region_writer *writer)
{
	region_lock_take(&writer->lock);
	seq_begin(&writer_head(writer)->seq, ++writer->event);
}

static inline void event_end(struct region_writer *writer)
{
	seq_end(&writer_head(writer)->seq, writer->event);
	region_lock_give(&writer->lock);
}

/*
 * Nor is it for a signal handler that has interrupted this thread's own event: waiting for the lock
 * would be for ever, so what the handler does is not recorded.
 */
static inline bool is_ready(struct region_writer *writer)
{
	/* acquire: pairs with the store at the end of region_writer_create */
	return word_load32(&writer->state) == REGION_WRITER_READY &&
	       !region_lock_is_ours(&writer->lock);
}

static inline void words_store(void *to, const void *from, size_t bytes)
{
	for (size_t i = 0; i < bytes; i += sizeof(uint64_t)) {
		uint64_t word;

		memcpy(&word, (const uint8_t *)from + i, sizeof word);
		word_store((uint64_t *)(void *)((uint8_t *)to + i), word);
	}
}

/* A row of words under its own sequence word, which is the first of them. */
static inline void row_store(uint64_t *to, const void *from, size_t bytes, uint64_t event)
{
	seq_begin(&to[0], event);
	words_store(to + 1, (const uint8_t *)from + sizeof *to, bytes - sizeof *to);
	seq_end(&to[0], event);
}

static inline bool writer_is_before_attach(const struct region_slot *slot)
{
	return own(&slot->origin) >> 32 == REGION_SITE_BEFORE_ATTACH;
}

static inline bool writer_block_is_backed(const struct region_writer *writer, uint32_t block)
{
	return writer->private->block_backed[block / 64] >> (block % 64) & 1;
}

#define MEMFD_MODE_TABLE 0400 /* any holder could otherwise reopen it for writing */

/* Head, capabilities and failures are always there. */
#define FRONT_BYTES REGION_TOTALS_OFFSET

/* writer_file_create - a sealed file whose first bytes are backed. Return: descriptor or -errno. */
int writer_file_create(const char *name, uint64_t bytes, uint64_t backed_bytes, unsigned mode,
		       uint64_t *ret_device, uint64_t *ret_inode);
/* writer_file_map - for writing, kept out of children and cores; fd -1: anonymous. NULL: errno. */
void *writer_file_map(int fd, uint64_t bytes, void *at);
/* writer_file_reopen - another descriptor of a file of ours, if possible one that only reads */
int writer_file_reopen(int fd);
/*
 * writer_slot_drop - a slot leaves table, totals and index; writer_totals_done of its row and
 * writer_live_changed follow.
 */
void writer_slot_drop(struct region_writer *writer, uint32_t slot);
void writer_live_changed(struct region_writer *writer);
/* writer_totals_done - the event does not change the totals of this row any more */
void writer_totals_done(struct region_writer *writer, uint32_t row);
/* writer_next_live - the next live slot at or after *at, NULL: none. Free blocks are not touched. */
const struct region_slot *writer_next_live(const struct region_writer *writer, uint32_t *at);
/* writer_copy_table - all that is backed, into another file and its mapping. 0 or -errno. */
int writer_copy_table(struct region_writer *writer, int fd, uint8_t *to);

static inline bool writer_program_block_is_backed(const struct region_writer *writer,
						  uint64_t block)
{
	return writer->private->programs.block_backed[block / 64] >> (block % 64) & 1;
}

/* writer_table_bytes - size of the table's file */
uint64_t writer_table_bytes(const struct region_writer *writer);
/* writer_back_block - makes sure the pages of a block of slots exist. 0 or -errno. */
int writer_back_block(struct region_writer *writer, uint32_t block);
/* writer_trim - gives one block back if more stand empty than is sensible to keep; did it? */
bool writer_trim(struct region_writer *writer);
/* writer_back_row - makes sure the pages of an allocator's rows exist. 0 or -errno. */
int writer_back_row(struct region_writer *writer, uint32_t row);
/* writer_back_program_rows - makes sure the pages of a range of the programs' parts exist. */
int writer_back_program_rows(struct region_writer *writer, uint64_t offset, uint64_t bytes);
/*
 * writer_programs_init - room for programs in fresh private memory.
 * writer_programs_close - the programs of closing allocator rows end.
 */
void writer_programs_init(struct region_writer *writer);
void writer_programs_close(struct region_writer *writer, const bool *rows);
/* writer_programs_are_valid - for tests */
bool writer_programs_are_valid(const struct region_writer *writer);
/* writer_copy_sites - what is used of them, into another file and its mapping. 0 or -errno. */
int writer_copy_sites(const struct region_writer *writer, int fd, uint8_t *to);
/* writer_sites_are_valid - for tests */
bool writer_sites_are_valid(const struct region_writer *writer);
/*
 * writer_left_add - a slot that goes with its device is counted with its site.
 * writer_left_done - the event has added its last one.
 */
void writer_left_add(struct region_writer *writer, uint32_t slot);
void writer_left_done(struct region_writer *writer);
/* writer_left_is_valid - for tests */
bool writer_left_is_valid(const struct region_writer *writer);
/*
 * writer_check_files - moves table and control page if their descriptors mean other files now.
 * Return: 0, or -errno when the table has no descriptor of its own any more.
 * writer_check_table looks at the table alone, for the moments when it grows.
 */
int writer_check_table(struct region_writer *writer);
int writer_check_files(struct region_writer *writer);

#endif
