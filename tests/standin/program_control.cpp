/* SPDX-License-Identifier: Apache-2.0 */
/* What the driver asks about programs; calls come from here, so they go through the PLT. */
#include "control.hpp"

#include <cstring>

#include "program.hpp"

using namespace tt::tt_metal;
using distributed::MeshCoordinate;
using distributed::MeshDevice;
using experimental::dfb::detail::DataflowBufferImpl;

namespace {
uint64_t next_program;

struct Made {
	MeshDevice *mesh;
	distributed::MeshWorkload workload;
	detail::ProgramImpl *impl;
};

detail::ProgramImpl &impl_of(void *program) { return *static_cast<Made *>(program)->impl; }

CoreRangeSet cores_of(const uint32_t cores[4])
{
	CoreRangeSet set;

	set.ranges.push_back({cores[0], cores[1], cores[2], cores[3]});
	return set;
}
} // namespace

extern "C" {
void standin_slow(int slow) { slow_dispatch = slow; }

void *standin_program(void *mesh, const uint32_t range[4])
{
	auto *made = new Made{static_cast<std::shared_ptr<MeshDevice> *>(mesh)->get(), {}, nullptr};
	auto impl = std::make_shared<detail::ProgramImpl>(next_program);
	distributed::MeshCoordinateRange key{};

	next_program += 2; /* a moved-from object takes a number, too */
	made->impl = impl.get();
	memcpy(key.start.room, range, 8);
	memcpy(key.end.room, range + 2, 8);
	auto at = made->workload.programs.emplace(key, Program{impl}).first;
	auto &placed = const_cast<distributed::MeshCoordinateRange &>(at->first);

	for (MeshCoordinate *c : {&placed.start, &placed.end}) {
		c->values = c->room;
		c->count = 2;
		c->capacity = 8;
	}
	return made;
}

/* One more program in the same workload, on another part of the mesh. */
void *standin_program_beside(void *program, const uint32_t range[4])
{
	auto *first = static_cast<Made *>(program);
	void *holder = new std::shared_ptr<MeshDevice>(first->mesh->shared_from_this());
	auto *made = static_cast<Made *>(standin_program(holder, range));

	delete static_cast<std::shared_ptr<MeshDevice> *>(holder);
	first->workload.programs.merge(made->workload.programs);
	for (auto &[key, p] : first->workload.programs)
		for (MeshCoordinate *c : {const_cast<MeshCoordinate *>(&key.start),
					  const_cast<MeshCoordinate *>(&key.end)})
			c->values = c->room;
	return made;
}

void standin_kernel(void *program, int kind, const char *name, const uint32_t cores[4],
		    uint32_t packed, uint32_t text)
{
	detail::ProgramImpl &impl = impl_of(program);
	std::shared_ptr<Kernel> kernel;

	if (kind == 2)
		kernel = std::make_shared<ComputeKernel>(name, cores_of(cores), 3, packed, text);
	else
		kernel = std::make_shared<DataMovementKernel>(name, cores_of(cores), 1, packed, text,
							      kind);
	impl.kernels_[impl.kernels_.size()] = kernel;
}

void standin_cb(void *program, uint32_t bytes, int global, const uint32_t cores[4])
{
	auto cb = std::make_shared<CircularBufferImpl>();

	cb->id = impl_of(program).cbs_.size();
	cb->cores = cores_of(cores);
	cb->size = bytes;
	cb->global = global;
	impl_of(program).cbs_.push_back(cb);
}

void standin_dfb(void *program, uint32_t entry, uint32_t entries, int kind, const uint32_t cores[4])
{
	auto dfb = std::make_shared<DataflowBufferImpl>();

	dfb->ranges = cores_of(cores).ranges;
	dfb->entry = entry;
	dfb->entries = entries;
	dfb->borrowed = kind == 1;
	dfb->alias = kind == 2;
	impl_of(program).dfbs_.push_back(dfb);
}

void standin_scratch(void *program, uint32_t kernel, uint32_t bytes)
{
	impl_of(program).pads_.emplace_back(kernel, bytes);
}

/* The workload's binaries, as a buffer that is already there. */
void standin_binaries(void *program, void *buffer)
{
	impl_of(program).binaries_ = *static_cast<std::shared_ptr<Buffer> *>(buffer);
}

void standin_resize(void *program, uint32_t number, uint32_t bytes)
{
	impl_of(program).cbs_.at(number)->size = bytes;
	impl_of(program).invalidate_circular_buffer_allocation();
}

int standin_dispatch(void *program, int count, char *error, size_t error_bytes)
{
	auto *made = static_cast<Made *>(program);
	distributed::FDMeshCommandQueue fast(made->mesh);
	distributed::SDMeshCommandQueue slow(made->mesh);
	distributed::MeshCommandQueue *queue = &fast;

	if (slow_dispatch)
		queue = &slow;
	try {
		for (int i = 0; i < count; i++)
			queue->enqueue_mesh_workload(made->workload, false);
		return 0;
	} catch (const std::exception &e) {
		strncpy(error, e.what(), error_bytes - 1);
		return -1;
	}
}

long standin_binaries_users(void *program) { return impl_of(program).binaries_.use_count(); }

void standin_program_end(void *program) { delete static_cast<Made *>(program); }
}
