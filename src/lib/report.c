/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A runtime that keeps its own books says them: the table of the hook, filled
 * through calls instead of interposed functions.
 *
 * There is one report in a process. What a fork must not inherit lies in a
 * page that the kernel clears in the child: there the report is open but has
 * no table, until an allocator is added. The page is never unmapped, so that a
 * call that comes late finds an empty one.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/clock.h"
#include "lib/lib.h"
#include "region/register.h"
#include "region/wiped.h"

#define PAGE_BYTES   8192
#define RUNTIME_BYTES 32
#define KEY_SHIFT     3 /* the writer's keys are addresses of 8-aligned objects below 2^47 */
#define KEY_MAX	      (UINT64_C(1) << 44)

/* Everything that a forked child must not inherit. */
struct page {
	struct region_writer writer;
	struct registrar registrar;
	struct region_lock lock; /* of what follows, and of making the writer */
	uint32_t added;		 /* allocators so far */
	uint64_t objects[REGION_ALLOCATORS_MAX]; /* by row; 0: not open */
};

_Static_assert(sizeof(struct page) <= PAGE_BYTES, "it must fit its pages");

struct ttmemReport_st {
	struct page *page;
	uint32_t opened; /* as often; a child's is its own */
	char runtime[RUNTIME_BYTES];
};

static struct ttmemReport_st report_of_process;

static struct page *page_get(void)
{
	/* acquire: pairs with the compare-and-swap */
	struct page *page = __atomic_load_n(&report_of_process.page, __ATOMIC_ACQUIRE);

	if (page)
		return page;
	struct page *fresh = wiped_map(PAGE_BYTES);

	if (fresh && !__atomic_compare_exchange_n(&report_of_process.page, &page, fresh, 0,
						  __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
		wiped_unmap(fresh, PAGE_BYTES);
		return page;
	}
	return fresh;
}

static bool is_ready(const struct page *page)
{
	return page &&
	       __atomic_load_n(&page->writer.state, __ATOMIC_ACQUIRE) == REGION_WRITER_READY;
}

struct region_writer *lib_report_writer(void)
{
	struct page *page = __atomic_load_n(&report_of_process.page, __ATOMIC_ACQUIRE);

