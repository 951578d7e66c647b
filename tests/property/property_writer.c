/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random histories of one table against a model too simple to be wrong.
 *
 * Reason: index, slot map, blocks and totals each have clever parts (linear
 * hashing, summary bits, punched blocks); what they must add up to is not
 * clever at all. Each history is replayed on an array of buffers, and at its
 * end (and now and then inside) the table as a reader sees it must equal the
 * array: every buffer, every total, every peak, and what was left when devices
 * closed, also after the table had to move to another file.
 *
 * With "beside", a reader scans all the time next to the writer, in another
 * thread over its own mapping: no slot may be torn. Under ThreadSanitizer this
 * is the proof of the sequence scheme.
 *
 * With "closing", a device is closed over and over with buffers of one size in it,
 * beside a reader: a closing is one event that changes the same rows many times, and
 * figures of a row that was read whole must belong together in the middle of it too.
 *
 * With "killed", a process that allocates and frees without a pause is killed
 * at no moment in particular, as often as is asked: its table, read afterwards,
 * has its allocator, and the figures differ from the slots by one event at most.
 *
 * With "interrupted", a signal handler uses the same table; with "cancelled", a thread ends as soon
 * as it may.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "region/reader.h"
#include "region/writer.h"

#define OBJECTS 4096u
#define ROWS	3u
#define SITES	200u

#define CHECK(condition)                                                                           \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			fprintf(stderr, "%s:%d: seed %" PRIu64 ": %s\n", __FILE__, __LINE__,      \
				seed, #condition);                                                 \
			exit(1);                                                                   \
		}                                                                                  \
	} while (0)

static uint64_t seed;

struct model_buffer {
	bool live;
	uint64_t address, requested, bank, page;
	uint32_t row, type, site;
};

struct model {
	struct model_buffer buffers[OBJECTS];
	struct region_totals totals[ROWS][REGION_MEMORY_TYPES];
	uint64_t left_at_close;
	struct region_left left[SITES][REGION_MEMORY_TYPES];
	bool open[ROWS];
};

static uint64_t random_state;

static uint64_t random64(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state * UINT64_C(0x2545f4914f6cdd1d);
}

static uint32_t below(uint32_t n)
{
	return (uint32_t)((random64() >> 32) * n >> 32);
}

static struct region_writer *writer_new(uint32_t slots)
{
	struct region_identity identity = {.entry = "test", .slots_max = slots};
	struct region_writer *writer = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
					    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK(writer != MAP_FAILED);
	CHECK(region_writer_create(writer, &identity) == 0);
	return writer;
}

static void writer_drop(struct region_writer *writer)
{
	region_writer_destroy(writer);
	munmap(writer, 4096);
}

static uint64_t object_of(uint32_t i)
{
	return UINT64_C(0x550000001000) + (uint64_t)i * 0x150;
}

static void open_row(struct region_writer *writer, struct model *model, uint32_t row)
{
	struct region_allocator a = {.object = 100 + row, .device = 200 + row, .chip_count = 1};
	uint32_t at;

	a.chips[0].chip_id = row;
	for (uint32_t type = 0; type < REGION_MEMORY_TYPES; type++)
		a.geometry[type].banks = 1 + row;
	CHECK(region_writer_allocator_add(writer, &a, 1, &at) == 0);
	memset(model->totals[row], 0, sizeof model->totals[row]);
	model->open[row] = true;
}

static void model_free(struct model *model, struct model_buffer *b)
{
	struct region_totals *t = &model->totals[b->row][b->type];

	t->requested_bytes -= b->requested;
	t->bank_bytes -= b->bank;
	t->frees++;
	b->live = false;
}

static void step_alloc(struct region_writer *writer, struct model *model, uint32_t i)
{
	struct model_buffer *b = &model->buffers[i];

	if (b->live) /* seen again without a free: the old one is over */
		model_free(model, b);
	*b = (struct model_buffer){.live = true,
				   .address = 4096 + (random64() & 0xffffff),
				   .requested = 1 + below(1 << 20),
				   .bank = 32u * (1 + below(4096)),
				   .page = 2048,
				   .row = below(ROWS),
				   .site = below(SITES),
				   .type = below(REGION_MEMORY_TYPES)};
	struct region_buffer buffer = {.object = object_of(i),
				       .allocator = 100 + b->row,
				       .device = 200 + b->row,
				       .address = b->address,
				       .requested_bytes = b->requested,
				       .bank_bytes = b->bank,
				       .page_bytes = b->page,
				       .pages = 7,
				       .cores = REGION_NONE,
				       .type = (uint8_t)b->type,
				       .site = b->site,
				       .thread = 42,
				       .row_hint = below(5)};

	if (!model->open[b->row]) {
		CHECK(region_writer_alloc(writer, &buffer) == -2 /* ENOENT */);
		open_row(writer, model, b->row);
	}
	CHECK(region_writer_alloc(writer, &buffer) == 0);
	struct region_totals *t = &model->totals[b->row][b->type];

	t->requested_bytes += b->requested;
	t->bank_bytes += b->bank;
	t->allocs++;
	if (t->requested_bytes > t->peak_requested_bytes)
		t->peak_requested_bytes = t->requested_bytes;
	if (t->bank_bytes > t->peak_bank_bytes)
		t->peak_bank_bytes = t->bank_bytes;
}

