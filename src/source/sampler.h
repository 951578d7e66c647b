/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads all cards, again and again, without ever waiting for one of them.
 *
 * A round has one worker that goes from card to card. When it is stuck (a card
 * in reset blocks a read for ten seconds) another worker takes over behind that
 * card; the stuck one is passed over until it comes back, and its last reading
 * stays, with its age. A worker that has lost its processor is waited for: of a
 * card that answers nobody may hear that it does not, only because the machine
 * is loaded.
 *
 * Workers are threads in a server. In a tool they are processes: a thread that
 * is stuck in the kernel would keep the tool from ending, a child is left to
 * itself. Both work on the same shared memory, so nothing else differs.
 */
#ifndef TTMEM_SOURCE_SAMPLER_H
#define TTMEM_SOURCE_SAMPLER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "source/card.h"

#define SAMPLER_CARDS_MAX 128u

enum sampler_workers { SAMPLER_THREADS, SAMPLER_PROCESSES };

struct sampler_shared;

struct sampler {
	int root; /* the caller's */
	int finished; /* eventfd: a worker has reached the end */
	enum sampler_workers workers;
	struct sampler_shared *shared;
	bool in_round;
	uint32_t last_cursor; /* to tell a slow worker from a stuck one */
	uint32_t first_cursor; /* where the last worker was started */
	uint64_t progress_ns; /* when it moved last */
	uint64_t rounds;
	bool has_driver; /* its module is loaded */
	bool has_class;	 /* its directory of cards is there */
	char driver[32]; /* its version; "" unknown */
	pid_t children[SAMPLER_CARDS_MAX + 1]; /* 0: free */
};

struct sampler_card {
	const struct card_reading *reading; /* valid until the next round is started */
	enum card_state state;
	uint64_t age_ns; /* of the reading; UINT64_MAX: there never was one */
};

/* sampler_init - Return: 0 or -errno. `root` stays open as long as the sampler is used. */
int sampler_init(struct sampler *sampler, int root, enum sampler_workers workers);
/* sampler_finish - stuck workers are left behind; threads keep the shared memory */
void sampler_finish(struct sampler *sampler);
/* sampler_begin - looks which cards there are and starts a round, unless one is going on */
void sampler_begin(struct sampler *sampler, uint64_t now_ns);
/* sampler_mind - replaces a stuck worker. Return: whether the round is over. */
bool sampler_mind(struct sampler *sampler, uint64_t now_ns);
/*
 * sampler_wait - until the round is over: 50 ms for each card that is newly stuck, more only while a
 * worker wants a processor
 */
void sampler_wait(struct sampler *sampler);
/* sampler_cards - ascending by number. Return: how many. */
uint32_t sampler_cards(const struct sampler *sampler, uint64_t now_ns,
		       struct sampler_card cards[SAMPLER_CARDS_MAX]);
/* sampler_changes - a number that moves when any reading changes */
uint64_t sampler_changes(const struct sampler *sampler);

#endif