	return is_ready(page) ? &page->writer : NULL;
}

static uint32_t thread_id(void)
{
	static __thread struct {
		uint32_t pid, tid;
	} cache;
	struct region_writer *writer = lib_report_writer();

	/* by the writer's pid: a forked child looks again */
	if (writer && cache.pid != writer->pid) {
		cache.pid = writer->pid;
		cache.tid = (uint32_t)syscall(SYS_gettid);
	}
	return cache.tid;
}

/* What a report can say and what it cannot, as the hook says it of a TT-Metal. */
static void publish_capabilities(struct region_writer *writer)
{
	static const char *const present[] = {"buffers", "frees",  "failures", "cores", "geometry",
					      "chips",	 "parent", "open",     "close", "sites"};

	for (unsigned i = 0; i < sizeof present / sizeof present[0]; i++)
		region_writer_capability(writer, present[i], CAPABILITY_PRESENT, NULL);
	region_writer_capability(writer, "verify", CAPABILITY_MISSING,
				 "a report has no second source of its figures");
	region_writer_capability(writer, "programs", CAPABILITY_MISSING, "not part of a report");
}

/* With the page's lock. Also retries what failed before. */
static bool table_make(struct page *page)
{
	const struct region_identity identity = {
		.metal_version = report_of_process.runtime[0] ? report_of_process.runtime : NULL,
		.entry = "report",
	};

	if (is_ready(page))
		return true;
	region_writer_destroy(&page->writer);
	if (region_writer_create(&page->writer, &identity) < 0)
		return false;
	publish_capabilities(&page->writer);
	register_due(&page->registrar, &page->writer, clock_monotonic_ns());
	return true;
}

/* With the page's lock; read without it. */
static uint32_t opened_set(uint32_t count)
{
	__atomic_store_n(&report_of_process.opened, count, __ATOMIC_RELAXED);
	return count;
}

ttmemReturn_t ttmemReportOpen(const ttmemReportOptions_t *options, ttmemReport_t *report)
{
	const char *off = getenv("TTMEM");

	if (!report)
		return TTMEM_ERROR_INVALID_ARGUMENT;
	if (options && options->version != TTMEM_REPORT_OPTIONS_VERSION)
		return TTMEM_ERROR_VERSION;
	if (off && strcmp(off, "off") == 0)
		return TTMEM_ERROR_OFF;
	int saved_errno = errno;
	struct page *page = page_get();

	if (!page)
		return TTMEM_ERROR_MEMORY;
	region_lock_take(&page->lock);
	/* a child's table was made before, or will be at its first allocator: this is a new one's name */
	if (!is_ready(page) && options && options->runtime)
		(void)stpncpy(report_of_process.runtime, options->runtime, RUNTIME_BYTES - 1);
	bool ready = table_make(page);

	if (ready)
		opened_set(report_of_process.opened + 1);
	region_lock_give(&page->lock);
	errno = saved_errno;
	if (ready)
		*report = &report_of_process;
	return ready ? TTMEM_SUCCESS : TTMEM_ERROR_OFF;
}

void ttmemReportClose(ttmemReport_t report)
{
	if (!report || !report->page)
		return;
	int saved_errno = errno;
	struct page *page = report->page;

	region_lock_take(&page->lock);
	if (report->opened > 0 && opened_set(report->opened - 1) == 0) {
		region_writer_destroy(&page->writer);
		memset(&page->registrar, 0, sizeof page->registrar);
		memset(page->objects, 0, sizeof page->objects);
		memset(report->runtime, 0, sizeof report->runtime);
	}
	region_lock_give(&page->lock);
	errno = saved_errno;
}

static bool is_open(ttmemReport_t report)
{
	return report == &report_of_process && report->page &&
	       __atomic_load_n(&report->opened, __ATOMIC_RELAXED) > 0;
}

static uint64_t object_of(const struct page *page, uint32_t id)
{
	return id < REGION_ALLOCATORS_MAX ? __atomic_load_n(&page->objects[id], __ATOMIC_ACQUIRE) : 0;
}

static bool geometry_is_good(const ttmemReportAllocator_t *from)
{
	for (unsigned type = 0; type < REGION_MEMORY_TYPES; type++) {
		const ttmemGeometry_t *g = &from->geometry[type];

		if (g->banks > UINT16_MAX || g->bank_bytes > REGION_BANK_MASK ||
		    g->base_address > UINT64_MAX - g->bank_bytes)
			return false;
	}
	return true;
}

static void row_of(const ttmemReportAllocator_t *from, uint64_t object, uint64_t parent,
		   struct region_allocator *row)
{
	const ttmemGeometry_t *l1 = &from->geometry[TTMEM_MEMORY_L1];

