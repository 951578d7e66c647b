/* SPDX-License-Identifier: Apache-2.0 */
/* What a hook may ask of programs. */
#include "program.hpp"

namespace tt::tt_metal {
Kernel::Kernel(std::string name, CoreRangeSet cores, int binaries, uint32_t packed, uint32_t text)
	: name_(std::move(name)), cores_(std::move(cores))
{
	source_ = "ttnn/cpp/ttnn/operations/standin/" + name_.substr(0, 3) + "/device/kernels/" +
		  name_ + ".cpp";
	/* a std::string is what its two first words say */
	at<const char *>(0x78) = source_.data();
	at<uint64_t>(0x80) = source_.size();
	if (LAYOUT != 99) {
		auto *map = new (&at<uint8_t>(offsets.binaries)) Binaries;
		auto &vector = (*map)[0x1234567];

		for (int i = 0; i < binaries; i++) {
			auto b = std::make_unique<Binary>();
			b->data.resize(packed / 4);
			b->text = text;
			vector.push_back(b.get());
			owned_.push_back(std::move(b));
		}
	}
}

Kernel::~Kernel() = default;
std::string Kernel::name() const { return name_; }
std::vector<CoreRange> Kernel::logical_coreranges() const { return cores_.ranges; }
uint32_t DataMovementKernel::get_kernel_processor_type(int) const { return processor_; }

uint32_t CircularBufferImpl::address() const
{
	if (!at)
		throw std::runtime_error("Circular buffer has not been allocated");
	return *at;
}

uint32_t CircularBuffer::size() const { return impl->size; }
bool CircularBuffer::globally_allocated() const { return impl->global; }
const CoreRangeSet &CircularBuffer::core_ranges() const { return impl->cores; }

void experimental::dfb::detail::DataflowBufferImpl::publish()
{
	const void *r[2] = {ranges.data(), ranges.data() + ranges.size()};
	const void *g[2] = {groups.data(), groups.data() + groups.size()};

	memcpy(bytes + offsets.cores, r, sizeof r);
	memcpy(bytes + offsets.groups, g, sizeof g);
	at<uint32_t>(offsets.size) = entry;
	at<uint32_t>(offsets.size + 4) = entries;
	bytes[offsets.borrowed] = borrowed;
	bytes[offsets.alias] = alias;
}

namespace detail {
uint64_t ProgramImpl::get_id() const { return id_; }
std::unordered_map<uint32_t, std::shared_ptr<Kernel>> &ProgramImpl::get_kernels(uint32_t)
{
	return kernels_;
}
#if GEN >= 66
std::span<const std::shared_ptr<CircularBufferImpl>> ProgramImpl::circular_buffers() const
#else
const std::vector<std::shared_ptr<CircularBufferImpl>> &ProgramImpl::circular_buffers() const
#endif
{
	return cbs_;
}
#if GEN >= 70
const std::vector<std::shared_ptr<experimental::dfb::detail::DataflowBufferImpl>> &
ProgramImpl::dataflow_buffers() const
{
	return dfbs_;
}
#endif
ProgramConfig &ProgramImpl::get_program_config(uint32_t core_type) { return configs_[core_type]; }
uint32_t &ProgramImpl::get_program_config_size(uint32_t core_type) { return sizes_[core_type]; }
std::shared_ptr<Buffer> ProgramImpl::get_kernels_buffer(IDevice *) const { return binaries_; }
} // namespace detail

namespace distributed {
Programs &MeshWorkload::get_programs() { return programs; }
} // namespace distributed
} // namespace tt::tt_metal
