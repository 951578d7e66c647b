/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Programs of the stand-in: kernels, circular and dataflow buffers, scratchpads,
 * workloads and queues, with the names and layouts of the releases.
 *
 * LAYOUT picks where fields without an accessor lie: 70, 76, 78, 80, 81 as in
 * those releases, 99 as in none. NODE_PAD is what differs between releases in
 * the key of a workload's map.
 */
#pragma once

#include "metal.hpp"

#include <cstring>
#include <functional>

#ifndef LAYOUT
#define LAYOUT (GEN == 70 ? 70 : GEN == 98 ? 78 : GEN == 99 ? 99 : 81)
#endif

namespace tt::tt_metal {
struct Offsets {
	uint32_t cores, size, borrowed, alias, groups, scratch, scratch_element, binaries;
};
constexpr Offsets offsets =
	LAYOUT == 81   ? Offsets{0x10, 0x28, 0x72, 0xfc, 0x80, 0x220, 0x60, 0x380}
	: LAYOUT == 80 ? Offsets{0x10, 0x28, 0x6a, 0xe8, 0x78, 0x220, 0x60, 0x380}
	: LAYOUT == 78 ? Offsets{0x10, 0x28, 0x76, 0xf0, 0x80, 0x220, 0x30, 0x368}
	: LAYOUT == 76 ? Offsets{0x08, 0x20, 0x6e, 0xe8, 0x78, 0x220, 0x30, 0x348}
	: LAYOUT == 70 ? Offsets{0x08, 0x20, 0x1f0, 0x1f8, 0x70, 0x700, 0x30, 0x2a8}
		       : Offsets{0x150, 0x148, 0x1f0, 0x1f8, 0x1c0, 0x708, 0x38, 0x7c0};
constexpr size_t RAW = 0x900;

/* An object whose fields lie where a release has them. */
struct Raw {
	alignas(16) uint8_t bytes[RAW] = {};
	template <typename T> T &at(size_t offset) { return *reinterpret_cast<T *>(bytes + offset); }
	template <typename T> const T &at(size_t offset) const
	{
		return *reinterpret_cast<const T *>(bytes + offset);
	}
};

struct Binary { /* ll_api::memory */
	std::vector<uint32_t> data;
	uint64_t reserved[3] = {};
	uint32_t text = 0; /* 0x30 */
};
static_assert(offsetof(Binary, text) == 0x30);
using Binaries = std::unordered_map<uint64_t, std::vector<const Binary *>>;

/* The vtable pointer takes the first word, and what lies at an offset counts from the object. */
class Kernel {
public:
	Kernel(std::string name, CoreRangeSet cores, int binaries, uint32_t packed, uint32_t text);
	virtual ~Kernel();
	virtual uint8_t expected_num_binaries() const = 0;
	std::string name() const;
	std::vector<CoreRange> logical_coreranges() const;
	template <typename T> T &at(size_t offset)
	{
		return *reinterpret_cast<T *>(reinterpret_cast<uint8_t *>(this) + offset);
	}
	std::string name_;
	std::string source_; /* where the name of the operation is found: copied to 0x78 */
	CoreRangeSet cores_;
	std::vector<std::unique_ptr<Binary>> owned_;
	uint8_t raw_[RAW] = {};
};

class ComputeKernel : public Kernel {
public:
	using Kernel::Kernel;
	uint8_t expected_num_binaries() const override { return 3; }
};

class DataMovementKernel : public Kernel {
public:
	DataMovementKernel(std::string name, CoreRangeSet cores, int binaries, uint32_t packed,
			   uint32_t text, uint32_t processor)
		: Kernel(std::move(name), std::move(cores), binaries, packed, text),
		  processor_(processor)
	{
	}
	uint8_t expected_num_binaries() const override { return 1; }
	uint32_t get_kernel_processor_type(int index) const;
	uint32_t processor_;
};

#if GEN < 66
#define CB_EXPORT HIDDEN /* up to 0.65 a circular buffer has no accessors */
#else
#define CB_EXPORT
#endif

class CircularBufferImpl {
public:
	CB_EXPORT uint32_t address() const;
	uint64_t id;		/* 0x00 */
	CoreRangeSet cores;	/* 0x08 */
	uint64_t reserved;
	uint32_t size;		/* 0x28 */
	uint32_t padding;
	uint8_t global;		/* 0x30 */
	std::optional<uint32_t> at;
};

class CircularBuffer {
public:
	CB_EXPORT uint32_t size() const;
	CB_EXPORT bool globally_allocated() const;
	CB_EXPORT const CoreRangeSet &core_ranges() const;
	CircularBufferImpl *impl;
};

namespace experimental::dfb::detail {
class DataflowBufferImpl : public Raw {
public:
	struct Core {
		uint64_t x, y;
		uint32_t address, padding;
	};
	struct Group { /* 72 bytes */
		uint64_t reserved[6];
		std::vector<Core> cores;
	};
	static_assert(sizeof(Core) == 24 && sizeof(Group) == 72);
	std::vector<CoreRange> ranges;
	std::vector<Group> groups;
	bool borrowed = false, alias = false;
	uint32_t entry = 0, entries = 0, address = 0;
	void publish(); /* the fields, where this release has them */
};
} // namespace experimental::dfb::detail

struct ProgramConfig {
	uint32_t rta_offset, sem_offset, sem_size, cb_offset, cb_size;
#if GEN < 70
	uint32_t local_cb_size, text_offset, text_size, common[6];
#elif GEN == 70
	uint32_t dfb_offset, dfb_size, local_cb_size, text_offset, text_size;
#else
	uint32_t dfb_offset, dfb_size, local_cb_size, unused[2], text_offset, text_size;
#endif
};

namespace detail {
class ProgramImpl {
public:
	explicit ProgramImpl(uint64_t id) : id_(id), configs_(3), sizes_(3) {}
	~ProgramImpl();
	uint64_t get_id() const;
	std::unordered_map<uint32_t, std::shared_ptr<Kernel>> &get_kernels(uint32_t core_type);
#if GEN >= 66
	std::span<const std::shared_ptr<CircularBufferImpl>> circular_buffers() const;
#else
	const std::vector<std::shared_ptr<CircularBufferImpl>> &circular_buffers() const;
#endif
#if GEN >= 70
	const std::vector<std::shared_ptr<experimental::dfb::detail::DataflowBufferImpl>> &
	dataflow_buffers() const;
#endif
#if GEN >= 79
	void allocate_scratchpads(const IDevice *device);
#endif
	ProgramConfig &get_program_config(uint32_t core_type);
	uint32_t &get_program_config_size(uint32_t core_type);
	std::shared_ptr<Buffer> get_kernels_buffer(IDevice *device) const;
	void allocate_circular_buffers(const IDevice *device);
	void invalidate_circular_buffer_allocation();

