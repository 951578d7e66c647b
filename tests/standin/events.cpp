/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The functions a hook steps into. They are called from other translation
 * units only (control.cpp), so every call goes through the PLT as in the real
 * library.
 */
#include "metal.hpp"
#include "program.hpp"

namespace tt::tt_metal {
GraphTracker GraphTracker::tracker;

} // namespace tt::tt_metal

/* Who wants to see the stack of an allocation for himself, from the same place as a hook. */
extern "C" void (*standin_on_allocate)();
void (*standin_on_allocate)();

namespace tt::tt_metal {
void GraphTracker::track_allocate(const Buffer *)
{
	if (standin_on_allocate)
		standin_on_allocate();
	asm volatile(""); /* no tail call */
}
void GraphTracker::track_deallocate(Buffer *) {}
void GraphTracker::track_allocate_cb(const CoreRangeSet &, uint64_t, uint64_t, bool, const IDevice *) {}
void GraphTracker::track_deallocate_cb(const IDevice *) {}

std::optional<uint64_t> Banks::take(uint64_t bytes)
{
	if (bytes == 0 || bytes > size)
		return std::nullopt;
	if (bottom_up) {
		uint64_t at = floor;
		bool whole = true; /* nothing was skipped because it was too small */
		for (auto it = used.lower_bound(floor); it != used.end(); ++it) {
			if (it->first - at >= bytes)
				break;
			whole = whole && it->first == at;
			at = it->first + it->second;
		}
		if (at + bytes > size)
			return std::nullopt;
		used[at] = bytes;
		if (whole)
			floor = at + bytes;
		return at;
	}
	uint64_t end = size;
	for (auto it = used.rbegin(); it != used.rend(); ++it) {
		if (end - (it->first + it->second) >= bytes)
			break;
		end = it->first;
	}
	if (end < bytes)
		return std::nullopt;
	used[end - bytes] = bytes;
	return end - bytes;
}

Statistics Banks::statistics() const
{
	Statistics s{};
	uint64_t at = 0;

	s.total = size;
	for (auto [offset, length] : used) {
		s.allocated += length;
		s.largest = std::max(s.largest, static_cast<size_t>(offset - at));
		at = offset + length;
	}
	s.largest = std::max(s.largest, static_cast<size_t>(size - at));
	s.free = s.total - s.allocated;
#if STATS_VECTOR
	s.largest_addresses = {1, 2, 3};
#endif
	return s;
}

ALLOCATOR::ALLOCATOR(uint64_t l1_small, uint64_t trace)
{
	uint64_t trace_bank = (trace + 11) / 12;

	trace_bank = (trace_bank + 31) / 32 * 32;
	banks_[0] = {12, (1u << 30) - 1048640 - trace_bank, 1048640, 32, true, {}, 0};
	banks_[1] = {64, 1499136 - 105824 - l1_small, 105824, 16, false, {}, 0};
	banks_[2] = {64, l1_small, 1499136 - l1_small, 16, false, {}, 0};
	banks_[3] = {12, trace_bank, (1u << 30) - trace_bank, 32, true, {}, 0};
#if HAS_IMPL
	view_ = std::make_unique<Allocator>(this);
#endif
}

const Banks &ALLOCATOR::banks(BufferType type) const
{
	static const int index[] = {0, 1, 0, 2, 3};
	return banks_[index[static_cast<uint32_t>(type)]];
}

Banks &ALLOCATOR::banks(BufferType type)
{
	return const_cast<Banks &>(static_cast<const ALLOCATOR *>(this)->banks(type));
}

uint64_t ALLOCATOR::allocate_buffer(Buffer *buffer)
{
	std::lock_guard<std::mutex> guard(mutex_);
	Banks &b = banks(buffer->at().type);
	auto offset = b.take(buffer->aligned_size_per_bank());

	if (!offset)
		throw std::runtime_error("Out of Memory: Not enough space to allocate " +
					 std::to_string(buffer->at().size) + " B");
	live_.insert(buffer);
	return b.base + *offset;
}

void ALLOCATOR::deallocate_buffer(Buffer *buffer)
{
	std::lock_guard<std::mutex> guard(mutex_);
	Banks &b = banks(buffer->at().type);

	live_.erase(buffer);
	b.give(buffer->at().address - b.base);
}

Statistics ALLOCATOR::get_statistics(const BufferType &type) const
{
	std::lock_guard<std::mutex> guard(mutex_);
	return banks(type).statistics();
}

uint32_t ALLOCATOR::get_num_banks(const BufferType &type) const
{
	const Banks &b = banks(type);
	return b.size ? b.count : 0;
}

uint64_t ALLOCATOR::get_base_allocator_addr(const HalMemType &type) const
{
	return banks_[type == HalMemType::L1 ? 1 : 0].base;
}

#if HAS_IMPL
Statistics Allocator::get_statistics(const BufferType &type) const
{
	return impl_->banks(type).statistics();
}

std::unordered_set<Buffer *> AllocatorImpl::get_allocated_buffers() const
{
	std::lock_guard<std::mutex> guard(mutex_);
	return live_;
}

uint32_t AllocatorImpl::get_alignment(BufferType type) const { return banks(type).alignment; }
#endif

void WorkerConfigBufferMgr::init_add_buffer(uint32_t, uint32_t) {}

namespace distributed {
bool MeshDeviceImpl::initialize_impl(MeshDevice *mesh, uint8_t queues, size_t l1_small,
				     size_t trace, size_t worker_l1,
				     std::span<const uint32_t> remap, bool minimal)
{
	/* arguments of every register and stack class must arrive as they were given */
	if (queues != 1 || worker_l1 != 0x123456789a || remap.size() != 3 || remap[2] != 77 || minimal)
		throw std::logic_error("initialize_impl: arguments were disturbed");
	mesh->allocator = std::make_unique<ALLOCATOR>(l1_small, trace);
	mesh->open = true;
	if (!slow_dispatch)
		add_rings(mesh);
	return true;
}

bool MeshDeviceImpl::close_impl(MeshDevice *mesh)
{
	bool was = mesh->open;

	if (was && !mesh->get_parent_mesh())
		for (IDevice *device : mesh->get_devices())
			device->close();
	mesh->open = false;
	mesh->allocator.reset();
	return was;
}
} // namespace distributed

Buffer::Buffer(IDevice *device, ALLOCATOR *allocator, uint64_t size, uint64_t page, BufferType type,
	       uint32_t layout, std::optional<uint32_t> cores)
{
#if HAS_PIMPL
	fields = std::make_unique<BufferImpl>();
#endif
	at().device = device;
	at().allocator = allocator;
	at().size = size;
	at().page_size = page;
	at().type = type;
	at().layout = layout;
	at().cores = cores;
	at().status = 0;
	at().address = 0;
}

Buffer::~Buffer() = default;
} // namespace tt::tt_metal
