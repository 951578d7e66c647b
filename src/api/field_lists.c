/* SPDX-License-Identifier: Apache-2.0 */
/* The rows themselves. docs/api.md has the same fields; tests/unit/test_api.c compares. */
#include "api/fields.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])
#define LIST(name, heading, rows) const struct field_list name = {heading, rows, COUNT(rows)}

/* The three usual kinds of a row. */
#define FACT(owner, name, member, wanted_unit, when, text)                                         \
	{.path = name, .type = FIELD_NUMBER, .storage = STORED_FACT,                               \
	 .offset = offsetof(struct owner, member), .unit = wanted_unit, .null_when = when,         \
	 .help = text}
#define PLAIN(owner, size, member, wanted_unit, text)                                              \
	{.path = #member, .type = FIELD_NUMBER, .storage = size,                                   \
	 .offset = offsetof(struct owner, member), .unit = wanted_unit, .null_when = "never",      \
	 .help = text}
#define TEXT(owner, name, member, when, text)                                                      \
	{.path = name, .type = FIELD_TEXT, .storage = STORED_U32,                                  \
	 .offset = offsetof(struct owner, member), .null = NULL_ZERO, .unit = "",                  \
	 .null_when = when, .help = text}

static const char *arch_word(unsigned value)
{
	return arch_name(value);
}

static const char *state_word(unsigned value)
{
	static const char *const words[PROCESS_STATES] = {"live", "exited", "gone"};

	return words[value];
}

static const char *type_word(unsigned value)
{
	return memory_type_key((enum memory_type)value);
}

static const char *availability_word(unsigned value)
{
	return availability_name((enum fact_availability)value);
}

static const struct field_words arch_words = {arch_word, 8};
static const char *source_word(unsigned value)
{
	return value == SOURCE_HOOK ? "hook" : "driver";
}

static const char *card_state_word(unsigned value)
{
	return card_state_name((enum card_state)value);
}

static const struct field_words state_words = {state_word, PROCESS_STATES};
static const struct field_words source_words = {source_word, SOURCES};
static const struct field_words card_state_words = {card_state_word, CARD_STATES};
static const char *details_word(unsigned value)
{
	return value ? "hidden" : "shown";
}

static const struct field_words details_words = {details_word, 2};
static const struct field_words type_words = {type_word, MEMORY_TYPES};
static const struct field_words availability_words = {availability_word, AVAILABLE_OFF + 1};
static const struct field_words layout_words = {buffer_layout_name, 16};

#define GEOMETRY "the geometry is unknown"
#define HOLES	 "the geometry is unknown, or it was not asked for"

static const struct field memory_rows[] = {
	FACT(memory, "requested_bytes", requested_bytes, "bytes", "unknown",
	     "what the programs asked for"),
	FACT(memory, "occupied_bytes", occupied_bytes, "bytes", GEOMETRY,
	     "what the banks gave: bytes per bank x banks"),
	FACT(memory, "allocatable_bytes", allocatable_bytes, "bytes", GEOMETRY,
	     "bank size x banks"),
	FACT(memory, "free_bytes", free_bytes, "bytes", GEOMETRY, "allocatable - occupied"),
	FACT(memory, "largest_free_bytes", largest_free_bytes, "bytes", HOLES,
	     "largest free range of a bank x banks"),
	FACT(memory, "banks", banks, "", GEOMETRY, "banks that work in lock step"),
	FACT(memory, "bank.size_bytes", bank_size_bytes, "bytes", GEOMETRY,
	     "allocatable in one bank"),
	FACT(memory, "bank.allocated_bytes", bank_allocated_bytes, "bytes", "unknown",
	     "in use in one bank"),
	FACT(memory, "bank.free_bytes", bank_free_bytes, "bytes", GEOMETRY, "free in one bank"),
	FACT(memory, "bank.largest_free_bytes", bank_largest_free_bytes, "bytes", HOLES,
	     "largest free range of one bank"),
	FACT(memory, "buffers", buffers, "", "unknown", "live buffers"),
	FACT(memory, "peak_requested_bytes", peak_requested_bytes, "bytes", "unknown",
	     "highest requested_bytes so far"),
	FACT(memory, "peak_occupied_bytes", peak_occupied_bytes, "bytes", GEOMETRY,
	     "highest occupied_bytes so far"),
};
LIST(memory_fields, "Memory", memory_rows);