	*row = (struct region_allocator){
		.object = object,
		.device = object,
		.parent_device = parent,
		.arch = from->arch,
		.mesh_id = REGION_NONE,
		.chip_count = from->chip_count,
		.grid_x = from->grid_x,
		.grid_y = from->grid_y,
		.worker_x = from->grid_x,
		.worker_y = from->grid_y,
		.l1_bytes_per_core = from->l1_bytes_per_core,
		.unreserved_base = l1->base_address <= UINT32_MAX ? (uint32_t)l1->base_address : 0,
		.l1_small_bytes = (uint32_t)from->geometry[TTMEM_MEMORY_L1_SMALL].bank_bytes,
		.dispatch_cores = REGION_NONE,
		.dispatch_cores_used = REGION_NONE,
	};
	for (unsigned type = 0; type < REGION_MEMORY_TYPES; type++)
		row->geometry[type] = (struct region_geometry){
			.banks = from->geometry[type].banks,
			.alignment = from->geometry[type].alignment_bytes,
			.bank_bytes = from->geometry[type].bank_bytes,
			.base_address = from->geometry[type].base_address,
		};
	for (uint32_t i = 0; i < from->chip_count; i++)
		row->chips[i] = (struct region_chip){
			.unique_id = from->chips[i].unique_id,
			.chip_id = from->chips[i].chip_id,
			.flags = from->chips[i].unique_id ? REGION_CHIP_HAS_UNIQUE_ID : 0,
		};
}

static ttmemReturn_t allocator_add(struct page *page, const ttmemReportAllocator_t *from,
				   uint32_t *id)
{
	struct region_allocator row;
	uint64_t parent = from->parent == TTMEM_NONE ? 0 : object_of(page, from->parent);

	if (from->parent != TTMEM_NONE && !parent)
		return TTMEM_ERROR_NOT_FOUND;
	if (!table_make(page))
		return TTMEM_ERROR_OFF;
	/* a number that never comes back, in the form of an address */
	uint64_t object = (uint64_t)++page->added << 4;

	row_of(from, object, parent, &row);
	int r = region_writer_allocator_add(&page->writer, &row, clock_monotonic_ns(), id);

	if (r < 0)
		return TTMEM_ERROR_MEMORY;
	region_writer_capability(&page->writer, "unique_ids",
				 row.chips[0].unique_id ? CAPABILITY_PRESENT : CAPABILITY_MISSING,
				 row.chips[0].unique_id ? NULL : "the runtime did not give them");
	__atomic_store_n(&page->objects[*id], object, __ATOMIC_RELEASE);
	return TTMEM_SUCCESS;
}

ttmemReturn_t ttmemReportAllocatorAdd(ttmemReport_t report, const ttmemReportAllocator_t *allocator,
				      uint32_t *id)
{
	if (!is_open(report) || !allocator || !id)
		return TTMEM_ERROR_INVALID_ARGUMENT;
	if (allocator->version != TTMEM_REPORT_ALLOCATOR_VERSION)
		return TTMEM_ERROR_VERSION;
	if (!allocator->chips || allocator->chip_count == 0 ||
	    allocator->chip_count > REGION_CHIPS_MAX || !geometry_is_good(allocator))
		return TTMEM_ERROR_INVALID_ARGUMENT;
	region_lock_take(&report->page->lock);
	ttmemReturn_t r = allocator_add(report->page, allocator, id);

	region_lock_give(&report->page->lock);
	return r;
}

ttmemReturn_t ttmemReportAllocatorRemove(ttmemReport_t report, uint32_t id)
{
	if (!is_open(report))
		return TTMEM_ERROR_INVALID_ARGUMENT;
	struct page *page = report->page;

	region_lock_take(&page->lock);
	uint64_t object = object_of(page, id);

	if (object) {
		region_writer_close_device(&page->writer, object, clock_monotonic_ns());
		__atomic_store_n(&page->objects[id], 0, __ATOMIC_RELEASE);
	}
	region_lock_give(&page->lock);
	return object ? TTMEM_SUCCESS : TTMEM_ERROR_NOT_FOUND;
}

static struct region_text text_of(const char *string)
{
	return (struct region_text){.start = string,
				    .bytes = string ? (uint32_t)strnlen(string, UINT16_MAX) : 0};
}

ttmemReturn_t ttmemReportSite(ttmemReport_t report, const ttmemReportSite_t *site, uint32_t *id)
{
	if (!is_open(report) || !site || !id)
		return TTMEM_ERROR_INVALID_ARGUMENT;
	if (site->version != TTMEM_REPORT_SITE_VERSION)
		return TTMEM_ERROR_VERSION;
	const struct region_site_found found = {
		.op = text_of(site->op),
		.file = text_of(site->file),
		.function = text_of(site->function),
		.line = site->line,
	};

	struct region_writer *writer = &report->page->writer;

	*id = region_writer_site_tag(writer, region_writer_site(writer, &found), text_of(site->tag));
	return TTMEM_SUCCESS;
}

static bool buffer_is_good(const ttmemReportBuffer_t *b)
{
	return b->key != 0 && b->key < KEY_MAX && b->type < REGION_MEMORY_TYPES &&
	       b->layout <= 15 && b->bank_bytes <= REGION_BANK_MASK;
}

ttmemReturn_t ttmemReportAlloc(ttmemReport_t report, const ttmemReportBuffer_t *buffer)
{
	if (!is_open(report) || !buffer)
		return TTMEM_ERROR_INVALID_ARGUMENT;
	if (buffer->version != TTMEM_REPORT_BUFFER_VERSION)
		return TTMEM_ERROR_VERSION;
	if (!buffer_is_good(buffer))
		return TTMEM_ERROR_INVALID_ARGUMENT;
	struct page *page = report->page;
	uint64_t object = object_of(page, buffer->allocator), now_ns = clock_monotonic_ns();

	if (!object)
		return TTMEM_ERROR_NOT_FOUND;
	struct region_buffer b = {
		.object = buffer->key << KEY_SHIFT,
		.allocator = object,
		.device = object,
		.address = buffer->address,
		.requested_bytes = buffer->requested_bytes,
		.bank_bytes = buffer->bank_bytes,
		.page_bytes = buffer->page_bytes,
		.pages = buffer->pages == TTMEM_NONE ? UINT64_MAX : buffer->pages,
		.time_ns = now_ns,
		.cores = buffer->cores,
		.site = buffer->site,
		.thread = thread_id(),
		.type = (uint8_t)buffer->type,
		.layout = (uint8_t)buffer->layout,
		.row_hint = buffer->allocator,
	};
	int r = region_writer_alloc(&page->writer, &b);

	region_writer_tick(&page->writer, now_ns);
	register_tick(&page->registrar, &page->writer, now_ns);
	return lib_result(r);
}

ttmemReturn_t ttmemReportFree(ttmemReport_t report, uint64_t key)
{
	if (!is_open(report) || key == 0 || key >= KEY_MAX)
		return TTMEM_ERROR_INVALID_ARGUMENT;
	return region_writer_free(&report->page->writer, key << KEY_SHIFT) ? TTMEM_SUCCESS
									    : TTMEM_ERROR_NOT_FOUND;
}

ttmemReturn_t ttmemReportFailure(ttmemReport_t report, const ttmemReportFailure_t *failure)
{
	if (!is_open(report) || !failure)
		return TTMEM_ERROR_INVALID_ARGUMENT;
	if (failure->version != TTMEM_REPORT_FAILURE_VERSION)
		return TTMEM_ERROR_VERSION;
	struct page *page = report->page;
	bool named = failure->allocator != TTMEM_NONE && object_of(page, failure->allocator);
	const struct region_failure row = {
		.time_ns = clock_monotonic_ns(),
		.requested_bytes = failure->requested_bytes,
		.page_bytes = failure->page_bytes,
		.free_bytes_per_bank = failure->bank_free_bytes,
		.largest_bytes_per_bank = failure->bank_largest_free_bytes,
		.allocator = named ? failure->allocator : REGION_NONE,
		.thread = thread_id(),
		.type = failure->type < REGION_MEMORY_TYPES ? failure->type : REGION_NONE,
		.kind = REGION_FAILURE_ALLOCATION,
		.program_id = UINT64_MAX,
		.end_address = UINT64_MAX,
		.lowest_address = UINT64_MAX,
		.needed_bytes = UINT64_MAX,
		.limit_bytes = UINT64_MAX,
	};

	if (!is_ready(page))
		return TTMEM_ERROR_OFF;
	region_writer_fail(&page->writer, &row);
	register_failed_moment(&page->writer, row.time_ns);
	return TTMEM_SUCCESS;
}
