/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What counts as growth: a leak is told, and nothing else is. Time is a parameter,
 * so an hour takes no time.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "analyse/growth.h"
#include "analyse/rise.h"
#include "server/watch.h"

#define SECOND UINT64_C(1000000000)
#define POINTS 30u

typedef uint64_t series_of(uint32_t i);

static uint32_t random_below(uint32_t n)
{
	static uint64_t x = 88172645463325252u;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	return (uint32_t)((x >> 32) * n >> 32);
}

/* i counts samples, ten seconds apart. */
static uint64_t leak(uint32_t i) { return 4096 + 64u * i; }
static uint64_t leak_now_and_then(uint32_t i) { return 64u * (i / 4); }
static uint64_t leak_began_late(uint32_t i) { return i < 20 ? 0 : 64u * (i - 19); }
static uint64_t cache_that_fills(uint32_t i) { return (i < 12 ? i : 12) * 1000u; }
static uint64_t model_that_loads(uint32_t i) { return i < 4 ? i * 1000000u : 4000000u; }
static uint64_t cache_still_filling(uint32_t i) { return i < 15 ? 0 : (i - 14) * 1000u; }
static uint64_t plateau(uint32_t i) { return 1000000u + 0 * i; }
static uint64_t one_step(uint32_t i) { return i < 15 ? 10 : 20; }
static uint64_t two_steps(uint32_t i) { return i < 10 ? 10 : i < 25 ? 20 : 30; }
static uint64_t sawtooth(uint32_t i) { return i % 10 * 1000u; }
static uint64_t leaking_sawtooth(uint32_t i) { return i % 10 * 1000u + i * 10; }
static uint64_t shrinking(uint32_t i) { return 100000u - i * 10; }
static uint64_t falls_once(uint32_t i) { return 100000u + i * 1000 - (i == 20 ? 2500 : 0); }
static uint64_t churn(uint32_t i) { return 4096u + 0 * i + random_below(4096); }
static uint64_t two_levels(uint32_t i) { return 4096u + 0 * i + random_below(2) * 64; }

static bool grows(series_of *series, uint32_t count, struct rise *rise)
{
	struct rise_point points[64];

	for (uint32_t i = 0; i < count; i++)
		points[i] = (struct rise_point){i * 10 * SECOND, series(i)};
	return rise_of(points, count, rise);
}

static void test_series(void **state)
{
	static const struct {
		series_of *series;
		bool grows;
	} cases[] = {
		{leak, true}, {leak_now_and_then, true}, {leak_began_late, true},
		{cache_still_filling, true}, {cache_that_fills, false}, {model_that_loads, false},
		{plateau, false}, {one_step, false}, {two_steps, false}, {sawtooth, false},
		{leaking_sawtooth, false}, {shrinking, false}, {falls_once, false},
	};
	struct rise rise;

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		if (grows(cases[i].series, POINTS, &rise) != cases[i].grows)
			fail_msg("series %zu", i);
	for (uint32_t count = 0; count < RISE_POINTS_MIN; count++)
		assert_false(grows(leak, count, &rise));
	assert_true(grows(leak, RISE_POINTS_MIN, &rise));
}

/* Reason: a report that comes by chance is believed once. 1,000 sites of a busy program. */
static void test_churn_is_no_growth(void **state)
{
	struct rise rise;

	(void)state;
	for (int i = 0; i < 1000; i++) {
		assert_false(grows(churn, POINTS, &rise));
		assert_false(grows(two_levels, POINTS, &rise));
		assert_false(grows(two_levels, RISE_POINTS_MIN, &rise));
	}
}

/* Reason: a cache that has filled is left alone after a short while, and for good. */
static void test_cache_is_forgotten(void **state)
{
	uint32_t reported = 0;
	struct rise rise;

	(void)state;
	for (uint32_t end = 6; end < 60; end++)
		reported += grows(cache_that_fills, end, &rise);
	/* from the sixth sample to the thirteenth, the last that rose, and three pauses more */
	assert_int_equal(reported, 8 + 3);
}