#define ARCH_ROW(owner)                                                                            \
	{.path = "arch", .type = FIELD_WORD, .storage = STORED_U32,                                \
	 .offset = offsetof(struct owner, arch), .null = NULL_ZERO,                                \
	 .reason = REASON_NOT_EXPORTED, .words = &arch_words, .unit = "",                          \
	 .null_when = "unknown", .help = "architecture"}

static const struct field device_rows[] = {
	{.path = "unique_id", .type = FIELD_ID, .storage = STORED_FACT,
	 .offset = offsetof(struct device, unique_id), .unit = "",
	 .null_when = "this TT-Metal does not export it",
	 .help = "the chip's own number, the same in every process"},
	{.path = "chip_id", .type = FIELD_NUMBER, .storage = STORED_U32,
	 .offset = offsetof(struct device, chip_id), .null = NULL_MAX, .may_not_apply = true,
	 .unit = "", .null_when = "no process uses it",
	 .help = "the chip's logical number inside its process"},
	ARCH_ROW(device),
};
LIST(device_fields, "Device", device_rows);

#define L1_UNKNOWN "this TT-Metal does not export it, or no process tells"
#define L1_FACT(path, member, unit, text) FACT(l1_summary, path, member, unit, L1_UNKNOWN, text)

static const struct field l1_rows[] = {
	L1_FACT("core_bytes", core_bytes, "bytes", "the whole L1 of one core"),
	L1_FACT("reserved.bytes", reserved_bytes, "bytes", "below the ring, of which:"),
	L1_FACT("reserved.barrier_bytes", barrier_bytes, "bytes", "the barrier"),
	L1_FACT("reserved.mailbox_bytes", mailbox_bytes, "bytes", "mailboxes"),
	L1_FACT("reserved.fabric_bytes", fabric_bytes, "bytes", "routing table and connections"),
	L1_FACT("reserved.other_bytes", other_bytes, "bytes", "firmware and the rest"),
	L1_FACT("config_ring.bytes", ring_bytes, "bytes",
		"kernel code, arguments and semaphores of the last programs"),
	L1_FACT("program_memory.resident_bytes", resident_bytes, "bytes",
		"of the program dispatched last, on the fullest core"),
	L1_FACT("program_memory.cached_union_bytes", cached_union_bytes, "bytes",
		"of all programs that are kept, united, on the fullest core"),
	L1_FACT("program_memory.peak_bytes", peak_bytes, "bytes",
		"most that one program ever took of one core"),
	L1_FACT("program_memory.programs", programs, "", "programs that are kept and ran"),
	L1_FACT("program_memory.by_kind.circular_buffer_bytes", circular_buffer_bytes, "bytes",
		"of resident_bytes, by kind: kinds may share bytes"),
	L1_FACT("program_memory.by_kind.dataflow_buffer_bytes", dataflow_buffer_bytes, "bytes", "likewise"),
	L1_FACT("program_memory.by_kind.scratchpad_bytes", scratchpad_bytes, "bytes", "likewise"),
};
LIST(l1_fields, "L1", l1_rows);

