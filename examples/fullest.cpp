/* SPDX-License-Identifier: Apache-2.0 */
/*
 * C++17: the fullest device of this machine, with a snapshot that releases itself.
 *
 *     c++ -std=c++17 fullest.cpp $(pkg-config --cflags --libs ttmem)
 */
#include <cstdlib>
#include <iostream>
#include <memory>
#include <optional>
#include <stdexcept>
#include <type_traits>
#include <vector>

#include <ttmem/ttmem.h>

namespace {

struct Close {
	void operator()(ttmemHandle_t handle) const { ttmemClose(handle); }
};
using Handle = std::unique_ptr<std::remove_pointer_t<ttmemHandle_t>, Close>;

struct Release {
	void operator()(ttmemSnapshot_t snapshot) const { ttmemSnapshotRelease(snapshot); }
};
using Snapshot = std::unique_ptr<std::remove_pointer_t<ttmemSnapshot_t>, Release>;

void check(ttmemReturn_t result)
{
	if (result != TTMEM_SUCCESS)
		throw std::runtime_error(ttmemErrorString(result));
}

Snapshot take(const char *root)
{
	ttmemOpenOptions_t options{};
	ttmemHandle_t opened{};
	ttmemSnapshot_t snapshot{};

	options.version = TTMEM_OPEN_OPTIONS_VERSION;
	options.root = root;
	check(ttmemOpen(&options, &opened));
	const Handle handle(opened);
	check(ttmemSnapshotTake(handle.get(), nullptr, &snapshot));
	return Snapshot(snapshot);
}

std::optional<double> fill(const Snapshot &snapshot, std::uint32_t device)
{
	ttmemMemory_t dram{};

	dram.version = TTMEM_MEMORY_VERSION;
	check(ttmemDeviceGetMemory(snapshot.get(), device, 0, TTMEM_MEMORY_DRAM, &dram));
	if (dram.occupied_bytes.state == TTMEM_STATE_UNKNOWN || !dram.allocatable_bytes.value)
		return std::nullopt;
	return static_cast<double>(dram.occupied_bytes.value) /
	       static_cast<double>(dram.allocatable_bytes.value);
}

} // namespace

int main(int argc, char **argv)
try {
	const Snapshot snapshot = take(argc > 1 ? argv[1] : nullptr);
	std::uint32_t count{}, fullest{};
	std::optional<double> most;

	check(ttmemDeviceGetCount(snapshot.get(), &count));
	for (std::uint32_t device = 0; device < count; device++)
		if (const auto share = fill(snapshot, device); share && (!most || *share > *most)) {
			most = share;
			fullest = device;
		}
	if (most)
		std::cout << "device " << fullest << ": " << 100 * *most << " % of DRAM\n";
	else
		std::cout << "nothing is known of any device\n";
	return EXIT_SUCCESS;
} catch (const std::exception &error) {
	std::cerr << "fullest: " << error.what() << '\n';
	return EXIT_FAILURE;
}
