/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From tables to a snapshot. A table says what its process's allocators hold;
 * what that means for a chip is added up in devices.c.
 */
#include "collect/collect.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/files.h"
#include "collect/cards.h"
#include "collect/tables.h"

void collection_init(struct collection *collection, const struct collect_options *options)
{
	*collection = (struct collection){
		.options = *options,
		.now_monotonic_ns = clock_monotonic_ns(),
	};
	if (options->choice || options->tally)
		collection->options.buffers_only = true;
	snapshot_init(&collection->snapshot);
	collection->snapshot.time_ns = clock_realtime_ns();
	collection->snapshot.consistent = 1;
	collection->snapshot.has_buffers = options->buffers;
	collection->snapshot.has_stacks = options->stacks;
	collection->snapshot.is_limited = options->slot_limit != 0 || options->choice ||
					  options->tally;
}

void collection_clear(struct collection *collection)
{
	for (uint32_t i = 0; i < collection->snapshot.allocator_count; i++)
		for (int type = 0; collection->ranges && type < MEMORY_TYPES; type++)
			free(collection->ranges[i][type].ranges);
	free(collection->ranges);
	collection->ranges = NULL;
	choice_clear(&collection->choice);
	snapshot_clear(&collection->snapshot);
}

static int add_string(struct snapshot *snapshot, const char *bytes, size_t size, string_id *ret_id)
{
	return snapshot_string(snapshot, bytes, strnlen(bytes, size), ret_id);
}

static int add_user(struct snapshot *snapshot, uint32_t uid, string_id *ret_id)
{
	static __thread uint32_t last_uid = UINT32_MAX;
	static __thread char last_name[64];

	/* one lookup for the usual machine with one user; nss is slower than all the rest */
	if (uid != last_uid) {
		struct passwd entry, *found = NULL;
		char buffer[1024];

		if (uid == 0)
			(void)snprintf(last_name, sizeof last_name, "root");
		else if (getpwuid_r(uid, &entry, buffer, sizeof buffer, &found) == 0 && found)
			(void)snprintf(last_name, sizeof last_name, "%s", entry.pw_name);
		else
			(void)snprintf(last_name, sizeof last_name, "%u", uid);
		last_uid = uid;
	}
	return add_string(snapshot, last_name, sizeof last_name, ret_id);
}

int collection_add_user_name(struct collection *collection, uint32_t uid, string_id *ret_id)
{
	return add_user(&collection->snapshot, uid, ret_id);
}

/* Arguments are separated by NUL in /proc/PID/cmdline; the last one's NUL is no blank. */
static int add_command(struct snapshot *snapshot, const struct region_head *head, string_id *ret_id)
{
	size_t length = sizeof head->command;

	while (length > 0 && head->command[length - 1] == '\0')
		length--;
	return snapshot_string(snapshot, head->command, length, ret_id);
}

static int add_build_id(struct snapshot *snapshot, const struct region_head *head,
			string_id *ret_id)
{
	char hex[2 * sizeof head->build_id + 1];

	for (uint32_t i = 0; i < head->build_id_bytes; i++)
		(void)snprintf(hex + 2 * i, 3, "%02x", head->build_id[i]);
	return snapshot_string(snapshot, hex, 2 * (size_t)head->build_id_bytes, ret_id);
}

static int add_capabilities(struct snapshot *snapshot, const struct region_image *image,
			    struct span *ret_span)
{
	ret_span->first = snapshot->capability_count;
	for (uint32_t i = 0; i < image->capability_count; i++) {
		const struct region_capability *from = &image->capabilities[i];
		uint32_t index;
		int r = snapshot_add_capability(snapshot, &index);

		if (r < 0)
			return r;
		struct capability *to = &snapshot->capabilities[index];

		to->state = from->state <= AVAILABLE_OFF ? (uint8_t)from->state : 0;
		r = add_string(snapshot, from->name, sizeof from->name, &to->name);
		if (r == 0)
			r = add_string(snapshot, from->detail, sizeof from->detail, &to->reason);
		if (r < 0)
			return r;
		ret_span->count++;
	}
	return 0;
}

static struct fact known_unless(uint64_t value, uint64_t unknown)
{
	return value == unknown ? fact_absent(REASON_NOT_EXPORTED) : fact_of(value);
}

