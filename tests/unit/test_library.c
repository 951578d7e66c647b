/* SPDX-License-Identifier: Apache-2.0 */
/* libttmem from inside a process that reports: what it says is what it then reads. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include <ttmem/ttmem.h>

#define BANKS 8u
#define BANK_BYTES (UINT64_C(1) << 30)

#define check(call) assert_int_equal(call, TTMEM_SUCCESS)

static ttmemReturn_t add(ttmemReport_t report, uint32_t *id)
{
	const ttmemReportChip_t chip = {.unique_id = 0x123456789, .chip_id = 3};
	const ttmemReportAllocator_t allocator = {
		.version = TTMEM_REPORT_ALLOCATOR_VERSION,
		.arch = TTMEM_ARCH_BLACKHOLE,
		.parent = TTMEM_NONE,
		.chip_count = 1,
		.chips = &chip,
		.geometry[TTMEM_MEMORY_DRAM] = {.banks = BANKS, .alignment_bytes = 64,
						.bank_bytes = BANK_BYTES, .base_address = 4096},
	};

	return ttmemReportAllocatorAdd(report, &allocator, id);
}

static uint32_t put_site; /* of the next buffers */

static ttmemReturn_t put(ttmemReport_t report, uint32_t allocator, uint64_t key, uint64_t bank_bytes)
{
	const ttmemReportBuffer_t buffer = {
		.version = TTMEM_REPORT_BUFFER_VERSION,
		.allocator = allocator,
		.key = key,
		.address = 4096 + key * (1 << 20),
		.requested_bytes = BANKS * bank_bytes - 5,
		.bank_bytes = bank_bytes,
		.page_bytes = 2048,
		.pages = 7,
		.cores = TTMEM_NONE,
		.type = TTMEM_MEMORY_DRAM,
		.site = put_site,
	};

	return ttmemReportAlloc(report, &buffer);
}

static ttmemReturn_t take(uint32_t where, uint32_t what, uint32_t pid, ttmemSnapshot_t *snapshot)
{
	const ttmemOpenOptions_t place = {.version = TTMEM_OPEN_OPTIONS_VERSION, .flags = where};
	const ttmemTakeOptions_t options = {
		.version = TTMEM_TAKE_OPTIONS_VERSION, .flags = what, .pid = pid};
	ttmemHandle_t handle;
	ttmemReturn_t r = ttmemOpen(&place, &handle);

	if (r == TTMEM_SUCCESS) {
		r = ttmemSnapshotTake(handle, &options, snapshot);
		ttmemClose(handle);
	}
	return r;
}

static ttmemSnapshot_t look(uint32_t flags)
{
	ttmemSnapshot_t snapshot = NULL;

	check(take(TTMEM_OPEN_OWN, flags, 0, &snapshot));
	return snapshot;
}

