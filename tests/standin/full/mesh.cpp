/* SPDX-License-Identifier: Apache-2.0 */
/* A mesh: an allocator over one or more chips, perhaps under a parent with its own. */
#include "device.hpp"

#include <stdexcept>

namespace tt::tt_metal::distributed {
MeshDevice::MeshDevice(int id, std::vector<IDevice *> devices, std::shared_ptr<MeshDevice> parent)
	: impl_(std::make_unique<MeshDeviceImpl>(id, std::move(devices), std::move(parent)))
{
}

ARCH MeshDevice::arch() const { return impl_->devices.front()->arch(); }
int MeshDevice::id() const { return impl_->id; }
uint64_t MeshDevice::build_id() const { return 0; }
uint8_t MeshDevice::num_hw_cqs() const { return 1; }
bool MeshDevice::is_initialized() const { return impl_->open; }
int MeshDevice::num_dram_channels() const { return DRAM_BANKS; }
uint32_t MeshDevice::l1_size_per_core() const { return L1_BYTES; }
uint32_t MeshDevice::dram_size_per_channel() const { return DRAM_BYTES; }
CoreCoord MeshDevice::compute_with_storage_grid_size() const { return {GRID_X, GRID_Y}; }
std::vector<IDevice *> MeshDevice::get_devices() const { return impl_->devices; }
size_t MeshDevice::num_devices() const { return impl_->devices.size(); }
const std::shared_ptr<MeshDevice> &MeshDevice::get_parent_mesh() const { return impl_->parent; }

IDevice *MeshDevice::get_device(size_t row, size_t column) const
{
	if (row != 0)
		throw std::out_of_range("a mesh has one row here");
	return impl_->devices.at(column);
}

#if HAS_IMPL
const std::unique_ptr<Allocator> &MeshDevice::allocator() const { return impl_->allocators.facade; }
const std::unique_ptr<AllocatorImpl> &MeshDevice::allocator_impl() const
{
	return impl_->allocators.own;
}
#else
const std::unique_ptr<Allocator> &MeshDevice::allocator() const { return impl_->allocators.own; }
#endif

void MeshDevice::open_unseen(size_t l1_small, size_t trace)
{
	impl_->allocators.open(l1_small, trace);
	impl_->open = true;
}

bool MeshDeviceImpl::initialize_impl(MeshDevice *mesh, uint8_t queues, size_t l1_small,
				     size_t trace, size_t worker_l1, BankRemap remap, bool minimal)
{
	standin::check_arguments(queues, worker_l1, remap, minimal);
	mesh->open_unseen(l1_small, trace);
	return true;
}

/* Runs twice for each mesh: at close, and once more when the object goes. */
bool MeshDeviceImpl::close_impl(MeshDevice *)
{
	bool was_open = open;

	open = false;
	for (const auto &weak : submeshes)
		if (auto submesh = weak.lock())
			static_cast<IDevice *>(submesh.get())->close();
	submeshes.clear();
	allocators.close();
	if (was_open && top)
		for (IDevice *device : devices)
			device->close();
	/* the last one out takes a hidden parent, and with it the chips, along */
	std::shared_ptr<MeshDevice> gone = std::move(parent);
	return was_open;
}
} // namespace tt::tt_metal::distributed
