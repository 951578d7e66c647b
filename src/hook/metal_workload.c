/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The programs of a MeshWorkload: a map from ranges of mesh coordinates to
 * programs, one node each.
 *
 * Where a node keeps its program follows from the size of its key, which
 * differs by release and which nothing tells. So it is learnt: at the first
 * dispatch the one word is looked for that is a program whose buffers have been
 * laid out. Until then, and in a node where the word cannot be one, nothing is
 * said about the program.
 */
#include "hook/metal_program.h"
#include "hook/safe_read.h"

#define NODE_START 0x08 /* MeshCoordinate: {u32 *values, u32 count, ...} */
#define NODE_END   0x38
#define SEARCH_LOW  0x48
#define SEARCH_HIGH 0x180
#define NODES_MAX   1024
#define DIMENSIONS_MAX 8

static uint32_t learn(struct metal *metal, uint64_t node, metal_is_program *is_program)
{
	uint64_t word;

	for (uint32_t offset = SEARCH_LOW; offset < SEARCH_HIGH; offset += sizeof word)
		if (safe_read_word(node + offset, &word) == 0 && is_program(word)) {
			/* relaxed: whoever looks later finds the same */
			__atomic_store_n(&metal->node_program, offset, __ATOMIC_RELAXED);
			return offset;
		}
	return 0;
}

/* The last two dimensions are rows and columns; missing ones are 0. */
static void read_coordinate(uint64_t at, uint16_t to[2])
{
	struct {
		uint64_t values;
		uint32_t count, capacity;
	} vector;
	uint32_t values[DIMENSIONS_MAX];

	to[0] = to[1] = 0;
	if (safe_read(at, &vector, sizeof vector) < 0 || vector.count == 0 ||
	    vector.count > DIMENSIONS_MAX ||
	    safe_read(vector.values, values, vector.count * sizeof values[0]) < 0)
		return;
	to[1] = (uint16_t)values[vector.count - 1];
	if (vector.count > 1)
		to[0] = (uint16_t)values[vector.count - 2];
}

/*
 * The map and its nodes are objects of the library that the caller is just using, so their next
 * pointers are followed directly: this is on the way of every dispatch.
 */
uint32_t metal_workload_programs(struct metal *metal, const void *workload,
				 metal_is_program *is_program, metal_node_visitor *visit,
				 void *argument)
{
	metal_function programs = metal->symbol[METAL_SYMBOL_workload_programs];
	uint32_t unknown = 0;

	if (!programs)
		return 1;
	const uint64_t *map = ((const uint64_t *(*)(const void *))programs)(workload);

	/* unordered_map: {buckets, bucket count, first node, ...} */
	const uint64_t *node = (const uint64_t *)(uintptr_t)map[2];

	for (int n = 0; node && n < NODES_MAX; n++) {
		uint32_t offset = __atomic_load_n(&metal->node_program, __ATOMIC_RELAXED);
		uint64_t program;

		if (!offset)
			offset = learn(metal, (uint64_t)(uintptr_t)node, is_program);
		program = offset ? node[offset / sizeof *node] : 0;
		if (program)
			visit(argument, program, (uint64_t)(uintptr_t)node);
		else
			unknown++;
		node = (const uint64_t *)(uintptr_t)node[0];
	}
	return unknown;
}

void metal_node_place(uint64_t node, uint16_t ret_start[2], uint16_t ret_end[2])
{
	read_coordinate(node + NODE_START, ret_start);
	read_coordinate(node + NODE_END, ret_end);
}
