/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A stand-in for TT-Metal: the names, object layouts and order of events of its
 * releases, without anything behind them but an honest bank allocator.
 *
 * GEN picks the generation: 60 (code in _ttnncpp.so), 62, 64, 66, 70, 79. 98 and
 * 99 are future builds without accessors for the fields of Buffer: in 98 size
 * and page size have changed places, in 99 all lie elsewhere. LACKS_STATISTICS and LACKS_FAILURES leave single functions out.
 * Names must mangle to the real ones, so namespaces and signatures are those
 * of TT-Metal; everything inside is ours.
 */
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#ifndef GEN
#error "GEN must be given"
#endif

#define HAS_IMPL      (GEN >= 66) /* AllocatorImpl behind a facade; before, Allocator itself */
#define HAS_PIMPL     (GEN == 79) /* Buffer keeps its fields behind a pointer */
#define HAS_CONTEXT   (GEN >= 70) /* MetalContext and the cluster description */
#define HAS_MESH_IMPL (GEN >= 66)
#define STATS_VECTOR  (GEN == 66) /* get_statistics() ends with a vector */

/* Hidden, so not exported: what a release lacks. */
#define HIDDEN __attribute__((visibility("hidden")))
#ifdef LACKS_STATISTICS
#define STATISTICS_EXPORT HIDDEN
#else
#define STATISTICS_EXPORT
#endif
#ifdef LACKS_FAILURES
#define ALLOCATE_EXPORT HIDDEN
#else
#define ALLOCATE_EXPORT
#endif

#ifdef LACKS_LIVE
#define LIVE_EXPORT HIDDEN
#else
#define LIVE_EXPORT
#endif

#if GEN < 64 && GEN != 99
namespace tt::tt_metal {
struct CoreRange {
	uint64_t x0, y0, x1, y1;
};
} // namespace tt::tt_metal
class CoreRangeSet {
public:
	std::vector<tt::tt_metal::CoreRange> ranges;
};
#endif

namespace ttsl {
template <typename T, typename Tag> class StrongType {
	T value_;

public:
	constexpr explicit StrongType(T value) : value_(value) {}
};
} // namespace ttsl

namespace tt {
struct xy_pair {
	uint64_t x, y;
};
enum class ARCH : int { Invalid = 0, WORMHOLE_B0 = 2, BLACKHOLE = 3 };

namespace umd {
class ClusterDescriptor {
public:
	const std::unordered_map<int, uint64_t> &get_chip_unique_ids() const;
	std::unordered_map<int, uint64_t> ids;
};
} // namespace umd

class Cluster {
public:
	umd::ClusterDescriptor *get_cluster_desc() const;
};

namespace tt_metal {
enum class BufferType : uint32_t { DRAM, L1, SYSTEM_MEMORY, L1_SMALL, TRACE };
enum class HalMemType : uint8_t { L1, DRAM };

class Buffer;
class IDevice;
#if GEN >= 64
struct CoreRange {
	uint64_t x0, y0, x1, y1;
};
class CoreRangeSet {
public:
	std::vector<CoreRange> ranges;
};
#endif

struct Statistics {
	size_t total, allocated, free, largest;
#if STATS_VECTOR
	std::vector<uint32_t> largest_addresses;
#endif
};

/* One address range serves all banks of a type. */
struct Banks {
	uint32_t count;
	uint64_t size, base;
	uint32_t alignment;
	bool bottom_up;
	std::map<uint64_t, uint64_t> used; /* offset -> bytes */
	uint64_t floor = 0; /* bottom up: no hole below; keeps a million allocations linear */

