/* SPDX-License-Identifier: Apache-2.0 */
#include "analyse/growth.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "analyse/growth_keys.h"

#define UNKNOWN UINT64_MAX

_Static_assert(GROWTH_POINTS <= 64, "a bit each");

enum { PROCESS_UNSEEN, PROCESS_UNCHANGED, PROCESS_SCANNED };

void growth_clear(struct growth *growth)
{
	free(growth->processes);
	free(growth->series);
	free(growth->buckets);
	*growth = (struct growth){0};
}

static int make_room(void **array, uint32_t *capacity, uint32_t count, size_t size)
{
	uint32_t larger = *capacity ? *capacity * 2 : 64;

	if (count < *capacity)
		return 0;
	void *memory = realloc(*array, larger * size);

	if (!memory)
		return -ENOMEM;
	*array = memory;
	*capacity = larger;
	return 0;
}

static struct growth_process *find_process(const struct growth *growth, uint32_t pid,
					   uint64_t started_ns)
{
	for (uint32_t i = 0; i < growth->process_count; i++)
		if (growth->processes[i].pid == pid &&
		    growth->processes[i].started_ns == started_ns)
			return &growth->processes[i];
	return NULL;
}

const struct growth_series *growth_find(const struct growth *growth, uint32_t process, uint64_t key)
{
	uint32_t mask = growth->bucket_count - 1;

	for (uint32_t at = (uint32_t)key & mask; growth->bucket_count && growth->buckets[at];
	     at = (at + 1) & mask) {
		const struct growth_series *series = &growth->series[growth->buckets[at] - 1];

		if (series->keys[GROUP_SITE] == key && series->process == process)
			return series;
	}
	return NULL;
}

static void put_bucket(struct growth *growth, uint32_t index)
{
	uint32_t mask = growth->bucket_count - 1;
	uint32_t at = (uint32_t)growth->series[index].keys[GROUP_SITE] & mask;

	while (growth->buckets[at])
		at = (at + 1) & mask;
	growth->buckets[at] = index + 1;
}

static void fill_buckets(struct growth *growth)
{
	if (growth->bucket_count)
		memset(growth->buckets, 0, growth->bucket_count * sizeof *growth->buckets);
	for (uint32_t i = 0; i < growth->series_count; i++)
		put_bucket(growth, i);
}

void growth_begin(struct growth *growth, uint64_t now_ns)
{
	growth->turn++;
	growth->time_ns[growth->turn % GROWTH_POINTS] = now_ns;
	growth->old_ns = now_ns > growth->old_after_ns ? now_ns - growth->old_after_ns : 0;
	for (uint32_t i = 0; i < growth->process_count; i++)
		growth->processes[i].state = PROCESS_UNSEEN;
}

bool growth_unchanged(struct growth *growth, uint32_t pid, uint64_t started_ns, uint64_t event)
{
	struct growth_process *process = find_process(growth, pid, started_ns);

	if (!process || process->event != event)
		return false;
	process->state = PROCESS_UNCHANGED;
	return true;
}

struct tally_cut growth_cut(const struct growth *growth, uint32_t pid, uint64_t started_ns)
{
	const struct growth_process *process = find_process(growth, pid, started_ns);

	return (struct tally_cut){growth->old_ns, process ? process->old_ns : 0};
}

int growth_scanned(struct growth *growth, uint32_t pid, uint64_t started_ns, uint64_t event)
{
	struct growth_process *process = find_process(growth, pid, started_ns);

	if (!process) {
		void *memory = growth->processes;

		if (growth->process_count == GROWTH_PROCESSES)
			return -ENOSPC;
		int r = make_room(&memory, &growth->process_capacity, growth->process_count,
				  sizeof *process);

		if (r < 0)
			return r;
		growth->processes = memory;
		process = &growth->processes[growth->process_count++];
		*process = (struct growth_process){
			.pid = pid, .started_ns = started_ns, .first_turn = growth->turn};
	}
	process->event = event;
	process->old_ns = growth->old_ns;
	process->left_out = process->threads_left_out = 0;
	process->state = PROCESS_SCANNED;
	return 0;
}

static int grow_buckets(struct growth *growth)
{
	uint32_t count = growth->bucket_count ? growth->bucket_count * 2 : 256;
	uint32_t *buckets = malloc(count * sizeof *buckets);

	if (!buckets)
		return -ENOMEM;
	free(growth->buckets);
	growth->buckets = buckets;
	growth->bucket_count = count;
	fill_buckets(growth);
	return 0;
}

/* The turns in which its process was looked at had nothing of it. */
static void fill_past(const struct growth *growth, struct growth_series *series)
{
	uint32_t first = growth->processes[series->process].first_turn;

	for (uint32_t back = 0; back < GROWTH_POINTS; back++) {
		bool known = back < growth->turn && growth->turn - back >= first;

		uint32_t at = (growth->turn + GROWTH_POINTS - back) % GROWTH_POINTS;

		series->bytes[at] = series->old[at] = known ? 0 : UNKNOWN;
	}
	series->freed = 0;
}

/* Those of one kind that a process has. */
static uint32_t *count_of(struct growth *growth, uint32_t process, bool by_thread)
{
	return by_thread ? &growth->processes[process].threads : &growth->processes[process].series;
}

