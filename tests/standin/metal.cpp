/* SPDX-License-Identifier: Apache-2.0 */
/* Devices, buffers and the context: what a hook may ask. Events are in events.cpp. */
#include "metal.hpp"

namespace tt {
using namespace tt_metal;

static umd::ClusterDescriptor description{{{0, 1000000000000000001u},
					   {1, 1000000000000000002u},
					   {2, 1000000000000000003u},
					   {3, 1000000000000000004u}}};

const std::unordered_map<int, uint64_t> &umd::ClusterDescriptor::get_chip_unique_ids() const
{
	return ids;
}

umd::ClusterDescriptor *Cluster::get_cluster_desc() const { return &description; }

namespace tt_metal {
#if HAS_CONTEXT
MetalContext &MetalContext::instance(ttsl::StrongType<int, ContextIdTag>)
{
	static MetalContext context;
	return context;
}

Cluster &MetalContext::get_cluster()
{
	static Cluster cluster;
	return cluster;
}

const Hal &MetalContext::hal() const
{
	static Hal hal;

	if (hal.cores.empty()) {
		hal.arch = 2;
		hal.cores.resize(3);
		for (Hal::Core &core : hal.cores) {
			core.bases.resize(39);
			core.sizes.resize(39);
			core.sizes[0] = 1499136;
			core.bases[1] = 12, core.sizes[1] = 4;
			core.bases[2] = 16, core.sizes[2] = 13312;
			core.bases[7] = 35168;
			core.bases[9] = 105824;
			core.bases[32] = 29504, core.sizes[32] = 2704;
			core.bases[36] = 32208, core.sizes[36] = 656;
			core.bases[37] = 29360, core.sizes[37] = 144;
		}
	}
	return hal;
}

dispatch_core_manager &MetalContext::get_dispatch_core_manager()
{
	static dispatch_core_manager manager;

	if (slow_dispatch)
		throw std::runtime_error("no dispatch cores with slow dispatch");
	return manager;
}

std::vector<xy_pair> dispatch_core_manager::get_all_logical_dispatch_cores(int)
{
	return {{0, 8}, {1, 8}, {2, 8}};
}

std::vector<xy_pair> dispatch_core_manager::get_assigned_dispatch_cores(int) { return {{0, 8}}; }
#endif
bool slow_dispatch;
xy_pair Device::logical_grid_size() const { return {8, 9}; }

Device::~Device() = default;
ARCH Device::arch() const { return ARCH::WORMHOLE_B0; }
int Device::id() const { return id_; }
uint64_t Device::build_id() const { return 1; }
uint8_t Device::num_hw_cqs() const { return 1; }
bool Device::is_initialized() const { return true; }
int Device::num_dram_channels() const { return 12; }
uint32_t Device::l1_size_per_core() const { return 1499136; }
uint32_t Device::dram_size_per_channel() const { return 1u << 30; }
bool Device::close() { return true; }

namespace distributed {
MeshDevice::MeshDevice(int id, std::vector<IDevice *> devices, std::shared_ptr<MeshDevice> parent)
	: id_(id), devices_(std::move(devices)), parent_(std::move(parent))
{
}

MeshDevice::~MeshDevice() { close(); }
ARCH MeshDevice::arch() const { return devices_.front()->arch(); }
int MeshDevice::id() const { return id_; }
uint64_t MeshDevice::build_id() const { return 1; }
uint8_t MeshDevice::num_hw_cqs() const { return 1; }
bool MeshDevice::is_initialized() const { return open; }
int MeshDevice::num_dram_channels() const { return 12; }
uint32_t MeshDevice::l1_size_per_core() const { return 1499136; }
uint32_t MeshDevice::dram_size_per_channel() const { return 1u << 30; }
size_t MeshDevice::num_rows() const { return devices_.size() == 4 ? 2 : 1; }
size_t MeshDevice::num_cols() const { return devices_.size() / num_rows(); }
xy_pair MeshDevice::compute_with_storage_grid_size() const { return {8, 8}; }
std::vector<IDevice *> MeshDevice::get_devices() const { return devices_; }
const std::shared_ptr<MeshDevice> &MeshDevice::get_parent_mesh() const { return parent_; }
#if HAS_IMPL
const std::unique_ptr<AllocatorImpl> &MeshDevice::allocator_impl() const { return allocator; }
#endif

bool MeshDevice::close()
{
#if HAS_MESH_IMPL
	return impl.close_impl(this);
#else
	return MeshDeviceImpl().close_impl(this);
#endif
}
} // namespace distributed

uint32_t Buffer::address() const
{
	if (!is_allocated())
		throw std::runtime_error("Can only get the address of an allocated buffer");
	return static_cast<uint32_t>(at().address);
}

uint64_t Buffer::page_size() const { return at().page_size; }
uint32_t Buffer::num_pages() const
{
	return static_cast<uint32_t>(at().size / at().page_size);
}
std::optional<uint32_t> Buffer::num_cores() const { return at().cores; }
bool Buffer::is_l1() const
{
	return at().type == BufferType::L1 || at().type == BufferType::L1_SMALL;
}
bool Buffer::is_dram() const
{
	return at().type == BufferType::DRAM || at().type == BufferType::TRACE;
}
bool Buffer::is_allocated() const { return at().status == 1; }

uint64_t Buffer::aligned_size_per_bank() const
{
	const Banks &banks = at().allocator->banks(at().type);
	uint64_t page = (page_size() + banks.alignment - 1) / banks.alignment * banks.alignment;
	uint64_t count = at().cores ? *at().cores : banks.count;

	return (num_pages() + count - 1) / count * page;
}

#if HAS_IMPL
Allocator *Buffer::allocator() const { return at().allocator->view().get(); }
#endif
#if HAS_PIMPL
BufferImpl *Buffer::impl() const { return fields.get(); }
uint64_t Buffer::size() const { return fields->size; }
BufferType Buffer::buffer_type() const { return fields->type; }
uint32_t Buffer::buffer_layout() const { return fields->layout; }
IDevice *Buffer::device() const { return fields->device; }
#endif
} // namespace tt_metal
} // namespace tt
