/* SPDX-License-Identifier: Apache-2.0 */
#include "collect/cards.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "metal/boards.h"

#define WORMHOLE_PCI  0x401eu
#define BLACKHOLE_PCI 0xb140u
#define GRAYSKULL_PCI 0xfacau

static const struct board *board_of(const struct card_reading *reading)
{
	const struct board *board = board_by_name(reading->card_type);

	if (!board && fact_is_known(reading->serial))
		board = board_of_serial(reading->serial.value);
	/* without telemetry there is still the PCI subsystem, which holds the same code */
	if (!board && fact_is_known(reading->subsystem_id))
		board = board_by_code((uint32_t)reading->subsystem_id.value);
	return board;
}

static uint32_t arch_of(const struct card_reading *reading)
{
	if (!fact_is_known(reading->device_id))
		return 0;
	switch (reading->device_id.value) {
	case GRAYSKULL_PCI:
		return 1;
	case WORMHOLE_PCI:
		return 2;
	case BLACKHOLE_PCI:
		return 3;
	default:
		return 0;
	}
}

static int add_string(struct snapshot *snapshot, const char *text, string_id *ret_id)
{
	return snapshot_string(snapshot, text, strlen(text), ret_id);
}

/* What was read of a card that does not answer now is old; identity does not get old. */
static void make_stale(struct telemetry *telemetry)
{
	struct fact *facts = (struct fact *)telemetry;

	for (size_t i = 0; i < sizeof *telemetry / sizeof *facts; i++)
		facts[i] = fact_is_known(facts[i]) ? fact_stale(facts[i].value, REASON_STUCK)
						   : fact_absent(REASON_STUCK);
}

static uint32_t find_process(const struct snapshot *snapshot, uint32_t pid)
{
	for (uint32_t i = 0; i < snapshot->process_count; i++)
		if (snapshot->processes[i].pid == pid &&
		    snapshot->processes[i].state != PROCESS_EXITED)
			return i;
	return SNAPSHOT_NONE;
}

static void fill_host_memory(struct process *process, const struct process_facts *facts)
{
	process->host_bytes = facts->host_bytes;
	process->pinned_bytes = facts->pinned_bytes;
}

/* A process that has a card open and keeps no table. */
static int add_stranger(struct collection *collection, const struct process_facts *facts,
			uint32_t *ret_index)
{
	struct snapshot *snapshot = &collection->snapshot;
	int r = snapshot_add_process(snapshot, ret_index);

	if (r < 0)
		return r;
	struct process *to = &snapshot->processes[*ret_index];

	to->pid = facts->pid;
	to->inner_pid = facts->inner_pid;
	to->uid = facts->uid;
	to->gid = facts->gid;
	to->source = SOURCE_DRIVER;
	to->state = facts->exists ? PROCESS_LIVE : PROCESS_GONE;
	to->started_ns = facts->started_ns;
	fill_host_memory(to, facts);
	r = snapshot_string(snapshot, facts->command, facts->command_bytes, &to->command);
	if (r == 0 && facts->exists && facts->uid != UINT32_MAX)
		r = collection_add_user_name(collection, facts->uid, &to->user);
	return r < 0 ? r : collection_set_container(collection, *ret_index, &facts->container);
}

static int add_users(struct collection *collection, const struct card_reading *reading,
		     struct span *ret_span)
{
	struct snapshot *snapshot = &collection->snapshot;
	uint32_t index = 0;

	ret_span->first = snapshot->card_user_count;
	for (uint32_t i = 0; i < reading->user_count; i++) {
		uint32_t pid = reading->users[i].pid, process = find_process(snapshot, pid);
		int r = 0;

		if (process == SNAPSHOT_NONE) {
			if (collection->options.pid && collection->options.pid != pid)
				continue;
			r = add_stranger(collection,
					 process_cache_get(&collection->sources->strangers, pid,
							   collection->now_monotonic_ns),
					 &process);
		}
		if (r == 0)
			r = snapshot_add_card_user(snapshot, &index);
		if (r < 0)
			return r;
		snapshot->card_users[index] =
			(struct card_user){process, reading->users[i].handles};
		ret_span->count++;
	}
	return 0;
}

