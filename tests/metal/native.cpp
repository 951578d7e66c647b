/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A program without Python on the released library: opens a device, makes two
 * buffers, says so and waits for its input to close. Without TT-Metal's headers:
 * its functions by their mangled names, their arguments as bytes that are zero but
 * for what is needed.
 *
 *   metal-native LIBRARY
 */
#include <dlfcn.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstring>
#include <memory>
#include <optional>
#include <span>

namespace {
using Open = std::shared_ptr<void> (*)(int device, uint64_t l1_small, uint64_t trace, uint64_t queues,
				       const void *dispatch, std::span<const uint32_t> remap,
				       uint64_t worker_l1);
using Create = std::shared_ptr<void> (*)(const void *whole, const void *local, void *mesh,
					 std::optional<uint64_t> address);
Open open_mesh;
Create create_buffer;
void (*make_sharding)(void *);

/* What stands first in the structures that MeshBuffer::create takes; zeros are their defaults. */
struct Whole {
	uint64_t bytes;
	char zeros[504];
};

struct Local {
	uint64_t page_bytes;
	uint64_t type; /* 0: DRAM */
	void *sharding; /* made by its constructor */
	char zeros[488];
};
} // namespace

namespace model {
__attribute__((noinline)) std::shared_ptr<void> load_weights(void *mesh, uint64_t bytes)
{
	Whole whole = {bytes, {}};
	Local local = {2048, 0, nullptr, {}};

	make_sharding(&local.sharding);

	return create_buffer(&whole, &local, mesh, std::nullopt);
}
} // namespace model

int main(int argc, char **argv)
{
	void *library = argc == 2 ? dlopen(argv[1], RTLD_NOW | RTLD_LOCAL) : nullptr;
	static const char zeros[512] = {};

	if (!library) {
		fprintf(stderr, "metal-native: %s\n", argc == 2 ? dlerror() : "which library?");
		return 2;
	}
	open_mesh = reinterpret_cast<Open>(dlsym(library,
		"_ZN2tt8tt_metal11distributed10MeshDevice16create_unit_meshEimmmRKNS0_18DispatchCoreConfig"
		"ESt4spanIKjLm18446744073709551615EEm"));
	create_buffer = reinterpret_cast<Create>(dlsym(library,
		"_ZN2tt8tt_metal11distributed10MeshBuffer6createERKSt7variantIJNS1_22ReplicatedBufferConfig"
		"ENS1_19ShardedBufferConfigEEERKNS1_23DeviceLocalBufferConfigEPNS1_10MeshDeviceESt8optional"
		"ImE"));
	make_sharding = reinterpret_cast<void (*)(void *)>(
		dlsym(library, "_ZN2tt8tt_metal18BufferShardingArgsC1Ev"));
	if (!open_mesh || !create_buffer || !make_sharding) {
		fprintf(stderr, "metal-native: this release has other functions\n");
		return 77;
	}
	auto mesh = open_mesh(0, 0, 0, 1, zeros, {}, 0);
	auto first = model::load_weights(mesh.get(), 1 << 20);
	auto second = model::load_weights(mesh.get(), 2 << 20);

	printf("{\"pid\":%d}\n", getpid());
	fflush(stdout);
	while (getchar() != EOF)
		;
	return 0;
}
