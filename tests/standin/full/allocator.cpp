/* SPDX-License-Identifier: Apache-2.0 */
#include "allocator.hpp"

#include <stdexcept>
#include <string>

#include "buffer.hpp"

#pragma GCC diagnostic ignored "-Winvalid-offsetof"

using standin::Region;

#if CORES_IN_METAL
namespace tt::tt_metal {
#endif
uint32_t CoreRangeSet::num_cores() const
{
	uint64_t count = 0;

	for (const CoreRange &r : ranges_)
		count += (r.x1 - r.x0 + 1) * (r.y1 - r.y0 + 1);
	return static_cast<uint32_t>(count);
}

#if CORES_IN_METAL
const std::vector<CoreRange> &CoreRangeSet::ranges() const { return ranges_; }
} // namespace tt::tt_metal
#endif

namespace tt::tt_metal {
static_assert(offsetof(AllocatorConfig, l1_unreserved_base) == 0x30);
static_assert(offsetof(AllocatorConfig, worker_l1_size) == 0x50);
static_assert(offsetof(AllocatorConfig, l1_bank_remap) == 0x110);
static_assert(offsetof(AllocatorConfig, l1_alignment) == 0x140);
static_assert(offsetof(Statistics, largest_free) == 24);
static_assert(sizeof(Statistics) == (STATISTICS_VECTOR ? 56 : 32));

/* L1_SMALL is cut from the top of each L1 bank, TRACE from the top of each DRAM bank. */
ALLOCATOR::ALLOCATOR(const AllocatorConfig &c)
	: config_(c),
	  dram_(DRAM_BANKS, c.dram_unreserved_base,
		c.dram_bank_size - c.dram_unreserved_base - c.trace_region_size, c.dram_alignment),
	  l1_(GRID_X * GRID_Y, c.l1_unreserved_base,
	      c.worker_l1_size - c.l1_unreserved_base - c.l1_small_size, c.l1_alignment),
	  l1_small_(GRID_X * GRID_Y, c.worker_l1_size - c.l1_small_size, c.l1_small_size,
		    c.l1_alignment),
	  trace_(DRAM_BANKS, c.dram_bank_size - c.trace_region_size, c.trace_region_size,
		 c.dram_alignment)
{
#if HAS_IMPL
	facade_ = std::make_unique<Allocator>(this);
#endif
}

Region &ALLOCATOR::changing(BufferType type)
{
	return type == BufferType::L1	       ? l1_
	       : type == BufferType::L1_SMALL ? l1_small_
	       : type == BufferType::TRACE    ? trace_
					      : dram_;
}

const Region &ALLOCATOR::region(BufferType type) const
{
	return const_cast<ALLOCATOR *>(this)->changing(type);
}

uint64_t ALLOCATOR::bytes_per_bank(const Buffer *buffer) const
{
	const BufferFields &f = buffer->fields();
	const Region &r = region(f.type);
	uint64_t shares = f.sharded ? f.cores : r.banks ? r.banks : 1;
	uint64_t pages = f.page_size ? f.size / f.page_size : 0;
	uint64_t page = (f.page_size + r.alignment - 1) / r.alignment * r.alignment;

	return (pages + shares - 1) / shares * page;
}

static std::string out_of_memory(const Buffer *buffer, const Region &r, uint64_t bytes)
{
	auto number = [](uint64_t n) { return std::to_string(n) + " B"; };
	std::string text = "Out of Memory: Not enough space to allocate " +
			   number(buffer->fields().size) + " " + type_name(buffer->fields().type) +
			   " buffer across " + std::to_string(r.banks) +
			   " banks, where each bank needs to store " + number(bytes);

	if (GEN < 66)
		return text + ", but bank size is only " + number(r.list.total());
	return text + ", but bank size is " + number(r.list.total()) +
	       " (allocated: " + number(r.list.taken()) +
	       ", free: " + number(r.list.total() - r.list.taken()) +
	       ", largest free block: " + number(r.list.largest()) + ")" + (GEN == 79 ? "." : "");
}

uint64_t ALLOCATOR::allocate_buffer(Buffer *buffer)
{
	std::lock_guard<std::mutex> guard(mutex_);
	const BufferFields &f = buffer->fields();

	if (!serves(f.type))
		throw std::runtime_error("Unsupported buffer type");
	if (f.type == BufferType::L1_SMALL && !f.sharded)
		throw std::runtime_error(
			"L1_SMALL only supports sharded allocations, see validate_num_banks");
	Region &r = changing(f.type);
	uint64_t bytes = bytes_per_bank(buffer);
	auto offset = r.list.take(bytes, f.bottom_up);

	if (!offset)
		throw std::runtime_error(out_of_memory(buffer, r, bytes));
	buffers_.insert(buffer);
	return r.base + *offset;
}

void ALLOCATOR::deallocate_buffer(Buffer *buffer)
{
	std::lock_guard<std::mutex> guard(mutex_);
	Region &r = changing(buffer->fields().type);

	if (!buffers_.erase(buffer) || !r.list.give(buffer->fields().address - r.base))
		throw std::logic_error("a buffer was freed that this allocator did not give out");
}

/* What close does to buffers that are still alive: memory comes back, no event is raised. */
void ALLOCATOR::deallocate_buffers()
{
	std::unordered_set<Buffer *> left;
	{
		std::lock_guard<std::mutex> guard(mutex_);

		left.swap(buffers_);
		for (Buffer *buffer : left) {
			Region &r = changing(buffer->fields().type);
			r.list.give(buffer->fields().address - r.base);
		}
	}
	for (Buffer *buffer : left)
		buffer->mark_as_deallocated();
}

Statistics ALLOCATOR::statistics(const Region &r) const
{
	Statistics s{};

	s.total_allocatable = r.list.total();
	s.total_allocated = r.list.taken();
	s.total_free = r.list.total() - r.list.taken();
	s.largest_free = r.list.largest();
#if STATISTICS_VECTOR
	for (uint64_t offset : r.list.largest_offsets())
		s.largest_free_addresses.push_back(static_cast<uint32_t>(r.base + offset));
#endif
	return s;
}

Statistics ALLOCATOR::get_statistics(const BufferType &type) const { return own_statistics(type); }

Statistics ALLOCATOR::own_statistics(BufferType type) const
{
	std::lock_guard<std::mutex> guard(mutex_);
	return statistics(region(type));
}

std::vector<standin::Block> ALLOCATOR::own_blocks(BufferType type) const
{
	std::lock_guard<std::mutex> guard(mutex_);
	return region(type).list.blocks();
}

uint32_t ALLOCATOR::get_num_banks(const BufferType &type) const
{
	std::lock_guard<std::mutex> guard(mutex_);
	return region(type).banks;
}

size_t ALLOCATOR::get_bank_size(const BufferType &type) const
{
	std::lock_guard<std::mutex> guard(mutex_);
	return region(type).list.total();
}

uint64_t ALLOCATOR::get_base_allocator_addr(const HalMemType &type) const
{
	return type == HalMemType::L1 ? l1_.base : dram_.base;
}

std::optional<uint64_t> ALLOCATOR::get_lowest_occupied_l1_address(uint32_t) const
{
	std::lock_guard<std::mutex> guard(mutex_);
	auto offset = l1_.list.lowest_taken();

	return offset ? std::optional<uint64_t>(l1_.base + *offset) : std::nullopt;
}

#if HAS_IMPL
uint32_t AllocatorImpl::get_alignment(BufferType type) const { return region(type).alignment; }
size_t AllocatorImpl::get_worker_l1_size() const { return config_.worker_l1_size; }
const AllocatorConfig &AllocatorImpl::get_config() const { return config_; }

size_t AllocatorImpl::get_num_allocated_buffers() const
{
	std::lock_guard<std::mutex> guard(mutex_);
	return buffers_.size();
}

Statistics Allocator::get_statistics(const BufferType &type) const
{
	return impl_->get_statistics(type);
}

uint32_t Allocator::get_num_banks(const BufferType &type) const
{
	return impl_->get_num_banks(type);
}

size_t Allocator::get_bank_size(const BufferType &type) const { return impl_->get_bank_size(type); }

uint64_t Allocator::get_base_allocator_addr(const HalMemType &type) const
{
	return impl_->get_base_allocator_addr(type);
}
#endif
} // namespace tt::tt_metal
