/* SPDX-License-Identifier: Apache-2.0 */
#include "hook/hook.h"

#include <errno.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "hook/capabilities.h"
#include "hook/late.h"
#include "hook/now.h"
#include "hook/sites.h"
#include "hook/takeover.h"
#include "region/wiped.h"
#include "region/register.h"

#define ROOT_BYTES 4096

/* Everything that a forked child must not inherit, in the page that is cleared for it. */
struct root {
	struct region_writer writer;
	struct registrar registrar;
	struct takeover takeover;
	uint32_t late_busy;
	uint32_t fields_reported;
};

_Static_assert(sizeof(struct root) <= ROOT_BYTES, "the root must fit its page");

static struct root *root;

/*
 * initial-exec: one instruction, and no allocation at the first touch. Valid
 * while `pid` is the writer's, so that a forked child looks again.
 */
static __thread __attribute__((tls_model("initial-exec"))) struct {
	uint32_t pid;
	uint32_t tid;
	uint32_t row_hint;
	/* the last allocate_buffer of this thread: which allocator served which Buffer */
	const void *allocator;
	const void *buffer;
} cache;

/* The page of this process image; NULL when the kernel cannot clear it in children. */
static struct root *root_page(void)
{
	/* acquire: pairs with the compare-and-swap */
	struct root *page = __atomic_load_n(&root, __ATOMIC_ACQUIRE);

	if (__builtin_expect(page != NULL, 1))
		return page;
	struct root *fresh = wiped_map(ROOT_BYTES);

	if (fresh && !__atomic_compare_exchange_n(&root, &page, fresh, 0, __ATOMIC_ACQ_REL,
						  __ATOMIC_ACQUIRE)) {
		wiped_unmap(fresh, ROOT_BYTES);
		return page;
	}
	return fresh;
}

static struct region_writer *writer_create(struct metal *metal, struct region_writer *writer)
{
	const struct region_identity identity = {
		.build_id = metal->build_id,
		.build_id_bytes = metal->build_id_bytes,
		.metal_version = metal->version,
		.entry = late_entry(),
	};

	if (region_writer_create(writer, &identity) < 0)
		return NULL;
	capabilities_publish(metal, writer);
	return writer;
}

/* The writer of this process, made at its first event; NULL when it could not be. */
struct region_writer *hook_writer(struct metal *metal)
{
	struct root *page = root_page();

	if (!page)
		return NULL;
	struct region_writer *writer = &page->writer;
	uint32_t state = __atomic_load_n(&writer->state, __ATOMIC_ACQUIRE);

	if (__builtin_expect(state == REGION_WRITER_READY, 1))
		return writer;
	if (state == REGION_WRITER_OFF)
		return NULL;
	int saved_errno = errno;

	writer = writer_create(metal, writer);
	errno = saved_errno;
	return writer;
}

/* Likewise, but never makes one: for events that only take away. */
struct region_writer *hook_writer_present(void)
{
	struct root *page = __atomic_load_n(&root, __ATOMIC_ACQUIRE);

	return page && __atomic_load_n(&page->writer.state, __ATOMIC_ACQUIRE) == REGION_WRITER_READY
		       ? &page->writer
		       : NULL;
}

static void refresh_cache(const struct region_writer *writer)
{
	if (__builtin_expect(cache.pid == writer->pid, 1))
		return;
	cache.pid = writer->pid;
	cache.tid = (uint32_t)syscall(SYS_gettid);
	cache.row_hint = 0;
}

/* An allocator met for the first time: ask it, without the lock, then give it a row. */
static int add_allocator(struct metal *metal, struct region_writer *writer, uint64_t allocator,
			 uint64_t device, uint64_t time_ns, uint32_t *ret_row)
{
	struct region_allocator row;
	int saved_errno = errno;

	metal_allocator_describe(metal, allocator, device, &row);
	int r = region_writer_allocator_add(writer, &row, time_ns, ret_row);

	if (r == 0)
		capabilities_of_allocator(writer, &row);
	errno = saved_errno;
	return r;
}

/* The first event of an allocator: when we came late, what it holds already comes along. */
static int meet_allocator(struct metal *metal, struct region_writer *writer, uint64_t allocator,
			  uint64_t device, uint64_t time_ns, uint32_t *ret_row)
{
	int r = add_allocator(metal, writer, allocator, device, time_ns, ret_row);

	if (r == 0)
		takeover_begin(&root->takeover, metal, writer, allocator, *ret_row, time_ns,
			       add_allocator);
	return r;
}

