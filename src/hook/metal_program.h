/* SPDX-License-Identifier: Apache-2.0 */
/* What a ProgramImpl says of itself, asked once, after its first dispatch. */
#ifndef TTMEM_HOOK_METAL_PROGRAM_H
#define TTMEM_HOOK_METAL_PROGRAM_H

#include "hook/metal.h"

/* More is cut off and said so. */
#define PROGRAM_KERNELS_MAX 256u
#define PROGRAM_RANGES_MAX  2048u

/* Which program, and what is known of where it runs. */
struct metal_program_place {
	uint64_t program;
	uint64_t device; /* the MeshDevice of the queue */
	uint32_t allocator; /* row */
	uint64_t chips; /* bits: chips of that row */
	uint16_t mesh_start[2], mesh_end[2];
	uint64_t l1_low, l1_high; /* where programs may have memory; 0, 0: not known */
};

/* Too large for a stack that is not ours; the caller maps it for the time of one description. */
struct metal_program_scratch {
	struct region_program_found found;
	struct region_kernel kernels[PROGRAM_KERNELS_MAX];
	struct region_program_range ranges[PROGRAM_RANGES_MAX];
};

/* metal_program_describe - fills scratch->found and what it points to */
void metal_program_describe(struct metal *metal, const struct metal_program_place *place,
			    struct metal_program_scratch *scratch);

/*
 * metal_program_memory - only its circular buffers and, with `dataflow`, its dataflow buffers: what
 * may be asked of a program that did not come as far as its dispatch.
 */
void metal_program_memory(struct metal *metal, const struct metal_program_place *place,
			  bool dataflow, struct metal_program_scratch *scratch);
/*
 * metal_program_code - only its kernels, of a program that has been compiled. Return: bytes of code
 * on the core that has the most; a lower bound of its entry of the ring.
 */
uint32_t metal_program_code(struct metal *metal, const struct metal_program_place *place,
			    struct metal_program_scratch *scratch);

/* metal_dfb_describe - dataflow buffers and scratchpads (metal_dfb.c) */
void metal_dfb_describe(const struct metal *metal, const struct metal_program_place *place,
			struct metal_program_scratch *scratch);
void metal_scratchpads_describe(const struct metal *metal, const struct metal_program_place *place,
				struct metal_program_scratch *scratch, uint64_t kernel,
				uint16_t number);

/* program_range - appends a rectangle; a full list is marked as cut */
void program_range(struct metal_program_scratch *scratch, const struct region_program_range *range);
/* program_ranges_of - appends one range for each rectangle of a vector of CoreRange */
void program_ranges_of(struct metal_program_scratch *scratch, uint64_t begin, uint64_t end,
		       const struct region_program_range *like);

/* metal_kernel_sizes - of its binaries, by the layout of the release (metal_kernel.c) */
void metal_kernel_sizes(const struct metal *metal, uint64_t kernel, struct region_kernel *to);

/*
 * metal_workload_programs - calls `visit` with each program of a MeshWorkload and its node in the
 * workload's map. `is_program`: is this the address of a program that was laid out? It teaches us
 * where a node keeps its program. Return: number of nodes whose program could not be told.
 */
typedef bool metal_is_program(uint64_t address);
typedef void metal_node_visitor(void *argument, uint64_t program, uint64_t node);
uint32_t metal_workload_programs(struct metal *metal, const void *workload,
				 metal_is_program *is_program, metal_node_visitor *visit,
				 void *argument);
/* metal_node_place - mesh coordinates of a node: first and last row and column */
void metal_node_place(uint64_t node, uint16_t ret_start[2], uint16_t ret_end[2]);

#endif
