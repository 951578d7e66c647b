/* SPDX-License-Identifier: Apache-2.0 */
#include "standin.h"

#include <atomic>
#include <cstdio>
#include <exception>
#include <stdexcept>

#include "buffer.hpp"
#include "context.hpp"
#include "device.hpp"
#include "tracker.hpp"

using namespace tt::tt_metal;
using distributed::MeshDevice;

struct standin_mesh {
	std::shared_ptr<MeshDevice> mesh;
};

struct standin_buffer {
	std::shared_ptr<Buffer> buffer;
	std::vector<std::shared_ptr<Buffer>> shards;
};

static std::atomic<int> next_mesh_id;

static void initialize(IDevice *device, size_t l1_small, size_t trace)
{
	/* no constant the compiler could see through: the call goes through the vtable */
	device->initialize(standin::queues_given, l1_small, trace, standin::worker_l1_given,
			   BankRemap(standin::remap_given, 3), true);
}

static BufferShardingArgs sharding(const standin_request *request)
{
	BufferShardingArgs args;

	args.layout = request->layout;
	if (request->cores || request->layout)
		args.cores = request->cores;
	return args;
}

/* One more Buffer for each chip at the address of the first. */
static void add_shards(standin_buffer &b, const MeshDevice &mesh, const standin_request *request)
{
	const BufferFields &f = b.buffer->fields();

	for (IDevice *device : mesh.impl().devices)
		b.shards.push_back(Buffer::view(
			device, static_cast<Device *>(device)->own_allocator(), f.address, f.size,
			f.page_size, f.type, sharding(request)));
}

int standin_generation(void) { return GEN; }

standin_mesh *standin_open(const standin_chip *chips, size_t count, uint64_t l1_small,
			   uint64_t trace, int hidden_parent)
{
	std::vector<IDevice *> devices;
	std::shared_ptr<MeshDevice> parent;

	for (size_t i = 0; i < count; i++) {
		standin::describe_chip(chips[i].id, chips[i].unique_id, chips[i].bdf);
		devices.push_back(standin::chip(chips[i].id));
		initialize(devices.back(), l1_small, trace);
	}
	if (hidden_parent) {
		parent = std::make_shared<MeshDevice>(next_mesh_id++, devices, nullptr);
		parent->open_unseen(l1_small, trace);
	}
	auto mesh = std::make_shared<MeshDevice>(next_mesh_id++, devices, parent);
	if (parent)
		parent->impl().submeshes.push_back(mesh);
	initialize(mesh.get(), l1_small, trace);
	return new standin_mesh{mesh};
}

standin_mesh *standin_submesh(standin_mesh *over, size_t first, size_t count)
{
	const auto &parent = over->mesh;
	const auto &all = parent->impl().devices;

	if (!parent->own_allocator() || count == 0 || first >= all.size() ||
	    count > all.size() - first)
		return nullptr;
	const AllocatorConfig &config = parent->own_allocator()->own_config();
	auto mesh = std::make_shared<MeshDevice>(
		next_mesh_id++,
		std::vector<IDevice *>(all.begin() + first, all.begin() + first + count), parent);
	size_t trace = config.trace_region_size * (TRACE_IS_TOTAL ? DRAM_BANKS : 1);

	parent->impl().submeshes.push_back(mesh);
	initialize(mesh.get(), config.l1_small_size, trace);
	return new standin_mesh{mesh};
}

void standin_close(standin_mesh *mesh)
{
	IDevice *device = mesh->mesh.get();

	device->close();
	delete mesh;
}