/* The allocator of this buffer is alive and unlocked here: the one safe moment to ask it. */
static void verify_if_asked(struct metal *metal, struct region_writer *writer, const void *buffer)
{
	struct region_verify_due due;

	if (__builtin_expect(!region_writer_asked(writer), 1))
		return;
	if (!region_writer_verify_due(writer, (uint64_t)(uintptr_t)buffer, &due))
		return;
	for (uint32_t type = 0; type < REGION_MEMORY_TYPES; type++) {
		struct region_totals before, after;
		uint64_t words[4];

		region_writer_totals(writer, due.row, type, &before);
		if (!metal_statistics(metal, due.allocator, type, words))
			return;
		region_writer_totals(writer, due.row, type, &after);
		const struct region_verify verify = {
			.request = due.request,
			.their_total = words[0],
			.their_allocated = words[1],
			.their_free = words[2],
			.their_largest = words[3],
			.our_bank_bytes = after.bank_bytes,
			.our_event = before.seq == after.seq ? after.seq / 2 : 0,
		};

		region_writer_verify(writer, due.row, type, &verify);
	}
}

/* Buffers that cannot be read: said once, if there is a table to say it in. */
static void report_fields(const struct metal *metal)
{
	struct region_writer *writer = hook_writer_present();

	if (metal->fields != METAL_FIELDS_BAD || !writer || root->fields_reported)
		return;
	root->fields_reported = 1;
	capabilities_report_fields(metal, writer);
}

void hook_served(const void *allocator, const void *buffer)
{
	cache.allocator = allocator;
	cache.buffer = buffer;
}

void hook_allocated(struct metal *metal, const void *buffer)
{
	uint64_t allocator = cache.buffer == buffer ? (uint64_t)(uintptr_t)cache.allocator : 0;
	struct region_buffer b;

	cache.buffer = NULL;
	/*
	 * First, though it may turn out that the buffer does not count: each word that leads to the
	 * site depends on the one before, and meanwhile the processor is at TT-Metal's accessors.
	 */
	struct region_writer *writer = metal->off ? NULL : hook_writer_present();
	uint32_t site = writer ? sites_here(writer) : REGION_SITE_UNKNOWN;

	if (metal->off || !metal_buffer_read(metal, buffer, allocator, &b)) {
		report_fields(metal);
		return;
	}
	if (__builtin_expect(!writer, 0)) {
		writer = hook_writer(metal);
		if (!writer)
			return;
		site = sites_here(writer);
	}
	refresh_cache(writer);
	b.thread = cache.tid;
	b.site = site;
	b.row_hint = cache.row_hint;
	b.time_ns = hook_now_ns();
	if (region_writer_alloc(writer, &b) == -ENOENT) {
		if (metal->off) /* detached while we were on our way */
			return;
		if (meet_allocator(metal, writer, b.allocator, b.device, b.time_ns, &b.row_hint) < 0)
			region_writer_dropped_allocator(writer);
		else
			(void)region_writer_alloc(writer, &b);
	}
	cache.row_hint = b.row_hint;
	region_writer_tick(writer, b.time_ns);
	register_tick(&root->registrar, writer, b.time_ns);
	verify_if_asked(metal, writer, buffer);
	takeover_look(&root->takeover, metal, writer, b.allocator, b.row_hint, b.time_ns);
	late_look(b.time_ns);
}

/* A free may be the first event of an allocator whose buffers were allocated before we came. */
static void free_unknown(struct metal *metal, struct region_writer *writer, const void *buffer)
{
	struct region_buffer b;
	uint64_t time_ns = hook_now_ns();

	late_look(time_ns);
	if (!root->takeover.is_late || metal->off || !metal_buffer_read(metal, buffer, 0, &b))
		return;
	uint32_t row = region_writer_allocator_find(writer, b.allocator, b.device);

	if (row == REGION_NONE &&
	    meet_allocator(metal, writer, b.allocator, b.device, time_ns, &row) == 0) {
		(void)region_writer_free(writer, b.object);
		register_tick(&root->registrar, writer, time_ns);
		return;
	}
	takeover_look(&root->takeover, metal, writer, b.allocator, row, time_ns);
}

void hook_deallocated(struct metal *metal, const void *buffer)
{
	struct region_writer *writer = hook_writer_present();

	if (!writer)
		return;
	takeover_wait(&root->takeover);
	/* before the slot goes: the allocator still holds the buffer, and so must we */
	verify_if_asked(metal, writer, buffer);
	sites_freed(writer);
	if (!region_writer_free(writer, (uint64_t)(uintptr_t)buffer) && root->takeover.is_late)
		free_unknown(metal, writer, buffer);
}

