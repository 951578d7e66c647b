/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random histories of programs against a model too simple to be wrong.
 *
 * Reason: rows, kernels and ranges are three arrays that are taken and given
 * back in runs, and a reader copies all three under one sequence word. Each
 * history dispatches, restates and ends programs and closes devices; at its
 * end, and now and then inside, the table as a reader sees it must equal an
 * array of programs: every kernel, every range, every number of a dispatch.
 *
 * With "beside", a reader scans next to the writer over its own mapping: every
 * program it gets must be whole, its kernels and ranges its own.
 */
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "region/reader.h"
#include "region/writer.h"

#define OBJECTS 600u
#define ROWS	3u
#define KERNELS 12u
#define RANGES	40u

#define CHECK(condition)                                                                           \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			fprintf(stderr, "%s:%d: seed %" PRIu64 ": %s\n", __FILE__, __LINE__,      \
				seed, #condition);                                                 \
			exit(1);                                                                   \
		}                                                                                  \
	} while (0)

static uint64_t seed, random_state;

static uint32_t below(uint32_t n)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (uint32_t)((random_state * UINT64_C(0x2545f4914f6cdd1d) >> 32) * n >> 32);
}

/* Everything in a program follows from its mark, so that parts of two can be told apart. */
struct model_program {
	bool	 live;
	uint64_t mark;
	uint64_t last, dispatches;
	uint32_t row, kernels, ranges;
};

static struct model {
	struct model_program programs[OBJECTS];
	bool	 open[ROWS];
	uint64_t dispatch, dropped, unknown, mark;
	uint64_t peak[ROWS];
} model;

static uint64_t object_of(uint32_t i)
{
	return UINT64_C(0x550000001000) + (uint64_t)i * 0x7d0;
}

static void open_row(struct region_writer *writer, uint32_t row)
{
	const struct region_allocator a = {.object = 100 + row, .device = 200 + row};
	uint32_t at;

	CHECK(region_writer_allocator_add(writer, &a, 1, &at) == 0);
	model.open[row] = true;
	model.peak[row] = 0;
}

static uint32_t row_of(struct region_writer *writer, uint32_t row)
{
	struct region_home home;

	return region_writer_home(writer, 200 + row, &home) ? home.row : REGION_NONE;
}

static void make(uint64_t mark, struct region_kernel *kernels, uint32_t kernel_count,
		 struct region_program_range *ranges, uint32_t range_count)
{
	for (uint32_t i = 0; i < kernel_count; i++) {
		kernels[i] = (struct region_kernel){.handle = i, .binaries = (uint32_t)mark};
		(void)snprintf(kernels[i].name, sizeof kernels[i].name, "k%" PRIu64, mark);
	}
	for (uint32_t i = 0; i < range_count; i++)
		ranges[i] = (struct region_program_range){.address = (uint32_t)mark,
							  .bytes = (uint32_t)mark + i,
							  .object = (uint16_t)i,
							  .kind = 1};
}

static int add(struct region_writer *writer, uint32_t i, const struct model_program *p,
	       bool restated)
{
	struct region_kernel kernels[KERNELS];
	struct region_program_range ranges[RANGES];
	const struct region_program_found found = {
		.row = {.object = object_of(i),
			.program_id = p->mark,
			.dram_bytes = p->mark + 1,
			.allocator = row_of(writer, p->row),
			.kernel_count = p->kernels,
			.range_count = p->ranges,
			.core_bytes = (uint32_t)p->mark},
		.kernels = kernels,
		.ranges = ranges,
		.is_restated = restated,
	};

	make(p->mark, kernels, p->kernels, ranges, p->ranges);
	return region_writer_program_add(writer, &found, p->mark);
}

