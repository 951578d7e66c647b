/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by writer.c (events), writer_file.c (the file below them) and
 * writer_copy.c (copies of it). Lock held, unless said. */
#ifndef TTMEM_REGION_WRITER_INTERNAL_H
#define TTMEM_REGION_WRITER_INTERNAL_H

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
/* writer_copy_table - all that is backed, into another file and its mapping. 0 or -errno. */
int writer_copy_table(struct region_writer *writer, int fd, uint8_t *to);

/* writer_back_block - makes sure the pages of a block of slots exist. 0 or -errno. */
int writer_back_block(struct region_writer *writer, uint32_t block);
/* writer_trim - gives one block back if more stand empty than is sensible to keep; did it? */
bool writer_trim(struct region_writer *writer);
/* writer_back_row - makes sure the pages of an allocator's rows exist. 0 or -errno. */
int writer_back_row(struct region_writer *writer, uint32_t row);
/*
 * writer_check_files - moves table and control page if their descriptors mean other files now.
 * Return: 0, or -errno when the table has no descriptor of its own any more.
 * writer_check_table looks at the table alone, for the moments when it grows.
 */
int writer_check_table(struct region_writer *writer);
int writer_check_files(struct region_writer *writer);

#endif
