/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Chips and meshes. A hook without headers knows them by two things: the class
 * name in RTTI, and the slots of IDevice's vtable. The first ten slots are the
 * same in all releases; those behind move, so gaps of the right width lie between.
 */
#pragma once

#include <memory>
#include <type_traits>
#include <vector>

#include "allocator.hpp"

namespace tt::tt_metal {
/* The numbers make each gap's functions new ones, none overrides another. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Woverloaded-virtual"
template <typename Base, int First, int Count> class Gap : public Gap<Base, First, Count - 1> {
public:
	virtual void unused(std::integral_constant<int, First + Count - 1>) {}
};
template <typename Base, int First> class Gap<Base, First, 0> : public Base {};

class DeviceStart {
public:
	virtual ~DeviceStart() = default;		   /* slots 0 and 1 */
	virtual ARCH arch() const = 0;			   /* 2 */
	virtual int id() const = 0;			   /* 3 */
	virtual uint64_t build_id() const = 0;		   /* 4 */
	virtual uint8_t num_hw_cqs() const = 0;		   /* 5 */
	virtual bool is_initialized() const = 0;	   /* 6 */
	virtual int num_dram_channels() const = 0;	   /* 7 */
	virtual uint32_t l1_size_per_core() const = 0;	   /* 8 */
	virtual uint32_t dram_size_per_channel() const = 0; /* 9 */
};

class DeviceGrid : public Gap<DeviceStart, 10, SLOT_GRID - 10> {
public:
	virtual CoreCoord compute_with_storage_grid_size() const = 0;
};

class DeviceAllocator : public Gap<DeviceGrid, SLOT_GRID + 1, SLOT_ALLOCATOR - SLOT_GRID - 1> {
public:
	virtual const std::unique_ptr<Allocator> &allocator() const = 0;
};

#if HAS_IMPL
class DeviceImpl : public Gap<DeviceAllocator, SLOT_ALLOCATOR + 1, SLOT_IMPL - SLOT_ALLOCATOR - 1> {
public:
	virtual const std::unique_ptr<AllocatorImpl> &allocator_impl() const = 0;
};
using BeforeInitialize = Gap<DeviceImpl, SLOT_IMPL + 1, SLOT_INITIALIZE - SLOT_IMPL - 1>;
#else
using BeforeInitialize =
	Gap<DeviceAllocator, SLOT_ALLOCATOR + 1, SLOT_INITIALIZE - SLOT_ALLOCATOR - 1>;
#endif

class DeviceInitialize : public BeforeInitialize {
public:
	virtual bool initialize(uint8_t queues, size_t l1_small, size_t trace, size_t worker_l1,
				BankRemap remap, bool minimal) = 0;
};

class IDevice
	: public Gap<DeviceInitialize, SLOT_INITIALIZE + 1, SLOT_CLOSE - SLOT_INITIALIZE - 1> {
public:
	virtual bool close() = 0;
};
#pragma GCC diagnostic pop

/* An allocator and, where there is one, its facade: both are handed out as unique_ptr. */
struct Allocators {
	std::unique_ptr<ALLOCATOR> own;
#if HAS_IMPL
	std::unique_ptr<Allocator> facade;
#endif
	HIDDEN void open(size_t l1_small, size_t trace);
	HIDDEN void close();
};

/* What Device and MeshDevice have in common here: the chip is always the same. */
#define DEVICE_METHODS                                                                             \
	ARCH arch() const override;                                                                \
	int id() const override;                                                                   \
	uint64_t build_id() const override;                                                        \
	uint8_t num_hw_cqs() const override;                                                       \
	bool is_initialized() const override;                                                      \
	int num_dram_channels() const override;                                                    \
	uint32_t l1_size_per_core() const override;                                                \
	uint32_t dram_size_per_channel() const override;                                           \
	CoreCoord compute_with_storage_grid_size() const override;                                 \
	const std::unique_ptr<Allocator> &allocator() const override;                              \
	bool initialize(uint8_t queues, size_t l1_small, size_t trace, size_t worker_l1,           \
			BankRemap remap, bool minimal) override;                                   \
	bool close() override;

class Device : public IDevice {
public:
	explicit Device(int id) : id_(id) {}
	~Device() override;
	DEVICE_METHODS
#if HAS_IMPL
	const std::unique_ptr<AllocatorImpl> &allocator_impl() const override;
#endif
	HIDDEN ALLOCATOR *own_allocator() const { return allocators_.own.get(); }

private:
	int id_;
	bool open_ = false;
	Allocators allocators_;
};

namespace distributed {
class MeshDevice;

/* The state of a mesh. Before 0.66.0 it was part of MeshDevice; nothing calls it by name then. */
class MeshDeviceImpl {
public:
	HIDDEN MeshDeviceImpl(int mesh_id, std::vector<IDevice *> chips,
			      std::shared_ptr<MeshDevice> over)
		: id(mesh_id), devices(std::move(chips)), parent(std::move(over)), top(!parent)
	{
	}
#if !HAS_MESH_IMPL
	HIDDEN
#endif
	bool initialize_impl(MeshDevice *mesh, uint8_t queues, size_t l1_small, size_t trace,
			     size_t worker_l1, BankRemap remap, bool minimal);
#if !HAS_MESH_IMPL
	HIDDEN
#endif
	bool close_impl(MeshDevice *mesh);

	int id;
	std::vector<IDevice *> devices;
	std::shared_ptr<MeshDevice> parent;
	std::vector<std::weak_ptr<MeshDevice>> submeshes;
	bool top, open = false;
	Allocators allocators;
};

class MeshDevice : public IDevice, public std::enable_shared_from_this<MeshDevice> {
public:
	MeshDevice(int id, std::vector<IDevice *> devices, std::shared_ptr<MeshDevice> parent);
	~MeshDevice() override;
	DEVICE_METHODS
#if HAS_IMPL
	const std::unique_ptr<AllocatorImpl> &allocator_impl() const override;
#endif
	std::vector<IDevice *> get_devices() const;
	size_t num_devices() const;
	IDevice *get_device(size_t row, size_t column) const;
	const std::shared_ptr<MeshDevice> &get_parent_mesh() const;

	/* Opened without initialize_impl: the mesh that open_device puts over its 1x1 mesh. */
	HIDDEN void open_unseen(size_t l1_small, size_t trace);
	HIDDEN MeshDeviceImpl &impl() const { return *impl_; }
	HIDDEN ALLOCATOR *own_allocator() const { return impl_->allocators.own.get(); }

private:
	std::unique_ptr<MeshDeviceImpl> impl_;
};
} // namespace distributed
} // namespace tt::tt_metal

namespace standin {
/* initialize() of every kind gets these, and nothing may disturb them on the way. */
constexpr uint8_t queues_given = 2;
constexpr std::size_t worker_l1_given = 0x123456789abc;
constexpr uint32_t remap_given[3] = {7, 11, 0xdeadbeef};
HIDDEN void check_arguments(uint8_t queues, std::size_t worker_l1,
			    tt::tt_metal::BankRemap remap, bool minimal);

/* The one Device object of a chip, for the life of the process. */
HIDDEN tt::tt_metal::Device *chip(int id);
} // namespace standin