	uint64_t id_;
	bool laid_out = false;
	std::unordered_map<uint32_t, std::shared_ptr<Kernel>> kernels_;
	std::vector<std::shared_ptr<CircularBufferImpl>> cbs_;
	std::vector<std::shared_ptr<experimental::dfb::detail::DataflowBufferImpl>> dfbs_;
	std::vector<std::pair<uint32_t, uint32_t>> pads_; /* kernel, bytes */
	std::vector<ProgramConfig> configs_;
	std::vector<uint32_t> sizes_;
	std::shared_ptr<Buffer> binaries_;
	uint32_t end = 0;
};
} // namespace detail

class Program {
public:
	std::shared_ptr<detail::ProgramImpl> impl;
};

namespace distributed {
struct MeshCoordinate { /* a small vector */
	uint32_t *values;
	uint32_t count, capacity;
	uint32_t room[8];
};
static_assert(sizeof(MeshCoordinate) == 0x30);

struct MeshCoordinateRange {
	MeshCoordinate start, end;
	uint8_t pad[GEN < 70 ? 0x48 : 0x90];
};

struct RangeHash {
	size_t operator()(const MeshCoordinateRange &range) const { return range.start.room[1]; }
};
struct RangeEqual {
	bool operator()(const MeshCoordinateRange &a, const MeshCoordinateRange &b) const
	{
		return memcmp(a.start.room, b.start.room, sizeof a.start.room) == 0;
	}
};
using Programs = std::unordered_map<MeshCoordinateRange, Program, RangeHash, RangeEqual>;

class MeshWorkload {
public:
	Programs &get_programs();
	Programs programs;
};

class MeshCommandQueue {
public:
	explicit MeshCommandQueue(MeshDevice *mesh) : mesh_(mesh) {}
	virtual ~MeshCommandQueue() = default;
	virtual void enqueue_mesh_workload(MeshWorkload &workload, bool blocking) = 0;

protected:
	MeshDevice *mesh_; /* 8 */
};

class FDMeshCommandQueue : public MeshCommandQueue {
public:
	using MeshCommandQueue::MeshCommandQueue;
	void enqueue_mesh_workload(MeshWorkload &workload, bool blocking) override;
};

class SDMeshCommandQueue : public MeshCommandQueue {
public:
	using MeshCommandQueue::MeshCommandQueue;
	void enqueue_mesh_workload(MeshWorkload &workload, bool blocking) override;
};
} // namespace distributed

class WorkerConfigBufferMgr {
public:
	void init_add_buffer(uint32_t base, uint32_t size);
};

/* What a device's start hands out: per manager five buffers, the worker cores' first. */
void add_rings(distributed::MeshDevice *mesh);
} // namespace tt::tt_metal
