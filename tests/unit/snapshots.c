/* SPDX-License-Identifier: Apache-2.0 */
#include "snapshots.h"

#include <stdlib.h>
#include <string.h>

#define MIB (UINT64_C(1) << 20)
#define GIB (UINT64_C(1) << 30)

/* Tests have no use for half a snapshot. */
static void must(int r)
{
	if (r < 0)
		abort();
}

static string_id string(struct snapshot *snapshot, const char *text)
{
	string_id id;

	must(snapshot_string(snapshot, text, strlen(text), &id));
	return id;
}

static struct memory memory_of(uint64_t requested, uint64_t used, uint64_t size, uint64_t banks,
			       uint64_t buffers)
{
	return (struct memory){
		.requested_bytes = fact_of(requested),
		.occupied_bytes = fact_of(used * banks),
		.allocatable_bytes = fact_of(size * banks),
		.free_bytes = fact_of((size - used) * banks),
		.largest_free_bytes = fact_of((size - used) / 2 * banks),
		.banks = fact_of(banks),
		.bank_size_bytes = fact_of(size),
		.bank_allocated_bytes = fact_of(used),
		.bank_free_bytes = fact_of(size - used),
		.bank_largest_free_bytes = fact_of((size - used) / 2),
		.buffers = fact_of(buffers),
		.peak_requested_bytes = fact_of(requested),
		.peak_occupied_bytes = fact_of(used * banks),
	};
}

static void fill_types(struct memory memory[MEMORY_TYPES])
{
	memory[MEMORY_DRAM] = memory_of(9 * MIB, 810496, GIB - MIB, 12, 2);
	memory[MEMORY_L1] = memory_of(512 * 1024, 10240, 1393312, 64, 1);
	memory[MEMORY_L1_SMALL] = memory_of(0, 0, 0, 0, 0);
	memory[MEMORY_TRACE] = memory_of(0, 0, 0, 12, 0);
}

static void add_capability(struct snapshot *s, uint32_t process, const char *name, uint8_t state,
			   const char *reason)
{
	uint32_t index;

	must(snapshot_add_capability(s, &index));
	s->capabilities[index].name = string(s, name);
	s->capabilities[index].reason = string(s, reason);
	s->capabilities[index].state = state;
	if (s->processes[process].capabilities.count++ == 0)
		s->processes[process].capabilities.first = index;
}

static uint32_t add_process(struct snapshot *s, uint32_t pid, const char *command)
{
	uint32_t index;

	must(snapshot_add_process(s, &index));
	struct process *p = &s->processes[index];

	p->pid = p->inner_pid = pid;
	p->uid = 1000;
	p->event = 3;
	p->started_ns = UINT64_C(1795586100250000000);
	p->user = string(s, "ada");
	p->command = string(s, command);
	p->entry = string(s, "preload");
	p->build_id = string(s, "23bb346fe8447951975aca3c3eb261b08372522d");
	p->metal_version = string(s, "0.81.1");
	add_capability(s, index, "buffers", AVAILABLE_PRESENT, "");
	add_capability(s, index, "programs", AVAILABLE_MISSING, "not recorded by this hook");
	return index;
}

static uint32_t add_allocator(struct snapshot *s, uint32_t process, uint32_t id,
			      uint64_t first_chip, uint32_t chips)
{
	uint32_t index, chip;

	must(snapshot_add_allocator(s, &index));
	struct allocator *a = &s->allocators[index];

	*a = (struct allocator){
		.process = process, .id = id, .arch = 2,
		.l1_bytes_per_core = fact_of(1499136),
		.base_address = {1048640, 105824, 1499136, 1073741824},
		.alignment_bytes = {32, 16, 16, 32},
		.allocs = {2, 1}, .has_held = {1, 1},
		.chips = {s->chip_count, chips},
	};
	fill_types(a->memory);
	for (uint32_t i = 0; i < chips; i++) {
		must(snapshot_add_chip(s, &chip));
		s->chips[chip] = (struct chip){fact_of(first_chip + i), i};
	}
	if (s->processes[process].allocators.count++ == 0)
		s->processes[process].allocators.first = index;
	return index;
}