/* What only a failure of one kind has is not unknown in the others: it does not apply. */
static struct fact figure_of(uint64_t value, bool applies)
{
	return !applies		     ? fact_absent(REASON_NONE)
	       : value == UINT64_MAX ? fact_absent(REASON_NOT_EXPORTED)
				     : fact_of(value);
}

static struct failure failure_of(const struct region_failure *from)
{
	bool program = from->kind != FAILURE_ALLOCATION, clash = from->kind == FAILURE_CLASH;
	bool too_large = from->kind == FAILURE_TOO_LARGE;
	struct failure to = {
		.kind = from->kind,
		.requested_bytes = figure_of(from->requested_bytes, !program),
		.page_bytes = figure_of(from->page_bytes, !program),
		.type = from->type < MEMORY_TYPES ? fact_of(from->type)
						  : fact_absent(REASON_NOT_EXPORTED),
		.allocator = known_unless(from->allocator, REGION_NONE),
		.bank_free_bytes = figure_of(from->free_bytes_per_bank, !program),
		.bank_largest_free_bytes = figure_of(from->largest_bytes_per_bank, !program),
		.thread = from->thread,
		.program = figure_of(from->program_id, program),
		.end_address = figure_of(from->end_address,
					 clash || (too_large && from->end_address != UINT64_MAX)),
		/* ~0 is said of an allocator without buffers as well */
		.lowest_address = figure_of(from->lowest_address,
					    clash || from->lowest_address != UINT64_MAX),
		.needed_bytes = figure_of(from->needed_bytes,
					  too_large && from->end_address == UINT64_MAX),
		.limit_bytes = figure_of(from->limit_bytes, too_large),
	};

	if (fact_is_known(to.needed_bytes))
		to.needed_bytes = fact_estimate(to.needed_bytes.value, REASON_CODE_ALONE);
	return to;
}

static int add_failures(struct collection *collection, const struct region_image *image,
			struct table_sites *sites, struct span *ret_span)
{
	struct snapshot *snapshot = &collection->snapshot;

	ret_span->first = snapshot->failure_count;
	for (uint32_t i = 0; i < image->failure_count; i++) {
		const struct region_failure *from = &image->failures[i];
		uint32_t index = 0;

		/* of a newer writer: nothing of it could be said */
		if (from->kind >= FAILURE_KINDS)
			continue;
		uint32_t site;
		int r = table_sites_number(sites, snapshot, from->site, &site);

		if (r == 0)
			r = snapshot_add_failure(snapshot, &index);
		if (r < 0)
			return r;
		struct failure *to = &snapshot->failures[index];

		*to = failure_of(from);
		to->number = image->head.failures_count - i;
		to->age_ns = collection_age(collection, from->time_ns);
		to->site = site;
		ret_span->count++;
	}
	return 0;
}

static int add_chips(struct snapshot *snapshot, const struct region_allocator *row,
		     struct span *ret_span)
{
	ret_span->first = snapshot->chip_count;
	for (uint32_t i = 0; i < row->chip_count; i++) {
		const struct region_chip *from = &row->chips[i];
		uint32_t index;
		int r = snapshot_add_chip(snapshot, &index);

		if (r < 0)
			return r;
		snapshot->chips[index] = (struct chip){
			.chip_id = from->chip_id,
			.unique_id = from->flags & REGION_CHIP_HAS_UNIQUE_ID
					     ? fact_of(from->unique_id)
					     : fact_absent(REASON_NOT_EXPORTED),
		};
		ret_span->count++;
	}
	return 0;
}

static void fill_memory(struct memory *memory, const struct region_geometry *geometry,
			const struct region_totals *totals, bool geometry_known)
{
	uint64_t size = geometry->bank_bytes, used = totals->bank_bytes;
	struct fact unknown = fact_absent(REASON_NOT_EXPORTED);

	*memory = (struct memory){
		.requested_bytes = fact_of(totals->requested_bytes),
		.banks = geometry_known ? fact_of(geometry->banks) : unknown,
		.bank_size_bytes = geometry_known ? fact_of(size) : unknown,
		.bank_allocated_bytes = fact_of(used),
		.bank_free_bytes = geometry_known ? fact_of(size > used ? size - used : 0) : unknown,
		.bank_largest_free_bytes =
			fact_absent(geometry_known ? REASON_NOT_ASKED : REASON_NOT_EXPORTED),
		.buffers = fact_of(totals->allocs - totals->frees),
		.peak_requested_bytes = fact_of(totals->peak_requested_bytes),
		.peak_occupied_bytes = fact_of(totals->peak_bank_bytes),
	};
	memory->occupied_bytes = fact_times(memory->bank_allocated_bytes, memory->banks);
	memory->allocatable_bytes = fact_times(memory->bank_size_bytes, memory->banks);
	memory->free_bytes = fact_times(memory->bank_free_bytes, memory->banks);
	memory->largest_free_bytes = fact_times(memory->bank_largest_free_bytes, memory->banks);
	memory->peak_occupied_bytes = fact_times(memory->peak_occupied_bytes, memory->banks);
}

