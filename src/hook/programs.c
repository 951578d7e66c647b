/* SPDX-License-Identifier: Apache-2.0 */
#include "hook/programs.h"

#include <errno.h>
#include <sys/mman.h>

#include "hook/capabilities.h"
#include "hook/hook.h"
#include "hook/metal_call.h"
#include "hook/metal_program.h"
#include "hook/now.h"

/* enum memory_type */
#define MEMORY_ROW_L1 1

/* Buffers that one ring manager gets at a device's start, the worker cores' first. */
#define RING_CALLS 5

/*
 * Programs whose circular buffers have been laid out, by hash of their address; a collision forgets
 * one. Only such a program may be asked for its addresses: it throws otherwise.
 */
#define LAID_OUT_BITS 12
static uint64_t laid_out[1u << LAID_OUT_BITS];

/* The calls about rings that this thread has seen. */
static __thread __attribute__((tls_model("initial-exec"))) struct {
	uint32_t ring_calls;
	const void *manager;
} thread;

/* The longest program of a workload that was refused. */
struct longest {
	struct metal *metal;
	struct region_writer *writer;
	uint64_t device;
	struct metal_program_scratch *scratch;
	struct region_failure *failure;
};

/* One dispatch on its way through the programs of its workload. */
struct dispatch {
	struct metal *metal;
	struct region_writer *writer;
	uint64_t device;
	uint64_t time_ns;
};

static uint64_t *laid_out_at(uint64_t program)
{
	return &laid_out[(program >> 4) * UINT64_C(0x9e3779b97f4a7c15) >> (64 - LAID_OUT_BITS)];
}

static bool is_laid_out(uint64_t program)
{
	return program && __atomic_load_n(laid_out_at(program), __ATOMIC_RELAXED) == program;
}

void programs_laid_out(const void *program)
{
	uint64_t address = (uint64_t)(uintptr_t)program;

	/* relaxed: it is dispatched by a thread that was told of it by this one */
	__atomic_store_n(laid_out_at(address), address, __ATOMIC_RELAXED);
}

/* Chips are listed in the order of the mesh, row by row, so a coordinate is a place in the list. */
static uint64_t chips_of(const struct metal *metal, uint64_t device, const struct region_home *home,
			 const struct metal_program_place *place)
{
	metal_function rows = metal->symbol[METAL_SYMBOL_mesh_rows];
	metal_function columns = metal->symbol[METAL_SYMBOL_mesh_columns];
	uint64_t all = home->chip_count < 64 ? (UINT64_C(1) << home->chip_count) - 1 : UINT64_MAX;
	uint64_t chips = 0;

	if (home->chip_count < 2 || !rows || !columns)
		return all;
	uint64_t row_count = ((uint64_t(*)(uint64_t))rows)(device);
	uint64_t column_count = ((uint64_t(*)(uint64_t))columns)(device);

	if (row_count * column_count != home->chip_count || place->mesh_end[0] >= row_count ||
	    place->mesh_end[1] >= column_count)
		return all;
	for (uint64_t r = place->mesh_start[0]; r <= place->mesh_end[0]; r++)
		for (uint64_t c = place->mesh_start[1]; c <= place->mesh_end[1]; c++)
			if (r * column_count + c < 64)
				chips |= UINT64_C(1) << (r * column_count + c);
	return chips ? chips : all;
}

static bool find_home(const struct dispatch *dispatch, struct region_home *ret_home)
{
	if (region_writer_home(dispatch->writer, dispatch->device, ret_home))
		return true;
	/* a device that was open before we could see it */
	if (!metal_is_mesh(dispatch->metal, dispatch->device))
		return false;
	hook_opened(dispatch->metal, (const void *)(uintptr_t)dispatch->device);
	return region_writer_home(dispatch->writer, dispatch->device, ret_home);
}