static int add_card(struct collection *collection, const struct sampler_card *from)
{
	struct snapshot *snapshot = &collection->snapshot;
	const struct card_reading *reading = from->reading;
	const struct board *board = board_of(reading);
	uint32_t arch = arch_of(reading), index = 0;
	struct span users = {0};
	int r = add_users(collection, reading, &users);

	if (r == 0)
		r = snapshot_add_card(snapshot, &index);
	if (r < 0)
		return r;
	struct card *to = &snapshot->cards[index];

	*to = (struct card){
		.number = reading->number,
		.arch = arch ? arch : board ? board->arch : 0,
		.chips = board ? board->chips : 0,
		.state = (uint8_t)from->state,
		.serial = reading->serial,
		.asic_id = reading->asic_id,
		.age_ns = from->age_ns == UINT64_MAX ? fact_absent(REASON_STUCK)
						     : fact_of(from->age_ns),
		.telemetry = reading->telemetry,
		.link = reading->link,
		.handles = reading->handles,
		.foreign_handles = reading->foreign_handles,
		.started_pid = reading->started_pid,
		.users = users,
	};
	if (from->state == CARD_STUCK)
		make_stale(&to->telemetry);
	/* only the bus has told of it so far */
	if (from->age_ns == UINT64_MAX)
		to->serial = to->asic_id = to->handles = to->foreign_handles =
			fact_absent(REASON_STUCK);
	/* a driver that knows the board better than its serial number is believed */
	const char *name = reading->card_type[0] ? reading->card_type : board ? board->name : "";

	if ((r = add_string(snapshot, name, &to->board)) < 0 ||
	    (r = add_string(snapshot, reading->pci_address, &to->pci_address)) < 0)
		return r;
	return add_string(snapshot, reading->firmware, &to->firmware);
}

int cards_add(struct collection *collection)
{
	struct snapshot *snapshot = &collection->snapshot;
	struct collect_sources *sources = collection->sources;
	struct sampler_card cards[SAMPLER_CARDS_MAX];

	if (!sources)
		return 0;
	uint32_t count = sampler_cards(&sources->sampler, collection->now_monotonic_ns, cards);
	uint32_t with_table = snapshot->process_count;
	int r = add_string(snapshot, sources->sampler.driver, &snapshot->driver_version);

	snapshot->has_driver = sources->sampler.has_driver;
	for (uint32_t i = 0; r == 0 && i < with_table; i++) {
		struct process *process = &snapshot->processes[i];

		if (process->state == PROCESS_LIVE)
			fill_host_memory(process,
					 process_cache_get(&sources->own, process->pid,
							   collection->now_monotonic_ns));
	}
	for (uint32_t i = 0; r == 0 && i < count; i++)
		r = add_card(collection, &cards[i]);
	return r;
}

/* Has a live process that covers the chip this card open? */
static bool is_open_by_its_process(const struct snapshot *snapshot, const struct card *card,
				   const struct device *device)
{
	for (uint32_t i = 0; i < card->users.count; i++) {
		const struct process *process =
			&snapshot->processes[snapshot->card_users[card->users.first + i].process];

		for (uint32_t a = 0; a < process->allocators.count; a++)
			if (snapshot_covers(snapshot,
					    &snapshot->allocators[process->allocators.first + a],
					    device))
				return true;
	}
	return false;
}

/* Whether one of the card's chips can have this unique id, and then which. */
static bool can_have(const struct card *card, uint64_t unique_id, bool *ret_remote)
{
	struct unique_id ids[UNIQUE_IDS_MAX];
	size_t count = unique_ids_of(card->arch,
				     fact_is_known(card->serial) ? card->serial.value : 0,
				     fact_is_known(card->asic_id) ? card->asic_id.value : 0, ids);

	for (size_t i = 0; i < count; i++)
		if (ids[i].value == unique_id) {
			*ret_remote = ids[i].remote;
			return true;
		}
	return false;
}

/*
 * The one card that can have the chip. Boards with two PCI functions have one
 * serial number on both: then the one that the chip's process has open, if it
 * is only one.
 */
static void place(const struct snapshot *snapshot, struct device *device)
{
	uint32_t matches = 0, open_matches = 0, match = 0, open_match = 0;
	bool remote = false, is_remote = false, open_remote = false;

	for (uint32_t i = 0; fact_is_known(device->unique_id) && i < snapshot->card_count; i++) {
		if (!can_have(&snapshot->cards[i], device->unique_id.value, &remote))
			continue;
		is_remote = remote;
		match = i;
		matches++;
		if (is_open_by_its_process(snapshot, &snapshot->cards[i], device)) {
			open_match = i;
			open_remote = remote;
			open_matches++;
		}
	}
	if (matches == 1 || open_matches == 1) {
		device->card = matches == 1 ? match : open_match;
		device->remote = matches == 1 ? is_remote : open_remote;
	}
}

