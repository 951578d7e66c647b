/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The order of events, which a hook relies on: allocate_buffer, then
 * track_allocate; track_deallocate, then deallocate_buffer. Apart from the
 * functions it calls, so that every call goes through the PLT.
 */
#include "buffer.hpp"
#include "tracker.hpp"

namespace standin {
using namespace tt::tt_metal;

void allocate(Buffer &buffer)
{
	BufferFields &f = buffer.fields();
	GraphTracker &tracker = GraphTracker::instance();

	f.hooked = tracker.hook_allocate(&buffer);
	if (!f.hooked) {
		try {
			f.address = f.allocator->allocate_buffer(&buffer);
		} catch (...) {
			f.status = AllocationStatus::FAILED;
			throw;
		}
	}
	f.status = AllocationStatus::ALLOCATED;
	tracker.track_allocate(&buffer);
}

void deallocate(Buffer &buffer)
{
	BufferFields &f = buffer.fields();
	GraphTracker &tracker = GraphTracker::instance();

	if (f.status != AllocationStatus::ALLOCATED)
		return;
	/* what a capture left behind ends without an event */
	if (!f.hooked || tracker.is_enabled()) {
		tracker.track_deallocate(&buffer);
		if (!tracker.hook_deallocate(&buffer))
			f.allocator->deallocate_buffer(&buffer);
	}
	f.status = AllocationStatus::DEALLOCATED;
}
} // namespace standin

namespace tt::tt_metal {
#if HAS_PIMPL
void BufferImpl::allocate_impl(Buffer &buffer) { standin::allocate(buffer); }
void BufferImpl::deallocate_impl(Buffer &buffer) { standin::deallocate(buffer); }
#else
void Buffer::allocate_impl() { standin::allocate(*this); }
void Buffer::deallocate_impl() { standin::deallocate(*this); }
#endif
} // namespace tt::tt_metal
