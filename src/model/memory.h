/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The words for device memory: its four types, layouts and architectures, and
 * a value that knows whether it is known.
 */
#ifndef TTMEM_MODEL_MEMORY_H
#define TTMEM_MODEL_MEMORY_H

#include <stdbool.h>
#include <stdint.h>

enum memory_type {
	MEMORY_DRAM = 0,
	MEMORY_L1 = 1,
	MEMORY_L1_SMALL = 2,
	MEMORY_TRACE = 3,
	MEMORY_TYPES
};

/* memory_type_name - "DRAM", "L1", "L1_SMALL", "TRACE": for people */
const char *memory_type_name(enum memory_type type);
/* memory_type_key - "dram", "l1", "l1_small", "trace": for JSON and options */
const char *memory_type_key(enum memory_type type);
/* memory_type_parse - either spelling, any case. Return: 0 or -EINVAL. */
int memory_type_parse(const char *text, enum memory_type *ret_type);

/* buffer_layout_name - "interleaved", "height_sharded", ...; NULL for a number we do not know */
const char *buffer_layout_name(unsigned layout);

/* arch_name - tt::ARCH as a word, "wormhole_b0", "blackhole"; NULL when unknown */
const char *arch_name(uint32_t arch);

enum fact_state {
	FACT_ABSENT = 0, /* not known; `reason` says why */
	FACT_OK = 1,
	FACT_ESTIMATE = 2, /* a bound or a nominal figure; `reason` says which */
	FACT_DENIED = 3,   /* there, but not for this viewer */
	FACT_STALE = 4,	   /* was true once */
};

/* Why a figure is absent or only an estimate. The texts are in fact_reason_text(). */
enum fact_reason {
	REASON_NONE = 0,
	REASON_NOT_EXPORTED,	/* this TT-Metal does not export it */
	REASON_NOT_ASKED,	/* not computed in this request */
	REASON_NO_ALLOCATOR,	/* no allocator has held a buffer here */
	REASON_SEVERAL_ALLOCATORS, /* an upper bound: several allocators cover this chip */
	REASON_MOVING,		/* the table changed too fast to be read whole */
	REASON_NO_SERVER,	/* only a server can know */
	REASON_FIELDS,		/* the objects of this build are laid out in a way we do not know */
	REASON_PERMISSION,	/* not for this viewer */
	REASON_NO_ATTRIBUTE,	/* this driver or firmware does not export it */
	REASON_IMPOSSIBLE,	/* the driver gave a value that cannot be; it is not shown */
	REASON_RESET,		/* the card is being reset */
	REASON_READ,		/* reading failed */
	REASON_STUCK,		/* the driver does not answer; the value is an old one or none */
	REASON_REMOTE,		/* behind Ethernet: the driver knows the board's first chip only */
	REASON_NO_SENSOR,	/* the board has none */
	REASON_NOMINAL,		/* what such a board has; no process has told yet */
	REASON_UNSEEN_USERS,	/* a process has the device open and does not report its memory */
	REASON_USERS_UNKNOWN,	/* the driver does not tell who has the device open */
	REASON_NO_CARD,		/* no card of this machine has this chip */
	REASON_OTHER_NAMESPACE, /* in a PID namespace that this viewer does not see */
	REASON_BEFORE_ATTACH,	/* from before the hook came into the process */
	REASON_CODE_ALONE,	/* a lower bound: arguments and configuration come on top */
	REASON_NOT_WATCHED,	/* nobody has asked for long enough */
	REASON_AT_THIS_RATE,	/* if it goes on as it does now, and holes are no problem */
	REASON_MID_EVENT,	/* the process was stopped, or ended, while it changed it */
	REASON_COUNT
};

struct fact {
	uint64_t value; /* meaningless unless fact_is_known() */
	uint8_t	 state; /* enum fact_state */
	uint8_t	 reason;
};

static inline bool fact_is_known(struct fact fact)
{
	return fact.state == FACT_OK || fact.state == FACT_ESTIMATE || fact.state == FACT_STALE;
}

static inline struct fact fact_of(uint64_t value)
{
	return (struct fact){.value = value, .state = FACT_OK};
}

static inline struct fact fact_absent(enum fact_reason reason)
{
	return (struct fact){.state = FACT_ABSENT, .reason = (uint8_t)reason};
}

static inline struct fact fact_stale(uint64_t value, enum fact_reason reason)
{
	return (struct fact){value, FACT_STALE, (uint8_t)reason};
}

static inline struct fact fact_estimate(uint64_t value, enum fact_reason reason)
{
	return (struct fact){value, FACT_ESTIMATE, (uint8_t)reason};
}

/* fact_times - of untrusted factors: a product that does not fit is as good as unknown */
struct fact fact_times(struct fact a, struct fact b);

const char *fact_reason_text(enum fact_reason reason);

/*
 * One memory type of a chip, an allocator or a process, in bytes. Identity,
 * wherever all three are known: occupied + free = allocatable.
 */
struct memory {
	struct fact requested_bytes;   /* what programs asked for */
	struct fact occupied_bytes;    /* bytes per bank x banks */
	struct fact allocatable_bytes; /* bank size x banks */
	struct fact free_bytes;
	struct fact largest_free_bytes; /* largest free range of a bank x banks */
	struct fact banks;
	struct fact bank_size_bytes;
	struct fact bank_allocated_bytes;
	struct fact bank_free_bytes;
	struct fact bank_largest_free_bytes;
	struct fact buffers;
	struct fact peak_requested_bytes;
	struct fact peak_occupied_bytes;
};

#endif
