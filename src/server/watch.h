/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When the server looks at what sites hold, so that it can tell what grows.
 *
 * It costs a look at every live buffer of the processes in which something has
 * happened: so it is done every ten seconds, only while somebody has asked within
 * the last ten minutes (or always, if started so), and less often when a look
 * takes more than 1 % of the time until the next one. What was remembered is
 * given back when nobody asks any more.
 */
#ifndef TTMEM_SERVER_WATCH_H
#define TTMEM_SERVER_WATCH_H

#include <stdbool.h>

#include "analyse/growth.h"

#define WATCH_EVERY_NS UINT64_C(10000000000)
#define WATCH_KEPT_NS  UINT64_C(600000000000) /* since the last question */
#define WATCH_WINDOW_NS UINT64_C(300000000000)
#define WATCH_OLD_LOOKS 6u /* what has been there for so many, as often as wanted, is old */
#define WATCH_SHARE    100u /* a look may cost a hundredth */

struct watch {
	struct growth growth;
	bool	 always;
	uint64_t every_ns; /* as wanted; 0: WATCH_EVERY_NS */
	uint64_t asked_ns, looked_ns; /* CLOCK_MONOTONIC; 0: never */
	uint64_t cost_ns; /* of the last look, of this thread's time */
};

/* watch_ask - somebody wants to know */
void watch_ask(struct watch *watch, uint64_t now_ns);
/* watch_due - is it time for a look? Forgets everything when nobody has asked for long. */
bool watch_due(struct watch *watch, uint64_t now_ns);
/* watch_looked - a look that began at now_ns is over */
void watch_looked(struct watch *watch, uint64_t now_ns, uint64_t cost_ns);
/* watch_interval - until the next look, by what the last one cost */
uint64_t watch_interval(const struct watch *watch);
/* watch_old_after - the age at which a buffer is old */
uint64_t watch_old_after(const struct watch *watch);
/* watch_is_slowed - is that longer than wanted? */
bool watch_is_slowed(const struct watch *watch);

#endif