static void test_slope(void **state)
{
	struct rise rise;

	(void)state;
	assert_true(grows(leak, POINTS, &rise));
	assert_int_equal(rise.bytes, 64 * 29);
	assert_int_equal(rise.rises, 29);
	assert_int_equal(rise_per_second(rise.bytes, rise.time_ns), 6);
	/* from when it began, not from the window's beginning */
	assert_true(grows(leak_began_late, POINTS, &rise));
	assert_int_equal(rise_per_second(rise.bytes, rise.time_ns), 6);
	assert_int_equal(rise_per_second(1, 1000 * SECOND), 1);
	assert_true(rise_per_second(UINT64_MAX, 1) == UINT64_MAX);
}

/* Of 30 looks: a sawtooth, and beside it what is old, which rises where `aged` says and is freed at `freed`. */
static bool grows_by_age(series_of *live, series_of *aged, uint32_t freed, struct rise *rise)
{
	struct rise_point points[POINTS + 1];
	struct rise_aged old[POINTS];

	for (uint32_t i = 0; i <= POINTS; i++)
		points[i] = (struct rise_point){i * 10 * SECOND, live(i) + aged(i)};
	for (uint32_t i = 0; i < POINTS; i++)
		old[i] = (struct rise_aged){aged(i), i == freed};
	return rise_of_aged(points, old, POINTS + 1, rise);
}

static uint64_t none(uint32_t i) { return 0 * i; }
static uint64_t aged_slowly(uint32_t i) { return 64u * (i / 4); }
static uint64_t aged_too_slowly(uint32_t i) { return 64u * (i / 6); }
static uint64_t aged_and_stopped(uint32_t i) { return 64u * (i < 15 ? i : 15); }

/* Reason: by age only what is told by nothing else, and none that is freed in the end. */
static void test_aged_series(void **state)
{
	struct rise rise;

	(void)state;
	assert_true(grows_by_age(sawtooth, leak, UINT32_MAX, &rise));
	assert_int_equal(rise.bytes, 64 * 29);
	assert_int_equal(rise.rises, 29);
	assert_int_equal(rise_per_second(rise.bytes, rise.time_ns), 6);
	assert_true(grows_by_age(sawtooth, aged_slowly, UINT32_MAX, &rise));
	assert_int_equal(rise.rises, 7);
	assert_false(grows_by_age(sawtooth, aged_too_slowly, UINT32_MAX, &rise));
	assert_false(grows_by_age(sawtooth, aged_and_stopped, UINT32_MAX, &rise));
	assert_false(grows_by_age(sawtooth, none, UINT32_MAX, &rise));
	/* what never falls is the other rule's */
	assert_false(grows_by_age(none, leak, UINT32_MAX, &rise));
	/* one old buffer was freed, however much grew old at the same time; before the window is before */
	for (uint32_t i = 1; i < POINTS; i++)
		assert_false(grows_by_age(sawtooth, leak, i, &rise));
	assert_true(grows_by_age(sawtooth, leak, 0, &rise));
	/* all of it was freed since the last look */
	struct rise_point points[8];
	struct rise_aged old[7];

	for (uint32_t i = 0; i < 8; i++)
		points[i] = (struct rise_point){i * SECOND, i == 3 ? 900 : 1000};
	for (uint32_t i = 0; i < 7; i++)
		old[i] = (struct rise_aged){i * 100, false};
	assert_true(rise_of_aged(points, old, 8, &rise));
	points[7].bytes = 599;
	assert_false(rise_of_aged(points, old, 8, &rise));
	assert_false(rise_of_aged(points, old, 0, &rise));
	assert_false(rise_of_aged(points, old, RISE_AGED_POINTS_MAX + 1, &rise));
}

/* A machine with one process and one chip, of which a few sites hold something. */
struct scene {
	struct growth growth;
	struct snapshot snapshot;
	struct site_list list;
	uint64_t now;
	uint32_t sites[4];
	bool in_dram[4]; /* else in L1 */
};