/* Could a chip that is not placed be one of this card's? Then nothing is known to be idle. */
static bool may_have_unplaced(const struct snapshot *snapshot, const struct card *card)
{
	bool remote;

	for (uint32_t i = 0; i < snapshot->machine_devices.count; i++) {
		const struct device *device =
			&snapshot->devices[snapshot->machine_devices.first + i];

		if (device->card == SNAPSHOT_NONE &&
		    (!fact_is_known(device->unique_id) ||
		     can_have(card, device->unique_id.value, &remote)))
			return true;
	}
	return false;
}

/* What a chip without a reporting process holds: nothing, if everybody who could is known. */
static struct fact idle_bytes(const struct snapshot *snapshot, const struct card *card)
{
	if (!fact_is_known(card->handles))
		return card->handles;
	if (card->foreign_handles.value)
		return fact_absent(REASON_OTHER_NAMESPACE);
	for (uint32_t i = 0; i < card->users.count; i++)
		if (snapshot->processes[snapshot->card_users[card->users.first + i].process]
			    .source != SOURCE_HOOK)
			return fact_absent(REASON_UNSEEN_USERS);
	return may_have_unplaced(snapshot, card) ? fact_absent(REASON_NO_CARD) : fact_of(0);
}

static struct memory nominal_memory(struct fact used, uint64_t banks, uint64_t bank_bytes)
{
	bool idle = fact_is_known(used);
	uint64_t size = banks * bank_bytes;
	struct fact whole = fact_estimate(size, REASON_NOMINAL);
	struct fact bank = fact_estimate(bank_bytes, REASON_NOMINAL);

	return (struct memory){
		.requested_bytes = used,
		.occupied_bytes = used,
		.buffers = used,
		.bank_allocated_bytes = used,
		.peak_requested_bytes = fact_absent(REASON_NO_ALLOCATOR),
		.peak_occupied_bytes = fact_absent(REASON_NO_ALLOCATOR),
		.allocatable_bytes = whole,
		.banks = fact_estimate(banks, REASON_NOMINAL),
		.bank_size_bytes = bank,
		.free_bytes = idle ? whole : used,
		.largest_free_bytes = idle ? whole : used,
		.bank_free_bytes = idle ? bank : used,
		.bank_largest_free_bytes = idle ? bank : used,
	};
}

static struct memory unknown_memory(enum fact_reason reason)
{
	struct memory memory;
	struct fact *facts = (struct fact *)&memory;

	for (size_t i = 0; i < sizeof memory / sizeof *facts; i++)
		facts[i] = fact_absent(reason);
	return memory;
}

static void fill_idle(const struct snapshot *snapshot, struct device *device)
{
	const struct card *card = &snapshot->cards[device->card];
	const struct board *board = board_by_name(snapshot_text(snapshot, card->board));
	const struct board_memory *memory = board_memory_of(card->arch);
	struct fact used = idle_bytes(snapshot, card);

	for (int type = 0; type < MEMORY_TYPES; type++)
		device->memory[type] = unknown_memory(REASON_NO_ALLOCATOR);
	if (!board || !memory)
		return;
	device->memory[MEMORY_DRAM] =
		nominal_memory(used, board->dram_banks, memory->dram_bank_allocatable_bytes);
	device->memory[MEMORY_L1] =
		nominal_memory(used, board->compute_cores, memory->l1_core_allocatable_bytes);
}

/* The unique id of an idle chip, where it cannot be but one. */
static struct fact idle_unique_id(const struct card *card)
{
	const struct board *board = fact_is_known(card->serial)
					    ? board_of_serial(card->serial.value)
					    : NULL;

	if (board && board->galaxy && fact_is_known(card->asic_id))
		return fact_estimate(card->asic_id.value, REASON_NOMINAL);
	return fact_absent(REASON_NO_ALLOCATOR);
}