static const struct field clash_gap_rows[] = {
	{.path = "clash_gap_bytes", .type = FIELD_NUMBER, .storage = STORED_FACT,
	 .offset = offsetof(struct device, clash_gap.bytes), .may_not_apply = true, .unit = "bytes",
	 .null_when = "not asked for (see largest_free_bytes), not known, or no process uses it",
	 .help = "from the highest address that a program has reached to the lowest L1 buffer"},
	{.path = "clash_gap_trend_bytes", .type = FIELD_SIGNED, .storage = STORED_FACT,
	 .offset = offsetof(struct device, clash_gap.trend_bytes), .may_not_apply = true, .unit = "bytes",
	 .null_when = "there is no server, or it has not looked for long enough",
	 .help = "what it grew by in the last minute; below 0 it shrinks"},
};
LIST(clash_gap_fields, "Clash gap", clash_gap_rows);

#define NO_BOARD "the board is not known"

static const struct field place_rows[] = {
	PLAIN(device, STORED_U32, number, "",
	      "of a card's own chip the N of /dev/tenstorrent/N; chips without one come behind"),
	{.path = "remote", .type = FIELD_FLAG, .storage = STORED_U8,
	 .offset = offsetof(struct device, remote), .unit = "", .null_when = "never",
	 .help = "behind Ethernet, on the board of its card"},
	FACT(device, "tensix_cores", tensix_cores, "", NO_BOARD,
	     "Tensix cores that a chip of this board usually has: harvesting is not exported"),
	FACT(device, "dram_physical_bytes", dram_physical_bytes, "bytes", NO_BOARD,
	     "DRAM of the chip"),
	FACT(device, "l1_physical_bytes", l1_physical_bytes, "bytes", NO_BOARD,
	     "L1 of all usable Tensix cores"),
};
LIST(place_fields, "Place", place_rows);

#define DRIVER	   "the driver or the firmware does not export it, or it cannot be read"
#define APPLICABLE "it does not apply"

