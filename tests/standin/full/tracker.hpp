/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GraphTracker: where TT-Metal tells that something was allocated. Ours only
 * counts, so that a test sees that a hook passes every call on.
 */
#pragma once

#include <atomic>
#include <cstdint>

#include "core.hpp"

namespace tt::tt_metal {
class Buffer;
class IDevice;

class GraphTracker {
public:
#if GEN < 66
	static GraphTracker &instance()
	{
		static GraphTracker tracker;
		return tracker;
	}
#else
	static GraphTracker &instance();
#endif
	bool is_enabled() const; /* this thread captures without dispatch */
	bool hook_allocate(const Buffer *buffer);
	bool hook_deallocate(Buffer *buffer);
	void track_allocate(const Buffer *buffer);
	void track_deallocate(Buffer *buffer);
	void track_allocate_cb(const CoreRangeSet &cores, uint64_t address, uint64_t size,
			       bool globally_allocated, const IDevice *device);
	void track_deallocate_cb(const IDevice *device);

	HIDDEN static void capture(bool on);

	struct Counts {
		std::atomic<uint64_t> allocate, deallocate, allocate_cb, deallocate_cb;
	} counts{};
};
} // namespace tt::tt_metal