/* Totals of a process whose buffers cannot be read are zeros that mean nothing. */
static void forget_figures(struct memory *memory)
{
	struct fact unknown = fact_absent(REASON_FIELDS);

	memory->requested_bytes = memory->occupied_bytes = memory->free_bytes = unknown;
	memory->largest_free_bytes = memory->bank_allocated_bytes = unknown;
	memory->bank_free_bytes = memory->bank_largest_free_bytes = memory->buffers = unknown;
	memory->peak_requested_bytes = memory->peak_occupied_bytes = unknown;
}

static void soften(struct fact *fact)
{
	if (fact_is_known(*fact))
		*fact = fact_estimate(fact->value, REASON_MID_EVENT);
}

/* Totals that one event has half changed, and the process did not go on. */
static void soften_figures(struct memory *memory)
{
	soften(&memory->requested_bytes);
	soften(&memory->occupied_bytes);
	soften(&memory->free_bytes);
	soften(&memory->bank_allocated_bytes);
	soften(&memory->bank_free_bytes);
	soften(&memory->buffers);
	soften(&memory->peak_requested_bytes);
	soften(&memory->peak_occupied_bytes);
}

static bool buffers_are_known(const struct region_image *image)
{
	for (uint32_t i = 0; i < image->capability_count; i++)
		if (strcmp(image->capabilities[i].name, "buffers") == 0)
			return image->capabilities[i].state == CAPABILITY_PRESENT;
	return true;
}

static bool geometry_is_known(const struct region_allocator *row)
{
	for (unsigned type = 0; type < REGION_MEMORY_TYPES; type++)
		if (row->geometry[type].banks != 0)
			return true;
	return false;
}

/*
 * The parent is named by its device object: the open row with that object,
 * else (a submesh outlives its parent) the one closed last.
 */
static struct fact parent_id(const struct region_image *image, const struct region_row *row)
{
	const struct region_row *best = NULL;

	if (row->allocator.parent_device == 0)
		return fact_absent(REASON_NONE);
	for (uint32_t i = 0; i < image->row_count; i++) {
		const struct region_row *other = &image->rows[i];

		if (other->allocator.device != row->allocator.parent_device || other == row)
			continue;
		if (!best || other->allocator.closed_ns == 0 ||
		    (best->allocator.closed_ns != 0 &&
		     other->allocator.closed_ns > best->allocator.closed_ns))
			best = other;
	}
	return best ? fact_of(best->id) : fact_absent(REASON_NO_ALLOCATOR);
}

static int reserve_ranges(struct collection *collection, uint32_t count)
{
	uint32_t capacity = collection->ranges_capacity ? collection->ranges_capacity : 16;

	while (capacity < count)
		capacity *= 2;
	if (collection->ranges && capacity == collection->ranges_capacity)
		return 0;
	void *memory = realloc(collection->ranges, capacity * sizeof *collection->ranges);

	if (!memory)
		return -ENOMEM;
	collection->ranges = memory;
	memset(&collection->ranges[collection->ranges_capacity], 0,
	       (capacity - collection->ranges_capacity) * sizeof *collection->ranges);
	collection->ranges_capacity = capacity;
	return 0;
}