#define TELEMETRY(member, wanted_unit, text)                                                       \
	FACT(card, "telemetry." #member, telemetry.member, wanted_unit, DRIVER, text)
#define SIGNED(member, wanted_unit, text)                                                          \
	{.path = "telemetry." #member, .type = FIELD_SIGNED, .storage = STORED_FACT,               \
	 .offset = offsetof(struct card, telemetry.member), .unit = wanted_unit,                   \
	 .null_when = DRIVER, .help = text}
#define LINK(member, text) FACT(card, "pcie." #member, link.member, "", DRIVER, text)
#define HEX(member, text)                                                                          \
	{.path = #member, .type = FIELD_HEX, .storage = STORED_FACT,                               \
	 .offset = offsetof(struct card, member), .unit = "", .null_when = DRIVER, .help = text}

static const struct field card_rows[] = {
	PLAIN(card, STORED_U32, number, "", "N of /dev/tenstorrent/N"),
	TEXT(card, "pci_address", pci_address, DRIVER, "domain:bus:device.function"),
	TEXT(card, "board", board, NO_BOARD, "n150, n300, p150a, ..."),
	{.path = "arch", .type = FIELD_WORD, .storage = STORED_U32,
	 .offset = offsetof(struct card, arch), .null = NULL_ZERO, .reason = REASON_NO_ATTRIBUTE,
	 .words = &arch_words, .unit = "", .null_when = "unknown", .help = "architecture"},
	{.path = "chips", .type = FIELD_NUMBER, .storage = STORED_U32,
	 .offset = offsetof(struct card, chips), .null = NULL_ZERO, .reason = REASON_NO_ATTRIBUTE,
	 .unit = "", .null_when = NO_BOARD, .help = "chips that are reached through this card"},
	{.path = "state", .type = FIELD_WORD, .storage = STORED_U8,
	 .offset = offsetof(struct card, state), .words = &card_state_words, .unit = "",
	 .null_when = "never",
	 .help = "ok; stuck: a read does not come back; reset; gone: nothing can be read"},
	HEX(serial, "serial number of the board"),
	HEX(asic_id, "number of the chip"),
	TEXT(card, "firmware", firmware, DRIVER, "version of the firmware bundle"),
	FACT(card, "age_ns", age_ns, "ns", "it was never read", "age of the telemetry"),
	SIGNED(temperature_c, "C", "temperature of the chip, rounded"),
	SIGNED(temperature_limit_c, "C", "where the firmware slows it down"),
	TELEMETRY(power_w, "W", "power of the chip, not of the board"),
	TELEMETRY(power_limit_w, "W", "its limit"),
	TELEMETRY(current_a, "A", "core current"),
	TELEMETRY(current_limit_a, "A", "its limit"),
	TELEMETRY(voltage_mv, "mV", "core voltage"),
	TELEMETRY(voltage_limit_mv, "mV", "its limit"),
	TELEMETRY(fan_rpm, "rpm", "fan"),
	TELEMETRY(aiclk_mhz, "MHz", "clock of the Tensix cores"),
	TELEMETRY(axiclk_mhz, "MHz", "clock of the NoC"),
	TELEMETRY(arcclk_mhz, "MHz", "clock of the management core"),
	TELEMETRY(heartbeat, "", "counter of the firmware; it stands still when that hangs"),
	TELEMETRY(thermal_trips, "", "emergency stops since power was switched on"),
	LINK(generation, "generation of the PCIe link"),
	LINK(width, "its lanes"),
	LINK(generation_max, "what the card can do"),
	LINK(width_max, "what the card can do"),
	{.path = "pcie.numa_node", .type = FIELD_NUMBER, .storage = STORED_FACT,
	 .offset = offsetof(struct card, link.numa_node), .may_not_apply = true, .unit = "",
	 .null_when = APPLICABLE, .help = "NUMA node of the slot"},
	FACT(card, "handles", handles, "", "this driver does not tell",
	     "open descriptors of the device"),
	FACT(card, "foreign_handles", foreign_handles, "", "this driver does not tell",
	     "those of processes in PID namespaces that are not seen from here"),
	{.path = "started_by", .type = FIELD_NUMBER, .storage = STORED_FACT,
	 .offset = offsetof(struct card, started_pid), .may_not_apply = true, .unit = "",
	 .null_when = "nobody holds UMD's lock",
	 .help = "process that has started the chip, by UMD's lock: a hint"},
};
LIST(card_fields, "Card", card_rows);

static const struct field process_rows[] = {
	PLAIN(process, STORED_U32, pid, "", "process id, as the viewer sees it"),
	PLAIN(process, STORED_U32, inner_pid, "", "process id, as the process sees itself"),
	PLAIN(process, STORED_U32, uid, "", "owner, as the kernel says"),
	TEXT(process, "user", user, "unknown", "name of the owner"),
	TEXT(process, "command", command, "unknown", "command line, its first 256 bytes"),
	{.path = "state", .type = FIELD_WORD, .storage = STORED_U8,
	 .offset = offsetof(struct process, state), .words = &state_words, .unit = "",
	 .null_when = "never", .help = "live; exited: all figures are the last ones; gone: only the driver still lists it"},
	{.path = "source", .type = FIELD_WORD, .storage = STORED_U8,
	 .offset = offsetof(struct process, source), .words = &source_words, .unit = "",
	 .null_when = "never",
	 .help = "hook: it keeps a table; driver: it has a device open and its memory is not visible"},
	{.path = "entry", .type = FIELD_TEXT, .storage = STORED_U32,
	 .offset = offsetof(struct process, entry), .null = NULL_ZERO, .may_not_apply = true,
	 .unit = "", .null_when = "unknown", .help = "the way the hook came in"},
	{.path = "host_memory_bytes", .type = FIELD_NUMBER, .storage = STORED_FACT,
	 .offset = offsetof(struct process, host_bytes), .may_not_apply = true, .unit = "bytes",
	 .null_when = "it has ended, or cannot be read", .help = "host memory in use (resident)"},
	{.path = "pinned_memory_bytes", .type = FIELD_NUMBER, .storage = STORED_FACT,
	 .offset = offsetof(struct process, pinned_bytes), .may_not_apply = true, .unit = "bytes",
	 .null_when = "it has ended, or cannot be read",
	 .help = "host memory that is pinned, for devices"},
	{.path = "container", .type = FIELD_TEXT, .storage = STORED_U32,
	 .offset = offsetof(struct process, container), .null = NULL_ZERO, .may_not_apply = true,
	 .unit = "", .null_when = "its cgroup names none", .help = "id of its container"},
	{.path = "pod", .type = FIELD_TEXT, .storage = STORED_U32,
	 .offset = offsetof(struct process, pod), .null = NULL_ZERO, .may_not_apply = true,
	 .unit = "", .null_when = "its cgroup names none", .help = "uid of its Kubernetes pod"},
	{.path = "started", .type = FIELD_TIME, .storage = STORED_U64,
	 .offset = offsetof(struct process, started_ns), .null = NULL_ZERO, .may_not_apply = true,
	 .unit = "", .null_when = "unknown",
	 .help = "when its table was made; without one, when it was started"},
	{.path = "exit_time", .type = FIELD_TIME, .storage = STORED_FACT,
	 .offset = offsetof(struct process, exited_ns), .may_not_apply = true, .unit = "",
	 .null_when = "it lives, or nobody saw it end", .help = "when it ended"},
	{.path = "details", .type = FIELD_WORD, .storage = STORED_U8,
	 .offset = offsetof(struct process, hidden), .words = &details_words, .unit = "",
	 .null_when = "never",
	 .help = "shown, or hidden: command, failures and buffers are not for this viewer"},
	PLAIN(process, STORED_U64, event, "", "number of the last event read"),
	{.path = "metal_version", .type = FIELD_TEXT, .storage = STORED_U32,
	 .offset = offsetof(struct process, metal_version), .null = NULL_ZERO,
	 .may_not_apply = true, .unit = "", .null_when = "not a release that ttmem knows",
	 .help = "release of TT-Metal"},
	{.path = "metal_build_id", .type = FIELD_TEXT, .storage = STORED_U32,
	 .offset = offsetof(struct process, build_id), .null = NULL_ZERO, .may_not_apply = true,
	 .unit = "", .null_when = "unknown",
	 .help = "build id of the library that holds TT-Metal, hex"},
};
LIST(process_fields, "Process", process_rows);

static const struct field capability_rows[] = {
	{.path = "state", .type = FIELD_WORD, .storage = STORED_U8,
	 .offset = offsetof(struct capability, state), .words = &availability_words, .unit = "",
	 .null_when = "never", .help = "present, missing, failed, off or unknown"},
	{.path = "reason", .type = FIELD_TEXT, .storage = STORED_U32,
	 .offset = offsetof(struct capability, reason), .null = NULL_ZERO, .may_not_apply = true,
	 .unit = "", .null_when = "there is nothing to say",
	 .help = "what is missing, or what failed"},
};
LIST(capability_fields, "Capability", capability_rows);

static const char *failure_word(unsigned value)
{
	return failure_kind_name(value);
}

static const struct field_words failure_words = {failure_word, FAILURE_KINDS};

/* A figure that only some kinds of failures have. */
#define OF_KIND(member, wanted_unit, when, text)                                                   \
	{.path = #member, .type = FIELD_NUMBER, .storage = STORED_FACT,                            \
	 .offset = offsetof(struct failure, member), .may_not_apply = true, .unit = wanted_unit,   \
	 .null_when = when, .help = text}

static const struct field failure_rows[] = {
	PLAIN(failure, STORED_U64, number, "", "1 is the first of the process"),
	{.path = "kind", .type = FIELD_WORD, .storage = STORED_U32,
	 .offset = offsetof(struct failure, kind), .words = &failure_words, .unit = "",
	 .null_when = "never",
	 .help = "allocation; clash: a program's memory and an L1 buffer want the same addresses; "
		 "program_too_large: for L1, or for the kernel-config ring"},
	PLAIN(failure, STORED_U64, age_ns, "ns", "time since then"),
	{.path = "type", .type = FIELD_WORD, .storage = STORED_FACT,
	 .offset = offsetof(struct failure, type), .words = &type_words, .unit = "",
	 .null_when = "unknown", .help = "memory type"},
	OF_KIND(requested_bytes, "bytes", "of a program", "size of the request"),
	OF_KIND(page_bytes, "bytes", "of a program", "page size of the request"),
	FACT(failure, "allocator", allocator, "", "unknown", "allocator that was asked"),
	OF_KIND(bank_free_bytes, "bytes", "unknown, or of a program",
		"free bytes of a bank at that moment, as the allocator said"),
	OF_KIND(bank_largest_free_bytes, "bytes", "unknown, or of a program",
		"largest free range of a bank at that moment, likewise"),
	OF_KIND(program, "", "unknown, or of an allocation",
		"the process's own number of the program, as in the error text"),
	OF_KIND(end_address, "", "unknown, or not so",
		"where its highest circular or dataflow buffer ends"),
	OF_KIND(lowest_address, "", "unknown, or not so",
		"of the allocator's L1 buffers at that moment"),
	OF_KIND(needed_bytes, "bytes", "unknown, or not too long for the ring",
		"of the kernel-config ring: an estimate, its code alone"),
	OF_KIND(limit_bytes, "bytes", "unknown, or not too large",
		"what there is: size of the ring, or address at which a core's L1 ends"),
	PLAIN(failure, STORED_U32, thread, "", "thread id, as the process sees it"),
};
LIST(failure_fields, "Failure", failure_rows);

static const struct field loss_rows[] = {
	PLAIN(losses, STORED_U64, full, "", "buffers not recorded: the table was full"),
	PLAIN(losses, STORED_U64, memory, "", "buffers not recorded: no memory for the table"),
	PLAIN(losses, STORED_U64, allocator, "",
	      "buffers not recorded: their allocator is not known"),
	PLAIN(losses, STORED_U64, key, "", "buffers not recorded: their object cannot be indexed"),
	PLAIN(losses, STORED_U64, replaced, "", "objects seen again without a free in between"),
	PLAIN(losses, STORED_U64, unknown_frees, "", "frees of buffers that were never recorded"),
	PLAIN(losses, STORED_U64, left_at_close, "", "buffers alive when their device was closed"),
	PLAIN(losses, STORED_U64, moves, "", "times the table went on in a new file"),
};
LIST(loss_fields, "Losses", loss_rows);

#define GRID_ROW(name, text)                                                                       \
	{.path = #name, .type = FIELD_NUMBER, .storage = STORED_U32,                               \
	 .offset = offsetof(struct allocator, name), .null = NULL_ZERO,                            \
	 .reason = REASON_NOT_EXPORTED, .unit = "",                                                \
	 .null_when = "this TT-Metal does not export it", .help = text}

static const struct field allocator_rows[] = {
	PLAIN(allocator, STORED_U32, id, "", "row in the process's table"),
	{.path = "parent", .type = FIELD_NUMBER, .storage = STORED_FACT,
	 .offset = offsetof(struct allocator, parent), .may_not_apply = true, .unit = "",
	 .null_when = "there is none", .help = "allocator of the parent mesh"},
	{.path = "open", .type = FIELD_OPEN, .storage = STORED_FACT,
	 .offset = offsetof(struct allocator, closed_ns), .unit = "", .null_when = "never",
	 .help = "its device has not been closed"},
	ARCH_ROW(allocator),
	GRID_ROW(grid_x, "columns of the compute grid"),
	GRID_ROW(grid_y, "rows of the compute grid"),
	FACT(allocator, "l1_bytes_per_core", l1_bytes_per_core, "bytes",
	     "this TT-Metal does not export it", "the whole L1 of one core"),
};
LIST(allocator_fields, "Allocator", allocator_rows);

static const struct field count_rows[] = {
	FACT(field_counts, "base_address", base_address, "bytes", GEOMETRY,
	     "where a bank's allocatable range starts"),
	FACT(field_counts, "alignment_bytes", alignment_bytes, "bytes",
	     "this TT-Metal does not export it", "each page is rounded up to a multiple of it"),
	PLAIN(field_counts, STORED_U64, allocs, "", "buffers allocated since it was opened"),
	PLAIN(field_counts, STORED_U64, frees, "", "buffers freed, or gone with their device"),
	PLAIN(field_counts, STORED_U64, failures, "", "allocations that failed"),
};
LIST(count_fields, "Counts", count_rows);

#define SITE_TEXT(name, member, when, text)                                                        \
	{.path = name, .type = FIELD_TEXT, .storage = STORED_U32,                                  \
	 .offset = offsetof(struct site, member), .null = NULL_ZERO, .may_not_apply = true,        \
	 .unit = "", .null_when = when, .help = text}

static const struct field site_rows[] = {
	SITE_TEXT("file", file, "unknown", "file, as the interpreter knows it"),
	{.path = "line", .type = FIELD_NUMBER, .storage = STORED_U32,
	 .offset = offsetof(struct site, line), .null = NULL_ZERO, .may_not_apply = true,
	 .unit = "", .null_when = "unknown", .help = "line in it"},
	SITE_TEXT("function", function, "unknown",
		  "function; with its class from Python 3.11 on"),
};
LIST(site_fields, "Site", site_rows);

/* Beside the site in each object that has one: written by hand there, named in queries. */
static const struct field owner_rows[] = {
	SITE_TEXT("op", op, "unknown", "operation that allocated it, as the framework calls it"),
	SITE_TEXT("tag", tag, "the program gave none", "what the program says that it is for"),
};
LIST(owner_fields, "Owner", owner_rows);

static const struct field buffer_rows[] = {
	{.path = "type", .type = FIELD_WORD, .storage = STORED_U8,
	 .offset = offsetof(struct buffer, type), .words = &type_words, .unit = "",
	 .null_when = "never", .help = "memory type"},
	{.path = "layout", .type = FIELD_WORD, .storage = STORED_U8,
	 .offset = offsetof(struct buffer, layout), .null = NULL_MAX, .words = &layout_words,
	 .unit = "", .null_when = "a layout that ttmem does not know",
	 .help = "how it lies across the banks"},
	PLAIN(buffer, STORED_U64, address, "bytes", "address in the bank, the same in each bank"),
	PLAIN(buffer, STORED_U64, requested_bytes, "bytes", "what the program asked for"),
	PLAIN(buffer, STORED_U64, bank_bytes, "bytes", "bytes it occupies in one bank"),
	PLAIN(buffer, STORED_U64, page_bytes, "bytes", "page size"),
	{.path = "pages", .type = FIELD_NUMBER, .storage = STORED_U64,
	 .offset = offsetof(struct buffer, pages), .null = NULL_MAX, .unit = "",
	 .null_when = "unknown", .help = "number of pages"},
	{.path = "cores", .type = FIELD_NUMBER, .storage = STORED_U32,
	 .offset = offsetof(struct buffer, cores), .null = NULL_MAX, .may_not_apply = true,
	 .unit = "", .null_when = "it is not sharded, or it is unknown",
	 .help = "cores that a sharded buffer is spread over"},
	PLAIN(buffer, STORED_U32, thread, "", "thread that allocated it"),
	PLAIN(buffer, STORED_U64, event, "", "event at which it was born"),
	PLAIN(buffer, STORED_U64, age_ns, "ns", "time since then"),
};
LIST(buffer_fields, "Buffer", buffer_rows);

static const struct field site_row_rows[] = {
	{.path = "type", .type = FIELD_WORD, .storage = STORED_U8,
	 .offset = offsetof(struct site_row, type), .words = &type_words, .unit = "",
	 .null_when = "never", .help = "memory type"},
	{.path = "thread", .type = FIELD_NUMBER, .storage = STORED_U32,
	 .offset = offsetof(struct site_row, thread), .null = NULL_ZERO, .may_not_apply = true,
	 .unit = "", .null_when = "not grouped by thread",
	 .help = "thread that allocated, as the process sees it"},
	PLAIN(site_row, STORED_U64, buffers, "", "live buffers"),
	PLAIN(site_row, STORED_U64, requested_bytes, "bytes", "what the program asked for"),
	FACT(site_row, "occupied_bytes", occupied_bytes, "bytes",
	     "this TT-Metal does not export the number of banks", "what the banks of one chip gave"),
	PLAIN(site_row, STORED_U64, bank_bytes, "bytes", "bytes of one bank"),
	PLAIN(site_row, STORED_U64, oldest_ns, "ns", "age of the oldest buffer"),
	{.path = "growth_bytes", .type = FIELD_SIGNED, .storage = STORED_FACT,
	 .offset = offsetof(struct site_row, growth_bytes), .unit = "bytes",
	 .null_when = "not watched for long enough",
	 .help = "occupied bytes now, less those of a minute ago (of ttmem.growth: of the "
		 "beginning of the window)"},
};
LIST(site_row_fields, "Site row", site_row_rows);

static const struct field_words found_by_words = {found_by_name, FOUND_BYS};

static const struct field growth_rows[] = {
	FACT(site_row, "bytes_per_second", bytes_per_second, "bytes/s",
	     "this TT-Metal does not export the number of banks", "occupied bytes, on average"),
	PLAIN(site_row, STORED_U32, rises, "", "samples that showed more than the one before"),
	{.path = "found_by", .type = FIELD_WORD, .storage = STORED_U8,
	 .offset = offsetof(struct site_row, found_by), .words = &found_by_words, .unit = "",
	 .null_when = "never",
	 .help = "`rise`: all that is live only rises. `age`: it falls as well, but what is old only "
		 "adds up; `growth_bytes`, `bytes_per_second` and `rises` are of that"},
	FACT(site_row, "full_ns", full_ns, "ns", "this TT-Metal does not export the size of banks",
	     "until the banks are full, if all that grows in them goes on: an estimate"),
};
LIST(growth_fields, "Growth", growth_rows);

static const struct field watch_rows[] = {
	PLAIN(site_list, STORED_U64, window_ns, "ns", "what was asked for"),
	PLAIN(site_list, STORED_U64, watched_ns, "ns", "how much of it has been watched"),
	PLAIN(site_list, STORED_U64, interval_ns, "ns", "between two looks"),
	PLAIN(site_list, STORED_U64, old_after_ns, "ns", "the age at which a buffer counts as old"),
	{.path = "slowed", .type = FIELD_FLAG, .storage = STORED_U8,
	 .offset = offsetof(struct site_list, is_slowed), .unit = "", .null_when = "never",
	 .help = "the interval is longer than wanted, so that looking costs at most 1 % of a core"},
	PLAIN(site_list, STORED_U64, left_out, "", "groups not watched for want of room"),
};
LIST(watch_fields, "Watch", watch_rows);

const struct field_list *const field_lists[] = {
	&memory_fields,
	&device_fields,
	&l1_fields,
	&clash_gap_fields,
	&place_fields,
	&card_fields,
	&process_fields,
	&capability_fields,
	&failure_fields,
	&loss_fields,
	&allocator_fields,
	&count_fields,
	&site_fields,
	&buffer_fields,
	&site_row_fields,
	&growth_fields,
	&watch_fields,
};
const size_t field_list_count = COUNT(field_lists);
