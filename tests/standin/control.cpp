/* SPDX-License-Identifier: Apache-2.0 */
/* The order in which TT-Metal does things: allocate, then track; untrack, then free. */
#include "control.hpp"

#include <cstring>

#include "metal.hpp"

using namespace tt::tt_metal;
using distributed::MeshDevice;

namespace {
std::shared_ptr<MeshDevice> *holder(void *mesh)
{
	return static_cast<std::shared_ptr<MeshDevice> *>(mesh);
}

void *make(std::shared_ptr<MeshDevice> mesh, uint64_t l1_small, uint64_t trace)
{
	static const uint32_t remap[3] = {5, 6, 77};

	mesh->impl.initialize_impl(mesh.get(), 1, l1_small, trace, 0x123456789a, remap, false);
	return new std::shared_ptr<MeshDevice>(std::move(mesh));
}

IDevice *chip(int id)
{
	static Device chips[] = {Device(0), Device(1), Device(2), Device(3)};
	return &chips[id & 3];
}

int next_mesh_id;
} // namespace

extern "C" {
void *standin_open(int count, uint64_t l1_small, uint64_t trace)
{
	std::vector<IDevice *> chips;

	for (int i = 0; i < count; i++)
		chips.push_back(chip(i));
	return make(std::make_shared<MeshDevice>(next_mesh_id++, chips, nullptr), l1_small, trace);
}

void *standin_submesh(void *mesh, int number)
{
	auto parent = *holder(mesh);
	uint64_t l1_small = parent->allocator->get_statistics(BufferType::L1_SMALL).total;

	return make(std::make_shared<MeshDevice>(next_mesh_id++, std::vector<IDevice *>{chip(number)},
						 parent),
		    l1_small, 0);
}

void standin_close(void *mesh)
{
	IDevice *device = holder(mesh)->get();

	device->close(); /* through the vtable */
	delete holder(mesh);
}

void *standin_alloc(void *mesh, int type, uint64_t size, uint64_t page, uint32_t cores, char *error,
		    size_t error_bytes)
{
	MeshDevice *device = holder(mesh)->get();

	try {
		if (size == 0)
			throw std::runtime_error("refused before it is tried");
		auto *buffer = new std::shared_ptr<Buffer>(std::make_shared<Buffer>(
			device, device->allocator.get(), size, page, static_cast<BufferType>(type),
			cores ? 2 : 0, cores ? std::optional<uint32_t>(cores) : std::nullopt));
		Buffer *b = buffer->get();

		try {
			b->at().address = device->allocator->allocate_buffer(b);
		} catch (...) {
			delete buffer;
			throw;
		}
		b->at().status = 1;
		GraphTracker::tracker.track_allocate(b);
		return buffer;
	} catch (const std::exception &e) {
		strncpy(error, e.what(), error_bytes - 1);
		return nullptr;
	}
}

static Buffer *of(void *buffer) { return static_cast<std::shared_ptr<Buffer> *>(buffer)->get(); }

void standin_abandon(void *buffer) { delete static_cast<std::shared_ptr<Buffer> *>(buffer); }

void standin_free(void *buffer)
{
	Buffer *b = of(buffer);

	GraphTracker::tracker.track_deallocate(b);
	b->at().allocator->deallocate_buffer(b);
	standin_abandon(buffer);
}

void *standin_alloc_begin(void *mesh, uint64_t size, uint64_t page)
{
	MeshDevice *device = holder(mesh)->get();
	auto *buffer = new std::shared_ptr<Buffer>(
		std::make_shared<Buffer>(device, device->allocator.get(), size, page,
					 BufferType::DRAM, 0, std::nullopt));

	of(buffer)->at().address = device->allocator->allocate_buffer(of(buffer));
	return buffer;
}

void standin_alloc_end(void *buffer)
{
	of(buffer)->at().status = 1;
	GraphTracker::tracker.track_allocate(of(buffer));
}

void standin_free_begin(void *buffer) { GraphTracker::tracker.track_deallocate(of(buffer)); }

void standin_free_end(void *buffer)
{
	of(buffer)->at().allocator->deallocate_buffer(of(buffer));
	standin_abandon(buffer);
}

void *standin_view(void *mesh, uint64_t address)
{
	MeshDevice *device = holder(mesh)->get();
	auto *buffer = new std::shared_ptr<Buffer>(
		std::make_shared<Buffer>(device, device->allocator.get(), 2048, 2048,
					 BufferType::DRAM, 0, std::nullopt));

	of(buffer)->at().address = address;
	of(buffer)->at().status = 1;
	return buffer;
}

void standin_view_end(void *buffer) { standin_abandon(buffer); }

void standin_capture(void *mesh, uint64_t size)
{
	MeshDevice *device = holder(mesh)->get();
	Buffer buffer(device, device->allocator.get(), size, 2048, BufferType::DRAM, 0, std::nullopt);

	buffer.at().status = 1;
	GraphTracker::tracker.track_allocate(&buffer);
}

uint64_t standin_address(void *buffer) { return of(buffer)->at().address; }

void standin_stats(void *mesh, int type, uint64_t out[5])
{
	ALLOCATOR *allocator = (*holder(mesh))->allocator.get();
	Statistics s = allocator->banks(static_cast<BufferType>(type)).statistics();
	uint64_t all[5] = {s.total ? allocator->banks(static_cast<BufferType>(type)).count : 0, s.total,
			   s.allocated, s.free, s.largest};

	memcpy(out, all, sizeof all);
}

size_t standin_blocks(void *mesh, int type, uint64_t *out, size_t room)
{
	const Banks &banks = (*holder(mesh))->allocator->banks(static_cast<BufferType>(type));
	size_t n = 0;

	for (auto [offset, bytes] : banks.used) {
		if (n < room) {
			out[2 * n] = banks.base + offset;
			out[2 * n + 1] = bytes;
		}
		n++;
	}
	return n;
}
}
