/* SPDX-License-Identifier: Apache-2.0 */
#include "api/fields.h"

#define AT(member) offsetof(struct memory, member)

const struct memory_field memory_fields[] = {
	{"requested_bytes", "requested_bytes", AT(requested_bytes), false, "bytes",
	 "what the programs asked for"},
	{"occupied_bytes", "occupied_bytes", AT(occupied_bytes), false, "bytes",
	 "what the banks gave: bytes per bank x banks"},
	{"allocatable_bytes", "allocatable_bytes", AT(allocatable_bytes), false, "bytes",
	 "bank size x banks"},
	{"free_bytes", "free_bytes", AT(free_bytes), false, "bytes", "allocatable - occupied"},
	{"largest_free_bytes", "largest_free_bytes", AT(largest_free_bytes), false, "bytes",
	 "largest free range of a bank x banks"},
	{"banks", "banks", AT(banks), false, "", "banks that work in lock step"},
	{"size_bytes", "bank.size_bytes", AT(bank_size_bytes), true, "bytes",
	 "allocatable in one bank"},
	{"allocated_bytes", "bank.allocated_bytes", AT(bank_allocated_bytes), true, "bytes",
	 "in use in one bank"},
	{"free_bytes", "bank.free_bytes", AT(bank_free_bytes), true, "bytes", "free in one bank"},
	{"largest_free_bytes", "bank.largest_free_bytes", AT(bank_largest_free_bytes), true,
	 "bytes", "largest free range of one bank"},
	{"buffers", "buffers", AT(buffers), false, "", "live buffers"},
	{"peak_requested_bytes", "peak_requested_bytes", AT(peak_requested_bytes), false, "bytes",
	 "highest requested_bytes so far"},
	{"peak_occupied_bytes", "peak_occupied_bytes", AT(peak_occupied_bytes), false, "bytes",
	 "highest occupied_bytes so far"},
};

const size_t memory_field_count = sizeof memory_fields / sizeof memory_fields[0];