/* What is said is what is seen: figures, buffers in order, peaks, the way it came in. */
static void test_says_and_sees(void **state)
{
	const ttmemReportOptions_t options = {.version = TTMEM_REPORT_OPTIONS_VERSION,
					      .runtime = "a runtime 1.2"};
	const ttmemReportSite_t site = {.version = TTMEM_REPORT_SITE_VERSION, .line = 7,
					.op = "an.op", .function = "f", .tag = "a use"};
	ttmemReport_t report;
	uint32_t id, place;
	uint64_t count = 0, one = 1;

	(void)state;
	check(ttmemReportOpen(&options, &report));
	check(add(report, &id));
	check(ttmemReportSite(report, &site, &place));
	assert_int_not_equal(place, 0);
	for (uint64_t key = 1; key <= 3; key++) {
		put_site = key == 2 ? place : 0;
		check(put(report, id, key, key * 1024));
	}
	put_site = 0;
	check(ttmemReportFree(report, 3));
	assert_int_equal(ttmemReportFree(report, 3), TTMEM_ERROR_NOT_FOUND);

	ttmemSnapshot_t snapshot = look(TTMEM_TAKE_BUFFERS | TTMEM_TAKE_LARGEST_FREE);
	ttmemProcess_t process;
	ttmemAllocator_t allocator;
	ttmemBuffer_t buffers[2];

	check(ttmemProcessGetList(snapshot, TTMEM_PROCESS_VERSION, &one, &process));
	assert_int_equal(process.pid, getpid());
	assert_int_equal(process.state, 0);
	assert_string_equal(process.entry, "report");
	assert_string_equal(process.metal_version, "a runtime 1.2");
	assert_int_equal(process.live_buffers, 2);
	check(ttmemAllocatorGetList(snapshot, TTMEM_ALLOCATOR_VERSION, &one, &allocator));
	const ttmemMemory_t *dram = &allocator.memory[TTMEM_MEMORY_DRAM];

	assert_int_equal(dram->requested_bytes.value, BANKS * 3072 - 10);
	assert_int_equal(dram->occupied_bytes.value, BANKS * 3072);
	assert_int_equal(dram->occupied_bytes.value + dram->free_bytes.value,
			 dram->allocatable_bytes.value);
	assert_int_equal(dram->peak_occupied_bytes.value, BANKS * 6144);
	assert_int_equal(dram->largest_free_bytes.state, TTMEM_STATE_KNOWN);
	assert_int_equal(dram->largest_free_bytes.value,
			 BANKS * (BANK_BYTES - 2 * (1 << 20) - 2048));
	assert_int_equal(allocator.parent, TTMEM_NONE);

	/* the number first; too little room says how much is needed and writes nothing */
	check(ttmemBufferGetList(snapshot, TTMEM_BUFFER_VERSION, &count, NULL));
	assert_int_equal(count, 2);
	count = 1;
	buffers[0].pid = 77;
	assert_int_equal(ttmemBufferGetList(snapshot, TTMEM_BUFFER_VERSION, &count, buffers),
			 TTMEM_ERROR_INSUFFICIENT_SIZE);
	assert_int_equal(count, 2);
	assert_int_equal(buffers[0].pid, 77);
	check(ttmemBufferGetList(snapshot, TTMEM_BUFFER_VERSION, &count, buffers));
	assert_int_equal(buffers[1].address, 4096 + 2 * (1 << 20));
	assert_int_equal(buffers[1].requested_bytes, BANKS * 2048 - 5);
	assert_int_equal(buffers[1].thread, gettid());
	assert_int_equal(buffers[1].cores, TTMEM_NONE);
	assert_string_equal(buffers[1].op, "an.op");
	assert_string_equal(buffers[1].site_function, "f");
	assert_int_equal(buffers[1].site_line, 7);
	assert_null(buffers[1].site_file);
	assert_string_equal(buffers[1].tag, "a use");
	assert_null(buffers[0].op);
	assert_null(buffers[0].tag);

	ttmemChip_t chip;

	check(ttmemChipGetList(snapshot, TTMEM_CHIP_VERSION, &one, &chip));
	assert_int_equal(chip.unique_id.value, 0x123456789);
	assert_int_equal(chip.chip_id, 3);
	ttmemSnapshotRelease(snapshot);
	ttmemReportClose(report);

	/* closed: the table is gone, and with it the process */
	snapshot = look(0);
	check(ttmemProcessGetList(snapshot, TTMEM_PROCESS_VERSION, &count, NULL));
	assert_int_equal(count, 0);
	ttmemSnapshotRelease(snapshot);
}

