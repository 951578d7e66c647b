/* SPDX-License-Identifier: Apache-2.0 */
/* Destructors, and the calls through the PLT that need another file than their target. */
#include "device.hpp"

namespace tt::tt_metal {
/* A program that forgets to close: the chips go down when the process exits. */
Device::~Device()
{
	if (open_)
		Device::close();
}

namespace distributed {
MeshDevice::~MeshDevice() { impl_->close_impl(this); }

bool MeshDevice::close() { return impl_->close_impl(this); }

bool MeshDevice::initialize(uint8_t queues, size_t l1_small, size_t trace, size_t worker_l1,
			    BankRemap remap, bool minimal)
{
	return impl_->initialize_impl(this, queues, l1_small, trace, worker_l1, remap, minimal);
}
} // namespace distributed
} // namespace tt::tt_metal
