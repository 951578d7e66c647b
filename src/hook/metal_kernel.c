/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How large a kernel's binaries are.
 *
 * There are functions for it, but they follow pointers that may be null (in
 * 0.66.0 on a mock cluster they are), so the same map is read here with care:
 * unordered_map<build, vector<binary *>> in the kernel, one build for all chips
 * of an architecture.
 */
#include "hook/metal_program.h"
#include "hook/safe_read.h"
#include "metal/program_layouts.h"

/* A kernel is refused by TT-Metal long before it is that large. */
#define BINARY_BYTES_MAX (4u << 20)

struct binary {
	uint32_t packed, text;
};

static bool read_binary(uint64_t object, struct binary *ret_binary)
{
	uint64_t words[2];
	uint32_t text;

	if (!object || safe_read(object, words, sizeof words) < 0 || words[1] <= words[0] ||
	    words[1] - words[0] > BINARY_BYTES_MAX ||
	    safe_read(object + METAL_BINARY_TEXT, &text, sizeof text) < 0 ||
	    text > words[1] - words[0])
		return false;
	ret_binary->packed = (uint32_t)(words[1] - words[0]) & ~3u;
	ret_binary->text = text;
	return true;
}

/* Exactly `count` binaries for the first build in the map. */
static bool read_binaries(uint64_t map, uint32_t count, struct binary *to)
{
	struct {
		uint64_t buckets, bucket_count, first, count;
	} table;
	struct {
		uint64_t next, build, begin, end;
	} node;
	uint64_t object;

	if (safe_read(map, &table, sizeof table) < 0 || table.bucket_count == 0 || table.count == 0 ||
	    table.count > table.bucket_count * 2 || !table.first ||
	    safe_read(table.first, &node, sizeof node) < 0 ||
	    node.end - node.begin != count * sizeof object)
		return false;
	for (uint32_t i = 0; i < count; i++)
		if (safe_read_word(node.begin + i * sizeof object, &object) < 0 ||
		    !read_binary(object, &to[i]))
			return false;
	return true;
}

void metal_kernel_sizes(const struct metal *metal, uint64_t kernel, struct region_kernel *to)
{
	const struct metal_program_layout *layout = metal->program_layout;
	struct binary found[REGION_BINARIES_MAX];
	bool read = false;

	for (uint32_t i = 0; i < REGION_BINARIES_MAX; i++)
		to->packed_bytes[i] = to->text_bytes[i] = REGION_NONE;
	to->binaries = to->kind == REGION_KERNEL_COMPUTE ? 3 : to->kind ? 1 : 0;
	if (to->binaries == 0)
		return;
	if (layout && layout->kernel_binaries)
		read = read_binaries(kernel + layout->kernel_binaries, to->binaries, found);
	/* an unknown build: where all three of them make sense they can hardly be anything else */
	for (size_t i = 0; !metal->version && !read && metal_program_layout_at(i); i++)
		read = read_binaries(kernel + metal_program_layout_at(i)->kernel_binaries,
				     to->binaries, found);
	for (uint32_t i = 0; read && i < to->binaries; i++) {
		to->packed_bytes[i] = found[i].packed;
		to->text_bytes[i] = found[i].text;
	}
}