static int add_allocator(struct collection *collection, const struct region_image *image,
			 const struct region_row *row, uint32_t process)
{
	struct snapshot *snapshot = &collection->snapshot;
	uint32_t index = 0;
	int r = reserve_ranges(collection, snapshot->allocator_count + 1);

	if (r == 0)
		r = snapshot_add_allocator(snapshot, &index);
	if (r < 0)
		return r;
	struct allocator *to = &snapshot->allocators[index];
	bool known = geometry_is_known(&row->allocator);

	to->process = process;
	to->id = row->id;
	to->parent = parent_id(image, row);
	to->closed_ns = row->allocator.closed_ns ? fact_of(row->allocator.closed_ns)
						 : fact_absent(REASON_NONE);
	to->arch = row->allocator.arch;
	to->grid_x = row->allocator.grid_x;
	to->grid_y = row->allocator.grid_y;
	to->l1_bytes_per_core = known_unless(row->allocator.l1_bytes_per_core, 0);
	for (unsigned type = 0; type < MEMORY_TYPES; type++) {
		const struct region_totals *totals = &row->totals[type];

		fill_memory(&to->memory[type], &row->allocator.geometry[type], totals, known);
		if (!buffers_are_known(image))
			forget_figures(&to->memory[type]);
		if (row->torn[type])
			soften_figures(&to->memory[type]);
		to->base_address[type] = row->allocator.geometry[type].base_address;
		to->alignment_bytes[type] = row->allocator.geometry[type].alignment;
		to->has_held[type] = totals->allocs != 0;
		to->allocs[type] = totals->allocs;
		to->frees[type] = totals->frees;
		to->failures[type] = totals->failures;
	}
	l1_of_allocator(&row->allocator, &to->l1);
	return add_chips(snapshot, &row->allocator, &to->chips);
}

static int add_process(struct collection *collection, const struct region_image *image,
		       struct table_sites *sites, uint32_t pid, uint32_t uid, enum process_state state, uint32_t *ret_index)
{
	struct snapshot *snapshot = &collection->snapshot;
	const struct region_head *head = &image->head;
	uint32_t index;
	int r = snapshot_add_process(snapshot, &index);

	if (r < 0)
		return r;
	struct process *to = &snapshot->processes[index];

	to->pid = pid;
	to->inner_pid = head->pid;
	to->uid = uid;
	to->gid = UINT32_MAX;
	to->state = (uint8_t)state;
	to->event = image->event;
	to->started_ns = head->created_realtime_ns;
	to->failure_count = head->failures_count;
	to->live_buffers = head->slots_live;
	to->losses = (struct losses){
		.full = head->dropped_full,
		.memory = head->dropped_memory,
		.allocator = head->dropped_allocator,
		.key = head->dropped_key,
		.replaced = head->replaced,
		.unknown_frees = head->unknown_frees,
		.left_at_close = head->left_at_close,
		.moves = head->copies,
	};
	to->dispatches = head->dispatches;
	to->programs_dropped = head->programs_dropped;
	to->programs_unknown = head->programs_unknown;
	if ((r = add_user(snapshot, uid, &to->user)) < 0 ||
	    (r = add_command(snapshot, head, &to->command)) < 0 ||
	    (r = add_build_id(snapshot, head, &to->build_id)) < 0 ||
	    (r = add_string(snapshot, head->metal_version, sizeof head->metal_version,
			    &to->metal_version)) < 0 ||
	    (r = add_string(snapshot, head->entry, sizeof head->entry, &to->entry)) < 0 ||
	    (r = add_capabilities(snapshot, image, &to->capabilities)) < 0 ||
	    (r = add_failures(collection, image, sites, &to->failures)) < 0)
		return r;
	*ret_index = index;
	return 0;
}

int collection_add_table(struct collection *collection, struct region_map *map, uint32_t pid,
			 uint32_t uid, enum process_state state)
{
	struct region_image image;
	struct table_sites sites;
	struct span allocators = {.first = collection->snapshot.allocator_count};
	uint32_t process;
	int r = region_read_image(map, &image);

	if (r < 0)
		return r;
	/* of a process that has ended the number may be another one's by now */
	table_sites_init(&sites, map, state == PROCESS_LIVE ? pid : 0, collection->options.stacks);
	r = add_process(collection, &image, &sites, pid, uid, state, &process);
	for (uint32_t i = 0; r == 0 && i < image.row_count; i++) {
		r = add_allocator(collection, &image, &image.rows[i], process);
		allocators.count++;
	}
	if (r == 0)
		collection->snapshot.processes[process].allocators = allocators;
	if (r == 0)
		r = slots_add(collection, map, &sites, process);
	if (r == 0 && collection->options.leftovers)
		r = leftovers_add(collection, map, &sites, process);
	if (r == 0 && !collection->options.buffers_only)
		r = programs_of_process(collection, map, process);
	if (r == 0 && !collection->options.buffers_only)
		r = devices_of_process(collection, process);
	if (r == 0 && !collection->options.buffers_only)
		r = l1_of_process(collection, process);
	table_sites_clear(&sites);
	region_image_clear(&image);
	return r;
}

