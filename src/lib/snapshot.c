/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api/ask.h"
#include "lib/lib.h"

#define OPEN_FLAGS (TTMEM_OPEN_NO_SERVER | TTMEM_OPEN_SERVER_ONLY | TTMEM_OPEN_OWN)
#define TAKE_FLAGS (TTMEM_TAKE_BUFFERS | TTMEM_TAKE_LARGEST_FREE)

static bool open_flags_are_good(uint32_t flags)
{
	/* a server only, and none: cannot both be wanted */
	return !(flags & ~OPEN_FLAGS) &&
	       !((flags & TTMEM_OPEN_SERVER_ONLY) &&
		 (flags & (TTMEM_OPEN_NO_SERVER | TTMEM_OPEN_OWN)));
}

static int copy_string(const char *string, char **ret_copy)
{
	*ret_copy = string ? strdup(string) : NULL;
	return string && !*ret_copy ? -ENOMEM : 0;
}

ttmemReturn_t ttmemOpen(const ttmemOpenOptions_t *options, ttmemHandle_t *handle)
{
	static const ttmemOpenOptions_t usual = {.version = TTMEM_OPEN_OPTIONS_VERSION};
	const ttmemOpenOptions_t *wanted = options ? options : &usual;

	if (wanted->version != TTMEM_OPEN_OPTIONS_VERSION)
		return TTMEM_ERROR_VERSION;
	if (!handle || !open_flags_are_good(wanted->flags))
		return TTMEM_ERROR_INVALID_ARGUMENT;
	struct ttmemHandle_st *opened = calloc(1, sizeof *opened);

	if (!opened)
		return TTMEM_ERROR_MEMORY;
	opened->flags = wanted->flags;
	if (copy_string(wanted->server, &opened->server) < 0 ||
	    copy_string(wanted->root, &opened->root) < 0) {
		ttmemClose(opened);
		return TTMEM_ERROR_MEMORY;
	}
	*handle = opened;
	return TTMEM_SUCCESS;
}

void ttmemClose(ttmemHandle_t handle)
{
	if (!handle)
		return;
	free(handle->server);
	free(handle->root);
	free(handle);
}

/* From a server in one or two questions; the second one's buffers are a little younger. */
static int take_from_server(const struct ttmemHandle_st *handle, struct ttmemSnapshot_st *to,
			    const struct collect_options *picture)
{
	struct collect_options listing = {.buffers = true, .pid = picture->pid,
					  .root = picture->root};
	int r = ask_server(handle->server, picture, &to->picture, NULL);

	return r == 0 && to->has_buffers ? ask_server(handle->server, &listing, &to->listing, NULL)
					 : r;
}

static int take_here(struct ttmemSnapshot_st *to, const struct collect_options *wanted)
{
	struct collect_options options = *wanted;

	/* one pass for both: the listing is the picture */
	options.buffers = to->has_buffers;
	snapshot_clear(&to->picture);
	return collect_local(&options, &to->picture, NULL);
}

static int take(const struct ttmemHandle_st *handle, struct ttmemSnapshot_st *to,
		const ttmemTakeOptions_t *wanted)
{
	bool own = handle->flags & TTMEM_OPEN_OWN;
	struct collect_options options = {
		.largest_free = wanted->flags & TTMEM_TAKE_LARGEST_FREE,
		.pid = own ? (uint32_t)getpid() : wanted->pid,
		.cards = !own,
		.root = handle->root,
		.no_children = true,
	};
	int r = -ENOENT;

	snapshot_init(&to->picture);
	snapshot_init(&to->listing);
	to->has_buffers = wanted->flags & TTMEM_TAKE_BUFFERS;
	to->pid = options.pid;
	if (!own && !(handle->flags & TTMEM_OPEN_NO_SERVER))
		r = take_from_server(handle, to, &options);
	if (r < 0 && r != -ENOMEM && !(handle->flags & TTMEM_OPEN_SERVER_ONLY))
		r = take_here(to, &options);
	return r;
}

ttmemReturn_t ttmemSnapshotTake(ttmemHandle_t handle, const ttmemTakeOptions_t *options,
				ttmemSnapshot_t *snapshot)
{
	static const ttmemTakeOptions_t all = {.version = TTMEM_TAKE_OPTIONS_VERSION};
	const ttmemTakeOptions_t *wanted = options ? options : &all;

	if (wanted->version != TTMEM_TAKE_OPTIONS_VERSION)
		return TTMEM_ERROR_VERSION;
	if (!handle || !snapshot || (wanted->flags & ~TAKE_FLAGS))
		return TTMEM_ERROR_INVALID_ARGUMENT;
	struct ttmemSnapshot_st *taken = calloc(1, sizeof *taken);

	if (!taken)
		return TTMEM_ERROR_MEMORY;
	int saved_errno = errno;
	int r = take(handle, taken, wanted);

	errno = saved_errno;
	if (r == 0) {
		*snapshot = taken;
		return TTMEM_SUCCESS;
	}
	ttmemSnapshotRelease(taken);
	return (handle->flags & TTMEM_OPEN_SERVER_ONLY) && r != -ENOMEM ? TTMEM_ERROR_NO_SERVER
									: lib_result(r);
}