static void step_close(struct region_writer *writer, struct model *model, uint32_t row)
{
	if (!model->open[row])
		return;
	if (below(2))
		region_writer_close_device(writer, 200 + row, 9);
	else
		region_writer_close_chip(writer, row, 9);
	for (uint32_t i = 0; i < OBJECTS; i++)
		if (model->buffers[i].live && model->buffers[i].row == row) {
			const struct model_buffer *b = &model->buffers[i];
			struct region_left *left = &model->left[b->site][b->type];

			left->buffers++;
			left->requested_bytes += b->requested;
			left->occupied_bytes += b->bank * (1 + row);
			model_free(model, &model->buffers[i]);
			model->left_at_close++;
		}
	model->open[row] = false;
}

static const struct region_slot *find_slot(const struct region_slots *slots,
					   const struct region_image *image,
					   const struct model_buffer *b)
{
	for (uint32_t i = 0; i < slots->count; i++) {
		const struct region_slot *s = &slots->slots[i];
		uint32_t row = region_slot_allocator(s->place_bank);

		if (s->address == b->address && s->requested_bytes == b->requested &&
		    region_slot_bank_bytes(s->place_bank) == b->bank &&
		    region_slot_type(s->place_bank) == b->type && row < image->row_count &&
		    image->rows[row].allocator.object == 100 + b->row)
			return s;
	}
	return NULL;
}

static void compare_left(struct region_map *map, const struct model *model)
{
	struct region_lefts lefts;
	uint64_t buffers = 0;

	CHECK(region_read_left(map, &lefts) == 0);
	for (uint32_t i = 0; i < lefts.count; i++) {
		const struct region_left *got = &lefts.rows[i];
		const struct region_left *want = &model->left[got->site][got->type];

		CHECK(got->buffers == want->buffers && got->buffers > 0);
		CHECK(got->requested_bytes == want->requested_bytes &&
		      got->occupied_bytes == want->occupied_bytes);
		buffers += got->buffers;
	}
	/* none is there twice */
	CHECK(buffers == model->left_at_close);
	region_lefts_clear(&lefts);
}

static void compare(struct region_writer *writer, const struct model *model)
{
	int fd = region_writer_share(writer);
	struct region_map map;
	struct region_image image;
	struct region_slots slots;
	uint32_t live = 0;

	CHECK(region_writer_is_valid(writer));
	CHECK(region_map_open(fd, &map) == 0);
	CHECK(region_read_image(&map, &image) == 0);
	CHECK(region_read_slots(&map, UINT32_MAX, &slots) == 0);
	CHECK(slots.consistent && slots.torn == 0 && image.torn == 0);
	CHECK(image.head.left_at_close == model->left_at_close);
	compare_left(&map, model);
	for (uint32_t i = 0; i < OBJECTS; i++)
		if (model->buffers[i].live) {
			live++;
			CHECK(find_slot(&slots, &image, &model->buffers[i]));
		}
	CHECK(live == slots.count && live == image.head.slots_live);
	for (uint32_t r = 0; r < image.row_count; r++) {
		const struct region_row *row = &image.rows[r];

		if (row->allocator.closed_ns != 0)
			continue;
		for (uint32_t type = 0; type < REGION_MEMORY_TYPES; type++) {
			const struct region_totals *want =
				&model->totals[row->allocator.object - 100][type];
			struct region_totals got = row->totals[type];

			got.seq = want->seq;
			CHECK(memcmp(&got, want, sizeof got) == 0);
		}
	}
	region_slots_clear(&slots);
	region_image_clear(&image);
	region_map_close(&map);
	region_writer_unshare(writer, fd);
}

