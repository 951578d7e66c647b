/* SPDX-License-Identifier: Apache-2.0 */
#include "analyse/verdict.h"

static const char *const keys[VERDICTS] = {
	[VERDICT_UNKNOWN] = "unknown",
	[VERDICT_FULL] = "full",
	[VERDICT_FRAGMENTED] = "fragmented",
	[VERDICT_TOO_LARGE] = "too_large",
	[VERDICT_REGION] = "region",
	[VERDICT_CLASH] = "clash",
	[VERDICT_BEYOND_L1] = "beyond_l1",
	[VERDICT_CONFIG_RING] = "config_ring",
	[VERDICT_BUFFER_TOO_SMALL] = "buffer_too_small",
	[VERDICT_OUT_OF_MEMORY] = "out_of_memory",
};

const char *verdict_key(enum verdict_kind kind)
{
	return kind < VERDICTS ? keys[kind] : keys[VERDICT_UNKNOWN];
}

static bool exceeds(struct fact needs, struct fact has)
{
	return fact_is_known(needs) && fact_is_known(has) && needs.value > has.value;
}

/* Both figures, and the difference where there is one. */
static struct verdict judge(enum verdict_kind kind, struct fact needs, const char *needs_name,
			    struct fact has, const char *has_name)
{
	struct verdict verdict = {
		.kind = kind,
		.short_bytes = fact_absent(REASON_NONE),
		.needs = needs,
		.has = has,
		.needs_name = needs_name,
		.has_name = has_name,
	};

	if (exceeds(needs, has))
		verdict.short_bytes = fact_of(needs.value - has.value);
	return verdict;
}

/* What is free, also where only what is taken is said. */
static struct fact free_of(const struct fact *figures)
{
	struct fact size = figures[FIGURE_BANK_SIZE], allocated = figures[FIGURE_ALLOCATED];

	if (fact_is_known(figures[FIGURE_FREE]) || !fact_is_known(size) ||
	    !fact_is_known(allocated) || allocated.value > size.value)
		return figures[FIGURE_FREE];
	return fact_of(size.value - allocated.value);
}

/* In the order in which an allocator could have noticed: bank, sum, pieces. */
static struct verdict of_no_space(const struct error_text *error)
{
	const struct fact *f = error->figures;
	struct fact need = f[FIGURE_NEED], largest = f[FIGURE_LARGEST];
	bool fixed = fact_is_known(error->type) && (error->type.value == MEMORY_L1_SMALL ||
						    error->type.value == MEMORY_TRACE);
	const char *needs = "each bank needs";

	if (!fact_is_known(largest) && !fact_is_known(f[FIGURE_PLACEABLE]))
		largest = f[FIGURE_WINDOW];
	if (exceeds(need, f[FIGURE_BANK_SIZE]))
		return judge(fixed ? VERDICT_REGION : VERDICT_TOO_LARGE, need, needs,
			     f[FIGURE_BANK_SIZE], "an empty bank has");
	if (exceeds(need, free_of(f)))
		return judge(VERDICT_FULL, need, needs, free_of(f), "free in a bank");
	if (exceeds(need, largest))
		return judge(VERDICT_FRAGMENTED, need, needs, largest,
			     "largest free block of a bank");
	if (exceeds(need, f[FIGURE_PLACEABLE]))
		return judge(VERDICT_FULL, need, needs, f[FIGURE_PLACEABLE],
			     "free in a bank beside what a trace still needs");
	if (exceeds(need, f[FIGURE_WINDOW]))
		return judge(VERDICT_FRAGMENTED, need, needs, f[FIGURE_WINDOW],
			     "largest free block beside what a trace still needs");
	return judge(VERDICT_OUT_OF_MEMORY, need, needs, fact_absent(REASON_NONE), NULL);
}

static struct fact asked_of(const struct fact *figures)
{
	struct fact asked = figures[FIGURE_ASKED], more = figures[FIGURE_MORE];

	if (!fact_is_known(asked) || !fact_is_known(more))
		return asked;
	if (__builtin_add_overflow(asked.value, more.value, &asked.value))
		return fact_absent(REASON_NONE);
	return asked;
}

struct verdict verdict_of(const struct error_text *error)
{
	struct fact none = fact_absent(REASON_NONE);

	if (!error)
		return judge(VERDICT_UNKNOWN, none, NULL, none, NULL);
	struct fact asked = asked_of(error->figures);
	struct fact available = error->figures[FIGURE_AVAILABLE];

	switch (error->kind) {
	case ERROR_NO_SPACE:
		return of_no_space(error);
	case ERROR_CLASH:
	case ERROR_TRACE_OVERLAP:
		return judge(VERDICT_CLASH, error->figures[FIGURE_END], "it ends at address",
			     error->figures[FIGURE_LOWEST], "what is in the way starts at address");
	case ERROR_BEYOND_L1:
		return judge(VERDICT_BEYOND_L1, asked, "it reaches up to", available,
			     "a core has for it");
	case ERROR_NO_ROOM:
		return judge(VERDICT_FULL, asked, "each core needs", available, "free on a core");
	case ERROR_CONFIG_RING:
		return judge(VERDICT_CONFIG_RING, asked, "the program needs", available,
			     "the ring has");
	case ERROR_REGION:
		return judge(VERDICT_REGION, asked, "it needs", available, "the region has");
	case ERROR_BUFFER_TOO_SMALL:
		return judge(VERDICT_BUFFER_TOO_SMALL, asked, "it needs", available,
			     "the buffer below it has");
	case ERROR_GAVE_UP:
		return judge(VERDICT_OUT_OF_MEMORY, none, NULL, none, NULL);
	case ERROR_NONE:
	case ERROR_NOT_BYTES:
		break;
	}
	return judge(VERDICT_UNKNOWN, none, NULL, none, NULL);
}