void ttmemSnapshotRelease(ttmemSnapshot_t snapshot)
{
	if (!snapshot)
		return;
	snapshot_clear(&snapshot->picture);
	snapshot_clear(&snapshot->listing);
	free(snapshot);
}

static const struct snapshot *listing_of(ttmemSnapshot_t snapshot)
{
	return snapshot->listing.has_buffers ? &snapshot->listing : &snapshot->picture;
}

static bool is_shown(ttmemSnapshot_t snapshot, const struct snapshot *in, uint32_t process)
{
	return !snapshot->pid || in->processes[process].pid == snapshot->pid;
}

ttmemReturn_t ttmemSnapshotGetInfo(ttmemSnapshot_t snapshot, ttmemSnapshotInfo_t *info)
{
	if (!snapshot || !info)
		return TTMEM_ERROR_INVALID_ARGUMENT;
	if (info->version != TTMEM_SNAPSHOT_INFO_VERSION)
		return TTMEM_ERROR_VERSION;
	const struct snapshot *picture = &snapshot->picture, *listing = listing_of(snapshot);
	uint64_t processes = 0, allocators = 0, buffers = 0;

	(void)ttmemProcessGetList(snapshot, TTMEM_PROCESS_VERSION, &processes, NULL);
	(void)ttmemAllocatorGetList(snapshot, TTMEM_ALLOCATOR_VERSION, &allocators, NULL);
	if (snapshot->has_buffers)
		(void)ttmemBufferGetList(snapshot, TTMEM_BUFFER_VERSION, &buffers, NULL);
	*info = (ttmemSnapshotInfo_t){
		.version = TTMEM_SNAPSHOT_INFO_VERSION,
		.has_buffers = snapshot->has_buffers,
		.is_consistent = snapshot->has_buffers && listing->consistent,
		.device_count = picture->machine_devices.count,
		.process_count = (uint32_t)processes,
		.allocator_count = (uint32_t)allocators,
		.buffer_count = buffers,
		.realtime_ns = picture->time_ns,
		.server = lib_text(picture, picture->server),
		.driver = lib_text(picture, picture->driver_version),
	};
	return TTMEM_SUCCESS;
}

/* What all lists check first. */
static ttmemReturn_t list_check(ttmemSnapshot_t snapshot, const uint64_t *count, uint32_t version,
				uint32_t known)
{
	return !snapshot || !count ? TTMEM_ERROR_INVALID_ARGUMENT
	       : version != known  ? TTMEM_ERROR_VERSION
				   : TTMEM_SUCCESS;
}

static ttmemProcess_t process_of(const struct snapshot *picture, const struct process *from)
{
	return (ttmemProcess_t){
		.pid = from->pid,
		.uid = from->uid,
		.state = from->state,
		.is_seen = from->source == SOURCE_HOOK,
		.is_hidden = from->hidden,
		.allocator_count = from->allocators.count,
		.live_buffers = from->live_buffers,
		.event = from->event,
		.failures = from->failure_count,
		.started_ns = from->started_ns,
		.user = lib_text(picture, from->user),
		.command = lib_text(picture, from->command),
		.entry = lib_text(picture, from->entry),
		.metal_version = lib_text(picture, from->metal_version),
		.container = lib_text(picture, from->container),
	};
}

ttmemReturn_t ttmemProcessGetList(ttmemSnapshot_t snapshot, uint32_t version, uint64_t *count,
				  ttmemProcess_t *processes)
{
	ttmemReturn_t r = list_check(snapshot, count, version, TTMEM_PROCESS_VERSION);
	uint64_t rows = 0;
	bool write;

	if (r != TTMEM_SUCCESS)
		return r;
	const struct snapshot *picture = &snapshot->picture;

	for (uint32_t i = 0; i < picture->process_count; i++)
		rows += is_shown(snapshot, picture, i);
	r = lib_room(processes, count, rows, &write);
	for (uint32_t i = 0; write && i < picture->process_count; i++)
		if (is_shown(snapshot, picture, i))
			*processes++ = process_of(picture, &picture->processes[i]);
	return r;
}