/* Return: 0; -ENOSPC; -ENOMEM. */
static int new_series(struct growth *growth, uint32_t process, bool by_thread, const uint64_t *keys,
		      struct growth_series **ret_series)
{
	uint32_t most = by_thread ? GROWTH_THREADS_MAX : GROWTH_PROCESS_MAX - GROWTH_THREADS_MAX;
	void *memory = growth->series;
	int r = 0;

	if (growth->series_count == GROWTH_SERIES_MAX ||
	    *count_of(growth, process, by_thread) == most)
		return -ENOSPC;
	if (2 * growth->series_count >= growth->bucket_count)
		r = grow_buckets(growth);
	if (r == 0)
		r = make_room(&memory, &growth->series_capacity, growth->series_count,
			      sizeof *growth->series);
	if (r < 0)
		return r;
	growth->series = memory;
	struct growth_series *series = &growth->series[growth->series_count++];

	series->process = process;
	series->by_thread = by_thread;
	memcpy(series->keys, keys, sizeof series->keys);
	fill_past(growth, series);
	++*count_of(growth, process, by_thread);
	put_bucket(growth, growth->series_count - 1);
	*ret_series = series;
	return 0;
}

static void fill_keys(const struct snapshot *snapshot, const struct site_row *row, bool by_thread,
		      uint64_t keys[GROUP_THREAD])
{
	for (int by = 0; by < GROUP_THREAD; by++)
		keys[by] = growth_key(snapshot, row, by_thread ? GROUP_THREAD : (enum group_by)by);
}

static uint32_t point_before(const struct growth *growth)
{
	return (growth->turn + GROWTH_POINTS - 1) % GROWTH_POINTS;
}

/* The sample of this turn; `kept`: what is still there of what was old a sample ago. */
static void take_sample(const struct growth *growth, struct growth_series *series, uint64_t bytes,
			uint64_t old, uint64_t kept)
{
	uint32_t now = growth->turn % GROWTH_POINTS;
	uint64_t before = series->old[point_before(growth)], bit = UINT64_C(1) << now;

	series->bytes[now] = bytes;
	series->old[now] = old;
	series->freed = before != UNKNOWN && kept < before ? series->freed | bit
							   : series->freed & ~bit;
	series->turn = growth->turn;
}

int growth_add(struct growth *growth, const struct snapshot *snapshot,
	       const struct site_list *list)
{
	bool by_thread = list->by == GROUP_THREAD;

	for (uint32_t i = 0; i < list->count; i++) {
		const struct site_row *row = &list->rows[i];
		const struct process *p = &snapshot->processes[row->process];
		struct growth_process *process = find_process(growth, p->pid, p->started_ns);
		uint64_t keys[GROUP_THREAD];
		int r = 0;

		if (!process || process->state != PROCESS_SCANNED)
			continue;
		uint32_t index = (uint32_t)(process - growth->processes);

		fill_keys(snapshot, row, by_thread, keys);
		struct growth_series *series =
			(struct growth_series *)(uintptr_t)growth_find(growth, index,
								       keys[GROUP_SITE]);

		if (!series)
			r = new_series(growth, index, by_thread, keys, &series);
		if (r == -ENOSPC) {
			++*(by_thread ? &process->threads_left_out : &process->left_out);
			continue;
		}
		if (r < 0)
			return r;
		take_sample(growth, series, row->bank_bytes, row->old_bank_bytes,
			    row->kept_bank_bytes);
	}
	return 0;
}

/* Its sample of this turn, where it is not there. Return: is there anything left to remember? */
static bool finish_series(const struct growth *growth, struct growth_series *series)
{
	uint32_t before = point_before(growth);
	uint8_t state = growth->processes[series->process].state;

	if (state == PROCESS_UNSEEN)
		return false;
	if (series->turn != growth->turn && state == PROCESS_UNCHANGED)
		take_sample(growth, series, series->bytes[before], series->old[before],
			    series->old[before]);
	else if (series->turn != growth->turn)
		take_sample(growth, series, 0, 0, 0);
	for (uint32_t i = 0; i < GROWTH_POINTS; i++)
		if (series->bytes[i] != 0 && series->bytes[i] != UNKNOWN)
			return true;
	return false;
}

/* Processes that were not named are gone; the others move up, and their series with them. */
static void drop_processes(struct growth *growth)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < growth->process_count; i++)
		growth->processes[i].place = kept += growth->processes[i].state != PROCESS_UNSEEN;
	for (uint32_t i = 0; i < growth->series_count; i++)
		growth->series[i].process = growth->processes[growth->series[i].process].place - 1;
	for (uint32_t i = 0; i < growth->process_count; i++)
		if (growth->processes[i].state != PROCESS_UNSEEN)
			growth->processes[growth->processes[i].place - 1] = growth->processes[i];
	growth->process_count = kept;
}

void growth_end(struct growth *growth)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < growth->series_count; i++) {
		if (!finish_series(growth, &growth->series[i])) {
			--*count_of(growth, growth->series[i].process, growth->series[i].by_thread);
			continue;
		}
		if (kept != i)
			growth->series[kept] = growth->series[i];
		kept++;
	}
	bool moved = kept != growth->series_count;

	growth->series_count = kept;
	drop_processes(growth);
	growth->left_out = 0;
	for (uint32_t i = 0; i < growth->process_count; i++)
		growth->left_out += growth->processes[i].left_out;
	if (moved)
		fill_buckets(growth);
}