static void scene_begin(struct scene *scene, uint32_t pid, uint64_t started)
{
	struct snapshot *s = &scene->snapshot;
	uint32_t index;

	snapshot_init(s);
	assert_int_equal(snapshot_add_process(s, &index), 0);
	s->processes[0].pid = pid;
	s->processes[0].started_ns = started;
	assert_int_equal(snapshot_add_allocator(s, &index), 0);
	assert_int_equal(snapshot_add_chip(s, &index), 0);
	s->chips[0].unique_id = fact_of(77);
	s->allocators[0].chips = (struct span){0, 1};
	for (int type = 0; type < MEMORY_TYPES; type++) {
		s->allocators[0].memory[type].banks = fact_of(64);
		s->allocators[0].memory[type].free_bytes = fact_of(64 * 6000);
	}
	for (uint32_t i = 0; i < 4; i++) {
		struct site_texts texts = {.op = "ttnn.add", .file = i < 2 ? "/a.py" : "/b.py",
					   .function = "f", .line = i + 1};

		assert_int_equal(snapshot_intern_site(s, &texts, &scene->sites[i]), 0);
	}
}

static void scene_rows(struct scene *scene, const uint64_t bank_bytes[4])
{
	site_list_clear(&scene->list);
	scene->list.rows = calloc(4, sizeof *scene->list.rows);
	assert_non_null(scene->list.rows);
	for (uint32_t i = 0; i < 4; i++)
		if (bank_bytes[i])
			scene->list.rows[scene->list.count++] = (struct site_row){
				.site = scene->sites[i], .buffers = 1,
				.type = scene->in_dram[i] ? MEMORY_DRAM : MEMORY_L1,
				.bank_bytes = bank_bytes[i],
				.occupied_bytes = fact_of(bank_bytes[i] * 64)};
}

/* One turn, ten seconds after the last one; `event` is what the table's number is now. */
static void scene_turn(struct scene *scene, uint64_t event, uint64_t a, uint64_t b, uint64_t c,
		       uint64_t d)
{
	const struct process *p = &scene->snapshot.processes[0];
	const uint64_t bytes[4] = {a, b, c, d};

	scene->now += 10 * SECOND;
	scene_rows(scene, bytes);
	growth_begin(&scene->growth, scene->now);
	if (!growth_unchanged(&scene->growth, p->pid, p->started_ns, event)) {
		assert_int_equal(growth_scanned(&scene->growth, p->pid, p->started_ns, event), 0);
		assert_int_equal(growth_add(&scene->growth, &scene->snapshot, &scene->list), 0);
	}
	growth_end(&scene->growth);
}

/* What is told at the moment of the last turn: how many rows. */
static uint32_t scene_select(struct scene *scene, uint64_t window_s)
{
	growth_select(&scene->growth, &scene->snapshot, &scene->list, scene->now,
		      window_s * SECOND);
	return scene->list.count;
}

static void scene_end(struct scene *scene)
{
	growth_clear(&scene->growth);
	site_list_clear(&scene->list);
	snapshot_clear(&scene->snapshot);
}

/* Reason: the leak of one 64-byte semaphore for each new shape, beside all that is usual. */
static void test_semaphore_leak(void **state)
{
	struct scene scene = {.now = SECOND};

	(void)state;
	scene_begin(&scene, 5, 1);
	for (uint32_t i = 0; i < 25; i++)
		scene_turn(&scene, i, 64 + 64 * (i / 2), 5000, i % 3 ? 2048 : 4096,
			   i < 5 ? 1000 * i : 5000);
	assert_int_equal(scene_select(&scene, 300), 1);
	const struct site_row *row = &scene.list.rows[0];

	assert_int_equal(snapshot_site(&scene.snapshot, row->site)->line, 1);
	assert_int_equal(row->rises, 12);
	assert_int_equal(row->growth_bytes.value, 12 * 64 * 64);
	/* 64 bytes in 20 s and 64 banks; the first rise came after one sample */
	assert_int_equal(row->bytes_per_second.value, 12 * 64 * 64 / 230);
	assert_int_equal(row->full_ns.state, FACT_ESTIMATE);
	assert_int_equal(row->full_ns.value / SECOND, 64 * 6000 / (12 * 64 * 64 / 230));
	assert_int_equal(scene.list.watched_ns, 240 * SECOND);
	scene_end(&scene);
}

