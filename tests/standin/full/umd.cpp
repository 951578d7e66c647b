/* SPDX-License-Identifier: Apache-2.0 */
#include "umd.hpp"

namespace tt::umd {
const std::unordered_map<int, uint64_t> &ClusterDescriptor::get_chip_unique_ids() const
{
	return unique_ids_;
}

const std::unordered_map<int, int> &ClusterDescriptor::get_chips_with_mmio() const { return mmio_; }

const std::unordered_map<int, std::string> &ClusterDescriptor::get_chip_pci_bdfs() const
{
	return bdfs_;
}

void ClusterDescriptor::describe(int chip, uint64_t unique_id, const std::string &bdf)
{
	if (unique_id)
		unique_ids_[chip] = unique_id;
	mmio_[chip] = chip;
	if (!bdf.empty())
		bdfs_[chip] = bdf;
}
} // namespace tt::umd
