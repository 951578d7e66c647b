/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The small types that appear in TT-Metal's signatures. Names, namespaces and
 * sizes are theirs, because they go into mangled names and registers; what is
 * inside is ours.
 */
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "generation.hpp"

namespace ttsl {
template <typename T, typename Tag> class StrongType {
public:
	constexpr explicit StrongType(T value) : value_(value) {}
	constexpr T value() const { return value_; }

private:
	T value_;
};
} // namespace ttsl

/*
 * A span by value is two words, on the stack when the registers are used up: a
 * wrapper in C must get that right. C++17 has none, so this one carries the name.
 */
#if GEN == 60
#define SPAN_NAMESPACE ttsl
#define SPAN	       Span
#else
#define SPAN_NAMESPACE std
#define SPAN	       span
#endif
namespace SPAN_NAMESPACE {
template <typename T, std::size_t Extent> class SPAN {
public:
	SPAN(T *data, std::size_t size) : data_(data), size_(size) {}
	T *data() const { return data_; }
	std::size_t size() const { return size_; }

private:
	T *data_;
	std::size_t size_;
};
} // namespace SPAN_NAMESPACE

namespace tt {
enum class ARCH { Invalid = 0, WORMHOLE_B0 = 2, BLACKHOLE = 3 };

struct xy_pair {
	std::size_t x, y;
};

namespace tt_metal {
enum class BufferType { DRAM, L1, SYSTEM_MEMORY, L1_SMALL, TRACE };
enum class HalMemType : uint8_t { L1, DRAM };

struct ContextIdTag {};
struct SubDeviceIdTag {};
using ContextId = ttsl::StrongType<int, ContextIdTag>;
using SubDeviceId = ttsl::StrongType<uint8_t, SubDeviceIdTag>;
using CoreCoord = tt::xy_pair;
using BankRemap = SPAN_NAMESPACE::SPAN<const uint32_t, SIZE_MAX>;
} // namespace tt_metal
} // namespace tt

#if CORES_IN_METAL
namespace tt::tt_metal {
#endif
struct CoreRange {
	uint64_t x0, y0, x1, y1; /* inclusive */
};

class CoreRangeSet {
public:
	CoreRangeSet() = default;
	explicit CoreRangeSet(const CoreRange &range) : ranges_{range} {}
	uint32_t num_cores() const;
#if CORES_IN_METAL
	const std::vector<CoreRange> &ranges() const;
#endif

private:
	std::vector<CoreRange> ranges_;
};
#if CORES_IN_METAL
} // namespace tt::tt_metal
#endif
