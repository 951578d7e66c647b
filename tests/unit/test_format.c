/* SPDX-License-Identifier: Apache-2.0 */
/*
 * docs/region.md against the compiler. Reason: the text is what other readers
 * are written from, so a field that moved, was added or was never described
 * must fail here, in either direction. The lists below are checked as well:
 * the fields of a struct must fill it without a gap.
 */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "region/format.h"
#include "region/reader.h"
#include "region/registration.h"

struct field {
	const char *structure, *name; /* name NULL: the struct itself */
	size_t offset, size;
	bool seen;
};

#define F(type, field)                                                                             \
	{ #type, #field, offsetof(struct type, field), sizeof(((struct type *)0)->field), false }
#define S(type) { #type, NULL, 0, sizeof(struct type), false }

static struct field fields[] = {
	S(region_part), F(region_part, offset), F(region_part, element_bytes),
	F(region_part, count),

	S(region_head), F(region_head, magic), F(region_head, version), F(region_head, head_bytes),
	F(region_head, file_bytes), F(region_head, random_id), F(region_head, pid),
	F(region_head, uid), F(region_head, start_ticks), F(region_head, created_realtime_ns),
	F(region_head, created_monotonic_ns), F(region_head, part_count),
	F(region_head, build_id_bytes), F(region_head, build_id), F(region_head, metal_version),
	F(region_head, entry), F(region_head, parts), F(region_head, command),
	F(region_head, reserved0), F(region_head, seq), F(region_head, slots_high_water),
	F(region_head, slots_live), F(region_head, allocators_used), F(region_head, failures_count),
	F(region_head, moved), F(region_head, left_out), F(region_head, reserved1),
	F(region_head, dropped_full),
	F(region_head, dropped_memory), F(region_head, dropped_allocator),
	F(region_head, dropped_key), F(region_head, replaced), F(region_head, unknown_frees),
	F(region_head, left_at_close), F(region_head, copies), F(region_head, dispatches),
	F(region_head, programs_high_water), F(region_head, programs_live),
	F(region_head, programs_dropped), F(region_head, programs_unknown),
	F(region_head, dispatch_unrecorded), F(region_head, sites_used),
	F(region_head, site_string_bytes), F(region_head, site_stack_words),
	F(region_head, site_modules), F(region_head, sites_dropped), F(region_head, left_rows),
	F(region_head, reserved2),

	S(region_capability), F(region_capability, state), F(region_capability, half_written),
	F(region_capability, name), F(region_capability, detail),

	S(region_failure), F(region_failure, seq), F(region_failure, time_ns),
	F(region_failure, requested_bytes), F(region_failure, page_bytes),
	F(region_failure, free_bytes_per_bank), F(region_failure, largest_bytes_per_bank),
	F(region_failure, allocator), F(region_failure, thread), F(region_failure, type),
	F(region_failure, kind), F(region_failure, program_id),
	F(region_failure, end_address), F(region_failure, lowest_address),
	F(region_failure, needed_bytes), F(region_failure, limit_bytes),
	F(region_failure, site), F(region_failure, reserved0), F(region_failure, reserved),

	S(region_totals), F(region_totals, seq), F(region_totals, requested_bytes),
	F(region_totals, bank_bytes), F(region_totals, peak_requested_bytes),
	F(region_totals, peak_bank_bytes), F(region_totals, allocs), F(region_totals, frees),
	F(region_totals, failures),

	S(region_verify), F(region_verify, seq), F(region_verify, request),
	F(region_verify, their_total), F(region_verify, their_allocated),
	F(region_verify, their_free), F(region_verify, their_largest),
	F(region_verify, our_bank_bytes), F(region_verify, our_event),

	S(region_geometry), F(region_geometry, banks), F(region_geometry, alignment),
	F(region_geometry, bank_bytes), F(region_geometry, base_address),

	S(region_chip), F(region_chip, unique_id), F(region_chip, chip_id), F(region_chip, flags),
	F(region_chip, reserved),

	S(region_allocator), F(region_allocator, seq), F(region_allocator, object),
	F(region_allocator, device), F(region_allocator, parent_device),
	F(region_allocator, opened_ns), F(region_allocator, closed_ns), F(region_allocator, flags),
	F(region_allocator, arch), F(region_allocator, mesh_id), F(region_allocator, chip_count),
	F(region_allocator, grid_x), F(region_allocator, grid_y),
	F(region_allocator, l1_bytes_per_core), F(region_allocator, geometry),
	F(region_allocator, ring_base), F(region_allocator, ring_bytes),
	F(region_allocator, unreserved_base), F(region_allocator, l1_small_bytes),
	F(region_allocator, l1_source), F(region_allocator, worker_x),
	F(region_allocator, worker_y), F(region_allocator, dispatch_cores),
	F(region_allocator, dispatch_cores_used), F(region_allocator, program_peak_bytes),
	F(region_allocator, pieces), F(region_allocator, dispatch_at),
	F(region_allocator, reserved), F(region_allocator, chips),

	S(region_l1_piece), F(region_l1_piece, base), F(region_l1_piece, bytes),

	S(region_program), F(region_program, seq), F(region_program, object),
	F(region_program, program_id), F(region_program, first_ns), F(region_program, chips),
	F(region_program, dram_address), F(region_program, dram_bytes),
	F(region_program, allocator), F(region_program, flags), F(region_program, first_kernel),
	F(region_program, kernel_count), F(region_program, first_range),
	F(region_program, range_count), F(region_program, mesh_start), F(region_program, mesh_end),
	F(region_program, ring_bytes), F(region_program, text_bytes),
	F(region_program, runtime_args_bytes), F(region_program, semaphore_bytes),
	F(region_program, cb_config_bytes), F(region_program, dfb_config_bytes),
	F(region_program, core_bytes), F(region_program, end_address), F(region_program, op),
	F(region_program, reserved), F(region_program, last_dispatch),
	F(region_program, dispatches), F(region_program, last_ns), F(region_program, reserved1),

	S(region_kernel), F(region_kernel, name), F(region_kernel, kind), F(region_kernel, riscs),
	F(region_kernel, binaries), F(region_kernel, handle), F(region_kernel, packed_bytes),
	F(region_kernel, text_bytes), F(region_kernel, reserved),

	S(region_program_range), F(region_program_range, address), F(region_program_range, bytes),
	F(region_program_range, kind), F(region_program_range, flags),
	F(region_program_range, object), F(region_program_range, reserved),
	F(region_program_range, x0), F(region_program_range, y0), F(region_program_range, x1),
	F(region_program_range, y1), F(region_program_range, program),
	F(region_program_range, reserved1),

	S(region_site), F(region_site, op), F(region_site, file), F(region_site, function),
	F(region_site, line), F(region_site, stack), F(region_site, tag),

	S(region_site_module), F(region_site_module, path), F(region_site_module, build_id_bytes),
	F(region_site_module, build_id), F(region_site_module, reserved),

	S(region_left), F(region_left, seq), F(region_left, buffers), F(region_left, requested_bytes),
	F(region_left, occupied_bytes), F(region_left, site), F(region_left, type),
	F(region_left, reserved),

	S(region_slot), F(region_slot, seq), F(region_slot, address),
	F(region_slot, requested_bytes), F(region_slot, place_bank), F(region_slot, page_bytes),
	F(region_slot, extent), F(region_slot, origin), F(region_slot, time_ns),

	S(control_page), F(control_page, magic), F(control_page, doorbell),
	F(control_page, reserved), F(control_page, servers), F(control_page, reserved1),

	S(control_line), F(control_line, owner), F(control_line, heartbeat_ns),
	F(control_line, verify_request), F(control_line, record_request),
	F(control_line, reserved),

	S(registration), F(registration, magic), F(registration, version), F(registration, line),
	F(registration, start_ticks), F(registration, kind), F(registration, pid),
};

#define FIELDS (sizeof fields / sizeof fields[0])

struct constant {
	const char *name;
	uint64_t value;
	bool seen;
};

#define C(name) { #name, (uint64_t)(name), false }

static struct constant constants[] = {
	C(REGION_MAGIC), C(REGION_VERSION), C(REGION_PAGE_BYTES), C(REGION_BLOCK_BYTES),
	C(REGION_BLOCK_SLOTS), C(REGION_SLOTS_MAX), C(REGION_ALLOCATORS_MAX), C(REGION_CHIPS_MAX),
	C(REGION_FAILURES_MAX), C(REGION_CAPABILITIES_MAX), C(REGION_MEMORY_TYPES),
	C(REGION_PARTS_MAX), C(REGION_COMMAND_BYTES), C(REGION_NONE), C(REGION_PART_CAPABILITIES),
	C(REGION_PART_FAILURES), C(REGION_PART_TOTALS), C(REGION_PART_VERIFY),
	C(REGION_PART_ALLOCATORS), C(REGION_PART_SLOTS), C(REGION_PART_PROGRAMS),
	C(REGION_PART_SITES), C(REGION_PART_EVENTS), C(REGION_HEAD_OFFSET),
	C(REGION_CAPABILITIES_OFFSET), C(REGION_FAILURES_OFFSET), C(REGION_TOTALS_OFFSET),
	C(REGION_VERIFY_OFFSET), C(REGION_ALLOCATORS_OFFSET), C(REGION_SLOTS_OFFSET),
	C(CAPABILITY_UNKNOWN), C(CAPABILITY_PRESENT), C(CAPABILITY_MISSING), C(CAPABILITY_FAILED),
	C(CAPABILITY_OFF), C(REGION_FAILURE_ALLOCATION), C(REGION_FAILURE_CLASH),
	C(REGION_FAILURE_TOO_LARGE), C(REGION_CHIP_HAS_UNIQUE_ID), C(REGION_ALLOCATOR_OPEN),
	C(REGION_ALLOCATOR_MESH), C(REGION_BANK_BITS), C(REGION_FILE_BYTES_MAX), C(CONTROL_MAGIC),
	C(REGION_PROGRAMS_MAX), C(REGION_PROGRAMS_UNIT), C(REGION_PROGRAM_KERNELS),
	C(REGION_PROGRAM_RANGES), C(REGION_BINARIES_MAX), C(REGION_L1_PIECES),
	C(REGION_DISPATCH_CORES), C(REGION_PART_KERNELS), C(REGION_PART_PROGRAM_RANGES),
	C(REGION_PARTS_KNOWN), C(REGION_L1_UNKNOWN), C(REGION_L1_DISPATCHER), C(REGION_L1_HAL),
	C(REGION_L1_BARRIER), C(REGION_L1_MAILBOX), C(REGION_L1_ROUTING_TABLE),
	C(REGION_L1_FABRIC_CONNECTIONS), C(REGION_L1_FABRIC_LOCK), C(REGION_PROGRAM_CUT),
	C(REGION_PROGRAM_NO_DFB), C(REGION_KERNEL_OTHER), C(REGION_KERNEL_DATA_MOVEMENT),
	C(REGION_KERNEL_COMPUTE), C(REGION_KERNEL_ETHERNET), C(REGION_RANGE_NONE),
	C(REGION_RANGE_KERNEL), C(REGION_RANGE_CIRCULAR_BUFFER), C(REGION_RANGE_DATAFLOW_BUFFER),
	C(REGION_RANGE_SCRATCHPAD), C(REGION_RANGE_BORROWED), C(REGION_RANGE_ALIAS),
	C(REGION_SITES_MAX), C(REGION_SITES_UNIT), C(REGION_SITE_STRING_BYTES),
	C(REGION_SITE_STACK_WORDS), C(REGION_SITE_MODULES_MAX), C(REGION_SITE_MODULES_OFFSET),
	C(REGION_SITE_UNKNOWN), C(REGION_SITE_BEFORE_ATTACH), C(REGION_STACK_DEPTH_MAX),
	C(REGION_LEFT_MAX), C(REGION_LEFT_OFFSET), C(REGION_PART_LEFT),
	C(REGION_PART_SITE_STRINGS), C(REGION_PART_SITE_STACKS), C(REGION_PART_SITE_MODULES),
	C(CONTROL_SERVERS_MAX), C(REGISTRATION_LINES), C(REGISTRATION_MAGIC),
	C(REGISTRATION_VERSION), C(REGISTRATION_FDS), C(REGISTRATION_TABLE),
	C(REGISTRATION_FAILURE), C(REGISTRATION_ADOPTED),
};

#define CONSTANTS (sizeof constants / sizeof constants[0])

#define SAY(...) (print_error(__VA_ARGS__), faults++)

static unsigned faults;

static struct field *find_field(const char *structure, const char *name)
{
	for (size_t i = 0; i < FIELDS; i++)
		if (strcmp(fields[i].structure, structure) == 0 &&
		    (name ? fields[i].name && strcmp(fields[i].name, name) == 0 : !fields[i].name))
			return &fields[i];
	return NULL;
}

/* One row of a table of fields, or the size in a heading (offset 0, no name). */
static void check_field(int line, const char *structure, const char *name, uint64_t offset,
			uint64_t size)
{
	struct field *field = find_field(structure, name);

	if (!field)
		SAY("region.md:%d: %s.%s: not in the code\n", line, structure, name ? name : "");
	else if (field->seen)
		SAY("region.md:%d: %s.%s: described twice\n", line, structure, name ? name : "");
	else if (field->offset != offset || field->size != size)
		SAY("region.md:%d: %s.%s: offset %" PRIu64 " size %" PRIu64
		    ", in the code %zu and %zu\n",
		    line, structure, name ? name : "", offset, size, field->offset, field->size);
	if (field)
		field->seen = true;
}

static void check_constant(int line, const char *name, uint64_t value)
{
	for (size_t i = 0; i < CONSTANTS; i++)
		if (strcmp(constants[i].name, name) == 0) {
			if (constants[i].value != value)
				SAY("region.md:%d: %s is not %#" PRIx64 "\n", line, name, value);
			constants[i].seen = true;
			return;
		}
	SAY("region.md:%d: %s: not in the code\n", line, name);
}

static void check_text(FILE *file)
{
	char text[1024], structure[64] = "", name[64], number[64];
	uint64_t offset, size;

	for (int line = 1; fgets(text, sizeof text, file); line++) {
		if (sscanf(text, "### `%63[a-z0-9_]`: %" SCNu64 " bytes", structure, &size) == 2)
			check_field(line, structure, NULL, 0, size);
		else if (strncmp(text, "#", 1) == 0)
			structure[0] = '\0';
		else if (sscanf(text, "| %" SCNu64 " | %" SCNu64 " | `%63[a-z0-9_]` |", &offset,
				&size, name) == 3)
			check_field(line, structure, name, offset, size);
		else if (sscanf(text, "| `%63[A-Z0-9_]` | %63[0-9a-fx] |", name, number) == 2)
			check_constant(line, name, strtoull(number, NULL, 0));
	}
}

static void test_text_and_code(void **state)
{
	FILE *file = fopen(SOURCE_ROOT "/docs/region.md", "re");

	(void)state;
	assert_non_null(file);
	check_text(file);
	(void)fclose(file);
	for (size_t i = 0; i < FIELDS; i++)
		if (!fields[i].seen)
			SAY("region.md: nothing about %s.%s\n", fields[i].structure,
			    fields[i].name ? fields[i].name : "");
	for (size_t i = 0; i < CONSTANTS; i++)
		if (!constants[i].seen)
			SAY("region.md: nothing about %s\n", constants[i].name);
	assert_int_equal(faults, 0);
}

/* A field added to a struct and forgotten here leaves a gap. */
static void test_no_gaps(void **state)
{
	size_t end = 0, whole = 0;

	(void)state;
	for (size_t i = 0; i < FIELDS; i++) {
		if (!fields[i].name) {
			assert_int_equal(end, whole);
			whole = fields[i].size;
			end = 0;
			continue;
		}
		if (fields[i].offset != end)
			print_error("before %s.%s\n", fields[i].structure, fields[i].name);
		assert_int_equal(fields[i].offset, end);
		end += fields[i].size;
	}
	assert_int_equal(end, whole);
}

/* The packed words: what goes in comes out, and nothing leaks into its neighbour. */
static void test_packed_words(void **state)
{
	uint64_t place = region_slot_place(0xabc, 3, 9, REGION_BANK_MASK);

	(void)state;
	assert_int_equal(region_slot_allocator(place), 0xabc);
	assert_int_equal(region_slot_type(place), 3);
	assert_int_equal(region_slot_layout(place), 9);
	assert_int_equal(region_slot_bank_bytes(place), REGION_BANK_MASK);
	assert_true(REGION_ALLOCATORS_MAX <= 0x1000);
	assert_int_equal(region_slot_place(0, 0, 0, UINT64_MAX), REGION_BANK_MASK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text_and_code),
		cmocka_unit_test(test_no_gaps),
		cmocka_unit_test(test_packed_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