static void history(uint64_t number)
{
	static struct model model;

	seed = number;
	random_state = number * UINT64_C(0x9e3779b97f4a7c15) | 1;
	memset(&model, 0, sizeof model);

	struct region_writer *writer = writer_new(OBJECTS * 2);
	uint32_t objects = 1 + below(number % 50 == 0 ? OBJECTS : 64);
	uint32_t steps = objects * 3 + below(50), bias = 20 + below(60);

	for (uint32_t step = 0; step < steps; step++) {
		uint32_t i = below(objects);

		if (below(200) == 0) {
			step_close(writer, &model, below(ROWS));
		} else if (below(1000) == 0) {
			/* the program closes what it does not know: the table moves */
			(void)close(writer->table_fd);
		} else if (below(100) < bias) {
			step_alloc(writer, &model, i);
		} else {
			bool known = region_writer_free(writer, object_of(i));

			CHECK(known == model.buffers[i].live);
			if (known)
				model_free(&model, &model.buffers[i]);
		}
	}
	compare(writer, &model);
	for (uint32_t i = 0; i < OBJECTS; i++)
		if (model.buffers[i].live && region_writer_free(writer, object_of(i)))
			model_free(&model, &model.buffers[i]);
	compare(writer, &model);
	writer_drop(writer);
}

static struct {
	struct region_writer *writer;
	bool stop;
	uint64_t scans, slots;
} beside;

/* A slot that was read whole repeats its number in every field. */
static void *scan_beside(void *argument)
{
	struct region_map map;

	(void)argument;
	CHECK(region_map_open(beside.writer->table_fd, &map) == 0);
	while (!__atomic_load_n(&beside.stop, __ATOMIC_RELAXED)) {
		struct region_slots slots;
		struct region_image image;

		CHECK(region_map_refresh(&map) == 0);
		CHECK(region_read_image(&map, &image) == 0);
		CHECK(region_read_slots(&map, UINT32_MAX, &slots) == 0);
		CHECK(slots.torn == 0);
		for (uint32_t i = 0; i < slots.count; i++) {
			const struct region_slot *s = &slots.slots[i];

			CHECK(s->requested_bytes == s->address + 1 &&
			      s->page_bytes == s->address + 2 && s->time_ns == s->address + 3);
		}
		beside.scans++;
		beside.slots += slots.count;
		region_slots_clear(&slots);
		region_image_clear(&image);
	}
	region_map_close(&map);
	return NULL;
}

#define ONE_REQUESTED 3000u
#define ONE_BANK      2048u

static void check_closing(struct region_map *map)
{
	struct region_image image;
	struct region_lefts lefts;

	CHECK(region_map_refresh(map) == 0);
	CHECK(region_read_image(map, &image) == 0);
	for (uint32_t r = 0; r < image.row_count; r++) {
		const struct region_totals *t = &image.rows[r].totals[0];
		uint64_t live = t->allocs - t->frees;

		if (image.rows[r].torn[0])
			continue;
		CHECK(t->requested_bytes == live * ONE_REQUESTED && t->bank_bytes == live * ONE_BANK);
		beside.scans += live != 0;
	}
	CHECK(region_read_left(map, &lefts) == 0);
	for (uint32_t i = 0; i < lefts.count; i++)
		if (!(lefts.rows[i].seq & 1))
			CHECK(lefts.rows[i].requested_bytes == lefts.rows[i].buffers * ONE_REQUESTED);
	region_lefts_clear(&lefts);
	region_image_clear(&image);
}

static void *close_beside(void *argument)
{
	struct region_map map;

	(void)argument;
	CHECK(region_map_open(beside.writer->table_fd, &map) == 0);
	while (!__atomic_load_n(&beside.stop, __ATOMIC_RELAXED))
		check_closing(&map);
	region_map_close(&map);
	return NULL;
}