static struct device *add_device(struct snapshot *s, uint32_t process, uint64_t unique_id)
{
	struct span *span = process == SNAPSHOT_NONE ? &s->machine_devices
						     : &s->processes[process].devices;
	uint32_t index;

	must(snapshot_add_device(s, &index));
	if (span->count++ == 0)
		span->first = index;
	s->devices[index] = (struct device){
		.unique_id = fact_of(unique_id), .process = process, .arch = 2};
	s->devices[index].card = SNAPSHOT_NONE;
	s->devices[index].l1 = (struct l1_summary){
		.core_bytes = fact_of(1499136), .reserved_bytes = fact_of(35168),
		.barrier_bytes = fact_of(4), .mailbox_bytes = fact_of(13312),
		.fabric_bytes = fact_of(3504), .other_bytes = fact_of(18348),
		.ring_bytes = fact_of(70656), .resident_bytes = fact_of(163840),
		.cached_union_bytes = fact_of(196608), .peak_bytes = fact_of(196608),
		.programs = fact_of(3), .circular_buffer_bytes = fact_of(32768),
		.dataflow_buffer_bytes = fact_of(131072), .scratchpad_bytes = fact_of(0)};
	s->devices[index].tensix_cores = s->devices[index].dram_physical_bytes =
		s->devices[index].l1_physical_bytes = fact_absent(REASON_NO_CARD);
	if (process == SNAPSHOT_NONE)
		s->devices[index].number = index - span->first;
	fill_types(s->devices[index].memory);
	return &s->devices[index];
}

/* An n300 that is well, and the chip of it that the device is. */
static void add_card(struct snapshot *s, struct device *device, uint32_t user)
{
	uint32_t index, link;

	must(snapshot_add_card(s, &index));
	must(snapshot_add_card_user(s, &link));
	s->card_users[link] = (struct card_user){user, 2};
	s->cards[index] = (struct card){
		.number = 3, .arch = 2, .chips = 2, .state = CARD_OK,
		.pci_address = string(s, "0000:41:00.0"), .board = string(s, "n300"),
		.firmware = string(s, "19.9.0.0"), .serial = fact_of(UINT64_C(0x0100014519300ab)),
		.asic_id = fact_absent(REASON_NO_ATTRIBUTE), .age_ns = fact_of(250000000),
		.telemetry = {
			.temperature_c = fact_of((uint64_t)-5), .temperature_limit_c = fact_of(75),
			.power_w = fact_of(22), .power_limit_w = fact_of(85),
			.current_a = fact_of(25), .current_limit_a = fact_of(170),
			.voltage_mv = fact_of(850), .voltage_limit_mv = fact_of(950),
			.fan_rpm = fact_absent(REASON_NO_SENSOR),
			.aiclk_mhz = fact_of(500), .axiclk_mhz = fact_of(900),
			.arcclk_mhz = fact_of(540), .heartbeat = fact_of(1843215),
			.thermal_trips = fact_absent(REASON_NO_ATTRIBUTE)},
		.link = {fact_of(4), fact_of(16), fact_of(4), fact_of(16), fact_absent(REASON_NONE)},
		.handles = fact_of(2), .foreign_handles = fact_of(0),
		.started_pid = fact_of(4211), .users = {link, 1}};
	s->driver_version = string(s, "2.10.0");
	s->has_driver = 1;
	device->card = index;
	device->number = 3;
	device->clash_gap.bytes = fact_of(1228800);
	device->clash_gap.trend_bytes = fact_of(0 - UINT64_C(65536));
	device->tensix_cores = fact_estimate(64, REASON_NOMINAL);
	device->dram_physical_bytes = fact_estimate(12 * GIB, REASON_NOMINAL);
	device->l1_physical_bytes = fact_estimate(64 * UINT64_C(1499136), REASON_NOMINAL);
}