	std::optional<uint64_t> take(uint64_t bytes);
	void give(uint64_t offset)
	{
		used.erase(offset);
		if (offset < floor)
			floor = offset;
	}
	Statistics statistics() const;
};

#if HAS_IMPL
#define ALLOCATOR AllocatorImpl
class AllocatorImpl;
/* The public face: its first word is the AllocatorImpl. */
class Allocator {
public:
	explicit Allocator(AllocatorImpl *impl) : impl_(impl) {}
	/* a method of the same name: to be called on the facade only */
	Statistics get_statistics(const BufferType &type) const;
	AllocatorImpl *impl_;
};
#else
#define ALLOCATOR Allocator
#endif

class ALLOCATOR {
public:
	ALLOCATOR(uint64_t l1_small, uint64_t trace);
	ALLOCATE_EXPORT uint64_t allocate_buffer(Buffer *buffer);
	void deallocate_buffer(Buffer *buffer);
	STATISTICS_EXPORT Statistics get_statistics(const BufferType &type) const;
	uint32_t get_num_banks(const BufferType &type) const;
	uint64_t get_base_allocator_addr(const HalMemType &type) const;
#if HAS_IMPL
	uint32_t get_alignment(BufferType type) const;
	LIVE_EXPORT std::unordered_set<Buffer *> get_allocated_buffers() const;
	const std::unique_ptr<Allocator> &view() const { return view_; }
#endif
	Banks &banks(BufferType type);
	const Banks &banks(BufferType type) const;

private:
	mutable std::mutex mutex_;
	Banks banks_[4];
	std::unordered_set<Buffer *> live_;
#if HAS_IMPL
	std::unique_ptr<Allocator> view_;
#endif
};

/* The order of the first ten virtual functions is that of every release. */
class IDevice {
public:
	virtual ~IDevice() = default;
	virtual ARCH arch() const = 0;
	virtual int id() const = 0;
	virtual uint64_t build_id() const = 0;
	virtual uint8_t num_hw_cqs() const = 0;
	virtual bool is_initialized() const = 0;
	virtual int num_dram_channels() const = 0;
	virtual uint32_t l1_size_per_core() const = 0;
	virtual uint32_t dram_size_per_channel() const = 0;
	virtual bool close() = 0;
};

class Device : public IDevice {
public:
	explicit Device(int id) : id_(id) {}
	~Device() override;
	ARCH arch() const override;
	int id() const override;
	uint64_t build_id() const override;
	uint8_t num_hw_cqs() const override;
	bool is_initialized() const override;
	int num_dram_channels() const override;
	uint32_t l1_size_per_core() const override;
	uint32_t dram_size_per_channel() const override;
	bool close() override;
	xy_pair logical_grid_size() const;

private:
	int id_;
};

namespace distributed {
class MeshDevice;

class MeshDeviceImpl {
public:
	bool initialize_impl(MeshDevice *mesh, uint8_t queues, size_t l1_small, size_t trace,
			     size_t worker_l1, std::span<const uint32_t> remap, bool minimal);
	bool close_impl(MeshDevice *mesh);
};

class MeshDevice : public IDevice, public std::enable_shared_from_this<MeshDevice> {
public:
	MeshDevice(int id, std::vector<IDevice *> devices, std::shared_ptr<MeshDevice> parent);
	~MeshDevice() override;
	ARCH arch() const override;
	int id() const override;
	uint64_t build_id() const override;
	uint8_t num_hw_cqs() const override;
	bool is_initialized() const override;
	int num_dram_channels() const override;
	uint32_t l1_size_per_core() const override;
	uint32_t dram_size_per_channel() const override;
	bool close() override;
	std::vector<IDevice *> get_devices() const;
	size_t num_rows() const;
	size_t num_cols() const;
	xy_pair compute_with_storage_grid_size() const;
	const std::shared_ptr<MeshDevice> &get_parent_mesh() const;
#if HAS_IMPL
	const std::unique_ptr<AllocatorImpl> &allocator_impl() const;
#endif
	std::unique_ptr<ALLOCATOR> allocator;
	MeshDeviceImpl impl;
	bool open = false;

private:
	int id_;
	std::vector<IDevice *> devices_;
	std::shared_ptr<MeshDevice> parent_;
};
} // namespace distributed

#if HAS_PIMPL
struct BufferImpl {
	IDevice *device;	 /* 0x00 */
	uint64_t size;		 /* 0x08 */
	BufferType type;	 /* 0x10 */
	uint32_t layout;	 /* 0x14 */
	uint8_t bottom_up;	 /* 0x18 */
	uint64_t reserved[2];
	ALLOCATOR *allocator;	 /* 0x30 */
	uint8_t status;		 /* 0x38 */
	uint64_t address;	 /* 0x40 */
	uint64_t page_size;	 /* 0x48 */
	std::optional<uint32_t> cores;
};
static_assert(offsetof(BufferImpl, allocator) == 0x30 && offsetof(BufferImpl, page_size) == 0x48);
#endif

class Buffer : public std::enable_shared_from_this<Buffer> {
public:
	Buffer(IDevice *device, ALLOCATOR *allocator, uint64_t size, uint64_t page, BufferType type,
	       uint32_t layout, std::optional<uint32_t> cores);
	~Buffer();
	uint32_t address() const;
	uint64_t page_size() const;
	uint32_t num_pages() const;
	uint64_t aligned_size_per_bank() const;
	std::optional<uint32_t> num_cores() const;
	bool is_l1() const;
	bool is_dram() const;
	bool is_allocated() const;
#if HAS_IMPL
	Allocator *allocator() const;
#endif
#if HAS_PIMPL
	BufferImpl *impl() const;
	uint64_t size() const;
	BufferType buffer_type() const;
	uint32_t buffer_layout() const;
	IDevice *device() const;
	std::unique_ptr<BufferImpl> fields; /* 0x10 */
#else
#if GEN == 99
	uint64_t shuffled[6];
#endif
	struct Fields {
		IDevice *device;      /* 0x10 */
#if GEN == 98
		uint64_t page_size;
#else
		uint64_t size;	      /* 0x18 */
#endif
		BufferType type;      /* 0x20 */
		uint32_t layout;      /* 0x24 */
		uint8_t bottom_up;    /* 0x28 */
		uint64_t reserved[2];
		ALLOCATOR *allocator; /* 0x40 */
		uint8_t status;	      /* 0x48 */
		uint64_t address;     /* 0x50 */
#if GEN == 98
		uint64_t size;
#else
		uint64_t page_size;   /* 0x58 */
#endif
		std::optional<uint32_t> cores;
	};
	Fields f;
#endif
#if HAS_PIMPL
	BufferImpl &at() { return *fields; }
	const BufferImpl &at() const { return *fields; }
#else
	Fields &at() { return f; }
	const Fields &at() const { return f; }
#endif
};

/* Slow dispatch: no ring is handed out, and asking for dispatch cores is an error. */
extern bool slow_dispatch;

class GraphTracker {
public:
	void track_allocate(const Buffer *buffer);
	void track_deallocate(Buffer *buffer);
	void track_allocate_cb(const CoreRangeSet &cores, uint64_t address, uint64_t size, bool global,
			       const IDevice *device);
	void track_deallocate_cb(const IDevice *device);
	static GraphTracker tracker;
};

#if HAS_CONTEXT
struct ContextIdTag {};
class MetalContext {
public:
	static MetalContext &instance(ttsl::StrongType<int, ContextIdTag> id);
	Cluster &get_cluster();
	const struct Hal &hal() const;
	class dispatch_core_manager &get_dispatch_core_manager();
};

/* Three kinds of cores, each with a vector of addresses and one of sizes. */
struct Hal {
	struct Core {
		uint64_t reserved[10];
		std::vector<uint64_t> bases; /* 0x50 */
		std::vector<uint32_t> sizes; /* 0x68 */
		uint64_t more[10];
	};
	uint64_t arch;
	std::vector<Core> cores; /* 0x08 */
};
static_assert(sizeof(Hal::Core) == 208);

class dispatch_core_manager {
public:
	std::vector<xy_pair> get_all_logical_dispatch_cores(int chip);
	std::vector<xy_pair> get_assigned_dispatch_cores(int chip);
};
#endif
} // namespace tt_metal
} // namespace tt
