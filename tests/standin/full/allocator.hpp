/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bank allocator. Up to 0.64.5 it is tt::tt_metal::Allocator itself; later
 * Allocator is a facade whose first word points to the AllocatorImpl. All public
 * functions take the lock, as the real ones do: a hook that asks from inside
 * one of them would hang here too.
 */
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "core.hpp"
#include "free_list.hpp"

namespace standin {
struct Region {
	Region(uint32_t bank_count, uint64_t first, uint64_t bytes, uint32_t step)
		: banks(bytes ? bank_count : 0), base(first), alignment(step), list(bytes)
	{
	}
	uint32_t banks;
	uint64_t base;
	uint32_t alignment;
	FreeList list;
};
} // namespace standin

namespace tt::tt_metal {
class Buffer;

struct Statistics {
	size_t total_allocatable, total_allocated, total_free, largest_free;
#if STATISTICS_VECTOR
	std::vector<uint32_t> largest_free_addresses;
#endif
};

/* Fields stand where the real ones do: get_config() is how L1's map can be read. */
struct AllocatorConfig {
	size_t num_dram_channels = DRAM_BANKS;		/* 0x00 */
	size_t dram_bank_size = DRAM_BYTES;		/* 0x08 */
	std::vector<size_t> dram_bank_offsets;		/* 0x10 */
	uint32_t dram_unreserved_base = DRAM_BASE;	/* 0x28 */
	uint32_t dram_alignment = 32;			/* 0x2c */
	uint32_t l1_unreserved_base = L1_BASE;		/* 0x30 */
	CoreRangeSet worker_grid{{0, 0, GRID_X - 1, GRID_Y}}; /* 0x38 */
	size_t worker_l1_size = L1_BYTES;		/* 0x50 */
	size_t l1_small_size = 0;			/* 0x58 */
	size_t trace_region_size = 0;			/* 0x60, of each bank */
	std::unordered_map<int, int> maps[3];		/* 0x68 0xa0 0xd8 */
	std::vector<uint32_t> l1_bank_remap;		/* 0x110 */
	CoreRangeSet compute_grid{{0, 0, GRID_X - 1, GRID_Y - 1}}; /* 0x128 */
	uint32_t l1_alignment = 16;			/* 0x140 */
};

#if HAS_IMPL
#define ALLOCATOR AllocatorImpl
#else
#define ALLOCATOR Allocator
#endif

class ALLOCATOR {
public:
	explicit ALLOCATOR(const AllocatorConfig &config);
	FAILURES_EXPORT uint64_t allocate_buffer(Buffer *buffer);
	void deallocate_buffer(Buffer *buffer);
	void deallocate_buffers();

	STATISTICS_EXPORT Statistics get_statistics(const BufferType &type) const;
	uint32_t get_num_banks(const BufferType &type) const;
	size_t get_bank_size(const BufferType &type) const;
	uint64_t get_base_allocator_addr(const HalMemType &type) const;
	std::optional<uint64_t> get_lowest_occupied_l1_address(uint32_t bank) const;
#if HAS_IMPL
	uint32_t get_alignment(BufferType type) const;
	size_t get_num_allocated_buffers() const;
	size_t get_worker_l1_size() const;
	const AllocatorConfig &get_config() const;
#endif

	/* The truth for tests, reached without any function a hook may sit in. */
	HIDDEN bool serves(BufferType type) const { return type != BufferType::SYSTEM_MEMORY; }
	HIDDEN const AllocatorConfig &own_config() const { return config_; }
	HIDDEN uint64_t bytes_per_bank(const Buffer *buffer) const;
	HIDDEN Statistics own_statistics(BufferType type) const;
	HIDDEN std::vector<standin::Block> own_blocks(BufferType type) const;
	HIDDEN const standin::Region &region(BufferType type) const;
#if HAS_IMPL
	HIDDEN class Allocator *facade() const { return facade_.get(); }
#endif

private:
	HIDDEN standin::Region &changing(BufferType type);
	HIDDEN Statistics statistics(const standin::Region &region) const;

	AllocatorConfig config_;
	mutable std::mutex mutex_;
	standin::Region dram_, l1_, l1_small_, trace_;
	std::unordered_set<Buffer *> buffers_;
#if HAS_IMPL
	std::unique_ptr<class Allocator> facade_;
#endif
};

#if HAS_IMPL
class Allocator {
public:
	explicit Allocator(AllocatorImpl *impl) : impl_(impl) {}
	FACADE_EXPORT Statistics get_statistics(const BufferType &type) const;
	uint32_t get_num_banks(const BufferType &type) const;
	size_t get_bank_size(const BufferType &type) const;
	uint64_t get_base_allocator_addr(const HalMemType &type) const;

private:
	AllocatorImpl *impl_;
};
#endif

} // namespace tt::tt_metal
