/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where dataflow buffers, scratchpads and kernels keep what no function tells
 * (or none that is safe to call): offsets, by release. The hook takes the row of its build, an unknown build
 * tries them all and believes what they agree in; either way the addresses found must lie in the L1 that
 * programs may use, and a dataflow buffer's cores must be the cores it names.
 */
#ifndef TTMEM_METAL_PROGRAM_LAYOUTS_H
#define TTMEM_METAL_PROGRAM_LAYOUTS_H

#include <stddef.h>
#include <stdint.h>

struct metal_program_layout {
	const char *first, *last; /* releases */
	/* DataflowBufferImpl */
	uint16_t dfb_cores;    /* CoreRangeSet */
	uint16_t dfb_size;     /* entry size u32, then number of entries u32 */
	uint16_t dfb_borrowed; /* u8: lies in an L1 buffer; 0: this release has none */
	uint16_t dfb_alias;    /* u8: shares the memory of another; 0: this release has none */
	uint16_t dfb_groups;   /* vector of groups */
	/* Kernel; 0: not known, or none in this release */
	uint16_t scratch_vector, scratch_element;
	uint16_t kernel_binaries; /* map from build to a vector of loaded binaries */
};

/* A group of a dataflow buffer: 72 bytes, with a vector of {u64 x, u64 y, u32 address} in it. */
#define METAL_DFB_GROUP_BYTES 72
#define METAL_DFB_GROUP_CORES 48
#define METAL_DFB_CORE_BYTES  24
/* A loaded binary: its words (begin, end), and the bytes of its code, u32. */
#define METAL_BINARY_TEXT 0x30
/* A scratchpad: its size and its address, u32 each. */
#define METAL_SCRATCH_SIZE    0x20
#define METAL_SCRATCH_ADDRESS 0x28

/* metal_program_layout_find - of a release by its name; NULL when it is not known */
const struct metal_program_layout *metal_program_layout_find(const char *version);
/* metal_program_layout_at - all of them, newest first; NULL behind the last */
const struct metal_program_layout *metal_program_layout_at(size_t index);

#endif