int standin_alloc(standin_mesh *mesh, const standin_request *request, standin_buffer **ret_buffer,
		  char *error, size_t error_bytes)
{
	MeshDevice *device = mesh->mesh.get();
	auto buffer = std::make_unique<standin_buffer>();

	if (!device->own_allocator()) {
		snprintf(error, error_bytes, "the mesh is closed");
		return STANDIN_REFUSED;
	}
	try {
		buffer->buffer = Buffer::create(device, device->own_allocator(), request->size,
						request->page_size,
						static_cast<BufferType>(request->type),
						sharding(request), std::nullopt);
	} catch (const std::invalid_argument &e) {
		snprintf(error, error_bytes, "%s", e.what());
		return STANDIN_REFUSED;
	} catch (const std::exception &e) {
		snprintf(error, error_bytes, "%s", e.what());
		return STANDIN_FAILED;
	}
	if (!request->no_shards)
		add_shards(*buffer, *device, request);
	*ret_buffer = buffer.release();
	return 0;
}

standin_buffer *standin_view(standin_mesh *mesh, uint64_t address, const standin_request *request)
{
	MeshDevice *device = mesh->mesh.get();

	if (!device->own_allocator())
		return nullptr;
	auto view = Buffer::view(device, device->own_allocator(), address, request->size,
				 request->page_size, static_cast<BufferType>(request->type),
				 sharding(request));
	auto *buffer = new standin_buffer{view, {}};

	add_shards(*buffer, *device, request);
	return buffer;
}

void standin_free(standin_buffer *buffer) { delete buffer; }

void standin_describe(const standin_buffer *buffer, standin_description *ret)
{
	const BufferFields &f = buffer->buffer->fields();
	/* a view may outlive its allocator */
	bool allocated = f.owned && f.status == AllocationStatus::ALLOCATED;

	*ret = {};
	ret->address = f.address;
	ret->size = f.size;
	ret->page_size = f.page_size;
	ret->object = reinterpret_cast<uintptr_t>(buffer->buffer.get());
	ret->type = static_cast<uint32_t>(f.type);
	ret->layout = f.layout;
	ret->cores = f.sharded ? f.cores : 0;
	ret->allocated = allocated;
	ret->bank_bytes = allocated ? f.allocator->bytes_per_bank(buffer->buffer.get()) : 0;
}

void standin_capture(int on) { GraphTracker::capture(on); }

void standin_cb(standin_mesh *mesh, uint64_t address, uint64_t size, const uint64_t range[4])
{
	CoreRangeSet cores(CoreRange{range[0], range[1], range[2], range[3]});
	GraphTracker &tracker = GraphTracker::instance();

	if (!CB_PER_CHIP)
		tracker.track_allocate_cb(cores, address, size, false, mesh->mesh.get());
	else
		for (IDevice *device : mesh->mesh->impl().devices)
			tracker.track_allocate_cb(cores, address, size, false, device);
}

void standin_cb_end(standin_mesh *mesh)
{
#if CB_END_IS_TOLD
	for (IDevice *device : mesh->mesh->impl().devices)
		GraphTracker::instance().track_deallocate_cb(device);
#else
	(void)mesh;
#endif
}

void standin_statistics(const standin_mesh *mesh, uint32_t type,
			struct standin_figures *ret)
{
	const ALLOCATOR *allocator = mesh->mesh->own_allocator();
	auto wanted = static_cast<BufferType>(type);

	*ret = {};
	if (!allocator)
		return;
	Statistics s = allocator->own_statistics(wanted);

	*ret = {allocator->region(wanted).banks, allocator->region(wanted).base,
		s.total_allocatable,		 s.total_allocated,
		s.total_free,			 s.largest_free};
}

size_t standin_blocks(const standin_mesh *mesh, uint32_t type, standin_block *blocks, size_t room)
{
	const ALLOCATOR *allocator = mesh->mesh->own_allocator();
	auto wanted = static_cast<BufferType>(type);

	if (!allocator)
		return 0;
	uint64_t base = allocator->region(wanted).base;
	auto all = allocator->own_blocks(wanted);

	for (size_t i = 0; i < all.size() && i < room; i++)
		blocks[i] = {base + all[i].offset, all[i].bytes, all[i].free};
	return all.size();
}

void standin_events(struct standin_counts *ret)
{
	const GraphTracker::Counts &c = GraphTracker::instance().counts;

	*ret = {c.allocate, c.deallocate, c.allocate_cb, c.deallocate_cb};
}