/* Reason: two leaks fill the bank sooner than either alone, and each row says when. */
static void test_full_together(void **state)
{
	struct scene scene = {.now = SECOND};

	(void)state;
	scene_begin(&scene, 5, 1);
	for (uint32_t i = 0; i < 12; i++)
		scene_turn(&scene, i, 100 + 50 * i, 100 + 100 * i, 0, 0);
	assert_int_equal(scene_select(&scene, 300), 2);
	assert_int_equal(scene.list.rows[0].bytes_per_second.value, 640);
	assert_int_equal(scene.list.rows[1].bytes_per_second.value, 320);
	for (int i = 0; i < 2; i++)
		assert_int_equal(scene.list.rows[i].full_ns.value / SECOND, 64 * 6000 / 960);
	scene.snapshot.allocators[0].memory[MEMORY_L1].free_bytes = fact_absent(REASON_NOT_EXPORTED);
	scene_turn(&scene, 12, 700, 1300, 0, 0);
	assert_int_equal(scene_select(&scene, 300), 2);
	assert_false(fact_is_known(scene.list.rows[0].full_ns));
	scene_end(&scene);
}

/* Reason: what fills its memory in seconds matters more than what grows faster where there is plenty. */
static void test_urgency(void **state)
{
	struct scene scene = {.now = SECOND, .in_dram = {true, true}};

	(void)state;
	scene_begin(&scene, 5, 1);
	scene.snapshot.allocators[0].memory[MEMORY_DRAM].free_bytes = fact_of(UINT64_C(1) << 40);
	for (uint32_t i = 0; i < 12; i++)
		scene_turn(&scene, i, 100 + 5000 * i, 100 + 9000 * i, 100 + 10 * i, 100 + 20 * i);
	assert_int_equal(scene_select(&scene, 300), 4);
	static const uint32_t lines[] = {4, 3, 2, 1};

	for (int i = 0; i < 4; i++)
		assert_int_equal(snapshot_site(&scene.snapshot, scene.list.rows[i].site)->line,
				 lines[i]);
	assert_true(scene.list.rows[0].full_ns.value < scene.list.rows[2].full_ns.value);
	/* of one that is not known nobody can say that it is urgent */
	scene.snapshot.allocators[0].memory[MEMORY_L1].free_bytes = fact_absent(REASON_NOT_EXPORTED);
	scene_turn(&scene, 12, 60100, 108100, 220, 340);
	assert_int_equal(scene_select(&scene, 300), 4);
	assert_int_equal(snapshot_site(&scene.snapshot, scene.list.rows[0].site)->line, 2);
	scene_end(&scene);
}

/* Reason: nothing happened is a sample too; then it is not read again. */
static void test_unchanged(void **state)
{
	struct scene scene = {.now = SECOND};

	(void)state;
	scene_begin(&scene, 5, 1);
	/* every second turn the table stands still; what is said of it then must not count */
	for (uint32_t i = 0; i < 20; i++)
		scene_turn(&scene, i / 2, i % 2 ? 7 : 64 + 64 * (i / 2), 0, 0, 0);
	scene.list.rows[0].bank_bytes = 640;
	assert_int_equal(scene_select(&scene, 300), 1);
	assert_int_equal(scene.list.rows[0].rises, 9);
	scene_end(&scene);
}

/* Reason: what was freed and came back has fallen, even between two turns with rows. */
static void test_gone_and_back(void **state)
{
	struct scene scene = {.now = SECOND};

	(void)state;
	scene_begin(&scene, 5, 1);
	for (uint32_t i = 0; i < 20; i++)
		scene_turn(&scene, i, i == 10 ? 0 : 64 + 64 * i, 0, 0, 0);
	assert_int_equal(scene_select(&scene, 300), 0);
	/* within a shorter window it has only risen */
	scene_turn(&scene, 20, 64 + 64 * 20, 0, 0, 0);
	assert_int_equal(scene_select(&scene, 90), 1);
	scene_end(&scene);
}

