/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The functions of TT-Metal that we step into: look, pass on, never change.
 *
 * Preloaded, the exported names below are what the loader binds TT-Metal's own
 * calls and vtables to. Each handler ends in the real function; arguments and
 * results travel unchanged. Compiled with -fexceptions: an exception passes
 * through, and no lock is ever held across the call.
 */
#include <stdint.h>

#include "hook/handlers.h"
#include "hook/hook.h"

typedef void (*tracker_function)(void *, const void *);
typedef uint64_t (*allocate_function)(void *, void *);
typedef uint64_t (*object_function)(void *);
typedef uint64_t (*close_impl_function)(void *, void *);

void handle_track_allocate(void *tracker, const void *buffer)
	EXPORT_AS("_ZN2tt8tt_metal12GraphTracker14track_allocateEPKNS0_6BufferE");
void handle_track_allocate(void *tracker, const void *buffer)
{
	struct metal *metal = metal_get();

	if (!metal)
		return;
	hook_allocated(metal, buffer);
	REAL(metal, track_allocate, tracker_function)(tracker, buffer);
}

void handle_track_deallocate(void *tracker, void *buffer)
	EXPORT_AS("_ZN2tt8tt_metal12GraphTracker16track_deallocateEPNS0_6BufferE");
void handle_track_deallocate(void *tracker, void *buffer)
{
	struct metal *metal = metal_get();

	if (!metal)
		return;
	hook_deallocated(metal, buffer);
	REAL(metal, track_deallocate, tracker_function)(tracker, buffer);
}

/* Set while the real allocate_buffer runs; still set when an exception leaves it. */
struct attempt {
	struct metal *metal;
	const void *allocator;
	const void *buffer; /* NULL: it came back */
};

static void attempt_end(struct attempt *attempt)
{
	if (__builtin_expect(attempt->buffer != NULL, 0))
		hook_failed(attempt->metal, attempt->allocator, attempt->buffer);
}

static uint64_t attempt_allocate(enum metal_handler handler, void *allocator, void *buffer)
{
	struct metal *metal = metal_get();

	if (!metal)
		return 0;
	struct attempt attempt __attribute__((cleanup(attempt_end))) = {metal, allocator, buffer};
	uint64_t address = ((allocate_function)metal->real[handler])(allocator, buffer);

	attempt.buffer = NULL;
	hook_served(allocator, buffer);
	return address;
}

uint64_t handle_allocator_allocate(void *allocator, void *buffer)
	EXPORT_AS("_ZN2tt8tt_metal9Allocator15allocate_bufferEPNS0_6BufferE");
uint64_t handle_allocator_allocate(void *allocator, void *buffer)
{
	return attempt_allocate(METAL_HANDLER_allocator_allocate, allocator, buffer);
}

uint64_t handle_allocator_impl_allocate(void *allocator, void *buffer)
	EXPORT_AS("_ZN2tt8tt_metal13AllocatorImpl15allocate_bufferEPNS0_6BufferE");
uint64_t handle_allocator_impl_allocate(void *allocator, void *buffer)
{
	return attempt_allocate(METAL_HANDLER_allocator_impl_allocate, allocator, buffer);
}

/* A chip's id must be asked before the device is gone. */
uint64_t handle_device_close(void *device) EXPORT_AS("_ZN2tt8tt_metal6Device5closeEv");
uint64_t handle_device_close(void *device)
{
	struct metal *metal = metal_get();
	uint32_t chip;

	if (!metal)
		return 0;
	bool known = metal_chip_id(metal, (uint64_t)(uintptr_t)device, &chip);
	uint64_t result = REAL(metal, device_close, object_function)(device);

	if (known)
		hook_chip_closed(chip);
	return result;
}

static uint64_t end_mesh(enum metal_handler handler, void *mesh)
{
	struct metal *metal = metal_get();

	if (!metal)
		return 0;
	uint64_t result = ((object_function)metal->real[handler])(mesh);

	hook_mesh_closed(mesh);
	return result;
}

uint64_t handle_mesh_close(void *mesh)
	EXPORT_AS("_ZN2tt8tt_metal11distributed10MeshDevice5closeEv");
uint64_t handle_mesh_close(void *mesh)
{
	return end_mesh(METAL_HANDLER_mesh_close, mesh);
}

uint64_t handle_mesh_destroy(void *mesh)
	EXPORT_AS("_ZN2tt8tt_metal11distributed10MeshDeviceD1Ev");
uint64_t handle_mesh_destroy(void *mesh)
{
	return end_mesh(METAL_HANDLER_mesh_destroy, mesh);
}

uint64_t handle_mesh_close_impl(void *impl, void *mesh)
	EXPORT_AS("_ZN2tt8tt_metal11distributed14MeshDeviceImpl10close_implEPNS1_10MeshDeviceE");
uint64_t handle_mesh_close_impl(void *impl, void *mesh)
{
	struct metal *metal = metal_get();

	if (!metal)
		return 0;
	uint64_t result = REAL(metal, mesh_close_impl, close_impl_function)(impl, mesh);

	hook_mesh_closed(mesh);
	return result;
}

/* std::span by value: two words, too late for registers, so on the stack like in C++. */
struct span {
	void *data;
	uint64_t count;
};

typedef uint64_t (*initialize_function)(void *, void *, uint8_t, uint64_t, uint64_t, uint64_t,
					struct span, bool);

uint64_t handle_mesh_initialize_impl(void *impl, void *mesh, uint8_t queues, uint64_t a, uint64_t b,
				     uint64_t c, struct span span, bool minimal)
	EXPORT_AS("_ZN2tt8tt_metal11distributed14MeshDeviceImpl15initialize_implEPNS1_10MeshDeviceEhmmmSt4spanIKjLm18446744073709551615EEb");
uint64_t handle_mesh_initialize_impl(void *impl, void *mesh, uint8_t queues, uint64_t a, uint64_t b,
				     uint64_t c, struct span span, bool minimal)
{
	struct metal *metal = metal_get();

	if (!metal)
		return 0;
	uint64_t result = REAL(metal, mesh_initialize_impl, initialize_function)(
		impl, mesh, queues, a, b, c, span, minimal);

	hook_opened(metal, mesh);
	return result;
}
