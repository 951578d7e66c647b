/* SPDX-License-Identifier: Apache-2.0 */
#include "model/program.h"

#include <stddef.h>

const char *l1_piece_name(enum l1_piece piece)
{
	static const char *const names[L1_PIECES] = {"barrier", "mailbox", "routing_table",
						     "fabric_connections", "fabric_lock"};

	return piece < L1_PIECES ? names[piece] : NULL;
}

const char *kernel_kind_name(enum kernel_kind kind)
{
	static const char *const names[] = {"other", "data_movement", "compute", "ethernet"};

	return kind <= KERNEL_ETHERNET ? names[kind] : names[0];
}

const char *risc_name(unsigned bit)
{
	static const char *const names[] = {"brisc", "ncrisc", "trisc0", "trisc1", "trisc2"};

	return bit < sizeof names / sizeof names[0] ? names[bit] : NULL;
}

const char *range_kind_name(unsigned kind)
{
	static const char *const names[] = {NULL, "kernel", "circular_buffer", "dataflow_buffer",
					    "scratchpad"};

	return kind < sizeof names / sizeof names[0] ? names[kind] : NULL;
}
