/* SPDX-License-Identifier: Apache-2.0 */
#include "server/watch.h"

static uint64_t wanted(const struct watch *watch)
{
	return watch->every_ns ? watch->every_ns : WATCH_EVERY_NS;
}

void watch_ask(struct watch *watch, uint64_t now_ns)
{
	watch->asked_ns = now_ns;
}

uint64_t watch_interval(const struct watch *watch)
{
	uint64_t affordable = watch->cost_ns * WATCH_SHARE;

	return affordable > wanted(watch) ? affordable : wanted(watch);
}

uint64_t watch_old_after(const struct watch *watch)
{
	return wanted(watch) * WATCH_OLD_LOOKS;
}

bool watch_is_slowed(const struct watch *watch)
{
	return watch_interval(watch) > wanted(watch);
}

bool watch_due(struct watch *watch, uint64_t now_ns)
{
	bool is_wanted = watch->always ||
			 (watch->asked_ns && now_ns - watch->asked_ns <= WATCH_KEPT_NS);

	if (!is_wanted) {
		if (watch->growth.turn)
			growth_clear(&watch->growth);
		watch->looked_ns = watch->cost_ns = 0;
		return false;
	}
	watch->growth.old_after_ns = watch_old_after(watch);
	return watch->looked_ns == 0 || now_ns - watch->looked_ns >= watch_interval(watch);
}

void watch_looked(struct watch *watch, uint64_t now_ns, uint64_t cost_ns)
{
	watch->looked_ns = now_ns;
	watch->cost_ns = cost_ns;
}
