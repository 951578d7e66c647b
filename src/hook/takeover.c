/* SPDX-License-Identifier: Apache-2.0 */
#include "hook/takeover.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "hook/metal_live.h"
#include "hook/settle.h"

#define CAPABILITY "before_attach"

#define NAP_NS	 2000000
#define LIMIT_NS UINT64_C(1000000000) /* frees wait so long at most */
#define LOOKS	 3
#define FIRST_NS UINT64_C(10000000) /* then each time a hundred times as long: 10 ms, 1 s */

static long futex(uint32_t *word, int op, uint32_t value)
{
	return syscall(SYS_futex, word, op, value, NULL, NULL, 0);
}

void takeover_wait_slow(struct takeover *takeover)
{
	int saved_errno = errno;
	uint32_t gate;

	while ((gate = __atomic_load_n(&takeover->gate, __ATOMIC_ACQUIRE)) != 0)
		(void)futex(&takeover->gate, FUTEX_WAIT_PRIVATE, gate);
	errno = saved_errno;
}

static struct takeover *gate_close(struct takeover *takeover)
{
	(void)__atomic_add_fetch(&takeover->gate, 1, __ATOMIC_SEQ_CST);
	return takeover;
}

static void gate_open(struct takeover **takeover)
{
	/* release: who passes sees the table that we filled */
	if (__atomic_sub_fetch(&(*takeover)->gate, 1, __ATOMIC_RELEASE) == 0)
		(void)futex(&(*takeover)->gate, FUTEX_WAKE_PRIVATE, INT_MAX);
}

/* Until nobody is in the middle of a free that the gate has not held. Return: 0 or -EAGAIN. */
static int settle(void)
{
	const struct timespec t = {.tv_nsec = NAP_NS};
	int r = settle_threads(LIMIT_NS);

	if (r == 0 || r == -EAGAIN)
		return r;
	/* without /proc; raw, so that it is no cancellation point of the application's threads */
	(void)syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, &t, NULL);
	return 0;
}

/* Is it a Buffer that has its address? One without gets it, and its event, from its own thread. */
static bool has_address(const struct metal *metal, uint64_t buffer)
{
	return ((uint32_t(*)(uint64_t))metal->symbol[METAL_SYMBOL_buffer_is_allocated])(buffer) &
	       0xff;
}

/* All that are in the set. Return: 0 or -EBADMSG when a Buffer cannot be read. */
static int fill(struct takeover *takeover, struct metal *metal, struct region_writer *writer,
		struct metal_live *live, uint64_t allocator, uint64_t time_ns, takeover_add *add)
{
	struct region_buffer b;
	uint32_t hint = 0, row;
	uint64_t object;

	/* not on behalf of somebody who detaches meanwhile */
	while (takeover->is_late && (object = metal_live_next(live))) {
		if (!has_address(metal, object) ||
		    !metal_buffer_read(metal, (const void *)(uintptr_t)object, allocator, &b))
			continue;
		b.site = REGION_SITE_BEFORE_ATTACH;
		b.time_ns = time_ns;
		b.row_hint = hint;
		if (region_writer_alloc(writer, &b) == -ENOENT &&
		    add(metal, writer, b.allocator, b.device, time_ns, &row) == 0)
			(void)region_writer_alloc(writer, &b);
		hint = b.row_hint;
	}
	return metal->fields == METAL_FIELDS_BAD ? -EBADMSG : 0;
}

static void say(struct region_writer *writer, const struct metal *metal, int result)
{
	if (result == 0)
		region_writer_capability(writer, CAPABILITY, CAPABILITY_PRESENT, NULL);
	else if (result == -ENOSYS)
		takeover_say(metal, writer);
	else if (result == -EAGAIN)
		region_writer_capability(writer, CAPABILITY, CAPABILITY_FAILED,
					 "partial: its threads had no processor for a second");
	else
		region_writer_capability(writer, CAPABILITY, CAPABILITY_FAILED,
					 "partial: the list of live buffers is not what it was");
}

void takeover_say(const struct metal *metal, struct region_writer *writer)
{
	if (metal_live_is_asked(metal))
		region_writer_capability(writer, CAPABILITY, CAPABILITY_UNKNOWN,
					 "waiting for its next allocation");
	else
		region_writer_capability(writer, CAPABILITY, CAPABILITY_MISSING,
					 "partial: only what was allocated since; no "
					 "AllocatorImpl::get_allocated_buffers");
}

/* A cleanup opens the gate: TT-Metal may have no memory for its answer, and throw. */
static int take_over(struct takeover *takeover, struct metal *metal, struct region_writer *writer,
		     uint64_t allocator, uint64_t time_ns, takeover_add *add)
{
	struct takeover *closed __attribute__((cleanup(gate_open))) = gate_close(takeover);
	struct metal_live live;

	int r = settle();

	if (r == 0)
		r = metal_live_take(metal, allocator, &live);
	if (r == 0) {
		r = fill(closed, metal, writer, &live, allocator, time_ns, add);
		metal_live_release(metal, &live);
	}
	return r;
}

void takeover_begin(struct takeover *takeover, struct metal *metal, struct region_writer *writer,
		    uint64_t allocator, uint32_t row, uint64_t time_ns, takeover_add *add)
{
	int saved_errno = errno;

	if (!takeover->is_late || row >= REGION_ALLOCATORS_MAX)
		return;
	int r = take_over(takeover, metal, writer, allocator, time_ns, add);

	takeover->looks[row] = 0;
	__atomic_store_n(&takeover->due_ns[row], r == 0 ? time_ns + FIRST_NS : 0, __ATOMIC_RELAXED);
	say(writer, metal, r);
	errno = saved_errno;
}

static bool is_live(const void *context, uint64_t object)
{
	return metal_live_has(context, object);
}

/*
 * No gate: a buffer of the table that is not in the set any more is gone, whenever that was; a new
 * one at its address is not one of those that were taken over.
 */
void takeover_compare(struct takeover *takeover, struct metal *metal, struct region_writer *writer,
		      uint64_t allocator, uint32_t row, uint64_t time_ns)
{
	uint64_t due = __atomic_load_n(&takeover->due_ns[row], __ATOMIC_RELAXED), next = 0;
	struct metal_live live;
	int saved_errno = errno;

	if (due == 0 || time_ns < due ||
	    !__atomic_compare_exchange_n(&takeover->due_ns[row], &due, 0, 0, __ATOMIC_ACQ_REL,
					 __ATOMIC_RELAXED))
		return;
	if (metal_live_take(metal, allocator, &live) == 0) {
		uint32_t left = region_writer_keep_live(writer, row, is_live, &live);

		metal_live_release(metal, &live);
		if (left > 0 && ++takeover->looks[row] < LOOKS)
			next = time_ns + FIRST_NS * 100;
	}
	__atomic_store_n(&takeover->due_ns[row], next, __ATOMIC_RELAXED);
	errno = saved_errno;
}