/* Reason: a program that is started again and again, each time with a little more, does not leak. */
static void test_restart_and_reused_pid(void **state)
{
	struct scene scene = {.now = SECOND};

	(void)state;
	scene_begin(&scene, 5, 1);
	for (uint32_t i = 0; i < 4; i++)
		scene_turn(&scene, i, 64 + 64 * i, 0, 0, 0);
	scene.snapshot.processes[0].started_ns = 2; /* the same number, the same event: another process */
	for (uint32_t i = 4; i < 8; i++)
		scene_turn(&scene, i, 64 + 64 * i, 0, 0, 0);
	assert_int_equal(scene.growth.process_count, 1);
	assert_int_equal(scene.growth.series_count, 1);
	assert_int_equal(scene_select(&scene, 300), 0);
	scene.snapshot.processes[0].pid = 6;
	scene_turn(&scene, 8, 64 + 64 * 8, 0, 0, 0);
	assert_int_equal(scene_select(&scene, 300), 0);
	assert_int_equal(scene.growth.process_count, 1);
	scene_end(&scene);
}

/* Reason: after more turns than the ring has points the oldest are gone, and so is what ended. */
static void test_ring(void **state)
{
	struct scene scene = {.now = SECOND};

	(void)state;
	scene_begin(&scene, 5, 1);
	for (uint32_t i = 0; i < 200; i++)
		scene_turn(&scene, i, 64 + 64 * i, i < 5 ? 100 : 0, 0, 0);
	assert_int_equal(scene.growth.series_count, 1);
	assert_int_equal(scene_select(&scene, 600), 1);
	assert_int_equal(scene.list.watched_ns, 590 * SECOND);
	assert_int_equal(scene.list.rows[0].growth_bytes.value, 59 * 64 * 64);
	scene_end(&scene);
}

/* Reason: of a site that was not there before, the turns before are zeros, not unknown. */
static void test_last_minute(void **state)
{
	const uint64_t live[4] = {700, 300, 50, 0};
	struct scene scene = {.now = SECOND};

	(void)state;
	scene_begin(&scene, 5, 1);
	scene_turn(&scene, 1, 100, 300, 0, 90);
	scene_rows(&scene, live);
	growth_last_minute(&scene.growth, &scene.snapshot, &scene.list, scene.now);
	assert_false(fact_is_known(scene.list.rows[0].growth_bytes));
	assert_int_equal(scene.list.rows[0].growth_bytes.reason, REASON_NOT_WATCHED);
	for (uint32_t i = 2; i < 9; i++)
		scene_turn(&scene, i, 100 + 100 * (i - 2), 300, i < 8 ? 0 : 50, i < 8 ? 90 : 0);
	scene_rows(&scene, live);
	growth_last_minute(&scene.growth, &scene.snapshot, &scene.list, scene.now);
	/* a minute ago was the second turn */
	assert_int_equal((int64_t)scene.list.rows[0].growth_bytes.value, (700 - 100) * 64);
	assert_int_equal(scene.list.rows[1].growth_bytes.value, 0);
	assert_int_equal(scene.list.rows[2].growth_bytes.value, 50 * 64);
	/* by file and by type also what is not there any more counts: /b.py had 90 */
	scene.list.by = GROUP_FILE;
	scene.list.rows[0].site = scene.sites[2];
	scene.list.rows[0].bank_bytes = 50;
	scene.list.count = 1;
	growth_last_minute(&scene.growth, &scene.snapshot, &scene.list, scene.now);
	assert_int_equal((int64_t)scene.list.rows[0].growth_bytes.value, (50 - 90) * 64);
	scene.list.by = GROUP_TYPE;
	scene.list.rows[0].site = 0;
	scene.list.rows[0].bank_bytes = 1050;
	growth_last_minute(&scene.growth, &scene.snapshot, &scene.list, scene.now);
	assert_int_equal((int64_t)scene.list.rows[0].growth_bytes.value,
			 (1050 - 100 - 300 - 90) * 64);
	scene_end(&scene);
}