/* Nothing is believed: versions, ranges, handles. errno is left as it was. */
static void test_refuses(void **state)
{
	ttmemSnapshot_t snapshot;
	const ttmemOpenOptions_t old = {.version = 1};
	const ttmemTakeOptions_t older = {.version = 1};
	ttmemHandle_t handle;
	ttmemSnapshotInfo_t info = {.version = 0};
	ttmemDevice_t device = {.version = TTMEM_DEVICE_VERSION};
	ttmemReport_t report, again;
	uint32_t id;
	uint64_t count;

	(void)state;
	assert_int_equal(ttmemOpen(&old, &handle), TTMEM_ERROR_VERSION);
	check(ttmemOpen(NULL, &handle));
	assert_int_equal(ttmemSnapshotTake(handle, &older, &snapshot), TTMEM_ERROR_VERSION);
	ttmemClose(handle);
	assert_int_equal(take(1u << 30, 0, 0, &snapshot), TTMEM_ERROR_INVALID_ARGUMENT);
	assert_int_equal(take(0, 1u << 30, 0, &snapshot), TTMEM_ERROR_INVALID_ARGUMENT);
	assert_int_equal(take(TTMEM_OPEN_SERVER_ONLY | TTMEM_OPEN_OWN, 0, 0, &snapshot),
			 TTMEM_ERROR_INVALID_ARGUMENT);
	assert_int_equal(take(TTMEM_OPEN_SERVER_ONLY, 0, 0, &snapshot), TTMEM_ERROR_NO_SERVER);
	errno = EDOM;
	snapshot = look(0);
	assert_int_equal(errno, EDOM);
	assert_int_equal(ttmemSnapshotGetInfo(snapshot, &info), TTMEM_ERROR_VERSION);
	assert_int_equal(ttmemDeviceGetInfo(snapshot, 1000, &device), TTMEM_ERROR_NOT_FOUND);
	assert_int_equal(ttmemBufferGetList(snapshot, TTMEM_BUFFER_VERSION, &count, NULL),
			 TTMEM_ERROR_INVALID_ARGUMENT);
	ttmemSnapshotRelease(snapshot);
	assert_int_equal(ttmemOwnTakePeaks(TTMEM_PEAK_VERSION, &count, NULL),
			 TTMEM_ERROR_NOT_FOUND);

	check(ttmemReportOpen(NULL, &report));
	check(ttmemReportOpen(NULL, &again));
	assert_ptr_equal(report, again);
	ttmemReportClose(again);
	errno = EDOM;
	check(add(report, &id));
	assert_int_equal(put(report, id + 1, 1, 1), TTMEM_ERROR_NOT_FOUND);
	assert_int_equal(put(report, id, 0, 1), TTMEM_ERROR_INVALID_ARGUMENT);
	assert_int_equal(put(report, id, UINT64_C(1) << 44, 1), TTMEM_ERROR_INVALID_ARGUMENT);
	check(put(report, id, (UINT64_C(1) << 44) - 1, 1));
	assert_int_equal(errno, EDOM);
	check(ttmemReportAllocatorRemove(report, id));
	assert_int_equal(ttmemReportAllocatorRemove(report, id), TTMEM_ERROR_NOT_FOUND);
	assert_int_equal(put(report, id, 1, 1), TTMEM_ERROR_NOT_FOUND);
	ttmemReportClose(report);
	assert_int_equal(put(report, id, 1, 1), TTMEM_ERROR_INVALID_ARGUMENT);

	setenv("TTMEM", "off", 1);
	assert_int_equal(ttmemReportOpen(NULL, &report), TTMEM_ERROR_OFF);
	unsetenv("TTMEM");
	for (int r = 0; r < 1000; r++)
		assert_non_null(ttmemErrorString((ttmemReturn_t)r));
	assert_non_null(ttmemReasonString(UINT32_MAX));
	assert_null(ttmemMemoryTypeString(4));
}

/*
 * The trap of POSIX locks: reading one's own table through /proc and closing it would drop the lock
 * that says "the writer lives". A child asks, because one's own locks are never in one's own way.
 */
