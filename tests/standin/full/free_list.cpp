/* SPDX-License-Identifier: Apache-2.0 */
#include "free_list.hpp"

#include <iterator>

namespace standin {
FreeList::FreeList(uint64_t bytes) : total_(bytes)
{
	if (bytes)
		add_free(0, bytes);
}

void FreeList::add_free(uint64_t offset, uint64_t bytes)
{
	free_.emplace(offset, bytes);
	by_size_.emplace(bytes, offset);
}

void FreeList::remove_free(uint64_t offset, uint64_t bytes)
{
	free_.erase(offset);
	by_size_.erase({bytes, offset});
}

FreeList::BySize::iterator FreeList::fitting(uint64_t bytes, bool bottom_up)
{
	auto lowest = by_size_.lower_bound({bytes, 0});

	if (lowest == by_size_.end() || bottom_up)
		return lowest;
	/* same size, highest address: the one before the next larger size */
	return std::prev(by_size_.lower_bound({lowest->first + 1, 0}));
}

std::optional<uint64_t> FreeList::take(uint64_t bytes, bool bottom_up)
{
	auto found = fitting(bytes, bottom_up);

	if (bytes == 0 || found == by_size_.end())
		return std::nullopt;
	auto [room, start] = *found;
	uint64_t rest = room - bytes;
	uint64_t at = bottom_up ? start : start + rest;

	remove_free(start, room);
	if (rest)
		add_free(bottom_up ? start + bytes : start, rest);
	taken_.emplace(at, bytes);
	taken_bytes_ += bytes;
	return at;
}

uint64_t FreeList::give(uint64_t offset)
{
	auto found = taken_.find(offset);

	if (found == taken_.end())
		return 0;
	uint64_t bytes = found->second, start = offset, end = offset + bytes;

	taken_.erase(found);
	taken_bytes_ -= bytes;
	auto after = free_.find(end);
	if (after != free_.end()) {
		end += after->second;
		remove_free(after->first, after->second);
	}
	auto before = free_.lower_bound(start);
	if (before != free_.begin() && (--before)->first + before->second == start) {
		start = before->first;
		remove_free(before->first, before->second);
	}
	add_free(start, end - start);
	return bytes;
}

uint64_t FreeList::largest() const
{
	return by_size_.empty() ? 0 : by_size_.rbegin()->first;
}

std::vector<uint64_t> FreeList::largest_offsets() const
{
	std::vector<uint64_t> offsets;

	for (auto it = by_size_.lower_bound({largest(), 0}); it != by_size_.end(); ++it)
		offsets.push_back(it->second);
	return offsets;
}

std::optional<uint64_t> FreeList::lowest_taken() const
{
	return taken_.empty() ? std::nullopt : std::optional<uint64_t>(taken_.begin()->first);
}

std::vector<Block> FreeList::blocks() const
{
	std::vector<Block> all;
	auto taken = taken_.begin();
	auto free = free_.begin();

	while (taken != taken_.end() || free != free_.end()) {
		bool next_is_free = taken == taken_.end() ||
				    (free != free_.end() && free->first < taken->first);
		auto &it = next_is_free ? free : taken;

		all.push_back({it->first, it->second, next_is_free});
		++it;
	}
	return all;
}
} // namespace standin
