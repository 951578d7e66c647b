/* SPDX-License-Identifier: Apache-2.0 */
/* What the rings tell, joined with what is live at the moment of the question. */
#include <stdlib.h>
#include <string.h>

#include "analyse/growth_keys.h"
#include "analyse/rise.h"

#define SECOND_NS UINT64_C(1000000000)
#define MINUTE_NS (60 * SECOND_NS)
#define UNKNOWN	  UINT64_MAX

/* Of the window all but so much must have been seen: looks come late, and the ring ends. */
#define WINDOW_SHARE 10u

static uint64_t mix(uint64_t hash, uint64_t value)
{
	return (hash ^ value) * UINT64_C(0x9e3779b97f4a7c15) ^ hash >> 29;
}

static uint64_t mix_text(uint64_t hash, const struct snapshot *snapshot, uint32_t id)
{
	for (const char *text = snapshot_text(snapshot, id); *text; text++)
		hash = (hash ^ (uint8_t)*text) * UINT64_C(0x100000001b3);
	return mix(hash, 0xff);
}

static uint64_t mix_frames(uint64_t hash, const struct snapshot *snapshot, const struct site *site)
{
	for (uint32_t i = 0; i < site->frame_count; i++) {
		const struct site_frame *frame = &snapshot->frames[site->first_frame + i];

		hash = mix(mix_text(hash, snapshot, frame->module), frame->offset);
	}
	return hash;
}

uint64_t growth_key(const struct snapshot *snapshot, const struct site_row *row, enum group_by by)
{
	const struct allocator *a = &snapshot->allocators[row->allocator];
	const struct site *site = snapshot_site(snapshot, row->site);
	uint64_t hash = mix(UINT64_C(0xcbf29ce484222325), row->type + 1u);

	for (uint32_t i = 0; i < a->chips.count; i++) {
		const struct chip *chip = &snapshot->chips[a->chips.first + i];

		hash = mix(mix(hash, chip->chip_id), chip->unique_id.value);
	}
	if (by == GROUP_THREAD)
		return mix(mix(hash, 2), row->thread);
	if (by == GROUP_TYPE || !site)
		return mix(hash, by == GROUP_TYPE);
	hash = mix(hash, site->before_attach);
	if (by == GROUP_OP || by == GROUP_SITE)
		hash = mix_text(hash, snapshot, site->op);
	if (by == GROUP_FILE || by == GROUP_SITE)
		hash = mix_text(hash, snapshot, site->file);
	if (by == GROUP_TAG || by == GROUP_SITE)
		hash = mix_text(hash, snapshot, site->tag);
	if (by == GROUP_SITE) {
		hash = mix(mix_text(hash, snapshot, site->function), site->line);
		hash = mix_frames(hash, snapshot, site);
	}
	return hash;
}

uint32_t growth_process_of(const struct growth *growth, const struct process *process)
{
	for (uint32_t i = 0; i < growth->process_count; i++)
		if (growth->processes[i].pid == process->pid &&
		    growth->processes[i].started_ns == process->started_ns)
			return i;
	return UINT32_MAX;
}

/* The number of the turn nearest to `time_ns` but not before it; 0: there is none. */
static uint32_t turn_at(const struct growth *growth, uint64_t time_ns)
{
	uint32_t found = 0;

	for (uint32_t back = 0; back < GROWTH_POINTS && back < growth->turn; back++)
		if (growth->time_ns[(growth->turn - back) % GROWTH_POINTS] >= time_ns)
			found = growth->turn - back;
	return found;
}

/* What groups held at a turn: the sums of their series, found by process and key. */
struct past {
	struct past_sum {
		uint64_t key, bytes; /* bytes UNKNOWN: one of its series does not tell */
		uint32_t process;    /* index + 1; 0: free */
	} *sums;
	uint32_t mask;
};

static struct past_sum *find_sum(const struct past *past, uint32_t process, uint64_t key)
{
	uint32_t at = (uint32_t)key & past->mask;

	while (past->sums[at].process &&
	       (past->sums[at].process != process + 1 || past->sums[at].key != key))
		at = (at + 1) & past->mask;
	return &past->sums[at];
}

/* Return: false for want of memory. */
static bool past_begin(const struct growth *growth, enum group_by by, uint32_t turn,
		       struct past *ret_past)
{
	uint32_t count = 64;