static void run_closing(uint32_t turns)
{
	static struct model model;
	pthread_t thread;

	beside.writer = writer_new(OBJECTS);
	beside.stop = false;
	beside.scans = 0;
	CHECK(pthread_create(&thread, NULL, close_beside, NULL) == 0);
	for (uint32_t turn = 0; turn < turns; turn++) {
		open_row(beside.writer, &model, 0);
		for (uint32_t i = 0; i < 2 * OBJECTS; i++) {
			/* each of them twice: the first one is over then, in the same event */
			struct region_buffer b = {.object = object_of(i / 2),
						  .allocator = 100,
						  .device = 200,
						  .address = 4096 + 4096 * i,
						  .requested_bytes = ONE_REQUESTED,
						  .bank_bytes = ONE_BANK,
						  .site = i % 5};

			CHECK(region_writer_alloc(beside.writer, &b) == 0);
		}
		region_writer_close_device(beside.writer, 200, 9);
	}
	__atomic_store_n(&beside.stop, true, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
	CHECK(beside.scans > 0);
	CHECK(region_writer_is_valid(beside.writer));
	writer_drop(beside.writer);
	printf("closing: %" PRIu64 " rows read with something in them, none torn\n", beside.scans);
}

static void run_beside(uint32_t events)
{
	static struct model model;
	pthread_t thread;

	random_state = 99;
	beside.writer = writer_new(OBJECTS * 2);
	open_row(beside.writer, &model, 0);
	CHECK(pthread_create(&thread, NULL, scan_beside, NULL) == 0);
	for (uint32_t i = 0; i < events; i++) {
		uint64_t n = 4096 + (random64() & 0xfffff);
		struct region_buffer b = {.object = object_of(below(OBJECTS)),
					  .allocator = 100,
					  .device = 200,
					  .address = n,
					  .requested_bytes = n + 1,
					  .page_bytes = n + 2,
					  .time_ns = n + 3,
					  .bank_bytes = 32};

		if (below(2))
			region_writer_free(beside.writer, b.object);
		else
			CHECK(region_writer_alloc(beside.writer, &b) == 0);
	}
	__atomic_store_n(&beside.stop, true, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
	CHECK(beside.scans > 0 && beside.slots > 0);
	CHECK(region_writer_is_valid(beside.writer));
	printf("beside: %" PRIu64 " scans, %" PRIu64 " slots read, none torn\n", beside.scans,
	       beside.slots);
	writer_drop(beside.writer);
}

/* Allocates and frees for ever; never returns. Its first words tell the parent where the table is. */
static void allocate_for_ever(int to_parent)
{
	static struct model model;
	struct region_writer *writer = writer_new(OBJECTS * 2);

	/* a failed check in the parent ends us too */
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	open_row(writer, &model, 0);
	CHECK(write(to_parent, &writer->table_fd, sizeof writer->table_fd) ==
	      sizeof writer->table_fd);
	for (uint32_t i = 0;; i++) {
		struct region_buffer b = {.object = object_of(i % 64),
					  .allocator = 100,
					  .device = 200,
					  .requested_bytes = 30,
					  .bank_bytes = 32};

		if (!region_writer_free(writer, b.object))
			CHECK(region_writer_alloc(writer, &b) == 0);
	}
}

/* Return: whether it was killed between the first and the last word of its totals. */
static bool check_last_state(int fd)
{
	struct region_map map;
	struct region_image image;
	struct region_slots slots;

	CHECK(region_map_open(fd, &map) == 0);
	CHECK(region_map_freeze(&map) == 0);
	CHECK(region_read_image(&map, &image) == 0);
	CHECK(region_read_slots(&map, UINT32_MAX, &slots) == 0);
	CHECK(image.row_count == 1 && image.rows[0].allocator.object == 100);
	const struct region_totals *t = &image.rows[0].totals[0];
	bool torn = image.rows[0].torn[0];
	uint64_t counted = t->allocs - t->frees;

	/* a slot is taken before the totals, and given back after them */
	CHECK(counted + 1 >= slots.count && counted <= slots.count + 1);
	CHECK(t->bank_bytes + 32 >= counted * 32 && t->bank_bytes <= (counted + 1) * 32);
	CHECK(torn == (image.torn != 0) && (torn || t->bank_bytes == counted * 32));
	region_slots_clear(&slots);
	region_image_clear(&image);
	region_map_close(&map);
	return torn;
}

static void run_killed(uint32_t rounds)
{
	uint32_t torn = 0;

	for (uint32_t i = 0; i < rounds; i++) {
		char path[64];
		int ends[2], number;

		seed = i;
		CHECK(pipe(ends) == 0);
		pid_t child = fork();

		CHECK(child >= 0);
		if (child == 0)
			allocate_for_ever(ends[1]);
		CHECK(read(ends[0], &number, sizeof number) == sizeof number);
		(void)snprintf(path, sizeof path, "/proc/%d/fd/%d", (int)child, number);
		int fd = open(path, O_RDONLY | O_CLOEXEC);

		CHECK(fd >= 0);
		(void)usleep(500 + i * 7 % 1000);
		CHECK(kill(child, SIGKILL) == 0 && waitpid(child, NULL, 0) == child);
		torn += check_last_state(fd);
		close(fd);
		close(ends[0]);
		close(ends[1]);
	}
	printf("killed: %" PRIu32 " writers, %" PRIu32 " of them in the middle of their totals\n",
	       rounds, torn);
}

static struct region_writer *interrupted;
static volatile uint32_t interruptions, unrecorded;

/* What the program's own handler does: it allocates and frees, wherever it comes. */
static void on_alarm(int number)
{
	struct region_buffer b = {.object = object_of(5000), .allocator = 100, .device = 200,
				  .requested_bytes = 30, .bank_bytes = 32};

	(void)number;
	interruptions++;
	if (region_writer_alloc(interrupted, &b) < 0 ||
	    !region_writer_free(interrupted, object_of(5000)))
		unrecorded++;
}

/*
 * A signal handler in the middle of its thread's own event: waiting for the lock there would be for
 * ever. What it does is not recorded then; what it does at any other moment is.
 */
static void run_interrupted(uint32_t wanted)
{
	static struct model model;
	const struct itimerval often = {{0, 20}, {0, 20}}, never = {{0, 0}, {0, 0}};
	const struct sigaction action = {.sa_handler = on_alarm};

	interrupted = writer_new(OBJECTS * 2);
	open_row(interrupted, &model, 0);
	CHECK(sigaction(SIGALRM, &action, NULL) == 0);
	CHECK(setitimer(ITIMER_REAL, &often, NULL) == 0);
	for (uint32_t i = 0; interruptions < wanted || unrecorded == 0; i++) {
		struct region_buffer b = {.object = object_of(i % 64), .allocator = 100, .device = 200,
					  .requested_bytes = 30, .bank_bytes = 32};

		CHECK(region_writer_free(interrupted, b.object) ||
		      region_writer_alloc(interrupted, &b) == 0);
	}
	CHECK(setitimer(ITIMER_REAL, &never, NULL) == 0);
	CHECK(interruptions > unrecorded);
	CHECK(region_writer_is_valid(interrupted));
	printf("interrupted: %" PRIu32 " times, %" PRIu32 " of them in the middle of an event\n",
	       interruptions, unrecorded);
	writer_drop(interrupted);
}

static uint32_t reached;

/* Every place where an event makes system calls, in a thread that is to end at the first chance. */
static void *work_cancelled(void *argument)
{
	struct region_writer *writer = argument;
	static struct model model;
	uint32_t i = 0, blocks = writer->blocks_backed;

	CHECK(pthread_cancel(pthread_self()) == 0);
	open_row(writer, &model, 1);
	for (; writer->blocks_backed < blocks + 12; i++) {
		struct region_buffer b = {.object = object_of(i), .allocator = 101, .device = 201,
					  .requested_bytes = 30, .bank_bytes = 32};

		CHECK(region_writer_alloc(writer, &b) == 0);
	}
	blocks = writer->blocks_backed;
	while (i-- > 0)
		CHECK(region_writer_free(writer, object_of(i)));
	CHECK(writer->blocks_backed < blocks);
	const struct region_site_found found = {.op = {.start = "op", .bytes = 2}, .line = 7};

	CHECK(region_writer_site(writer, &found) == 1);
	int fd = region_writer_share(writer);

	CHECK(fd >= 0);
	region_writer_unshare(writer, fd);
	int copy = region_writer_copy(writer, 7);

	CHECK(copy >= 0);
	CHECK(syscall(SYS_close, copy) == 0);
	CHECK(syscall(SYS_close, writer->table_fd) == 0);
	writer->checked_ns = 0;
	region_writer_tick(writer, UINT64_C(5000000000));
	CHECK(writer->table[0] != 0);
	reached++;
	pthread_testcancel();
	CHECK(reached == 0); /* nobody comes here */
	return NULL;
}

/* A lock that ended with its thread would stop all others. */
static void run_cancelled(void)
{
	struct region_identity identity = {.entry = "test", .slots_max = 32768,
					   .sites_max = REGION_SITES_UNIT};
	struct region_writer *writer = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
					    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	pthread_t thread;

	CHECK(writer != MAP_FAILED && region_writer_create(writer, &identity) == 0);
	CHECK(pthread_create(&thread, NULL, work_cancelled, writer) == 0);
	CHECK(pthread_join(thread, NULL) == 0);
	CHECK(reached == 1);
	CHECK(region_writer_is_valid(writer));
	writer_drop(writer);
	printf("cancelled: the thread ended where it was to end\n");
}

int main(int argc, char **argv)
{
	uint64_t histories = argc > 1 ? strtoull(argv[1], NULL, 10) : 10000;
	uint32_t events = argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 10) : 1000000;

	for (uint64_t i = 1; i <= histories; i++)
		history(i);
	printf("%" PRIu64 " histories equal to the model\n", histories);
	run_beside(events);
	run_interrupted(2000);
	run_cancelled();
	run_closing(events / 2000);
	run_killed(argc > 3 ? (uint32_t)strtoul(argv[3], NULL, 10) : 300);
	return 0;
}