/* One dispatch, as the hook goes about it. */
static void dispatch(struct region_writer *writer, uint32_t i)
{
	struct model_program *p = &model.programs[i];
	int r = region_writer_program_dispatch(writer, object_of(i), 7);

	if (p->live) {
		CHECK(r == 0);
		p->last = ++model.dispatch;
		p->dispatches++;
		return;
	}
	CHECK(r == -ENOENT);
	struct model_program fresh = {.live = true,
				      .mark = ++model.mark,
				      .row = below(ROWS),
				      .kernels = below(KERNELS + 1),
				      .ranges = below(RANGES + 1)};

	if (!model.open[fresh.row])
		open_row(writer, fresh.row);
	r = add(writer, i, &fresh, false);
	CHECK(r == 0 || r == -ENOSPC);
	fresh.last = ++model.dispatch;
	fresh.dispatches = 1;
	if (r == -ENOSPC) {
		model.dropped++;
		return;
	}
	*p = fresh;
	if (model.peak[p->row] < (uint32_t)p->mark)
		model.peak[p->row] = (uint32_t)p->mark;
}

/* Laid out anew: touched, dispatched, then described again with other parts. */
static void restate(struct region_writer *writer, uint32_t i)
{
	struct model_program *p = &model.programs[i];

	if (!p->live)
		return;
	region_writer_program_touch(writer, object_of(i));
	CHECK(region_writer_program_dispatch(writer, object_of(i), 7) == 1);
	p->last = ++model.dispatch;
	p->dispatches++;
	p->mark = ++model.mark;
	p->kernels = below(p->kernels + 1); /* never more, so that there is room */
	p->ranges = below(p->ranges + 1);
	int r = add(writer, i, p, true);

	CHECK(r == 0);
	if (model.peak[p->row] < (uint32_t)p->mark)
		model.peak[p->row] = (uint32_t)p->mark;
}

static void close_row(struct region_writer *writer, uint32_t row)
{
	if (!model.open[row])
		return;
	region_writer_close_device(writer, 200 + row, 9);
	model.open[row] = false;
	for (uint32_t i = 0; i < OBJECTS; i++)
		if (model.programs[i].row == row)
			model.programs[i].live = false;
}

/* All parts of a program say the same mark. */
static void check_whole(const struct region_programs *all, const struct region_program *program)
{
	uint64_t mark = program->program_id;
	char name[64];

	(void)snprintf(name, sizeof name, "k%" PRIu64, mark);
	CHECK(program->dram_bytes == mark + 1);
	for (uint32_t k = 0; k < program->kernel_count; k++) {
		const struct region_kernel *kernel = &all->kernels[program->first_kernel + k];

		CHECK(strcmp(kernel->name, name) == 0 && kernel->handle == k);
	}
	for (uint32_t k = 0; k < program->range_count; k++) {
		const struct region_program_range *r = &all->ranges[program->first_range + k];

		CHECK(r->address == (uint32_t)mark && r->bytes == (uint32_t)mark + k &&
		      r->object == k);
	}
}

static void compare(struct region_writer *writer)
{
	struct region_programs all;
	struct region_image image;
	struct region_map map;
	uint32_t live = 0;

	CHECK(region_writer_is_valid(writer));
	CHECK(region_map_open(writer->table_fd, &map) == 0);
	CHECK(region_read_image(&map, &image) == 0);
	CHECK(region_read_programs(&map, &all) == 0);
	CHECK(all.consistent && all.torn == 0);
	for (uint32_t i = 0; i < OBJECTS; i++) {
		const struct model_program *p = &model.programs[i];
		uint32_t at = 0;

		if (!p->live)
			continue;
		live++;
		while (at < all.count && all.programs[at].object != object_of(i))
			at++;
		CHECK(at < all.count);
		const struct region_program *got = &all.programs[at];

		CHECK(got->program_id == p->mark && got->last_dispatch == p->last &&
		      got->dispatches == p->dispatches && got->kernel_count == p->kernels &&
		      got->range_count == p->ranges && got->allocator == row_of(writer, p->row));
		check_whole(&all, got);
	}
	CHECK(live == all.count && live == image.head.programs_live);
	CHECK(image.head.dispatches == model.dispatch);
	CHECK(image.head.programs_dropped == model.dropped);
	CHECK(image.head.programs_unknown == model.unknown);
	for (uint32_t r = 0; r < image.row_count; r++)
		if (image.rows[r].allocator.closed_ns == 0)
			CHECK(image.rows[r].allocator.program_peak_bytes ==
			      model.peak[image.rows[r].allocator.object - 100]);
	region_programs_clear(&all);
	region_image_clear(&image);
	region_map_close(&map);
}

