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
	return value == PROCESS_LIVE ? "live" : "exited";
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
static const struct field_words state_words = {state_word, 2};
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
	PLAIN(device, STORED_U32, chip_id, "", "the chip's logical number inside its process"),
	ARCH_ROW(device),
};
LIST(device_fields, "Device", device_rows);

static const struct field process_rows[] = {
	PLAIN(process, STORED_U32, pid, "", "process id, as the viewer sees it"),
	PLAIN(process, STORED_U32, inner_pid, "", "process id, as the process sees itself"),
	PLAIN(process, STORED_U32, uid, "", "owner, as the kernel says"),
	TEXT(process, "user", user, "unknown", "name of the owner"),
	TEXT(process, "command", command, "unknown", "command line, its first 256 bytes"),
	{.path = "state", .type = FIELD_WORD, .storage = STORED_U8,
	 .offset = offsetof(struct process, state), .words = &state_words, .unit = "",
	 .null_when = "never", .help = "live, or exited: then all figures are the last ones"},
	TEXT(process, "entry", entry, "unknown", "the way the hook came in"),
	{.path = "container", .type = FIELD_TEXT, .storage = STORED_U32,
	 .offset = offsetof(struct process, container), .null = NULL_ZERO, .may_not_apply = true,
	 .unit = "", .null_when = "its cgroup names none", .help = "id of its container"},
	{.path = "pod", .type = FIELD_TEXT, .storage = STORED_U32,
	 .offset = offsetof(struct process, pod), .null = NULL_ZERO, .may_not_apply = true,
	 .unit = "", .null_when = "its cgroup names none", .help = "uid of its Kubernetes pod"},
	{.path = "started", .type = FIELD_TIME, .storage = STORED_U64,
	 .offset = offsetof(struct process, started_ns), .unit = "", .null_when = "never",
	 .help = "when its table was made"},
	{.path = "exit_time", .type = FIELD_TIME, .storage = STORED_FACT,
	 .offset = offsetof(struct process, exited_ns), .may_not_apply = true, .unit = "",
	 .null_when = "it lives, or nobody saw it end", .help = "when it ended"},
	{.path = "details", .type = FIELD_WORD, .storage = STORED_U8,
	 .offset = offsetof(struct process, hidden), .words = &details_words, .unit = "",
	 .null_when = "never",
	 .help = "shown, or hidden: command, failures and buffers are not for this viewer"},
	PLAIN(process, STORED_U64, event, "", "number of the last event read"),
	TEXT(process, "metal_version", metal_version, "not a release that ttmem knows",
	     "release of TT-Metal"),
	TEXT(process, "metal_build_id", build_id, "unknown",
	     "build id of the library that holds TT-Metal, hex"),
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

static const struct field failure_rows[] = {
	PLAIN(failure, STORED_U64, number, "", "1 is the first of the process"),
	PLAIN(failure, STORED_U64, age_ns, "ns", "time since then"),
	{.path = "type", .type = FIELD_WORD, .storage = STORED_FACT,
	 .offset = offsetof(struct failure, type), .words = &type_words, .unit = "",
	 .null_when = "unknown", .help = "memory type"},
	PLAIN(failure, STORED_U64, requested_bytes, "bytes", "size of the request"),
	PLAIN(failure, STORED_U64, page_bytes, "bytes", "page size of the request"),
	FACT(failure, "allocator", allocator, "", "unknown", "allocator that was asked"),
	FACT(failure, "bank_free_bytes", bank_free_bytes, "bytes", "unknown",
	     "free bytes of a bank at that moment, as the allocator said"),
	FACT(failure, "bank_largest_free_bytes", bank_largest_free_bytes, "bytes", "unknown",
	     "largest free range of a bank at that moment, likewise"),
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

const struct field_list *const field_lists[] = {
	&memory_fields, &device_fields,	   &process_fields, &capability_fields, &failure_fields,
	&loss_fields,	&allocator_fields, &count_fields,   &buffer_fields,
};
const size_t field_list_count = COUNT(field_lists);
