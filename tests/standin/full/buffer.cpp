/* SPDX-License-Identifier: Apache-2.0 */
/* Birth, death and accessors of Buffer. Events are in buffer_events.cpp. */
#include "buffer.hpp"

#include <atomic>
#include <cstring>
#include <stdexcept>

namespace tt::tt_metal {
const char *type_name(BufferType type)
{
	static const char *const names[] = {"DRAM", "L1", "SYSTEM_MEMORY", "L1_SMALL", "TRACE"};
	return names[static_cast<int>(type)];
}

static void fill(BufferFields &f, IDevice *device, uint64_t size, uint64_t page_size,
		 BufferType type, const BufferShardingArgs &sharding, std::optional<bool> bottom_up,
		 bool owned)
{
	static std::atomic<uint64_t> next_unique_id;

	/* what lies between the known fields must not look like zeros by chance */
	memset(&f, 0xa5, sizeof f);
	f.device = device;
	f.size = size;
	f.page_size = page_size;
	f.type = type;
	f.layout = sharding.layout;
	f.bottom_up = bottom_up.value_or(type == BufferType::DRAM || type == BufferType::TRACE);
	f.allocator = nullptr;
	f.status = AllocationStatus::REQUESTED;
	f.address = 0;
	f.cores = sharding.cores.value_or(0);
	f.sharded = sharding.cores.has_value();
	f.owned = owned;
	f.hooked = false;
	f.unique_id = next_unique_id++;
}

#if HAS_PIMPL
BufferImpl::BufferImpl(IDevice *device, uint64_t size, uint64_t page_size, BufferType type,
		       const BufferShardingArgs &sharding, std::optional<bool> bottom_up,
		       std::optional<SubDeviceId>, bool owned)
{
	fill(fields, device, size, page_size, type, sharding, bottom_up, owned);
}

Buffer::Buffer(BufferImpl impl) : impl_(std::make_unique<BufferImpl>(std::move(impl))) {}

void BufferImpl::deallocate(Buffer &buffer)
{
	if (fields.owned)
		deallocate_impl(buffer);
}

Buffer::~Buffer() { impl_->deallocate(*this); }
#else
Buffer::Buffer(IDevice *device, uint64_t size, uint64_t page_size, BufferType type,
	       const BufferShardingArgs &sharding, std::optional<bool> bottom_up,
	       std::optional<SubDeviceId>, bool owned, Private)
{
	fill(fields_, device, size, page_size, type, sharding, bottom_up, owned);
}

void Buffer::deallocate()
{
	if (fields_.owned)
		deallocate_impl();
}

Buffer::~Buffer() { deallocate(); }
#endif

static std::shared_ptr<Buffer> make(IDevice *device, uint64_t size, uint64_t page_size,
				    BufferType type, const BufferShardingArgs &sharding,
				    std::optional<bool> bottom_up, bool owned)
{
#if HAS_PIMPL
	return std::make_shared<Buffer>(BufferImpl(device, size, page_size, type, sharding,
						   bottom_up, std::nullopt, owned));
#else
	return std::make_shared<Buffer>(device, size, page_size, type, sharding, bottom_up,
					std::nullopt, owned, Buffer::Private());
#endif
}

static void validate(uint64_t size, uint64_t page_size, const BufferShardingArgs &sharding)
{
	if (size == 0 || page_size == 0 || size % page_size != 0)
		throw std::invalid_argument("a buffer's size must be a multiple of its page size");
	if (sharding.cores && *sharding.cores == 0)
		throw std::invalid_argument("a sharded buffer needs a core");
}

std::shared_ptr<Buffer> Buffer::create(IDevice *device, ALLOCATOR *allocator, uint64_t size,
				       uint64_t page_size, BufferType type,
				       const BufferShardingArgs &sharding,
				       std::optional<bool> bottom_up)
{
	validate(size, page_size, sharding);
	auto buffer = make(device, size, page_size, type, sharding, bottom_up, true);

	buffer->fields().allocator = allocator;
#if HAS_PIMPL
	buffer->impl()->allocate_impl(*buffer);
#else
	buffer->allocate_impl();
#endif
	return buffer;
}

std::shared_ptr<Buffer> Buffer::view(IDevice *device, ALLOCATOR *allocator, uint64_t address,
				     uint64_t size, uint64_t page_size, BufferType type,
				     const BufferShardingArgs &sharding)
{
	auto buffer = make(device, size, page_size, type, sharding, std::nullopt, false);

	buffer->fields().allocator = allocator;
	buffer->fields().address = address;
	buffer->fields().status = AllocationStatus::ALLOCATED;
	return buffer;
}

void Buffer::mark_as_deallocated() { fields().status = AllocationStatus::DEALLOCATED; }

uint32_t Buffer::address() const
{
	if (!is_allocated())
		throw std::runtime_error("the buffer has no address: it is not allocated");
	return static_cast<uint32_t>(fields().address);
}

uint64_t Buffer::page_size() const { return fields().page_size; }

uint32_t Buffer::num_pages() const
{
	return page_size() ? static_cast<uint32_t>(fields().size / page_size()) : 0;
}

uint64_t Buffer::num_dev_pages() const { return num_pages(); }

uint64_t Buffer::aligned_page_size() const
{
	uint64_t step = fields().allocator->region(fields().type).alignment;
	return (page_size() + step - 1) / step * step;
}

uint64_t Buffer::aligned_size() const { return num_dev_pages() * aligned_page_size(); }

uint64_t Buffer::aligned_size_per_bank() const { return fields().allocator->bytes_per_bank(this); }

bool Buffer::is_l1() const
{
	return fields().type == BufferType::L1 || fields().type == BufferType::L1_SMALL;
}

bool Buffer::is_dram() const
{
	return fields().type == BufferType::DRAM || fields().type == BufferType::TRACE;
}

bool Buffer::is_allocated() const { return fields().status == AllocationStatus::ALLOCATED; }

std::optional<uint32_t> Buffer::num_cores() const
{
	return fields().sharded ? std::optional<uint32_t>(fields().cores) : std::nullopt;
}

#if HAS_IMPL
Allocator *Buffer::allocator() const { return fields().allocator->facade(); }
#endif
#if HAS_PIMPL
BufferImpl *Buffer::impl() const { return impl_.get(); }
uint64_t Buffer::size() const { return fields().size; }
BufferType Buffer::buffer_type() const { return fields().type; }
uint32_t Buffer::buffer_layout() const { return fields().layout; }
IDevice *Buffer::device() const { return fields().device; }
uint64_t Buffer::unique_id() const { return fields().unique_id; }
#endif
} // namespace tt::tt_metal