static struct region_writer *writer_new(void)
{
	const struct region_identity identity = {
		.entry = "test", .slots_max = 1024, .programs_max = REGION_PROGRAMS_UNIT};
	struct region_writer *writer = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
					    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK(writer != MAP_FAILED);
	CHECK(region_writer_create(writer, &identity) == 0);
	memset(&model, 0, sizeof model);
	return writer;
}

static void step(struct region_writer *writer, uint32_t objects)
{
	uint32_t i = below(objects), dice = below(100);

	if (dice < 60) {
		dispatch(writer, i);
	} else if (dice < 70) {
		restate(writer, i);
	} else if (dice < 95) {
		bool known = region_writer_program_end(writer, object_of(i));

		CHECK(known == model.programs[i].live);
		model.programs[i].live = false;
	} else if (dice < 98) {
		region_writer_program_unknown(writer);
		model.dispatch++;
		model.unknown++;
	} else if (below(5) == 0) {
		close_row(writer, below(ROWS));
	}
}

static void history(uint64_t number)
{
	seed = number;
	random_state = number * UINT64_C(0x9e3779b97f4a7c15) | 1;
	struct region_writer *writer = writer_new();
	/* now and then more than there is room for: 256 programs, 1,024 kernels, 4,096 ranges */
	uint32_t objects = 1 + below(number % 20 == 0 ? OBJECTS : 24);
	uint32_t steps = objects * 4 + below(40);

	for (uint32_t s = 0; s < steps; s++) {
		step(writer, objects);
		if (below(100) == 0)
			compare(writer);
	}
	compare(writer);
	region_writer_destroy(writer);
	(void)munmap(writer, 4096);
}

static struct {
	struct region_writer *writer;
	bool stop;
	uint64_t scans, programs;
} beside;

static void *scan_beside(void *argument)
{
	struct region_map map;

	(void)argument;
	CHECK(region_map_open(beside.writer->table_fd, &map) == 0);
	while (!__atomic_load_n(&beside.stop, __ATOMIC_RELAXED)) {
		struct region_programs all;

		CHECK(region_map_refresh(&map) == 0);
		CHECK(region_read_programs(&map, &all) == 0);
		CHECK(all.torn == 0);
		for (uint32_t i = 0; i < all.count; i++)
			check_whole(&all, &all.programs[i]);
		beside.scans++;
		beside.programs += all.count;
		region_programs_clear(&all);
	}
	region_map_close(&map);
	return NULL;
}

static void run_beside(uint32_t steps)
{
	pthread_t thread;

	random_state = 99;
	beside.writer = writer_new();
	CHECK(pthread_create(&thread, NULL, scan_beside, NULL) == 0);
	for (uint32_t i = 0; i < steps; i++)
		step(beside.writer, 60);
	__atomic_store_n(&beside.stop, true, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
	CHECK(beside.scans > 0 && beside.programs > 0);
	compare(beside.writer);
	printf("beside: %" PRIu64 " scans, %" PRIu64 " programs read, none torn\n", beside.scans,
	       beside.programs);
	region_writer_destroy(beside.writer);
}

int main(int argc, char **argv)
{
	uint64_t histories = argc > 1 ? strtoull(argv[1], NULL, 10) : 10000;
	uint32_t steps = argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 10) : 300000;

	for (uint64_t i = 1; i <= histories; i++)
		history(i);
	printf("%" PRIu64 " histories equal to the model\n", histories);
	run_beside(steps);
	return 0;
}