	while (count < 2 * growth->series_count)
		count *= 2;
	*ret_past = (struct past){calloc(count, sizeof *ret_past->sums), count - 1};
	for (uint32_t i = 0; ret_past->sums && i < growth->series_count; i++) {
		const struct growth_series *series = &growth->series[i];
		uint64_t key = series->keys[by == GROUP_THREAD ? 0 : by];
		uint64_t bytes = series->bytes[turn % GROWTH_POINTS];

		if (series->by_thread != (by == GROUP_THREAD))
			continue;
		struct past_sum *sum = find_sum(ret_past, series->process, key);

		sum->process = series->process + 1;
		sum->key = key;
		sum->bytes = bytes == UNKNOWN || sum->bytes == UNKNOWN ? UNKNOWN
								       : sum->bytes + bytes;
	}
	return ret_past->sums != NULL;
}

/* Bytes of a bank, as bytes of all banks; signed. */
static struct fact of_banks(const struct snapshot *snapshot, const struct site_row *row,
			    uint64_t bank_bytes)
{
	struct fact banks = snapshot->allocators[row->allocator].memory[row->type].banks;

	return fact_is_known(banks) ? fact_of(bank_bytes * banks.value) : banks;
}

/* What has become of one row since the turn. */
static struct fact growth_since(const struct growth *growth, const struct snapshot *snapshot,
				const struct site_row *row, enum group_by by,
				const struct past *past, uint32_t turn)
{
	uint32_t process = growth_process_of(growth, &snapshot->processes[row->process]);

	if (process == UINT32_MAX || growth->processes[process].first_turn > turn)
		return fact_absent(REASON_NOT_WATCHED);
	const struct past_sum *sum = find_sum(past, process, growth_key(snapshot, row, by));
	/* of what there is no room for nobody knows whether it was there */
	bool is_missed = by == GROUP_THREAD
				 ? growth->processes[process].threads_left_out && !sum->process
				 : growth->processes[process].left_out &&
					   (by != GROUP_SITE || !sum->process);
	uint64_t then = is_missed ? UNKNOWN : sum->bytes;

	return then == UNKNOWN ? fact_absent(REASON_NOT_WATCHED)
			       : of_banks(snapshot, row, row->bank_bytes - then);
}

void growth_last_minute(const struct growth *growth, const struct snapshot *snapshot,
			struct site_list *list, uint64_t now_ns)
{
	uint32_t turn = turn_at(growth, now_ns > MINUTE_NS ? now_ns - MINUTE_NS : 0);
	/* a minute, or nearly: the next turn would be the first that lies within it */
	bool is_whole = turn && now_ns - growth->time_ns[turn % GROWTH_POINTS] >= MINUTE_NS * 3 / 4;
	struct past past = {0};

	is_whole = is_whole && past_begin(growth, list->by, turn, &past);
	for (uint32_t i = 0; i < list->count; i++)
		list->rows[i].growth_bytes =
			is_whole ? growth_since(growth, snapshot, &list->rows[i], list->by, &past,
						turn)
				 : fact_absent(REASON_NOT_WATCHED);
	free(past.sums);
}

/* The samples within the window, oldest first, and what is live now. `aged` has all but that. */
static uint32_t points_of(const struct growth *growth, const struct growth_series *series,
			  const struct site_row *row, uint64_t now_ns, uint64_t window_ns,
			  struct rise_point points[GROWTH_POINTS + 1],
			  struct rise_aged aged[GROWTH_POINTS])
{
	uint32_t count = 0, turns = growth->turn < GROWTH_POINTS ? growth->turn : GROWTH_POINTS;

	for (uint32_t back = turns; back-- > 0;) {
		uint32_t at = (growth->turn - back) % GROWTH_POINTS;

		if (now_ns - growth->time_ns[at] > window_ns || series->bytes[at] == UNKNOWN)
			continue;
		points[count] = (struct rise_point){growth->time_ns[at], series->bytes[at]};
		aged[count++] = (struct rise_aged){series->old[at], series->freed >> at & 1};
	}
	points[count++] = (struct rise_point){now_ns, row->bank_bytes};
	return count;
}

/*
 * By age only with all of the window seen: what is emptied in turns that are shorter has been emptied
 * once by then.
 */