static struct metal_program_scratch *scratch_map(void)
{
	struct metal_program_scratch *scratch =
		mmap(NULL, sizeof *scratch, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return scratch == MAP_FAILED ? NULL : scratch;
}

/* Met for the first time, or laid out anew: ask it, without the lock, then write it down. */
static void describe(const struct dispatch *dispatch, uint64_t program, uint64_t node, bool restated)
{
	struct metal_program_place place = {.program = program, .device = dispatch->device};
	struct metal_program_scratch *scratch;
	struct region_home home;

	if (!find_home(dispatch, &home)) {
		region_writer_program_unknown(dispatch->writer);
		return;
	}
	scratch = scratch_map();
	if (!scratch) {
		region_writer_program_unknown(dispatch->writer);
		return;
	}
	place.allocator = home.row;
	place.l1_low = home.l1_low;
	place.l1_high = home.l1_high;
	metal_node_place(node, place.mesh_start, place.mesh_end);
	place.chips = chips_of(dispatch->metal, dispatch->device, &home, &place);
	metal_program_describe(dispatch->metal, &place, scratch);
	scratch->found.is_restated = restated;
	(void)region_writer_program_add(dispatch->writer, &scratch->found, dispatch->time_ns);
	capabilities_of_program(dispatch->metal, dispatch->writer, &scratch->found);
	(void)munmap(scratch, sizeof *scratch);
}

static void visit(void *argument, uint64_t program, uint64_t node)
{
	const struct dispatch *dispatch = argument;
	int r = region_writer_program_dispatch(dispatch->writer, program, dispatch->time_ns);

	if (__builtin_expect(r == 0, 1))
		return;
	if (!is_laid_out(program)) {
		if (r < 0)
			region_writer_program_unknown(dispatch->writer);
		return;
	}
	int saved_errno = errno;

	describe(dispatch, program, node, r == 1);
	errno = saved_errno;
}

void programs_dispatched(struct metal *metal, const void *queue, const void *workload)
{
	struct dispatch dispatch = {.metal = metal};

	if (metal->off)
		return;
	dispatch.writer = hook_writer(metal);
	if (!dispatch.writer)
		return;
	/* the word behind the vtable pointer; it is checked before anything is asked of it */
	dispatch.device = ((const uint64_t *)queue)[1];
	dispatch.time_ns = hook_now_ns();
	for (uint32_t unknown = metal_workload_programs(metal, workload, is_laid_out, visit, &dispatch);
	     unknown > 0; unknown--)
		region_writer_program_unknown(dispatch.writer);
	hook_ticked(dispatch.writer, dispatch.time_ns);
}

static struct region_failure failure_of(enum region_failure_kind kind)
{
	return (struct region_failure){
		.kind = kind,
		.free_bytes_per_bank = UINT64_MAX,
		.largest_bytes_per_bank = UINT64_MAX,
		.allocator = REGION_NONE,
		.type = MEMORY_ROW_L1,
		.program_id = UINT64_MAX,
		.end_address = UINT64_MAX,
		.lowest_address = UINT64_MAX,
		.needed_bytes = UINT64_MAX,
		.limit_bytes = UINT64_MAX,
	};
}

/* Only such a program's addresses may be asked for. The end is that of the part that was checked. */
static void read_end(struct metal *metal, const struct metal_program_place *place, bool dataflow,
		     struct metal_program_scratch *scratch, struct region_failure *failure)
{
	uint16_t kind = dataflow ? REGION_RANGE_DATAFLOW_BUFFER : REGION_RANGE_CIRCULAR_BUFFER;
	uint64_t end = 0;

