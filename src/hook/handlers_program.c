/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The functions around programs that we step into; as in handlers.c, arguments
 * and results travel unchanged and no lock is held across a call.
 *
 * A program is looked at after its dispatch has returned: one that never got
 * so far (a clash, a failed compilation) is never seen.
 */
#include <stdint.h>

#include "hook/handlers.h"
#include "hook/programs.h"

typedef void (*device_function)(void *, const void *);
typedef void (*object_function)(void *);
typedef void (*enqueue_function)(void *, void *, bool);
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
