/* SPDX-License-Identifier: Apache-2.0 */
/* The cluster description, in a library of its own (libtt-umd.so.0) as in the releases. */
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>

namespace tt::umd {
class ClusterDescriptor {
public:
	const std::unordered_map<int, uint64_t> &get_chip_unique_ids() const;
	const std::unordered_map<int, int> &get_chips_with_mmio() const;
	const std::unordered_map<int, std::string> &get_chip_pci_bdfs() const;

	/* ours: the real one reads a file or the cards */
	void describe(int chip, uint64_t unique_id, const std::string &bdf);

private:
	std::unordered_map<int, uint64_t> unique_ids_;
	std::unordered_map<int, int> mmio_;
	std::unordered_map<int, std::string> bdfs_;
};
} // namespace tt::umd
