/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The free list of one memory type. Banks work in lock-step: a buffer takes the
 * same range in each, so one list is enough for all of them. Best fit; ties go
 * to the end from which the request grows. Offsets are relative to the region.
 * Not thread safe: the allocator's lock is held.
 */
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>


namespace standin {
struct Block {
	uint64_t offset, bytes;
	bool free;
};

class FreeList {
public:
	explicit FreeList(uint64_t bytes);
	std::optional<uint64_t> take(uint64_t bytes, bool bottom_up);
	/* Returns how many bytes came back; 0 when nothing was taken at `offset`. */
	uint64_t give(uint64_t offset);

	uint64_t total() const { return total_; }
	uint64_t taken() const { return taken_bytes_; }
	uint64_t largest() const;
	std::vector<uint64_t> largest_offsets() const;
	std::optional<uint64_t> lowest_taken() const;
	std::vector<Block> blocks() const; /* all, in the order of addresses */

private:
	using BySize = std::set<std::pair<uint64_t, uint64_t>>;

	BySize::iterator fitting(uint64_t bytes, bool bottom_up);
	void add_free(uint64_t offset, uint64_t bytes);
	void remove_free(uint64_t offset, uint64_t bytes);

	uint64_t total_, taken_bytes_ = 0;
	std::map<uint64_t, uint64_t> taken_, free_; /* offset -> bytes */
	BySize by_size_;			    /* the free ones again: bytes, offset */
};
} // namespace standin