static int is_believed_alive(void)
{
	pid_t child = fork();
	int status;

	if (child == 0) {
		ttmemSnapshot_t snapshot;
		ttmemProcess_t process;
		uint64_t one = 1;

		if (take(TTMEM_OPEN_NO_SERVER, 0, (uint32_t)getppid(), &snapshot) !=
			    TTMEM_SUCCESS ||
		    ttmemProcessGetList(snapshot, TTMEM_PROCESS_VERSION, &one, &process) !=
			    TTMEM_SUCCESS ||
		    one != 1)
			_exit(2);
		_exit(process.state != 0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	return status == 0;
}

static void test_reads_its_own_table(void **state)
{
	ttmemReport_t report;
	ttmemSnapshot_t snapshot;
	uint32_t id;
	int pipe_fd[2];
	char byte;

	(void)state;
	check(ttmemReportOpen(NULL, &report));
	check(add(report, &id));
	check(put(report, id, 1, 64));
	assert_true(is_believed_alive());
	ttmemSnapshotRelease(look(TTMEM_TAKE_BUFFERS));
	assert_true(is_believed_alive());
	check(take(TTMEM_OPEN_NO_SERVER, TTMEM_TAKE_BUFFERS, 0, &snapshot));
	ttmemSnapshotRelease(snapshot);
	assert_true(is_believed_alive());

	/* and when it is met in a child, which has inherited the descriptor */
	assert_int_equal(pipe(pipe_fd), 0);
	pid_t child = fork();

	if (child == 0) {
		(void)close(pipe_fd[1]);
		_exit(read(pipe_fd[0], &byte, 1) < 0);
	}
	check(take(TTMEM_OPEN_NO_SERVER, TTMEM_TAKE_BUFFERS, 0, &snapshot));
	ttmemSnapshotRelease(snapshot);
	assert_true(is_believed_alive());
	(void)close(pipe_fd[0]);
	(void)close(pipe_fd[1]);
	(void)waitpid(child, NULL, 0);
	ttmemReportClose(report);
}

/* A child's report is empty until it adds an allocator; its frees are not the parent's. */
static void test_fork(void **state)
{
	ttmemReport_t report;
	ttmemProcess_t process;
	uint64_t one = 1;
	uint32_t id;
	int status;

	(void)state;
	check(ttmemReportOpen(NULL, &report));
	check(add(report, &id));
	check(put(report, id, 1, 64));
	pid_t child = fork();

	if (child == 0) {
		int wrong = ttmemReportFree(report, 1) != TTMEM_ERROR_NOT_FOUND;

		wrong |= (put(report, id, 2, 64) != TTMEM_ERROR_NOT_FOUND) << 1;
		wrong |= (add(report, &id) != TTMEM_SUCCESS) << 2;
		wrong |= (put(report, id, 2, 64) != TTMEM_SUCCESS) << 3;
		wrong |= (put(report, id, 3, 64) != TTMEM_SUCCESS) << 4;
		ttmemSnapshot_t snapshot = look(0);

		wrong |= (ttmemProcessGetList(snapshot, TTMEM_PROCESS_VERSION, &one, &process) !=
			  TTMEM_SUCCESS)
			 << 5;
		wrong |= (one != 1 || process.live_buffers != 2) << 6;
		_exit(wrong);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	ttmemSnapshot_t snapshot = look(0);

	check(ttmemProcessGetList(snapshot, TTMEM_PROCESS_VERSION, &one, &process));
	assert_int_equal(process.live_buffers, 1);
	ttmemSnapshotRelease(snapshot);
	ttmemReportClose(report);
}

/* Peaks of parts of a program: each part knows its highest, whatever came before. */
static void test_peaks(void **state)
{
	ttmemReport_t report;
	ttmemPeak_t peaks[TTMEM_MEMORY_TYPES];
	uint32_t id;
	uint64_t count = 0;

	(void)state;
	check(ttmemReportOpen(NULL, &report));
	check(add(report, &id));
	check(put(report, id, 1, 5000));
	check(ttmemReportFree(report, 1));
	check(put(report, id, 2, 100));
	check(ttmemOwnTakePeaks(TTMEM_PEAK_VERSION, &count, NULL));
	assert_int_equal(count, 4);
	count = 3;
	assert_int_equal(ttmemOwnTakePeaks(TTMEM_PEAK_VERSION, &count, peaks),
			 TTMEM_ERROR_INSUFFICIENT_SIZE);
	check(ttmemOwnTakePeaks(TTMEM_PEAK_VERSION, &count, peaks));
	assert_int_equal(peaks[TTMEM_MEMORY_DRAM].allocator, id);
	assert_int_equal(peaks[TTMEM_MEMORY_DRAM].peak_bank_bytes, 5000);
	assert_int_equal(peaks[TTMEM_MEMORY_DRAM].bank_bytes, 100);
	check(put(report, id, 3, 200));
	check(ttmemReportFree(report, 3));
	check(ttmemReportFree(report, 2));
	check(ttmemOwnTakePeaks(TTMEM_PEAK_VERSION, &count, peaks));
	assert_int_equal(peaks[TTMEM_MEMORY_DRAM].peak_bank_bytes, 300);
	assert_int_equal(peaks[TTMEM_MEMORY_DRAM].peak_requested_bytes, BANKS * 300 - 10);
	assert_int_equal(peaks[TTMEM_MEMORY_DRAM].bank_bytes, 0);
	assert_int_equal(peaks[TTMEM_MEMORY_L1].peak_bank_bytes, 0);
	ttmemReportClose(report);
}

#define THREADS 4
#define ROUNDS	20000

struct worker {
	ttmemReport_t report;
	uint32_t allocator, number;
	pthread_t thread;
};

static void *work(void *argument)
{
	struct worker *w = argument;

	for (uint64_t i = 1; i <= ROUNDS; i++) {
		uint64_t key = w->number * ROUNDS + i;

		check(put(w->report, w->allocator, key, 64));
		if (i % 4)
			check(ttmemReportFree(w->report, key));
	}
	return NULL;
}

/*
 * Allocations from several threads while another one looks: nothing is lost, each look has the
 * allocator, and is whole unless it says that a thread was kept from its processor in mid-event.
 */
static void test_threads(void **state)
{
	struct worker workers[THREADS];
	ttmemReport_t report;
	ttmemAllocator_t allocator;
	uint32_t id;
	uint64_t one = 1;

	(void)state;
	check(ttmemReportOpen(NULL, &report));
	check(add(report, &id));
	for (uint32_t i = 0; i < THREADS; i++) {
		workers[i] = (struct worker){report, id, i, 0};
		assert_int_equal(pthread_create(&workers[i].thread, NULL, work, &workers[i]), 0);
	}
	for (int i = 0; i < 20; i++) {
		ttmemSnapshot_t snapshot = look(0);

		check(ttmemAllocatorGetList(snapshot, TTMEM_ALLOCATOR_VERSION, &one, &allocator));
		const ttmemMemory_t *dram = &allocator.memory[TTMEM_MEMORY_DRAM];

		if (dram->buffers.state == TTMEM_STATE_KNOWN)
			assert_int_equal(dram->occupied_bytes.value,
					 dram->buffers.value * 64 * BANKS);
		ttmemSnapshotRelease(snapshot);
	}
	for (uint32_t i = 0; i < THREADS; i++)
		assert_int_equal(pthread_join(workers[i].thread, NULL), 0);
	ttmemSnapshot_t snapshot = look(0);

	check(ttmemAllocatorGetList(snapshot, TTMEM_ALLOCATOR_VERSION, &one, &allocator));
	assert_int_equal(allocator.memory[TTMEM_MEMORY_DRAM].buffers.value, THREADS * ROUNDS / 4);
	assert_int_equal(allocator.allocations[TTMEM_MEMORY_DRAM], THREADS * ROUNDS);
	ttmemSnapshotRelease(snapshot);
	ttmemReportClose(report);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_says_and_sees), cmocka_unit_test(test_refuses),
		cmocka_unit_test(test_reads_its_own_table), cmocka_unit_test(test_fork),
		cmocka_unit_test(test_peaks), cmocka_unit_test(test_threads),
	};

	/* nothing of this machine's own servers */
	setenv("TTMEM_SOCKET_DIR", "/nonexistent", 1);
	unsetenv("TTMEM");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
