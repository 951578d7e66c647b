/* SPDX-License-Identifier: Apache-2.0 */
/* The three files of TT-Metal's MemoryReporter, of one allocator. */
#ifndef TTMEM_VIEW_MEMORY_REPORT_H
#define TTMEM_VIEW_MEMORY_REPORT_H

#include "base/buffer.h"
#include "model/snapshot.h"

enum memory_report_file {
	MEMORY_REPORT_SUMMARY,	/* a line for each memory type, per bank */
	MEMORY_REPORT_L1,	/* what an interleaved L1 buffer could still get */
	MEMORY_REPORT_DETAILED, /* totals over all banks, and the blocks of a bank */
	MEMORY_REPORT_FILES
};

struct memory_report {
	struct text files[MEMORY_REPORT_FILES];
};

/* memory_report_name - the name that TT-Metal gives the file, without prefix */
const char *memory_report_name(enum memory_report_file file);
/*
 * memory_report_write - what TT-Metal would write now for the device of this allocator (index).
 * `geometry` has the allocator; `buffers` the rows, where the same allocator has the index
 * `listed` (SNAPSHOT_NONE: it holds none). Both may be the same snapshot. metal_version chooses
 * the release; "" is taken for the newest.
 * Return: 0, and the caller clears the report; -ENODATA: size and banks are not known, or buffers
 * of this build cannot be read; -ERANGE: the buffers are not those of one moment; -ENOMEM.
 */
int memory_report_write(const struct snapshot *geometry, uint32_t allocator,
			const struct snapshot *buffers, uint32_t listed, const char *metal_version,
			struct memory_report *ret_report);
/* memory_report_clear - also fine after a failure */
void memory_report_clear(struct memory_report *report);

#endif
