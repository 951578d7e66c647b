/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What ttnn.dump_device_memory_state() writes, as it looks from outside.
 *
 * Learnt from the files of releases 0.66 to 0.81 on mock clusters, and from the strings and the
 * calls in the libraries of all releases:
 *
 * - All figures are whole bytes, unpadded. The summary is per bank, the detailed file's totals
 *   are per bank x banks, "Total Free L1 Space" is the largest free block x banks, not the free
 *   bytes x banks.
 * - Since 0.63 there are three memory types: DRAM, L1, L1_SMALL; TRACE never. A type that the
 *   device does not have has zeros and one free block of size 0. Up to 0.62 there are two, and
 *   two columns of the summary say (KB) over figures that are bytes all the same.
 * - There is one allocator per mesh device and per submesh; a file tells of the one that belongs
 *   to the device it was asked for. Buffers of a submesh are not in the files of its parent.
 * - Addresses in the block table start at 0 at the bank's allocatable range. Neighbouring free
 *   blocks are always one.
 *
 * The number of a block, and so the order of rows, is the history of the allocator: it cannot be
 * known from outside. Here blocks are numbered by address, which is a block table that the
 * allocator could have had, with no unused slot. The lists of free blocks follow from it: classes
 * double from 1 KiB up to 128 MiB, and inside a class TT-Metal sorts by address, as we do.
 */
#include "view/memory_report.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "analyse/blocks.h"

#define CLASS_BASE  UINT64_C(1024)
#define CLASSES_MIN 2u
#define CLASSES_MAX 18u
#define COLUMN	    12 /* of the block table, and a blank behind */

/* One memory type of the allocator with its blocks. */
struct bank {
	enum memory_type type;
	uint64_t banks, base, size_bytes;
	struct block *blocks;
	size_t count;
};

const char *memory_report_name(enum memory_report_file file)
{
	static const char *const names[MEMORY_REPORT_FILES] = {
	    [MEMORY_REPORT_SUMMARY] = "memory_usage_summary.csv",
	    [MEMORY_REPORT_L1] = "l1_usage_summary.csv",
	    [MEMORY_REPORT_DETAILED] = "detailed_memory_usage.csv",
	};

	return names[file];
}

/* Releases up to 0.62; what is not a release that we know is taken for a new one. */
static bool is_early(const char *metal_version)
{
	unsigned major, minor;

	return sscanf(metal_version, "%u.%u", &major, &minor) == 2 && major == 0 && minor < 63;
}

static int bank_ranges(const struct snapshot *buffers, uint32_t allocator, enum memory_type type,
		       struct range **ret_ranges, size_t *ret_count)
{
	struct range *ranges = malloc((buffers->buffer_count + 1) * sizeof *ranges);
	size_t count = 0;

	if (!ranges)
		return -ENOMEM;
	for (uint32_t i = 0; i < buffers->buffer_count; i++) {
		const struct buffer *b = &buffers->buffers[i];

		/* an end that wraps lies before its start, which no bank has */
		if (b->allocator == allocator && b->type == type && b->bank_bytes)
			ranges[count++] = (struct range){b->address, b->address + b->bank_bytes};
	}
	*ret_ranges = ranges;
	*ret_count = count;
	return 0;
}

static int bank_read(const struct allocator *allocator, const struct snapshot *buffers,
		     uint32_t listed, enum memory_type type, struct bank *ret_bank)
{
	const struct memory *memory = &allocator->memory[type];
	struct bank bank = {.type = type, .base = allocator->base_address[type]};
	struct range *ranges;
	uint64_t end, all;
	size_t count;

	if (!fact_is_known(memory->bank_size_bytes) || !fact_is_known(memory->banks) ||
	    !fact_is_known(memory->buffers))
		return -ENODATA;
	bank.banks = memory->banks.value;
	bank.size_bytes = memory->bank_size_bytes.value;
	if (__builtin_add_overflow(bank.base, bank.size_bytes, &end) ||
	    __builtin_mul_overflow(bank.banks, bank.size_bytes, &all))
		return -ENODATA;
	int r = bank_ranges(buffers, listed, type, &ranges, &count);

	if (r < 0)
		return r;
	r = blocks_of_bank(ranges, count, bank.base, end, &bank.blocks, &bank.count);
	free(ranges);
	if (r == 0)
		*ret_bank = bank;
	return r;
}

/* Class i holds sizes from 2^i KiB; what is smaller is in the first, what is larger in the last. */
static unsigned size_class(uint64_t size_bytes, unsigned classes)
{
	unsigned class = 0;

	while (class + 1 < classes && size_bytes >= CLASS_BASE << (class + 1))
		class ++;
	return class;
}

static unsigned class_count(uint64_t size_bytes)
{
	unsigned count = 0;

	for (uint64_t n = size_bytes / CLASS_BASE; n; n >>= 1)
		count++;
	return count < CLASSES_MIN ? CLASSES_MIN : count > CLASSES_MAX ? CLASSES_MAX : count;
}