void hook_refused(struct region_writer *writer, struct region_failure *failure)
{
	refresh_cache(writer);
	failure->thread = cache.tid;
	failure->site = sites_here(writer);
	failure->time_ns = hook_now_ns();
	region_writer_fail(writer, failure);
	register_failed_moment(writer, failure->time_ns);
}

void hook_failed(struct metal *metal, const void *allocator, const void *buffer)
{
	struct region_failure failure = {
		.free_bytes_per_bank = UINT64_MAX,
		.largest_bytes_per_bank = UINT64_MAX,
		.allocator = REGION_NONE,
		.type = REGION_NONE,
		.program_id = UINT64_MAX,
		.end_address = UINT64_MAX,
		.lowest_address = UINT64_MAX,
		.needed_bytes = UINT64_MAX,
		.limit_bytes = UINT64_MAX,
	};
	struct region_buffer b;
	struct region_writer *writer = metal->off ? NULL : hook_writer(metal);
	uint64_t words[4];

	if (!writer)
		return;
	uint64_t object = (uint64_t)(uintptr_t)allocator;

	if (metal_buffer_request(metal, buffer, object, &b)) {
		failure.type = b.type;
		failure.requested_bytes = b.requested_bytes;
		failure.page_bytes = b.page_bytes;
		failure.allocator = region_writer_allocator_find(writer, object, b.device);
		if (failure.allocator == REGION_NONE &&
		    meet_allocator(metal, writer, object, b.device, hook_now_ns(),
				  &failure.allocator) < 0)
			failure.allocator = REGION_NONE;
		/* the exception has left allocate_buffer, and with it the allocator's lock */
		if (metal_statistics(metal, object, b.type, words)) {
			failure.free_bytes_per_bank = words[2];
			failure.largest_bytes_per_bank = words[3];
		}
	}
	hook_refused(writer, &failure);
}

void hook_opened(struct metal *metal, const void *mesh)
{
	uint64_t device = (uint64_t)(uintptr_t)mesh;
	struct region_writer *writer;
	uint64_t allocator;
	uint32_t row;

	if (metal->off)
		return;
	allocator = metal_mesh_allocator(metal, device);
	writer = allocator ? hook_writer(metal) : NULL;
	if (!writer)
		return;
	uint64_t time_ns = hook_now_ns();

	(void)meet_allocator(metal, writer, allocator, device, time_ns, &row);
	register_tick(&root->registrar, writer, time_ns);
}

void hook_ticked(struct region_writer *writer, uint64_t time_ns)
{
	region_writer_tick(writer, time_ns);
	register_tick(&root->registrar, writer, time_ns);
}

void hook_mesh_closed(const void *mesh)
{
	struct region_writer *writer = hook_writer_present();

	if (writer)
		region_writer_close_device(writer, (uint64_t)(uintptr_t)mesh, hook_now_ns());
}

void hook_chip_closed(uint32_t chip_id)
{
	struct region_writer *writer = hook_writer_present();

	if (writer)
		region_writer_close_chip(writer, chip_id, hook_now_ns());
}

int hook_late_take(void)
{
	struct root *page = root_page();

	if (!page)
		return -ENOMEM;
	return __atomic_exchange_n(&page->late_busy, 1, __ATOMIC_ACQUIRE) ? -EBUSY : 0;
}

void hook_late_give(void)
{
	__atomic_store_n(&root->late_busy, 0, __ATOMIC_RELEASE);
}

void hook_late_begin(struct metal *metal, bool is_visible)
{
	struct region_writer *writer = hook_writer_present();

	if (writer) /* detached before */
		capabilities_publish(metal, writer);
	else if (is_visible)
		writer = hook_writer(metal);
	if (writer) {
		takeover_say(metal, writer);
		hook_ticked(writer, hook_now_ns());
	}
	root->takeover.is_late = 1;
	metal->off = false;
}

void hook_late_end(struct metal *metal)
{
	struct region_writer *writer = hook_writer_present();

	/* a thread that is in a handler now still records what it came for; rows are closed after it */
	metal->off = true;
	root->takeover.is_late = 0;
	if (!writer)
		return;
	region_writer_close_all(writer, hook_now_ns());
	region_writer_capability(writer, "buffers", CAPABILITY_OFF, "detached");
}