static void add_buffer(struct snapshot *s, uint32_t allocator, uint8_t type, uint64_t address,
		       uint64_t bytes, uint64_t bank)
{
	uint32_t index;

	must(snapshot_add_buffer(s, &index));
	s->buffers[index] = (struct buffer){
		.process = s->allocators[allocator].process, .allocator = allocator,
		.address = address, .requested_bytes = bytes, .bank_bytes = bank,
		.page_bytes = 2048, .pages = bytes / 2048, .cores = SNAPSHOT_NONE,
		.thread = 4211, .type = type, .event = index + 1,
		.age_ns = UINT64_C(5250000000) - index * UINT64_C(1000000000)};
}

static uint32_t site(struct snapshot *s, const char *op, uint32_t line, const char *function,
		     const char *tag)
{
	const struct site_texts texts = {.op = op, .file = "/srv/app/model.py",
					 .function = function, .line = line, .tag = tag};
	uint32_t number;

	must(snapshot_intern_site(s, &texts, &number));
	return number;
}

static void begin(struct snapshot *s)
{
	snapshot_init(s);
	s->time_ns = UINT64_C(1795586400123000000);
	s->consistent = 1;
	s->has_buffers = 1;
}

void snapshot_simple(struct snapshot *s)
{
	begin(s);
	uint32_t p = add_process(s, 4211, "python app.py --batch 8");
	uint32_t a = add_allocator(s, p, 0, UINT64_C(10226774059), 1);

	add_device(s, p, UINT64_C(10226774059));
	add_card(s, add_device(s, SNAPSHOT_NONE, UINT64_C(10226774059)), p);
	s->processes[p].host_bytes = fact_of(812 * MIB);
	s->processes[p].pinned_bytes = fact_of(0);
	for (uint32_t d = 0; d < s->device_count; d++)
		for (int type = 0; type < MEMORY_TYPES; type++) {
			struct memory *m = &s->devices[d].memory[type];

			if (m->buffers.value == 0)
				m->largest_free_bytes = m->bank_largest_free_bytes =
					fact_absent(REASON_NOT_ASKED);
		}
	add_buffer(s, a, MEMORY_DRAM, 1048640, 8 * MIB, 720384);
	add_buffer(s, a, MEMORY_DRAM, 1769024, MIB, 90112);
	add_buffer(s, a, MEMORY_L1, 1488896, 512 * 1024, 10240);
	s->buffers[2].layout = 2;
	s->buffers[2].cores = 56;
	s->buffers[0].site = site(s, "ttnn.as_tensor", 88, "Model.load", "weights");
	s->buffers[2].site = site(s, "ttnn.matmul", 214, "Attention.forward", NULL);
}

static void add_failure(struct snapshot *s, uint32_t process)
{
	uint32_t index;

	must(snapshot_add_failure(s, &index));
	s->failures[index] = (struct failure){
		.number = 2, .age_ns = UINT64_C(12500000000), .requested_bytes = fact_of(3 * MIB / 2),
		.page_bytes = fact_of(2048), .type = fact_of(MEMORY_L1), .allocator = fact_of(0),
		.bank_free_bytes = fact_of(20480), .bank_largest_free_bytes = fact_of(10240),
		.thread = 7};
	must(snapshot_add_failure(s, &index));
	s->failures[index] = (struct failure){
		.number = 1, .age_ns = UINT64_C(60000000000), .kind = FAILURE_CLASH,
		.program = fact_of(7), .end_address = fact_of(118112),
		.lowest_address = fact_of(106496),
		.type = fact_absent(REASON_NOT_EXPORTED),
		.allocator = fact_absent(REASON_NOT_EXPORTED),
		.bank_free_bytes = fact_absent(REASON_NOT_EXPORTED),
		.bank_largest_free_bytes = fact_absent(REASON_MOVING)};
	s->processes[process].failures = (struct span){index - 1, 2};
	s->processes[process].failure_count = 2;
}