static bool has_risen(const struct growth *growth, const struct growth_series *series,
		      struct site_row *row, uint64_t now_ns, uint64_t window_ns, struct rise *ret_rise)
{
	struct rise_point points[GROWTH_POINTS + 1];
	struct rise_aged aged[GROWTH_POINTS];
	uint32_t count = points_of(growth, series, row, now_ns, window_ns, points, aged);

	row->found_by = FOUND_BY_RISE;
	if (rise_of(points, count, ret_rise))
		return true;
	row->found_by = FOUND_BY_AGE;
	return growth->old_after_ns &&
	       now_ns - points[0].time_ns >= window_ns / WINDOW_SHARE * (WINDOW_SHARE - 1) &&
	       rise_of_aged(points, aged, count, ret_rise);
}

static bool grows(const struct growth *growth, const struct snapshot *snapshot,
		  struct site_row *row, uint64_t now_ns, uint64_t window_ns)
{
	uint32_t process = growth_process_of(growth, &snapshot->processes[row->process]);
	const struct growth_series *series;
	struct rise rise;

	if (process == UINT32_MAX)
		return false;
	series = growth_find(growth, process, growth_key(snapshot, row, GROUP_SITE));
	if (!series || !has_risen(growth, series, row, now_ns, window_ns, &rise))
		return false;
	row->growth_bytes = of_banks(snapshot, row, rise.bytes);
	row->bytes_per_second = of_banks(snapshot, row, rise.bytes);
	if (fact_is_known(row->bytes_per_second))
		row->bytes_per_second =
			fact_of(rise_per_second(row->bytes_per_second.value, rise.time_ns));
	row->rises = rise.rises;
	return true;
}

/* What all that grows in the same banks takes together, until nothing is left in them. */
static void fill_full(const struct snapshot *snapshot, struct site_list *list, struct site_row *row)
{
	struct fact free = snapshot->allocators[row->allocator].memory[row->type].free_bytes;
	uint64_t rate = 0;

	row->full_ns = fact_is_known(free) ? row->bytes_per_second : free;
	if (!fact_is_known(row->full_ns))
		return;
	for (uint32_t i = 0; i < list->count; i++)
		if (list->rows[i].allocator == row->allocator && list->rows[i].type == row->type &&
		    __builtin_add_overflow(rate, list->rows[i].bytes_per_second.value, &rate))
			rate = UINT64_MAX;
	__uint128_t ns = (__uint128_t)free.value * SECOND_NS / (rate ? rate : 1);

	row->full_ns = fact_estimate(ns > UINT64_MAX ? UINT64_MAX : (uint64_t)ns,
				     REASON_AT_THIS_RATE);
}

/* Where memory will be full first, and of those that fill it the fastest. */
static int by_urgency(const void *a, const void *b)
{
	const struct site_row *x = a, *y = b;
	uint64_t x_full = fact_is_known(x->full_ns) ? x->full_ns.value : UINT64_MAX;
	uint64_t y_full = fact_is_known(y->full_ns) ? y->full_ns.value : UINT64_MAX;

	if (x_full != y_full)
		return x_full < y_full ? -1 : 1;
	if (x->bytes_per_second.value != y->bytes_per_second.value)
		return x->bytes_per_second.value > y->bytes_per_second.value ? -1 : 1;
	return x->site < y->site ? -1 : x->site > y->site;
}

void growth_select(const struct growth *growth, const struct snapshot *snapshot,
		   struct site_list *list, uint64_t now_ns, uint64_t window_ns)
{
	uint32_t kept = 0, first = turn_at(growth, now_ns > window_ns ? now_ns - window_ns : 0);

	for (uint32_t i = 0; i < list->count; i++)
		if (grows(growth, snapshot, &list->rows[i], now_ns, window_ns))
			list->rows[kept++] = list->rows[i];
	list->count = kept;
	for (uint32_t i = 0; i < kept; i++)
		fill_full(snapshot, list, &list->rows[i]);
	if (kept)
		qsort(list->rows, kept, sizeof *list->rows, by_urgency);
	list->window_ns = window_ns;
	list->watched_ns = first ? now_ns - growth->time_ns[first % GROWTH_POINTS] : 0;
	list->left_out = growth->left_out;
	list->old_after_ns = growth->old_after_ns;
}
