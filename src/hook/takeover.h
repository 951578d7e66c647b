/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What was live when the hook came late: taken over at the first event of each allocator.
 *
 * An allocator adds a Buffer to its set before track_allocate and takes it out after
 * track_deallocate. So while the set is being read a free waits at a gate in our track_deallocate:
 * whatever is in the set then stays alive until it is in the table. An allocation does not wait: its
 * own event comes, before or after, and the table keeps what that says. No waiter holds the
 * allocator's mutex (TT-Metal takes it after the event), so the gate always opens again.
 *
 * What the gate cannot hold is a free that was past track_deallocate when it closed, possibly since
 * before we came. It is over within a microsecond, once its thread has a processor: that is waited for
 * (settle.h), because a Buffer that is freed while it is read may end the program. One that was held up
 * for another reason is in the table, a phantom, until the allocator is asked again: soon, and twice
 * more.
 *
 * All of it lies in the page that a fork clears: a child takes nothing over, as it has no devices.
 */
#ifndef TTMEM_HOOK_TAKEOVER_H
#define TTMEM_HOOK_TAKEOVER_H

#include "hook/metal.h"

struct takeover {
	uint32_t gate;	  /* takeovers at work; a futex */
	uint32_t is_late; /* the hook came into this very process: not into its parent, not preloaded */
	uint64_t due_ns[REGION_ALLOCATORS_MAX]; /* when a row is compared again; 0: never */
	uint8_t	 looks[REGION_ALLOCATORS_MAX];	/* how often that was done */
};

/* Adds a row for a device that shares the allocator; as hook_allocator_add. */
typedef int takeover_add(struct metal *metal, struct region_writer *writer, uint64_t allocator,
			 uint64_t device, uint64_t time_ns, uint32_t *ret_row);

/* takeover_wait - to be called by a free before anything else. One load. */
void takeover_wait_slow(struct takeover *takeover);
static inline void takeover_wait(struct takeover *takeover)
{
	/* acquire: pairs with the opening, after which the table has the buffer */
	if (__builtin_expect(__atomic_load_n(&takeover->gate, __ATOMIC_ACQUIRE) != 0, 0))
		takeover_wait_slow(takeover);
}

/* takeover_begin - its row was just made. The allocator is alive and its mutex is free. */
void takeover_begin(struct takeover *takeover, struct metal *metal, struct region_writer *writer,
		    uint64_t allocator, uint32_t row, uint64_t time_ns, takeover_add *add);

/* takeover_look, takeover_compare - likewise, at any later event of the allocator: is a comparison due? */
void takeover_compare(struct takeover *takeover, struct metal *metal, struct region_writer *writer,
		      uint64_t allocator, uint32_t row, uint64_t time_ns);
static inline void takeover_look(struct takeover *takeover, struct metal *metal,
				 struct region_writer *writer, uint64_t allocator, uint32_t row,
				 uint64_t time_ns)
{
	if (__builtin_expect(takeover->is_late != 0, 0) && row < REGION_ALLOCATORS_MAX &&
	    time_ns - 1 >= __atomic_load_n(&takeover->due_ns[row], __ATOMIC_RELAXED) - 1)
		takeover_compare(takeover, metal, writer, allocator, row, time_ns);
}

/* takeover_say - what is known of the time before, as a capability; before any takeover */
void takeover_say(const struct metal *metal, struct region_writer *writer);

#endif
