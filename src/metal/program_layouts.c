/* SPDX-License-Identifier: Apache-2.0 */
#include "metal/program_layouts.h"

#include <stdio.h>
#include <string.h>

/* Read from the machine code of allocate_dataflow_buffers, allocate_scratchpads, get_binary_packed_size. */
static const struct metal_program_layout layouts[] = {
	{"0.81.1", "0.81.1", 0x10, 0x28, 0x72, 0xfc, 0x80, 0x220, 0x60, 0x380},
	{"0.80.0", "0.80.0", 0x10, 0x28, 0x6a, 0xe8, 0x78, 0x220, 0x60, 0x380},
	{"0.78.0", "0.79.0", 0x10, 0x28, 0x76, 0xf0, 0x80, 0x220, 0x30, 0x368},
	{"0.77.0", "0.77.0", 0x10, 0x28, 0x76, 0xf0, 0x80, 0x220, 0x30, 0x350},
	{"0.76.0", "0.76.0", 0x08, 0x20, 0x6e, 0xe8, 0x78, 0x220, 0x30, 0x348},
	{"0.75.0", "0.75.0", 0x08, 0x20, 0x6e, 0xe8, 0x78, 0, 0, 0x2e8},
	{"0.74.0", "0.74.0", 0x08, 0x20, 0x6e, 0xe8, 0x78, 0, 0, 0x2d0},
	{"0.73.1", "0.73.1", 0x08, 0x20, 0x6e, 0xec, 0x78, 0, 0, 0x2d0},
	{"0.72.0", "0.72.0", 0x08, 0x20, 0x62, 0xe4, 0x70, 0, 0, 0x2d0},
	{"0.71.2", "0.71.2", 0x08, 0x20, 0, 0, 0x70, 0, 0, 0x2c0},
	{"0.70.1", "0.70.1", 0x08, 0x20, 0, 0, 0x70, 0, 0, 0x2a8},
	{"0.69.0", "0.69.0", 0x08, 0x20, 0, 0, 0x68, 0, 0, 0x200},
	/* no or other dataflow buffers */
	{"0.64.5", "0.68.0", 0, 0, 0, 0, 0, 0, 0, 0x200},
};

static unsigned number(const char *version)
{
	unsigned a = 0, b = 0, c = 0;

	(void)sscanf(version, "%u.%u.%u", &a, &b, &c);
	return a * 1000000 + b * 1000 + c;
}

const struct metal_program_layout *metal_program_layout_find(const char *version)
{
	for (size_t i = 0; version && i < sizeof layouts / sizeof layouts[0]; i++)
		if (number(layouts[i].first) <= number(version) &&
		    number(version) <= number(layouts[i].last))
			return &layouts[i];
	return NULL;
}

const struct metal_program_layout *metal_program_layout_at(size_t index)
{
	return index < sizeof layouts / sizeof layouts[0] ? &layouts[index] : NULL;
}
