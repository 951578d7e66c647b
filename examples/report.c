/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A runtime that keeps its own books tells them, and looks at itself.
 *
 *     cc report.c $(pkg-config --cflags --libs ttmem)
 *
 * With --hold it stays until its standard input ends, so that ttmem can be started beside it.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <ttmem/ttmem.h>

#define MIB (UINT64_C(1) << 20)

static ttmemReturn_t allocate(ttmemReport_t report, uint32_t allocator, uint64_t key,
			      uint64_t address, uint64_t bytes)
{
	ttmemReportBuffer_t buffer;

	memset(&buffer, 0, sizeof buffer);
	buffer.version = TTMEM_REPORT_BUFFER_VERSION;
	buffer.allocator = allocator;
	buffer.key = key;
	buffer.address = address;
	buffer.requested_bytes = bytes;
	buffer.bank_bytes = bytes / 8; /* interleaved over eight banks */
	buffer.page_bytes = 2048;
	buffer.pages = (uint32_t)(bytes / 2048);
	buffer.cores = TTMEM_NONE;
	buffer.type = TTMEM_MEMORY_DRAM;
	return ttmemReportAlloc(report, &buffer);
}

static ttmemReturn_t add_allocator(ttmemReport_t report, uint32_t *id)
{
	ttmemReportAllocator_t allocator;
	ttmemReportChip_t chip;

	memset(&chip, 0, sizeof chip);
	memset(&allocator, 0, sizeof allocator);
	allocator.version = TTMEM_REPORT_ALLOCATOR_VERSION;
	allocator.arch = TTMEM_ARCH_BLACKHOLE;
	allocator.parent = TTMEM_NONE;
	allocator.chip_count = 1;
	allocator.chips = &chip;
	allocator.geometry[TTMEM_MEMORY_DRAM].banks = 8;
	allocator.geometry[TTMEM_MEMORY_DRAM].alignment_bytes = 64;
	allocator.geometry[TTMEM_MEMORY_DRAM].bank_bytes = 1024 * MIB;
	return ttmemReportAllocatorAdd(report, &allocator, id);
}

/* What this process holds, as everybody else sees it. */
static void print_own(void)
{
	ttmemOpenOptions_t where;
	ttmemTakeOptions_t what;
	ttmemAllocator_t allocator;
	ttmemHandle_t handle;
	ttmemSnapshot_t snapshot;
	ttmemReturn_t result;
	uint64_t one = 1;

	memset(&where, 0, sizeof where);
	where.version = TTMEM_OPEN_OPTIONS_VERSION;
	where.flags = TTMEM_OPEN_OWN;
	memset(&what, 0, sizeof what);
	what.version = TTMEM_TAKE_OPTIONS_VERSION;
	what.flags = TTMEM_TAKE_LARGEST_FREE;
	if (ttmemOpen(&where, &handle) != TTMEM_SUCCESS)
		return;
	result = ttmemSnapshotTake(handle, &what, &snapshot);
	ttmemClose(handle);
	if (result != TTMEM_SUCCESS)
		return;
	if (ttmemAllocatorGetList(snapshot, TTMEM_ALLOCATOR_VERSION, &one, &allocator) ==
		    TTMEM_SUCCESS &&
	    one == 1) {
		const ttmemMemory_t *dram = &allocator.memory[TTMEM_MEMORY_DRAM];

		printf("occupied %" PRIu64 " of %" PRIu64 " bytes, largest hole %" PRIu64
		       ", peak %" PRIu64 "\n",
		       dram->occupied_bytes.value, dram->allocatable_bytes.value,
		       dram->largest_free_bytes.value, dram->peak_occupied_bytes.value);
	}
	ttmemSnapshotRelease(snapshot);
}

int main(int argc, char **argv)
{
	ttmemReport_t report;
	uint32_t allocator = 0;
	ttmemReturn_t result = ttmemReportOpen(NULL, &report);

	if (result == TTMEM_SUCCESS)
		result = add_allocator(report, &allocator);
	if (result == TTMEM_SUCCESS)
		result = allocate(report, allocator, 1, 0, 256 * MIB);
	if (result == TTMEM_SUCCESS)
		result = allocate(report, allocator, 2, 64 * MIB, 64 * MIB);
	if (result == TTMEM_SUCCESS)
		result = ttmemReportFree(report, 1);
	if (result != TTMEM_SUCCESS) {
		fprintf(stderr, "report: %s\n", ttmemErrorString(result));
		return 1;
	}
	print_own();
	fflush(stdout);
	if (argc > 1 && strcmp(argv[1], "--hold") == 0)
		while (getchar() != EOF)
			;
	ttmemReportClose(report);
	return 0;
}