int collection_finish(struct collection *collection, struct snapshot *ret_snapshot)
{
	int r = cards_add(collection);

	if (r == 0 && !collection->options.buffers_only)
		r = devices_of_machine(collection);
	if (r == 0 && !collection->options.buffers_only)
		r = cards_join(collection);
	if (r == 0 && !collection->options.buffers_only)
		l1_of_machine(collection);
	if (r == 0 && collection->options.choice)
		r = choice_finish(&collection->choice, &collection->snapshot);
	if (r < 0)
		return r;
	for (uint32_t i = 0; i < collection->snapshot.allocator_count; i++)
		for (int type = 0; collection->ranges && type < MEMORY_TYPES; type++)
			free(collection->ranges[i][type].ranges);
	free(collection->ranges);
	collection->ranges = NULL;
	choice_clear(&collection->choice);
	*ret_snapshot = collection->snapshot;
	snapshot_init(&collection->snapshot);
	return 0;
}

int collection_set_container(struct collection *collection, uint32_t process,
			     const struct container *container)
{
	struct snapshot *snapshot = &collection->snapshot;
	struct process *to = &snapshot->processes[process];
	int r = add_string(snapshot, container->id, sizeof container->id, &to->container);

	return r < 0 ? r : add_string(snapshot, container->pod, sizeof container->pod, &to->pod);
}

static int visit(void *argument, struct region_map *map, uint32_t pid, uint32_t uid,
		 enum process_state state)
{
	struct collection *collection = argument;
	uint32_t process = collection->snapshot.process_count;
	struct container container;
	int r = collection_add_table(collection, map, pid, uid, state);

	if (r < 0 || state != PROCESS_LIVE)
		return r;
	cgroup_of(pid, &container);
	return collection_set_container(collection, process, &container);
}

static int collect_with(const struct collect_options *options,
			struct collect_sources *sources, struct snapshot *ret_snapshot,
			struct collect_notes *ret_notes)
{
	struct collection collection;

	/* cards and tables are read at the same time: the driver may be slow, and so may we */
	if (sources)
		sampler_begin(&sources->sampler, clock_monotonic_ns());
	collection_init(&collection, options);
	collection.sources = sources;
	int r = tables_visit(options, visit, &collection, ret_notes);

	if (sources)
		sampler_wait(&sources->sampler);
	/* ages are counted from a moment after the reading */
	collection.now_monotonic_ns = clock_monotonic_ns();
	if (ret_notes)
		ret_notes->has_class = sources && sources->sampler.has_class;
	if (r == 0)
		r = collection_finish(&collection, ret_snapshot);
	collection_clear(&collection);
	return r;
}

int collect_sources_open(struct collect_sources *sources, const char *root,
			 enum sampler_workers workers)
{
	*sources = (struct collect_sources){
		.real = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC),
		.root = open(root ? root : "/", O_PATH | O_DIRECTORY | O_CLOEXEC),
	};
	int r = sources->real < 0 || sources->root < 0 ? -errno : 0;

	if (r == 0)
		r = sampler_init(&sources->sampler, sources->root, workers);
	if (r == 0)
		r = process_cache_init(&sources->strangers, sources->root);
	if (r == 0)
		r = process_cache_init(&sources->own, sources->real);
	if (r < 0)
		collect_sources_close(sources);
	return r;
}

void collect_sources_close(struct collect_sources *sources)
{
	process_cache_clear(&sources->strangers);
	process_cache_clear(&sources->own);
	sampler_finish(&sources->sampler);
	if (sources->root >= 0)
		(void)close(sources->root);
	if (sources->real >= 0)
		(void)close(sources->real);
}

int collect_local(const struct collect_options *options, struct snapshot *ret_snapshot,
		  struct collect_notes *ret_notes)
{
	struct collect_sources sources;
	enum sampler_workers workers = options->no_children ? SAMPLER_THREADS : SAMPLER_PROCESSES;
	int r = options->cards ? collect_sources_open(&sources, options->root, workers) : 0;

	if (r < 0)
		return r;
	r = collect_with(options, options->cards ? &sources : NULL, ret_snapshot, ret_notes);
	if (options->cards)
		collect_sources_close(&sources);
	return r;
}
