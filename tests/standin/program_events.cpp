/* SPDX-License-Identifier: Apache-2.0 */
/* The functions around programs that a hook steps into; called from other files only. */
#include "program.hpp"

namespace tt::tt_metal {
namespace detail {
ProgramImpl::~ProgramImpl() = default;

/* Circular buffers, then dataflow buffers and scratchpads, each kind stacked from the same base. */
void ProgramImpl::allocate_circular_buffers(const IDevice *)
{
	uint32_t at = 105824;

	for (auto &cb : cbs_) {
		cb->at = cb->global ? 1400000 : at;
		if (!cb->global)
			at += cb->size;
	}
	end = at;
	at = 105824;
	for (auto &dfb : dfbs_) {
		dfb->address = dfb->borrowed ? 1400000 : dfb->alias ? dfbs_.front()->address : at;
		if (!dfb->borrowed && !dfb->alias)
			at += dfb->entry * dfb->entries;
		dfb->groups.clear();
		for (const CoreRange &r : dfb->ranges) {
			dfb->groups.emplace_back();
			for (uint64_t y = r.y0; y <= r.y1; y++)
				for (uint64_t x = r.x0; x <= r.x1; x++)
					dfb->groups.back().cores.push_back({x, y, dfb->address, 0});
		}
		dfb->publish();
	}
	for (auto [kernel, bytes] : pads_) {
		auto &vector = kernels_.at(kernel)->at<std::vector<uint8_t>>(offsets.scratch);
		uint8_t pad[64] = {};

		memcpy(pad + 0x20, &bytes, sizeof bytes);
		memcpy(pad + 0x28, &at, sizeof at);
		vector.clear();
		vector.insert(vector.end(), pad, pad + (offsets.scratch_element > 64 ? 64 : offsets.scratch_element));
		vector.resize(offsets.scratch_element);
		at += bytes;
	}
	end = std::max(end, at);
	laid_out = true;
}

void ProgramImpl::invalidate_circular_buffer_allocation() { laid_out = false; }
#if GEN >= 79
void ProgramImpl::allocate_scratchpads(const IDevice *) {}
#endif
} // namespace detail

void add_rings(distributed::MeshDevice *)
{
	static WorkerConfigBufferMgr managers[2];

	for (WorkerConfigBufferMgr &manager : managers) {
		manager.init_add_buffer(35168, 70656);
		manager.init_add_buffer(258336, 640);
		manager.init_add_buffer(32368, 25600);
		manager.init_add_buffer(0, 7);
		manager.init_add_buffer(0, 1);
	}
}

namespace distributed {
/* A compiled program that would run into L1 buffers is refused; nothing of it is dispatched. */
static void dispatch(MeshDevice *mesh, MeshWorkload &workload)
{
	const Banks &l1 = mesh->allocator->banks(BufferType::L1);
	uint64_t lowest = l1.used.empty() ? l1.base + l1.size : l1.base + l1.used.begin()->first;

	for (auto &[range, program] : workload.programs) {
		detail::ProgramImpl &impl = *program.impl;

		if (!impl.laid_out)
			impl.allocate_circular_buffers(mesh);
		if (impl.end > lowest)
			throw std::runtime_error(
				"Statically allocated circular buffers in program " +
				std::to_string(impl.id_) + " clash with L1 buffers on core range [0-0 - 7-7]. "
				"L1 buffer allocated at " + std::to_string(lowest) +
				" and static circular buffer region ends at " + std::to_string(impl.end));
		ProgramConfig &c = impl.configs_[0];
		uint32_t text = 0;

		for (auto &[handle, kernel] : impl.kernels_)
			for (auto &binary : kernel->owned_)
				text += (binary->data.size() * 4 + 15) / 16 * 16;
		c = {};
		c.sem_offset = 96;
		c.sem_size = 32;
		c.cb_offset = 128;
		c.cb_size = 16 * impl.cbs_.size();
		c.text_offset = 128 + c.cb_size;
#if GEN >= 70
		c.dfb_offset = c.text_offset;
		c.dfb_size = 16 * impl.dfbs_.size();
		c.text_offset += c.dfb_size;
#endif
		c.text_size = text;
		impl.sizes_[0] = c.text_offset + c.text_size;
	}
}

void FDMeshCommandQueue::enqueue_mesh_workload(MeshWorkload &workload, bool)
{
	dispatch(mesh_, workload);
}

void SDMeshCommandQueue::enqueue_mesh_workload(MeshWorkload &workload, bool)
{
	dispatch(mesh_, workload);
}
} // namespace distributed
} // namespace tt::tt_metal