static void write_free_lists(struct text *text, const struct bank *bank)
{
	unsigned classes = class_count(bank->size_bytes);

	text_puts(text, "FreeListOpt allocator info:\nsegregated free blocks by size:\n");
	for (unsigned class = 0; class < classes; class ++) {
		text_printf(text, "  Size class %u: (%" PRIu64 " - ", class, CLASS_BASE << class);
		if (class + 1 < classes)
			text_printf(text, "%" PRIu64 ") blocks: ", CLASS_BASE << (class + 1));
		else
			text_puts(text, "inf) blocks: ");
		for (size_t i = 0; i < bank->count; i++)
			if (!bank->blocks[i].allocated &&
			    size_class(bank->blocks[i].size_bytes, classes) == class)
				text_printf(text, "%zu ", i);
		text_putc(text, '\n');
	}
	text_puts(text, "Free slots in block table: \n");
}

static void write_neighbour(struct text *text, bool exists, size_t number)
{
	if (exists)
		text_printf(text, "%*zu ", COLUMN, number);
	else
		text_printf(text, "%*s ", COLUMN, "none");
}

static void write_block_table(struct text *text, const struct bank *bank)
{
	static const char *const titles[] = {"Block",  "Address", "Size",
					     "PrevID", "NextID",  "Allocated"};

	text_puts(text, "Block table:\n");
	for (size_t i = 0; i < sizeof titles / sizeof titles[0]; i++)
		text_printf(text, "%*s ", COLUMN, titles[i]);
	text_putc(text, '\n');
	for (size_t i = 0; i < bank->count; i++) {
		const struct block *block = &bank->blocks[i];

		text_printf(text, "%*zu %*" PRIu64 " %*" PRIu64 " ", COLUMN, i, COLUMN,
			    block->start - bank->base, COLUMN, block->size_bytes);
		write_neighbour(text, i > 0, i - 1);
		write_neighbour(text, i + 1 < bank->count, i + 1);
		text_printf(text, "%*s\n", COLUMN, block->allocated ? "yes" : "no");
	}
}

static void write_bank(struct memory_report *report, const struct bank *bank)
{
	uint64_t allocated = blocks_allocated(bank->blocks, bank->count);
	uint64_t largest = blocks_largest_free(bank->blocks, bank->count);
	uint64_t free_bytes = bank->size_bytes - allocated;
	struct text *detailed = &report->files[MEMORY_REPORT_DETAILED];

	text_printf(&report->files[MEMORY_REPORT_SUMMARY],
		    ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 "\n", bank->size_bytes,
		    allocated, free_bytes, largest);
	if (bank->type == MEMORY_L1)
		text_printf(&report->files[MEMORY_REPORT_L1], ",%" PRIu64 ",%" PRIu64 "\n", largest,
			    largest * bank->banks);
	text_printf(detailed, ",%s\n", memory_type_name(bank->type));
	text_printf(detailed,
		    ",Total allocatable (B):,%" PRIu64 "\n,Total allocated (B):,%" PRIu64
		    "\n,Total free (B):,%" PRIu64 "\n",
		    bank->size_bytes * bank->banks, allocated * bank->banks,
		    free_bytes * bank->banks);
	write_free_lists(detailed, bank);
	write_block_table(detailed, bank);
}

static void write_headings(struct memory_report *report, bool early)
{
	const char *unit = early ? "KB" : "B";

	text_printf(&report->files[MEMORY_REPORT_SUMMARY],
		    ", Total Allocatable Size (B), Total Allocated (B), Total Free (%s), "
		    "Largest Free Block (%s)\n",
		    unit, unit);
	text_puts(&report->files[MEMORY_REPORT_L1],
		  "This report indicates available space for interleaving L1 buffers\n"
		  ", Largest Contiguous Free Block (B), Total Free L1 Space (B)\n");
}

int memory_report_write(const struct snapshot *geometry, uint32_t allocator,
			const struct snapshot *buffers, uint32_t listed, const char *metal_version,
			struct memory_report *ret_report)
{
	static const enum memory_type types[] = {MEMORY_DRAM, MEMORY_L1, MEMORY_L1_SMALL};
	bool early = is_early(metal_version);
	struct memory_report report = {0};
	int r = 0;

	write_headings(&report, early);
	for (size_t i = 0; r == 0 && i < (early ? 2 : 3); i++) {
		struct bank bank = {0};

		r = bank_read(&geometry->allocators[allocator], buffers, listed, types[i], &bank);
		if (r < 0)
			break;
		write_bank(&report, &bank);
		free(bank.blocks);
	}
	for (int file = 0; file < MEMORY_REPORT_FILES; file++)
		if (r == 0 && report.files[file].failed)
			r = -ENOMEM;
	if (r < 0)
		memory_report_clear(&report);
	else
		*ret_report = report;
	return r;
}

void memory_report_clear(struct memory_report *report)
{
	for (int file = 0; file < MEMORY_REPORT_FILES; file++)
		text_free(&report->files[file]);
}
