/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The functions around programs that we step into; as in handlers.c, arguments
 * and results travel unchanged and no lock is held across a call.
 *
 * A program is looked at after its dispatch has returned. One that never got
 * so far is no program of the table; when an exception ended it in one of the
 * functions that check whether it fits, it is a failure.
 */
#include <stdint.h>

#include "hook/handlers.h"
#include "hook/programs.h"

typedef void (*device_function)(void *, const void *);
typedef void (*object_function)(void *);
typedef void (*enqueue_function)(void *, void *, bool);
typedef uint64_t (*finalize_function)(void *, void *);
typedef void (*ring_function)(void *, uint32_t, uint32_t);

void handle_program_allocate(void *program, const void *device)
	EXPORT_AS("_ZN2tt8tt_metal6detail11ProgramImpl25allocate_circular_buffersEPKNS0_7IDeviceE");
void handle_program_allocate(void *program, const void *device)
{
	struct metal *metal = metal_get();

	if (!metal)
		return;
	REAL(metal, program_allocate, device_function)(program, device);
	programs_laid_out(program);
}

void handle_program_invalidate(void *program)
	EXPORT_AS("_ZN2tt8tt_metal6detail11ProgramImpl37invalidate_circular_buffer_allocationEv");
void handle_program_invalidate(void *program)
{
	struct metal *metal = metal_get();

	if (!metal)
		return;
	programs_touched(program);
	REAL(metal, program_invalidate, object_function)(program);
}

void handle_program_destroy(void *program)
	EXPORT_AS("_ZN2tt8tt_metal6detail11ProgramImplD1Ev");
void handle_program_destroy(void *program)
{
	struct metal *metal = metal_get();

	if (!metal)
		return;
	/* before: afterwards the address may be another program's */
	programs_destroyed(program);
	REAL(metal, program_destroy, object_function)(program);
}

/* Set while a check of a program's memory runs; still set when an exception leaves it. */
struct check {
	struct metal *metal;
	const void *program; /* NULL: it came back */
	const void *device;
	bool dataflow;
};

static void check_end(struct check *check)
{
	if (__builtin_expect(check->program != NULL, 0))
		programs_refused(check->metal, check->program, check->device, check->dataflow);
}

static void validate(enum metal_handler handler, void *program, const void *device, bool dataflow)
{
	struct metal *metal = metal_get();

	if (!metal)
		return;
	struct check check __attribute__((cleanup(check_end))) = {metal, program, device, dataflow};

	((device_function)metal->real[handler])(program, device);
	check.program = NULL;
}

void handle_program_validate(void *program, const void *device)
	EXPORT_AS("_ZN2tt8tt_metal6detail11ProgramImpl31validate_circular_buffer_regionEPKNS0_7IDeviceE");
void handle_program_validate(void *program, const void *device)
{
	validate(METAL_HANDLER_program_validate, program, device, false);
}

void handle_program_validate_dfb(void *program, const void *device)
	EXPORT_AS("_ZN2tt8tt_metal6detail11ProgramImpl31validate_dataflow_buffer_regionEPKNS0_7IDeviceE");
void handle_program_validate_dfb(void *program, const void *device)
{
	validate(METAL_HANDLER_program_validate_dfb, program, device, true);
}

/* Likewise, of all programs of a workload. */
struct layout {
	struct metal *metal;
	const void *workload; /* NULL: it came back */
	const void *device;
};

static void layout_end(struct layout *layout)
{
	if (__builtin_expect(layout->workload != NULL, 0))
		programs_too_long(layout->metal, layout->workload, layout->device);
}

uint64_t handle_workload_finalize(void *workload, void *device)
	EXPORT_AS("_ZN2tt8tt_metal11distributed16MeshWorkloadImpl16finalize_offsetsEPNS1_10MeshDeviceE");
uint64_t handle_workload_finalize(void *workload, void *device)
{
	struct metal *metal = metal_get();

	if (!metal)
		return 0;
	struct layout layout __attribute__((cleanup(layout_end))) = {metal, workload, device};
	uint64_t result = REAL(metal, workload_finalize, finalize_function)(workload, device);

	layout.workload = NULL;
	return result;
}

static void enqueue(enum metal_handler handler, void *queue, void *workload, bool blocking)
{
	struct metal *metal = metal_get();

	if (!metal)
		return;
	((enqueue_function)metal->real[handler])(queue, workload, blocking);
	programs_dispatched(metal, queue, workload);
}

void handle_enqueue_fast(void *queue, void *workload, bool blocking)
	EXPORT_AS("_ZN2tt8tt_metal11distributed18FDMeshCommandQueue21enqueue_mesh_workloadERNS1_12MeshWorkloadEb");
void handle_enqueue_fast(void *queue, void *workload, bool blocking)
{
	enqueue(METAL_HANDLER_enqueue_fast, queue, workload, blocking);
}

void handle_enqueue_slow(void *queue, void *workload, bool blocking)
	EXPORT_AS("_ZN2tt8tt_metal11distributed18SDMeshCommandQueue21enqueue_mesh_workloadERNS1_12MeshWorkloadEb");
void handle_enqueue_slow(void *queue, void *workload, bool blocking)
{
	enqueue(METAL_HANDLER_enqueue_slow, queue, workload, blocking);
}

void handle_ring_add(void *manager, uint32_t base, uint32_t size)
	EXPORT_AS("_ZN2tt8tt_metal21WorkerConfigBufferMgr15init_add_bufferEjj");
void handle_ring_add(void *manager, uint32_t base, uint32_t size)
{
	struct metal *metal = metal_get();

	if (!metal)
		return;
	programs_ring(metal, manager, base, size);
	REAL(metal, ring_add, ring_function)(manager, base, size);
}
