/* SPDX-License-Identifier: Apache-2.0 */
#include "tracker.hpp"

#include "buffer.hpp"

namespace tt::tt_metal {
static thread_local bool capturing;

#if GEN >= 66
GraphTracker &GraphTracker::instance()
{
	static GraphTracker tracker;
	return tracker;
}
#endif

void GraphTracker::capture(bool on) { capturing = on; }
bool GraphTracker::is_enabled() const { return capturing; }
bool GraphTracker::hook_allocate(const Buffer *) { return capturing; }
bool GraphTracker::hook_deallocate(Buffer *buffer) { return buffer->fields().hooked; }
void GraphTracker::track_allocate(const Buffer *) { counts.allocate++; }
void GraphTracker::track_deallocate(Buffer *) { counts.deallocate++; }
void GraphTracker::track_deallocate_cb(const IDevice *) { counts.deallocate_cb++; }

void GraphTracker::track_allocate_cb(const CoreRangeSet &, uint64_t, uint64_t, bool,
				     const IDevice *)
{
	counts.allocate_cb++;
}
} // namespace tt::tt_metal
