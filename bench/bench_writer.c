/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What one event costs: alloc + free pairs against tables of growing size, the
 * longest pause while a table grows, and the memory a million buffers take.
 * Prints one line of "name value unit" per figure; bench/run.py reads them.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "region/writer.h"

#define OBJECT(i) (UINT64_C(0x7f0000000000) + (uint64_t)(i) * 0x260)

static struct region_writer *writer;

static uint64_t now_ns(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void setup(void)
{
	struct region_identity identity = {.entry = "bench"};
	struct region_allocator row = {.object = 1, .device = 2};
	uint32_t at;

	writer = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (writer == MAP_FAILED || region_writer_create(writer, &identity) < 0 ||
	    region_writer_allocator_add(writer, &row, 1, &at) < 0) {
		fprintf(stderr, "bench_writer: no region\n");
		exit(1);
	}
}

static void alloc(uint64_t i)
{
	struct region_buffer b = {.object = OBJECT(i),
				  .allocator = 1,
				  .device = 2,
				  .address = i * 2048,
				  .requested_bytes = 2048,
				  .bank_bytes = 2048,
				  .page_bytes = 2048,
				  .pages = 1,
				  /* as the hook does it */
				  .time_ns = now_ns(CLOCK_MONOTONIC_COARSE),
				  .cores = REGION_NONE};

	if (region_writer_alloc(writer, &b) < 0) {
		fprintf(stderr, "bench_writer: not recorded\n");
		exit(1);
	}
}

static uint64_t random_state = 88172645463325252u;

/* Below n, without a division: that would cost as much as half an event. */
static uint32_t random_below(uint32_t n)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (uint32_t)((random_state >> 32) * n >> 32);
}

/* Pairs that replace a random live buffer by itself: the table stays at `live`. */
static double pair_ns(uint32_t live, uint32_t pairs)
{
	for (uint32_t i = 0; i < live; i++)
		alloc(i);
	double best = 1e9;

	for (int round = 0; round < 5; round++) {
		uint64_t start = now_ns(CLOCK_MONOTONIC);

		for (uint32_t i = 0; i < pairs; i++) {
			uint32_t object = random_below(live);

			region_writer_free(writer, OBJECT(object));
			alloc(object);
		}
		double ns = (double)(now_ns(CLOCK_MONOTONIC) - start) / pairs;

		best = ns < best ? ns : best;
	}
	for (uint32_t i = 0; i < live; i++)
		region_writer_free(writer, OBJECT(i));
	return best;
}

static void *contend(void *argument)
{
	uint64_t base = (uint64_t)(uintptr_t)argument;

	for (uint32_t i = 0; i < 1000000; i++) {
		alloc(base);
		region_writer_free(writer, OBJECT(base));
	}
	return NULL;
}

static double two_threads_ns(void)
{
	pthread_t other;
	uint64_t start = now_ns(CLOCK_MONOTONIC);

	pthread_create(&other, NULL, contend, (void *)(uintptr_t)1000000);
	contend((void *)(uintptr_t)2000000);
	pthread_join(other, NULL);
	return (double)(now_ns(CLOCK_MONOTONIC) - start) / 1000000;
}

/* Bytes of memory of this process: the shared table counts as well. */
static uint64_t resident_bytes(void)
{
	unsigned long size = 0, resident = 0;
	FILE *f = fopen("/proc/self/statm", "re");

	if (f && fscanf(f, "%lu %lu", &size, &resident) != 2)
		resident = 0;
	if (f)
		fclose(f);
	return resident * (uint64_t)sysconf(_SC_PAGESIZE);
}

/* The copy that a failed allocation makes: how long every other event waits for the lock. */
static void copy(void)
{
	uint64_t start = now_ns(CLOCK_MONOTONIC);
	int fd = region_writer_copy(writer, start);

	printf("copy_1000000 %.1f ms\n", (double)(now_ns(CLOCK_MONOTONIC) - start) / 1e6);
	if (fd < 0) {
		fprintf(stderr, "bench_writer: no copy\n");
		exit(1);
	}
	close(fd);
}

static int compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

static void growth(void)
{
	static uint32_t pause[1000000];
	uint64_t before;

	memset(pause, 1, sizeof pause);
	before = resident_bytes();
	for (uint32_t i = 0; i < 1000000; i++) {
		uint64_t start = now_ns(CLOCK_MONOTONIC);

		alloc(i);
		pause[i] = (uint32_t)(now_ns(CLOCK_MONOTONIC) - start);
	}
	printf("bytes_each_at_1000000 %.1f bytes\n", (double)(resident_bytes() - before) / 1e6);
	copy();
	for (uint32_t i = 0; i < 1000000; i++)
		region_writer_free(writer, OBJECT(i));
	printf("bytes_kept_after_free %.0f KiB\n", (double)(resident_bytes() - before) / 1024);
	qsort(pause, 1000000, sizeof pause[0], compare);
	/* one in 512 events backs a block; the machine's own hiccups lie above the 99.99th */
	printf("growth_pause_p99_99 %.1f us\n", pause[999900] / 1e3);
	printf("growth_pause_max %.1f us\n", pause[999999] / 1e3);
}

int main(void)
{
	setup();
	growth();
	printf("pair_1000 %.1f ns\n", pair_ns(1000, 1000000));
	printf("pair_10000 %.1f ns\n", pair_ns(10000, 1000000));
	printf("pair_1000000 %.1f ns\n", pair_ns(1000000, 1000000));
	printf("pair_two_threads %.1f ns\n", two_threads_ns());
	if (!region_writer_is_valid(writer)) {
		fprintf(stderr, "bench_writer: the table is not valid\n");
		return 1;
	}
	return 0;
}