static ttmemAllocator_t allocator_of(const struct snapshot *picture, const struct allocator *from)
{
	ttmemAllocator_t to = {
		.pid = picture->processes[from->process].pid,
		.id = from->id,
		.parent = fact_is_known(from->parent) ? (uint32_t)from->parent.value : TTMEM_NONE,
		.is_open = !fact_is_known(from->closed_ns),
		.arch = from->arch,
		.chip_count = from->chips.count,
		.grid_x = from->grid_x,
		.grid_y = from->grid_y,
		.l1_bytes_per_core = lib_value(from->l1_bytes_per_core),
	};

	for (uint32_t type = 0; type < MEMORY_TYPES; type++) {
		lib_memory(&from->memory[type], type, &to.memory[type]);
		to.base_address[type] = from->base_address[type];
		to.allocations[type] = from->allocs[type];
		to.frees[type] = from->frees[type];
		to.failures[type] = from->failures[type];
	}
	return to;
}

ttmemReturn_t ttmemAllocatorGetList(ttmemSnapshot_t snapshot, uint32_t version, uint64_t *count,
				    ttmemAllocator_t *allocators)
{
	ttmemReturn_t r = list_check(snapshot, count, version, TTMEM_ALLOCATOR_VERSION);
	uint64_t rows = 0;
	bool write;

	if (r != TTMEM_SUCCESS)
		return r;
	const struct snapshot *picture = &snapshot->picture;

	for (uint32_t i = 0; i < picture->allocator_count; i++)
		rows += is_shown(snapshot, picture, picture->allocators[i].process);
	r = lib_room(allocators, count, rows, &write);
	for (uint32_t i = 0; write && i < picture->allocator_count; i++)
		if (is_shown(snapshot, picture, picture->allocators[i].process))
			*allocators++ = allocator_of(picture, &picture->allocators[i]);
	return r;
}

ttmemReturn_t ttmemChipGetList(ttmemSnapshot_t snapshot, uint32_t version, uint64_t *count,
			       ttmemChip_t *chips)
{
	ttmemReturn_t r = list_check(snapshot, count, version, TTMEM_CHIP_VERSION);
	uint64_t rows = 0;
	bool write;

	if (r != TTMEM_SUCCESS)
		return r;
	const struct snapshot *picture = &snapshot->picture;

	for (uint32_t i = 0; i < picture->allocator_count; i++)
		if (is_shown(snapshot, picture, picture->allocators[i].process))
			rows += picture->allocators[i].chips.count;
	r = lib_room(chips, count, rows, &write);
	for (uint32_t i = 0; write && i < picture->allocator_count; i++) {
		const struct allocator *allocator = &picture->allocators[i];

		if (!is_shown(snapshot, picture, allocator->process))
			continue;
		for (uint32_t j = 0; j < allocator->chips.count; j++) {
			const struct chip *chip = &picture->chips[allocator->chips.first + j];

			*chips++ = (ttmemChip_t){
				.pid = picture->processes[allocator->process].pid,
				.allocator = allocator->id,
				.chip_id = chip->chip_id,
				.unique_id = lib_value(chip->unique_id),
			};
		}
	}
	return r;
}

/* As long as the snapshot lives; NULL: not known. */
static const char *text_of(const struct snapshot *listing, string_id id)
{
	return id ? snapshot_text(listing, id) : NULL;
}

static ttmemBuffer_t buffer_of(const struct snapshot *listing, const struct buffer *from)
{
	const struct site *site = snapshot_site(listing, from->site);

	return (ttmemBuffer_t){
		.pid = listing->processes[from->process].pid,
		.allocator = listing->allocators[from->allocator].id,
		.op = site ? text_of(listing, site->op) : NULL,
		.site_file = site ? text_of(listing, site->file) : NULL,
		.site_function = site ? text_of(listing, site->function) : NULL,
		.site_line = site ? site->line : 0,
		.tag = site ? text_of(listing, site->tag) : NULL,
		.type = from->type,
		.layout = from->layout,
		.address = from->address,
		.requested_bytes = from->requested_bytes,
		.bank_bytes = from->bank_bytes,
		.page_bytes = from->page_bytes,
		.pages = from->pages,
		.age_ns = from->age_ns,
		.event = from->event,
		.cores = from->cores,
		.thread = from->thread,
	};
}

ttmemReturn_t ttmemBufferGetList(ttmemSnapshot_t snapshot, uint32_t version, uint64_t *count,
				 ttmemBuffer_t *buffers)
{
	ttmemReturn_t r = list_check(snapshot, count, version, TTMEM_BUFFER_VERSION);
	uint64_t rows = 0;
	bool write;

	if (r != TTMEM_SUCCESS)
		return r;
	if (!snapshot->has_buffers)
		return TTMEM_ERROR_INVALID_ARGUMENT;
	const struct snapshot *listing = listing_of(snapshot);

	for (uint32_t i = 0; i < listing->buffer_count; i++)
		rows += is_shown(snapshot, listing, listing->buffers[i].process);
	r = lib_room(buffers, count, rows, &write);
	for (uint32_t i = 0; write && i < listing->buffer_count; i++)
		if (is_shown(snapshot, listing, listing->buffers[i].process))
			*buffers++ = buffer_of(listing, &listing->buffers[i]);
	return r;
}