/* A turn in which threads are remembered as well: `threads` of them, each with so many bytes. */
static void thread_turn(struct scene *scene, uint32_t turn, uint32_t threads, uint64_t bytes)
{
	struct site_list list = {.by = GROUP_THREAD, .count = threads};

	list.rows = calloc(threads + 1, sizeof *list.rows);
	assert_non_null(list.rows);
	for (uint32_t i = 0; i < threads; i++)
		list.rows[i] = (struct site_row){.thread = 100 + i, .type = MEMORY_L1,
						 .bank_bytes = bytes + i};
	scene->now += 10 * SECOND;
	scene_rows(scene, (const uint64_t[4]){10, 20, 30, 40});
	growth_begin(&scene->growth, scene->now);
	assert_int_equal(growth_scanned(&scene->growth, 5, 1, turn), 0);
	assert_int_equal(growth_add(&scene->growth, &scene->snapshot, &scene->list), 0);
	assert_int_equal(growth_add(&scene->growth, &scene->snapshot, &list), 0);
	growth_end(&scene->growth);
	site_list_clear(&scene->list);
	scene->list = list;
}

/* Reason: threads are remembered beside sites, and neither is counted among the other. */
static void test_last_minute_by_thread(void **state)
{
	struct scene scene = {.now = SECOND};

	(void)state;
	scene_begin(&scene, 5, 1);
	for (uint32_t i = 0; i < 8; i++)
		thread_turn(&scene, i, i < 4 ? 1 : 2, 100 * (i + 1));
	growth_last_minute(&scene.growth, &scene.snapshot, &scene.list, scene.now);
	/* a minute ago was the second turn, when there was one thread only */
	assert_int_equal((int64_t)scene.list.rows[0].growth_bytes.value, (800 - 200) * 64);
	assert_int_equal((int64_t)scene.list.rows[1].growth_bytes.value, 801 * 64);
	/* all sites of the type together are what they were */
	scene.list.by = GROUP_TYPE;
	scene.list.count = 1;
	scene.list.rows[0].thread = 0;
	scene.list.rows[0].bank_bytes = 100;
	growth_last_minute(&scene.growth, &scene.snapshot, &scene.list, scene.now);
	assert_int_equal(scene.list.rows[0].growth_bytes.value, 0);
	assert_int_equal(scene_select(&scene, 300), 0);
	scene_end(&scene);
}

/* Reason: a process with a thread for everything takes no room from its sites, and of threads that
 * are not watched nobody says that they are new. */
static void test_threads_are_bounded(void **state)
{
	struct scene scene = {.now = SECOND};
	uint32_t many = GROWTH_THREADS_MAX + 10;

	(void)state;
	scene_begin(&scene, 5, 1);
	for (uint32_t i = 0; i < 8; i++)
		thread_turn(&scene, i, many, 100);
	assert_int_equal(scene.growth.series_count, GROWTH_THREADS_MAX + 4);
	assert_int_equal(scene.growth.left_out, 0);
	growth_last_minute(&scene.growth, &scene.snapshot, &scene.list, scene.now);
	assert_int_equal(scene.list.rows[0].growth_bytes.state, FACT_OK);
	assert_int_equal(scene.list.rows[0].growth_bytes.value, 0);
	assert_false(fact_is_known(scene.list.rows[many - 1].growth_bytes));
	/* after ten minutes without them they are forgotten, and there is room for others */
	for (uint32_t i = 8; i < 8 + GROWTH_POINTS; i++)
		thread_turn(&scene, i, 0, 0);
	assert_int_equal(scene.growth.series_count, 4);
	assert_int_equal(scene.growth.processes[0].threads, 0);
	thread_turn(&scene, 100, many, 100);
	assert_int_equal(scene.growth.processes[0].threads, GROWTH_THREADS_MAX);
	scene_end(&scene);
}

