/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is told by age on a line that allocates and frees much: a leak, and nothing
 * else.
 *
 * Reason: a leak beside churn cannot be seen in what is live, which falls all the
 * time; and a rule that finds it is worth nothing if it also names what everybody's
 * program does. Each history has four lines with random habits:
 *
 *   churn   lives of any length, from below a second to most of the window
 *   leak    churn of short lives, and now and then one that is never freed
 *   cache   churn of short lives, and some that stay until there are enough of them
 *   waves   churn of short lives, and more and more that stay, until all go at once
 *
 * They are looked at as a server does it, and asked for after every look: the leak
 * is named when the window is over, and stays so; the cache only while it fills and
 * a little longer; the others never.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyse/growth.h"
#include "analyse/rise.h"

#define SECOND	 UINT64_C(1000000000)
#define WINDOW_S 300u
#define OLD_S	 60u
#define ITEMS	 40000u
#define NEVER	 UINT64_MAX

enum { CHURN, LEAK, CACHE, WAVES, LINES };

#define CHECK(condition)                                                                           \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			fprintf(stderr, "%s:%d: seed %" PRIu64 ", second %" PRIu64 ": %s\n",      \
				__FILE__, __LINE__, seed, second, #condition);                    \
			exit(1);                                                                   \
		}                                                                                  \
	} while (0)

static uint64_t seed, second, random_state;

static uint64_t below(uint64_t n)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (random_state * UINT64_C(0x2545f4914f6cdd1d) >> 33) % n;
}

struct item {
	uint64_t born_ns, dies_ns;
	uint32_t line, bytes;
};

static struct item items[ITEMS];
static uint32_t item_count;
static uint64_t event;

/* The habits of one history. */
struct habits {
	uint64_t lives_ms[LINES]; /* at most */
	uint64_t a_second[LINES]; /* allocations at most */
	uint64_t leak_every_s, fill_s, fill_every_s, wave_s;
	bool fixed_life;
};

static struct habits habits_of(void)
{
	struct habits h = {
		/* short lives end before they are old; those of the churn need not */
		.lives_ms = {100 + below((WINDOW_S - 10) * 1000), 1000 + below(50000),
			     1000 + below(50000), 1000 + below(50000)},
		.leak_every_s = 1 + below(20),
		.fill_s = 30 + below(500),
		.fill_every_s = 1 + below(10),
		.wave_s = OLD_S + 20 + below(WINDOW_S - OLD_S - 60),
		.fixed_life = below(2),
	};

	for (int line = 0; line < LINES; line++)
		h.a_second[line] = 1 + below(15);
	return h;
}

static void allocate(uint32_t line, uint64_t life_ns)
{
	uint64_t born = second * SECOND + below(SECOND);

	CHECK(item_count < ITEMS);
	items[item_count++] = (struct item){born, life_ns == NEVER ? NEVER : born + life_ns, line,
					    32 * (uint32_t)(1 + below(100))};
	event++;
}

static void live_a_second(const struct habits *h)
{
	for (uint32_t line = 0; line < LINES; line++)
		for (uint64_t i = below(h->a_second[line] + 1); i > 0; i--) {
			uint64_t life = h->lives_ms[line] * (SECOND / 1000);

			allocate(line, h->fixed_life ? life : below(life));
		}
	if (second % h->leak_every_s == 0)
		allocate(LEAK, NEVER);
	if (second < h->fill_s && second % h->fill_every_s == 0)
		allocate(CACHE, NEVER);
	if (second % 3 == 0)
		allocate(WAVES, (h->wave_s - second % h->wave_s) * SECOND);
}

static void bury(void)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < item_count; i++)
		if (items[i].dies_ns > second * SECOND)
			items[kept++] = items[i];
	event += item_count - kept;
	item_count = kept;
}