/* An old release: no geometry, no unique ids. */
static void add_blind(struct snapshot *s)
{
	uint32_t p = add_process(s, 77, "");
	uint32_t a = add_allocator(s, p, 3, 0, 1);

	s->processes[p].metal_version = 0;
	s->processes[p].user = 0;
	add_capability(s, p, "geometry", AVAILABLE_MISSING,
		       "_ZNK2tt8tt_metal9Allocator14get_statisticsERKNS0_10BufferTypeE");
	add_capability(s, p, "failures", AVAILABLE_FAILED, "");
	s->chips[s->allocators[a].chips.first].unique_id = fact_absent(REASON_NOT_EXPORTED);
	s->allocators[a].arch = 0;
	s->allocators[a].grid_x = 8;
	s->allocators[a].grid_y = 7;
	for (int type = 0; type < MEMORY_TYPES; type++) {
		struct fact none = fact_absent(REASON_NOT_EXPORTED);

		s->allocators[a].memory[type] = (struct memory){
			.requested_bytes = fact_of(4096), .occupied_bytes = none,
			.allocatable_bytes = none, .free_bytes = none, .largest_free_bytes = none,
			.banks = none, .bank_size_bytes = none,
			.bank_allocated_bytes = fact_of(512), .bank_free_bytes = none,
			.bank_largest_free_bytes = none, .buffers = fact_of(1),
			.peak_requested_bytes = fact_of(8192), .peak_occupied_bytes = none};
		s->allocators[a].base_address[type] = 0;
	}
	struct device *d = add_device(s, p, 0);

	d->unique_id = fact_absent(REASON_NOT_EXPORTED);
	d->arch = 0;
	memcpy(d->memory, s->allocators[a].memory, sizeof d->memory);
}

void snapshot_odd(struct snapshot *s)
{
	begin(s);
	s->server = string(s, "0.1.0");
	uint32_t mesh = add_process(s, 4000000, "/usr/bin/python3 /home/ada/models/llama/serve.py"
						" --mesh 2x4 --batch 32 --prefill 4096");
	uint32_t top = add_allocator(s, mesh, 0, UINT64_MAX - 7, 2);
	uint32_t sub = add_allocator(s, mesh, 5, UINT64_MAX - 7, 1);

	s->allocators[sub].parent = fact_of(0);
	s->allocators[sub].closed_ns = fact_of(0);
	s->allocators[top].parent = fact_absent(REASON_NONE);
	s->allocators[top].failures[MEMORY_L1] = 2;
	add_failure(s, mesh);
	s->processes[mesh].losses.full = 12;
	s->processes[mesh].losses.key = 1;
	for (uint64_t i = 0; i < 2; i++)
		add_device(s, mesh, UINT64_MAX - 7 + i)->memory[MEMORY_DRAM].peak_occupied_bytes =
			fact_estimate(11 * GIB, REASON_SEVERAL_ALLOCATORS);
	uint32_t dead = add_process(s, 31, "dead");

	add_allocator(s, dead, 1, 9, 1);
	add_device(s, dead, 9)->memory[MEMORY_L1_SMALL] = memory_of(60000, 31744, 32768, 64, 9);
	s->processes[dead].state = PROCESS_EXITED;
	add_blind(s);
	for (uint64_t i = 0; i < 2; i++) {
		struct device *d = add_device(s, SNAPSHOT_NONE, UINT64_MAX - 7 + i);

		d->memory[MEMORY_L1] = memory_of(89000000, 1393311 - i * 300000, 1393312, 64, 4000);
		d->memory[MEMORY_DRAM].peak_occupied_bytes =
			fact_estimate(11 * GIB, REASON_SEVERAL_ALLOCATORS);
	}
	/* a card that does not answer, whose chip nobody reports, open in a process that is gone */
	struct device *idle = add_device(s, SNAPSHOT_NONE, 0);
	uint32_t stranger = add_process(s, 666, "");

	idle->unique_id = fact_absent(REASON_NO_ALLOCATOR);
	idle->chip_id = SNAPSHOT_NONE;
	add_card(s, idle, stranger);
	s->processes[stranger].source = SOURCE_DRIVER;
	s->processes[stranger].state = PROCESS_GONE;
	s->processes[stranger].started_ns = 0;
	s->cards[0].state = CARD_STUCK;
	s->cards[0].age_ns = fact_of(UINT64_C(12500000000));
	s->cards[0].telemetry.temperature_c = fact_stale(61, REASON_STUCK);
	s->cards[0].foreign_handles = fact_of(3);
	add_buffer(s, top, MEMORY_TRACE, 1073741824, 77, 32);
	s->buffers[0].pages = UINT64_MAX;
	s->buffers[0].layout = 200;
}

