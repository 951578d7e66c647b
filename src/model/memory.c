/* SPDX-License-Identifier: Apache-2.0 */
#include "model/memory.h"

#include <errno.h>
#include <stddef.h>
#include <strings.h>

static const struct {
	const char *name, *key;
} types[MEMORY_TYPES] = {
	[MEMORY_DRAM] = {"DRAM", "dram"},
	[MEMORY_L1] = {"L1", "l1"},
	[MEMORY_L1_SMALL] = {"L1_SMALL", "l1_small"},
	[MEMORY_TRACE] = {"TRACE", "trace"},
};

const char *memory_type_name(enum memory_type type)
{
	return type < MEMORY_TYPES ? types[type].name : "?";
}

const char *memory_type_key(enum memory_type type)
{
	return type < MEMORY_TYPES ? types[type].key : "unknown";
}

int memory_type_parse(const char *text, enum memory_type *ret_type)
{
	for (enum memory_type type = 0; type < MEMORY_TYPES; type++)
		if (strcasecmp(text, types[type].key) == 0) {
			*ret_type = type;
			return 0;
		}
	return -EINVAL;
}

/* tt::tt_metal::TensorMemoryLayout */
const char *buffer_layout_name(unsigned layout)
{
	static const char *const names[] = {"interleaved", "single_bank", "height_sharded",
					    "width_sharded", "block_sharded"};

	return layout < sizeof names / sizeof names[0] ? names[layout] : NULL;
}

/* tt::ARCH */
const char *arch_name(uint32_t arch)
{
	switch (arch) {
	case 1:
		return "grayskull";
	case 2:
		return "wormhole_b0";
	case 3:
		return "blackhole";
	case 4:
		return "quasar";
	default:
		return NULL;
	}
}

const char *fact_reason_text(enum fact_reason reason)
{
	static const char *const texts[REASON_COUNT] = {
		[REASON_NONE] = "unknown",
		[REASON_NOT_EXPORTED] = "this TT-Metal does not export it",
		[REASON_NOT_ASKED] = "not asked for",
		[REASON_NO_ALLOCATOR] = "no allocator of this chip is known",
		[REASON_SEVERAL_ALLOCATORS] =
			"several allocators cover this chip: the sum of their peaks is an upper bound",
		[REASON_MOVING] = "it changed too fast to be read",
		[REASON_NO_SERVER] = "only a server knows it",
		[REASON_FIELDS] = "buffers of this TT-Metal build cannot be read",
		[REASON_PERMISSION] = "not shown to this user",
		[REASON_NO_ATTRIBUTE] = "this driver or firmware does not export it",
		[REASON_IMPOSSIBLE] = "the driver gave a value that cannot be",
		[REASON_RESET] = "the card is being reset",
		[REASON_READ] = "reading it failed",
		[REASON_STUCK] = "the driver does not answer",
		[REASON_REMOTE] = "behind Ethernet: the driver knows the board's first chip only",
		[REASON_NO_SENSOR] = "the board has none",
		[REASON_NOMINAL] = "nominal for this board: no process has told",
		[REASON_UNSEEN_USERS] =
			"a process has the device open and does not report its memory",
		[REASON_USERS_UNKNOWN] = "the driver does not tell who has the device open",
		[REASON_NO_CARD] = "no card of this machine has this chip",
		[REASON_BEFORE_ATTACH] = "before attach",
		[REASON_CODE_ALONE] = "its code alone: arguments and configuration come on top",
		[REASON_NOT_WATCHED] = "not watched for long enough yet: ask again in a minute",
		[REASON_AT_THIS_RATE] = "if it goes on at this rate and nothing else changes",
		[REASON_MID_EVENT] = ("the process stopped in the middle of an event: "
				      "one buffer may be missing or too many"),
		[REASON_OTHER_NAMESPACE] = "in a PID namespace that this viewer does not see",
	};

	return reason < REASON_COUNT ? texts[reason] : texts[REASON_NONE];
}

struct fact fact_times(struct fact a, struct fact b)
{
	uint64_t product;

	if (!fact_is_known(a))
		return a;
	if (!fact_is_known(b))
		return b;
	if (__builtin_mul_overflow(a.value, b.value, &product))
		return fact_absent(REASON_NONE);
	if (a.state != FACT_OK || b.state != FACT_OK)
		return (struct fact){product, a.state != FACT_OK ? a.state : b.state,
				     a.state != FACT_OK ? a.reason : b.reason};
	return fact_of(product);
}