static void describe(struct snapshot *s, uint32_t sites[LINES])
{
	uint32_t index;

	snapshot_init(s);
	CHECK(snapshot_add_process(s, &index) == 0 && snapshot_add_allocator(s, &index) == 0);
	s->processes[0].pid = 5;
	s->processes[0].started_ns = 1;
	s->allocators[0].memory[MEMORY_DRAM].banks = fact_of(12);
	s->allocators[0].memory[MEMORY_DRAM].free_bytes = fact_of(1 << 30);
	for (uint32_t line = 0; line < LINES; line++) {
		const struct site_texts texts = {
			.op = "op", .file = "/a.py", .function = "f", .line = line + 1};

		CHECK(snapshot_intern_site(s, &texts, &sites[line]) == 0);
	}
}

static void add_up(struct snapshot *s, const uint32_t sites[LINES], struct tally_cut cut,
		   struct site_list *ret_list)
{
	struct tallies tallies = {.cut = cut, .now_ns = second * SECOND};

	for (uint32_t i = 0; i < item_count; i++) {
		const struct buffer b = {.requested_bytes = 12 * items[i].bytes,
					 .bank_bytes = items[i].bytes,
					 .age_ns = second * SECOND - items[i].born_ns,
					 .site = sites[items[i].line]};

		if (items[i].born_ns <= second * SECOND)
			CHECK(tallies_add(&tallies, &b) == 0);
	}
	CHECK(tallies_fold(&tallies, s, GROUP_SITE, ret_list) == 0);
	tallies_clear(&tallies);
}

static void look(struct growth *growth, struct snapshot *s, const uint32_t sites[LINES])
{
	struct site_list list;

	growth_begin(growth, second * SECOND);
	if (!growth_unchanged(growth, 5, 1, event)) {
		struct tally_cut cut = growth_cut(growth, 5, 1);

		CHECK(growth_scanned(growth, 5, 1, event) == 0);
		add_up(s, sites, cut, &list);
		CHECK(growth_add(growth, s, &list) == 0);
		site_list_clear(&list);
	}
	growth_end(growth);
}

static void ask(const struct growth *growth, struct snapshot *s, const uint32_t sites[LINES],
		const struct habits *h)
{
	/* the last that stays comes at the end of its filling, is old a minute later, and then three pauses */
	uint64_t filled_s = h->fill_s + OLD_S + 10 + (RISE_PAUSES_MAX + 1) * (10 + h->fill_every_s);
	bool named[LINES] = {false};
	struct site_list list;

	add_up(s, sites, (struct tally_cut){0}, &list);
	growth_select(growth, s, &list, second * SECOND, WINDOW_S * SECOND);
	for (uint32_t i = 0; i < list.count; i++) {
		uint32_t line = snapshot_site(s, list.rows[i].site)->line - 1;

		/* what rises as a whole is judged by another rule, and here it does while it starts */
		named[line] = list.rows[i].found_by == FOUND_BY_AGE || line == LEAK;
	}
	site_list_clear(&list);
	CHECK(!named[CHURN]);
	CHECK(!named[WAVES]);
	CHECK(!named[CACHE] || second <= filled_s);
	CHECK(named[LEAK] || second <= WINDOW_S + 20);
}

static void history(uint64_t number)
{
	struct growth growth = {.old_after_ns = OLD_S * SECOND};
	struct snapshot s;
	uint32_t sites[LINES];
	uint64_t next = 0;

	seed = number;
	random_state = number * UINT64_C(0x9e3779b97f4a7c15) | 1;
	item_count = 0;
	event = 1;
	second = 0;
	const struct habits h = habits_of();

	describe(&s, sites);
	for (; second < 4 * WINDOW_S; second++) {
		bury();
		if (second >= next) {
			look(&growth, &s, sites);
			ask(&growth, &s, sites, &h);
			next = second + 9 + below(3);
		}
		live_a_second(&h);
	}
	growth_clear(&growth);
	snapshot_clear(&s);
}

int main(int argc, char **argv)
{
	uint64_t first = argc > 1 ? strtoull(argv[1], NULL, 10) : 1;
	uint64_t count = argc > 2 ? strtoull(argv[2], NULL, 10) : 300;

	for (uint64_t i = 0; i < count; i++)
		history(first + i);
	printf("%" PRIu64 " histories\n", count);
	return 0;
}
