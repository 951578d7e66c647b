/* SPDX-License-Identifier: Apache-2.0 */
#include "server/gaps.h"

static struct gap_chip *find(struct gaps *gaps, uint64_t unique_id)
{
	for (uint32_t i = 0; i < gaps->count; i++)
		if (gaps->chips[i].unique_id == unique_id)
			return &gaps->chips[i];
	return NULL;
}

/* All points of this turn are empty until they are filled. */
static void advance(struct gaps *gaps)
{
	gaps->next = (gaps->next + 1) % GAPS_POINTS;
	for (uint32_t i = 0; i < gaps->count; i++)
		gaps->chips[i].time_ns[gaps->next] = 0;
}

bool gaps_due(struct gaps *gaps, uint64_t now_ns, uint64_t event_sum)
{
	uint32_t before = gaps->next;

	if (gaps->looked_ns && now_ns - gaps->looked_ns < GAPS_EVERY_NS)
		return false;
	gaps->looked_ns = now_ns;
	if (event_sum != gaps->event_sum) {
		gaps->event_sum = event_sum;
		return true;
	}
	advance(gaps);
	for (uint32_t i = 0; i < gaps->count; i++) {
		struct gap_chip *chip = &gaps->chips[i];

		if (chip->time_ns[before]) {
			chip->time_ns[gaps->next] = now_ns;
			chip->bytes[gaps->next] = chip->bytes[before];
		}
	}
	return false;
}

void gaps_add(struct gaps *gaps, const struct snapshot *snapshot, uint64_t now_ns)
{
	struct span machine = snapshot ? snapshot->machine_devices : (struct span){0};

	advance(gaps);
	for (uint32_t i = 0; i < machine.count; i++) {
		const struct device *d = &snapshot->devices[machine.first + i];

		if (!fact_is_known(d->unique_id) || !fact_is_known(d->clash_gap.bytes))
			continue;
		struct gap_chip *chip = find(gaps, d->unique_id.value);

		if (!chip && gaps->count == GAPS_CHIPS_MAX)
			continue;
		if (!chip) {
			chip = &gaps->chips[gaps->count++];
			*chip = (struct gap_chip){.unique_id = d->unique_id.value};
		}
		chip->time_ns[gaps->next] = now_ns;
		chip->bytes[gaps->next] = d->clash_gap.bytes.value;
	}
}

void gaps_fill(const struct gaps *gaps, struct snapshot *snapshot, uint64_t now_ns)
{
	struct span machine = snapshot->machine_devices;

	for (uint32_t i = 0; i < machine.count; i++) {
		struct device *d = &snapshot->devices[machine.first + i];
		const struct gap_chip *chip =
			fact_is_known(d->unique_id)
				? find((struct gaps *)(uintptr_t)gaps, d->unique_id.value)
				: NULL;
		uint64_t oldest = UINT64_MAX, bytes = 0;

		d->clash_gap.trend_bytes = fact_absent(REASON_NONE);
		for (uint32_t p = 0; chip && p < GAPS_POINTS; p++)
			if (chip->time_ns[p] && chip->time_ns[p] < oldest &&
			    now_ns - chip->time_ns[p] <= GAPS_MINUTE_NS) {
				oldest = chip->time_ns[p];
				bytes = chip->bytes[p];
			}
		if (oldest != UINT64_MAX && fact_is_known(d->clash_gap.bytes))
			d->clash_gap.trend_bytes = fact_of(d->clash_gap.bytes.value - bytes);
	}
}
