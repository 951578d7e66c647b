/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Buffer: the object a hook is handed. Up to 0.78.0 its fields lie in it and
 * most have no accessor; from 0.79.0 on they lie in a BufferImpl and all have.
 *
 * Both are one struct here: BufferImpl has the same fields at the same distances
 * as Buffer has behind its weak pointer. The odd generations shuffle them.
 */
#pragma once

#include <cstddef>
#include <memory>
#include <optional>

#include "allocator.hpp"

namespace tt::tt_metal {
class IDevice;

const char *type_name(BufferType type) HIDDEN;

enum class AllocationStatus : uint8_t { REQUESTED, ALLOCATED, FAILED, DEALLOCATED };

struct BufferFields {
#if GEN == 99
	uint64_t address, page_size;
	uint32_t layout;
	BufferType type;
	ALLOCATOR *allocator;
	AllocationStatus status;
	uint8_t bottom_up;
	IDevice *device;
	uint64_t size;
	uint64_t unused[4];
#else
	IDevice *device; /* 0x00 */
#if GEN == 98
	uint64_t page_size;
#else
	uint64_t size; /* 0x08 */
#endif
	BufferType type;   /* 0x10 */
	uint32_t layout;   /* 0x14 */
	uint8_t bottom_up; /* 0x18 */
	uint64_t unused[2];
	ALLOCATOR *allocator;	 /* 0x30 */
	AllocationStatus status; /* 0x38 */
	uint64_t address;	 /* 0x40 */
#if GEN == 98
	uint64_t size;
#else
	uint64_t page_size; /* 0x48 */
#endif
#endif
	/* where exactly these lie is nobody's business */
	uint32_t cores;
	bool sharded, owned, hooked;
	uint8_t more[UNIQUE_ID_AT - 0x58];
	uint64_t unique_id;
};

#if GEN < 98
static_assert(offsetof(BufferFields, type) == 0x10 && offsetof(BufferFields, layout) == 0x14);
static_assert(offsetof(BufferFields, allocator) == 0x30 && offsetof(BufferFields, status) == 0x38);
static_assert(offsetof(BufferFields, address) == 0x40 && offsetof(BufferFields, page_size) == 0x48);
static_assert(offsetof(BufferFields, unique_id) == UNIQUE_ID_AT);
#endif

struct BufferShardingArgs {
	uint32_t layout = 0; /* 0 interleaved, 2 height, 3 width, 4 block */
	std::optional<uint32_t> cores;
};

class Buffer;

#if HAS_PIMPL
class BufferImpl {
public:
	BufferImpl(IDevice *device, uint64_t size, uint64_t page_size, BufferType type,
		   const BufferShardingArgs &sharding, std::optional<bool> bottom_up,
		   std::optional<SubDeviceId> sub_device, bool owned);
	BufferImpl(BufferImpl &&other) = default;
	void allocate_impl(Buffer &buffer);
	void deallocate_impl(Buffer &buffer);
	void deallocate(Buffer &buffer);

	BufferFields fields;
};
#endif

class Buffer : public std::enable_shared_from_this<Buffer> {
public:
	struct Private {};

	/* Allocates, and raises the event; throws when there is no room or the sizes are wrong. */
	HIDDEN static std::shared_ptr<Buffer> create(IDevice *device, ALLOCATOR *allocator,
						     uint64_t size, uint64_t page_size,
						     BufferType type,
						     const BufferShardingArgs &sharding,
						     std::optional<bool> bottom_up);
	/* Stands at a given address: nothing is taken, no event is raised. */
	HIDDEN static std::shared_ptr<Buffer> view(IDevice *device, ALLOCATOR *allocator,
						   uint64_t address, uint64_t size,
						   uint64_t page_size, BufferType type,
						   const BufferShardingArgs &sharding);
#if HAS_PIMPL
	explicit Buffer(BufferImpl impl);
#else
	Buffer(IDevice *device, uint64_t size, uint64_t page_size, BufferType type,
	       const BufferShardingArgs &sharding, std::optional<bool> bottom_up,
	       std::optional<SubDeviceId> sub_device, bool owned, Private);
	void allocate_impl();
	void deallocate_impl();
	void deallocate();
#endif
	~Buffer();

#if HAS_PIMPL
	HIDDEN
#endif
	void mark_as_deallocated();

	uint32_t address() const; /* throws when not allocated */
	uint64_t page_size() const;
	uint32_t num_pages() const;
	uint64_t num_dev_pages() const;
	uint64_t aligned_size() const;
	uint64_t aligned_page_size() const;
	uint64_t aligned_size_per_bank() const;
	bool is_l1() const;
	bool is_dram() const;
	bool is_allocated() const;
	std::optional<uint32_t> num_cores() const;
#if HAS_IMPL
	Allocator *allocator() const;
#endif
#if HAS_PIMPL
	BufferImpl *impl() const;
	uint64_t size() const;
	BufferType buffer_type() const;
	uint32_t buffer_layout() const;
	IDevice *device() const;
	uint64_t unique_id() const;

	HIDDEN BufferFields &fields() { return impl_->fields; }
	HIDDEN const BufferFields &fields() const { return impl_->fields; }

private:
	std::unique_ptr<BufferImpl> impl_; /* 0x10 */
#else
	HIDDEN BufferFields &fields() { return fields_; }
	HIDDEN const BufferFields &fields() const { return fields_; }

private:
	BufferFields fields_; /* 0x10 */
#endif
};

static_assert(sizeof(std::enable_shared_from_this<Buffer>) == 0x10);
} // namespace tt::tt_metal

namespace standin {
/* What both kinds of allocate_impl and deallocate_impl do (buffer_events.cpp). */
HIDDEN void allocate(tt::tt_metal::Buffer &buffer);
HIDDEN void deallocate(tt::tt_metal::Buffer &buffer);
} // namespace standin
