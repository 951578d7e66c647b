/* SPDX-License-Identifier: Apache-2.0 */
/* A library that calls TT-Metal by itself, has slots for it therefore, and may be unloaded. */
namespace tt::tt_metal {
class Buffer;
class GraphTracker {
public:
	void track_allocate(const Buffer *buffer);
	void track_deallocate(Buffer *buffer);
};
} // namespace tt::tt_metal

extern "C" void caller_call(tt::tt_metal::GraphTracker *tracker, tt::tt_metal::Buffer *buffer)
{
	tracker->track_allocate(buffer);
	tracker->track_deallocate(buffer);
}