static int add_idle(struct collection *collection, uint32_t card, bool remote)
{
	struct snapshot *snapshot = &collection->snapshot;
	uint32_t index;
	int r = snapshot_add_device(snapshot, &index);

	if (r < 0)
		return r;
	snapshot->devices[index] = (struct device){
		.unique_id = remote ? fact_absent(REASON_NO_ALLOCATOR)
				    : idle_unique_id(&snapshot->cards[card]),
		.chip_id = SNAPSHOT_NONE,
		.process = SNAPSHOT_NONE,
		.arch = snapshot->cards[card].arch,
		.card = card,
		.remote = remote,
	};
	fill_idle(snapshot, &snapshot->devices[index]);
	snapshot->machine_devices.count++;
	return 0;
}

static bool is_placed(const struct snapshot *snapshot, uint32_t card, bool remote)
{
	for (uint32_t i = 0; i < snapshot->machine_devices.count; i++) {
		const struct device *device =
			&snapshot->devices[snapshot->machine_devices.first + i];

		if (device->card == card && device->remote == remote)
			return true;
	}
	return false;
}

static void fill_physical(const struct snapshot *snapshot, struct device *device)
{
	const struct card *card = snapshot_card(snapshot, device);
	const struct board *board =
		card ? board_by_name(snapshot_text(snapshot, card->board)) : NULL;
	const struct board_memory *memory = board_memory_of(device->arch);
	struct fact unknown = fact_absent(card ? REASON_NO_ATTRIBUTE : REASON_NO_CARD);

	device->tensix_cores = device->dram_physical_bytes = device->l1_physical_bytes = unknown;
	if (!board || !memory)
		return;
	device->tensix_cores = fact_estimate(board->tensix_cores, REASON_NOMINAL);
	device->dram_physical_bytes =
		fact_estimate(board->dram_banks * memory->dram_bank_bytes, REASON_NOMINAL);
	device->l1_physical_bytes =
		fact_estimate(board->tensix_cores * memory->l1_core_bytes, REASON_NOMINAL);
}

/* Cards' own chips, then chips behind them, then those without a card; all in their order. */
static int by_place(const void *a, const void *b)
{
	const struct device *x = a, *y = b;
	uint64_t place_x = (uint64_t)(x->card == SNAPSHOT_NONE) << 33 | (uint64_t)x->remote << 32 |
			   (x->card == SNAPSHOT_NONE ? 0 : x->card);
	uint64_t place_y = (uint64_t)(y->card == SNAPSHOT_NONE) << 33 | (uint64_t)y->remote << 32 |
			   (y->card == SNAPSHOT_NONE ? 0 : y->card);

	if (place_x != place_y)
		return place_x < place_y ? -1 : 1;
	/* number still holds the order in which they were found */
	return (x->number > y->number) - (x->number < y->number);
}

static void number_devices(struct snapshot *snapshot, struct device *devices, uint32_t count)
{
	uint32_t next = snapshot->card_count
				? snapshot->cards[snapshot->card_count - 1].number + 1
				: 0;

	for (uint32_t i = 0; i < count; i++)
		devices[i].number = i;
	if (count)
		qsort(devices, count, sizeof *devices, by_place);
	for (uint32_t i = 0; i < count; i++)
		devices[i].number = devices[i].card != SNAPSHOT_NONE && !devices[i].remote
					    ? snapshot->cards[devices[i].card].number
					    : next++;
}

int cards_join(struct collection *collection)
{
	struct snapshot *snapshot = &collection->snapshot;
	struct span *machine = &snapshot->machine_devices;

	for (uint32_t i = 0; i < machine->count; i++) {
		snapshot->devices[machine->first + i].card = SNAPSHOT_NONE;
		place(snapshot, &snapshot->devices[machine->first + i]);
	}
	if (machine->count == 0)
		machine->first = snapshot->device_count;
	for (uint32_t card = 0; card < snapshot->card_count; card++) {
		uint32_t chips = snapshot->cards[card].chips ? snapshot->cards[card].chips : 1;

		for (uint32_t chip = 0; chip < chips; chip++) {
			int r = is_placed(snapshot, card, chip > 0)
					? 0
					: add_idle(collection, card, chip > 0);

			if (r < 0)
				return r;
		}
	}
	for (uint32_t i = 0; i < machine->count; i++)
		fill_physical(snapshot, &snapshot->devices[machine->first + i]);
	number_devices(snapshot, SPAN_START(snapshot->devices, *machine), machine->count);
	return 0;
}