void snapshot_rows(struct snapshot *s, struct site_list *list, bool odd)
{
	static const uint64_t banks[MEMORY_TYPES] = {12, 64};

	snapshot_simple(s);
	*list = (struct site_list){.rows = calloc(3, sizeof *list->rows),
				   .count = 3,
				   .by = odd ? GROUP_OP : GROUP_SITE,
				   .window_ns = UINT64_C(300000000000),
				   .watched_ns = UINT64_C(291000000000),
				   .interval_ns = UINT64_C(10000000000),
				   .old_after_ns = UINT64_C(60000000000),
				   .is_slowed = odd,
				   .left_out = odd ? 7 : 0};
	if (!list->rows)
		abort();
	for (uint32_t i = 0; i < 3; i++) {
		const struct buffer *b = &s->buffers[i];

		list->rows[i] = (struct site_row){
			.process = b->process, .allocator = b->allocator, .site = b->site,
			.type = b->type, .buffers = 1, .requested_bytes = b->requested_bytes,
			.bank_bytes = b->bank_bytes, .oldest_ns = b->age_ns,
			.occupied_bytes = fact_of(b->bank_bytes * banks[b->type]),
			.growth_bytes = fact_of(b->bank_bytes * banks[b->type] / 8),
			.bytes_per_second = fact_of(b->bank_bytes / 64), .rises = 28,
			.full_ns = fact_estimate(UINT64_C(9000000000000), REASON_AT_THIS_RATE)};
	}
	list->rows[2].found_by = FOUND_BY_AGE;
	if (!odd)
		return;
	s->server = string(s, "/run/ttmem");
	list->rows[0].growth_bytes = fact_of(0 - UINT64_C(4096));
	list->rows[0].thread = 4212;
	list->rows[1].occupied_bytes = list->rows[1].bytes_per_second = list->rows[1].full_ns =
		fact_absent(REASON_NOT_EXPORTED);
	list->rows[2].growth_bytes = fact_absent(REASON_NOT_WATCHED);
	const struct site_texts before = {
		.op = "", .file = "", .function = "", .before_attach = true};

	must(snapshot_intern_site(s, &before, &list->rows[1].site));
}

void snapshot_hostile(struct snapshot *s, const char *bytes, size_t length)
{
	snapshot_simple(s);
	struct process *p = &s->processes[0];
	string_id *const ids[] = {&p->user, &p->command, &p->entry, &p->metal_version, &p->build_id,
				  &s->server, &s->capabilities[0].name, &s->capabilities[0].reason};

	for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++)
		must(snapshot_string(s, bytes, length, ids[i]));
	s->capabilities[0].state = AVAILABLE_FAILED;
	for (uint32_t i = 0; i < s->site_count; i++) {
		must(snapshot_string(s, bytes, length, &s->sites[i].op));
		must(snapshot_string(s, bytes, length, &s->sites[i].file));
		must(snapshot_string(s, bytes, length, &s->sites[i].function));
	}
}