	if (!is_laid_out(place->program))
		return;
	metal_program_memory(metal, place, dataflow, scratch);
	failure->program_id = scratch->found.row.program_id;
	for (uint32_t i = 0; i < scratch->found.row.range_count; i++) {
		const struct region_program_range *r = &scratch->ranges[i];
		uint64_t top = (uint64_t)r->address + r->bytes;

		if (r->kind == kind && !r->flags && top > end)
			end = top;
	}
	if (end && !(dataflow && scratch->found.row.flags & REGION_PROGRAM_NO_DFB))
		failure->end_address = end;
}

/* Which of the two it was: too large for any L1, or for what the buffers have left of it. */
static bool classify(struct region_failure *failure, const struct region_home *home)
{
	if (failure->end_address == UINT64_MAX)
		return true; /* not known how far; what throws there is nearly always a clash */
	if (home->l1_high && failure->end_address > home->l1_high) {
		failure->kind = REGION_FAILURE_TOO_LARGE;
		failure->limit_bytes = home->l1_high;
		return true;
	}
	/* else it was another complaint, of which we know nothing */
	return failure->end_address > failure->lowest_address;
}

void programs_refused(struct metal *metal, const void *program, const void *device, bool dataflow)
{
	struct region_failure failure = failure_of(REGION_FAILURE_CLASH);
	struct dispatch dispatch = {.metal = metal, .device = (uint64_t)(uintptr_t)device};
	struct metal_program_place place = {.program = (uint64_t)(uintptr_t)program,
					    .device = dispatch.device};
	struct metal_program_scratch *scratch;
	struct region_home home;
	int saved_errno = errno;

	dispatch.writer = metal->off ? NULL : hook_writer(metal);
	if (!dispatch.writer || !find_home(&dispatch, &home))
		return;
	scratch = scratch_map();
	if (scratch) {
		place.allocator = failure.allocator = home.row;
		place.l1_low = home.l1_low;
		place.l1_high = home.l1_high;
		read_end(metal, &place, dataflow, scratch, &failure);
		failure.lowest_address =
			region_writer_lowest(dispatch.writer, home.row, failure.type);
		(void)munmap(scratch, sizeof *scratch);
		if (classify(&failure, &home))
			hook_refused(dispatch.writer, &failure);
	}
	errno = saved_errno;
}

static void measure(void *argument, uint64_t program, uint64_t node)
{
	struct longest *longest = argument;
	struct metal_program_place place = {.program = program, .device = longest->device};

	(void)node;
	if (!is_laid_out(program))
		return;
	uint64_t bytes = metal_program_code(longest->metal, &place, longest->scratch);

	if (longest->failure->needed_bytes != UINT64_MAX && bytes <= longest->failure->needed_bytes)
		return;
	longest->failure->needed_bytes = bytes;
	longest->failure->program_id = longest->scratch->found.row.program_id;
}

void programs_too_long(struct metal *metal, const void *workload, const void *device)
{
	/* a MeshWorkload is a pointer to its MeshWorkloadImpl */
	const void *const handle[1] = {workload};
	struct region_failure failure = failure_of(REGION_FAILURE_TOO_LARGE);
	struct dispatch dispatch = {.metal = metal, .device = (uint64_t)(uintptr_t)device};
	struct longest longest = {
		.metal = metal, .device = dispatch.device, .failure = &failure};
	uint64_t ring = __atomic_load_n(&metal->ring, __ATOMIC_ACQUIRE) & UINT32_MAX;
	struct region_home home;
	int saved_errno = errno;

	dispatch.writer = metal->off ? NULL : hook_writer(metal);
	if (!dispatch.writer || !find_home(&dispatch, &home))
		return;
	longest.scratch = scratch_map();
	if (longest.scratch) {
		failure.allocator = home.row;
		failure.limit_bytes = ring ? ring : UINT64_MAX;
		(void)metal_workload_programs(metal, handle, is_laid_out, measure, &longest);
		(void)munmap(longest.scratch, sizeof *longest.scratch);
		hook_refused(dispatch.writer, &failure);
	}
	errno = saved_errno;
}

void programs_touched(const void *program)
{
	struct region_writer *writer = hook_writer_present();

	if (writer)
		region_writer_program_touch(writer, (uint64_t)(uintptr_t)program);
}

void programs_destroyed(const void *program)
{
	struct region_writer *writer = hook_writer_present();
	uint64_t address = (uint64_t)(uintptr_t)program;

	(void)__atomic_compare_exchange_n(laid_out_at(address), &address, 0, false, __ATOMIC_RELAXED,
					  __ATOMIC_RELAXED);
	if (writer)
		(void)region_writer_program_end(writer, (uint64_t)(uintptr_t)program);
}

void programs_ring(struct metal *metal, const void *manager, uint32_t base, uint32_t size)
{
	/* of each manager's calls the first one is about worker cores */
	if (manager != thread.manager || thread.ring_calls % RING_CALLS == 0) {
		thread.manager = manager;
		thread.ring_calls = 0;
		__atomic_store_n(&metal->ring, (uint64_t)base << 32 | size, __ATOMIC_RELEASE);
	}
	thread.ring_calls++;
}
