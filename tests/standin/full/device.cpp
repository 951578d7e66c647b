/* SPDX-License-Identifier: Apache-2.0 */
/* One chip, and what meshes share with it. Its end is in device_end.cpp. */
#include "device.hpp"

#include <map>
#include <mutex>
#include <stdexcept>

namespace standin {
void check_arguments(uint8_t queues, std::size_t worker_l1, tt::tt_metal::BankRemap remap,
		     bool minimal)
{
	if (queues != queues_given || worker_l1 != worker_l1_given || remap.size() != 3 ||
	    remap.data()[2] != remap_given[2] || !minimal)
		throw std::logic_error("initialize: the arguments were disturbed on the way");
}

tt::tt_metal::Device *chip(int id)
{
	static std::mutex mutex;
	static std::map<int, tt::tt_metal::Device> chips;
	std::lock_guard<std::mutex> guard(mutex);

	return &chips.emplace(id, id).first->second;
}
} // namespace standin

namespace tt::tt_metal {
void Allocators::open(size_t l1_small, size_t trace)
{
	AllocatorConfig config;

	config.l1_small_size = l1_small;
	/* what is asked for the device is shared by the banks, in whole pages of 4 KiB */
	config.trace_region_size =
		TRACE_IS_TOTAL ? ((trace + DRAM_BANKS - 1) / DRAM_BANKS + 4095) / 4096 * 4096
			       : trace;
	own = std::make_unique<ALLOCATOR>(config);
#if HAS_IMPL
	facade = std::make_unique<Allocator>(own.get());
#endif
}

void Allocators::close()
{
	if (own)
		own->deallocate_buffers();
#if HAS_IMPL
	facade.reset();
#endif
	own.reset();
}

ARCH Device::arch() const { return ARCH::WORMHOLE_B0; }
int Device::id() const { return id_; }
uint64_t Device::build_id() const { return 0; }
uint8_t Device::num_hw_cqs() const { return 1; }
bool Device::is_initialized() const { return open_; }
int Device::num_dram_channels() const { return DRAM_BANKS; }
uint32_t Device::l1_size_per_core() const { return L1_BYTES; }
uint32_t Device::dram_size_per_channel() const { return DRAM_BYTES; }
CoreCoord Device::compute_with_storage_grid_size() const { return {GRID_X, GRID_Y}; }

#if HAS_IMPL
const std::unique_ptr<Allocator> &Device::allocator() const { return allocators_.facade; }
const std::unique_ptr<AllocatorImpl> &Device::allocator_impl() const { return allocators_.own; }
#else
const std::unique_ptr<Allocator> &Device::allocator() const { return allocators_.own; }
#endif

bool Device::initialize(uint8_t queues, size_t l1_small, size_t trace, size_t worker_l1,
			BankRemap remap, bool minimal)
{
	standin::check_arguments(queues, worker_l1, remap, minimal);
	allocators_.open(l1_small, trace);
	open_ = true;
	return true;
}

bool Device::close()
{
	bool was_open = open_;

	allocators_.close();
	open_ = false;
	return was_open;
}
} // namespace tt::tt_metal
