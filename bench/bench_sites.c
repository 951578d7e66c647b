/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Loaded by bench/sites_loop.py into an interpreter: what it takes to tell where this thread is,
 * the same place again and again. The hook's own objects, without an allocation around them.
 */
#include <sys/mman.h>
#include <time.h>

#include "hook/sites.h"

#define ROUNDS 300

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static struct region_writer *writer_get(void)
{
	const struct region_identity identity = {.entry = "bench"};
	static struct region_writer *writer;

	if (writer)
		return writer;
	writer = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return writer != MAP_FAILED && region_writer_create(writer, &identity) == 0 ? writer : NULL;
}

/* Return: ns of one, the best of many rounds; negative: the place is not known. */
double bench_sites(int count) __attribute__((visibility("default")));
double bench_sites(int count)
{
	struct region_writer *writer = writer_get();
	double best = 1e9;

	if (!writer || sites_here(writer) == REGION_SITE_UNKNOWN)
		return -1;
	for (int round = 0; round < ROUNDS; round++) {
		uint64_t start = now_ns();

		for (int i = 0; i < count; i++)
			(void)sites_here(writer);
		double ns = (double)(now_ns() - start) / count;

		best = ns < best ? ns : best;
	}
	return best;
}