/* Reason: a process with very many sites must neither take all the room nor make us grow. */
static void test_room_is_bounded(void **state)
{
	struct scene scene = {.now = SECOND};
	uint32_t room = GROWTH_PROCESS_MAX - GROWTH_THREADS_MAX, many = room + 100;

	(void)state;
	scene_begin(&scene, 5, 1);
	scene.list.rows = calloc(many, sizeof *scene.list.rows);
	assert_non_null(scene.list.rows);
	for (uint32_t i = 0; i < many; i++) {
		struct site_texts texts = {.op = "", .file = "/a", .function = "", .line = 100 + i};
		uint32_t site;

		assert_int_equal(snapshot_intern_site(&scene.snapshot, &texts, &site), 0);
		scene.list.rows[scene.list.count++] =
			(struct site_row){.site = site, .bank_bytes = 64};
	}
	for (uint32_t turn = 1; turn < 4; turn++) {
		growth_begin(&scene.growth, turn * SECOND);
		assert_int_equal(growth_scanned(&scene.growth, 5, 1, turn), 0);
		assert_int_equal(growth_add(&scene.growth, &scene.snapshot, &scene.list), 0);
		growth_end(&scene.growth);
		assert_int_equal(scene.growth.series_count, room);
		assert_int_equal(scene.growth.left_out, 100);
	}
	/* of what is left out nobody says that it is new; of the sum by type neither */
	for (uint32_t turn = 4; turn < 70; turn++) {
		growth_begin(&scene.growth, turn * SECOND);
		assert_true(growth_unchanged(&scene.growth, 5, 1, 3));
		growth_end(&scene.growth);
	}
	assert_int_equal(scene.growth.left_out, 100);
	growth_last_minute(&scene.growth, &scene.snapshot, &scene.list, 69 * SECOND);
	assert_int_equal(scene.list.rows[0].growth_bytes.state, FACT_OK);
	assert_int_equal(scene.list.rows[0].growth_bytes.value, 0);
	assert_false(fact_is_known(scene.list.rows[many - 1].growth_bytes));
	scene.list.by = GROUP_TYPE;
	growth_last_minute(&scene.growth, &scene.snapshot, &scene.list, 69 * SECOND);
	assert_false(fact_is_known(scene.list.rows[0].growth_bytes));
	/* it ends: all of it is free again */
	growth_begin(&scene.growth, 90 * SECOND);
	growth_end(&scene.growth);
	assert_int_equal(scene.growth.series_count, 0);
	assert_int_equal(scene.growth.process_count, 0);
	scene_end(&scene);
}

/* Reason: looking costs at most a hundredth, and nothing when nobody asks. */
static void test_watch(void **state)
{
	struct watch watch = {.every_ns = 0};
	uint64_t now = 1000 * SECOND;

	(void)state;
	assert_false(watch_due(&watch, now));
	watch_ask(&watch, now);
	assert_true(watch_due(&watch, now));
	growth_begin(&watch.growth, now);
	growth_end(&watch.growth);
	watch_looked(&watch, now, SECOND / 1000);
	assert_false(watch_due(&watch, now + 9 * SECOND));
	assert_true(watch_due(&watch, now + 10 * SECOND));
	assert_false(watch_is_slowed(&watch));
	/* 0.3 s a look: every 30 s */
	watch_looked(&watch, now, 3 * SECOND / 10);
	assert_true(watch_is_slowed(&watch));
	assert_int_equal(watch_interval(&watch), 30 * SECOND);
	assert_false(watch_due(&watch, now + 29 * SECOND));
	assert_true(watch_due(&watch, now + 30 * SECOND));
	/* ten minutes after the last question it forgets */
	assert_true(watch_due(&watch, now + 600 * SECOND));
	assert_int_equal(watch.growth.turn, 1);
	assert_false(watch_due(&watch, now + 601 * SECOND));
	assert_int_equal(watch.growth.turn, 0);
	watch.always = true;
	assert_true(watch_due(&watch, now + 602 * SECOND));
	growth_clear(&watch.growth);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_series),
		cmocka_unit_test(test_churn_is_no_growth),
		cmocka_unit_test(test_cache_is_forgotten),
		cmocka_unit_test(test_slope),
		cmocka_unit_test(test_aged_series),
		cmocka_unit_test(test_semaphore_leak),
		cmocka_unit_test(test_full_together),
		cmocka_unit_test(test_urgency),
		cmocka_unit_test(test_unchanged),
		cmocka_unit_test(test_gone_and_back),
		cmocka_unit_test(test_restart_and_reused_pid),
		cmocka_unit_test(test_ring),
		cmocka_unit_test(test_last_minute),
		cmocka_unit_test(test_last_minute_by_thread),
		cmocka_unit_test(test_threads_are_bounded),
		cmocka_unit_test(test_room_is_bounded),
		cmocka_unit_test(test_watch),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
