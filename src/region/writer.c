/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Events. Each one takes the lock, opens the head's sequence word, changes at
 * most one slot and one row of totals, and closes again: some twenty stores,
 * no system call, no loop over anything that grows.
 */
#include "region/writer.h"

#include <errno.h>
#include <string.h>

#include "region/quiet.h"
#include "region/words.h"
#include "region/writer_internal.h"

#define TICK_NS UINT64_C(1000000000)

static bool row_matches(const struct region_writer *writer, uint32_t row, uint64_t object,
			uint64_t device)
{
	const struct region_writer_allocator *a = &writer->private->allocators[row];

	return a->object == object && a->device == device && a->closed_event == 0;
}

static uint32_t find_row(const struct region_writer *writer, uint32_t hint, uint64_t object,
			 uint64_t device)
{
	if (hint < writer->allocators_used && row_matches(writer, hint, object, device))
		return hint;
	for (uint32_t row = 0; row < writer->allocators_used; row++)
		if (row_matches(writer, row, object, device))
			return row;
	return REGION_NONE;
}

/* Private: nobody but the process itself asks for the peaks of its parts. */
static void level_raise(struct region_level *peak, const struct region_totals *t)
{
	if (t->requested_bytes > peak->requested_bytes)
		peak->requested_bytes = t->requested_bytes;
	if (t->bank_bytes > peak->bank_bytes)
		peak->bank_bytes = t->bank_bytes;
}

static void totals_add(struct region_writer *writer, uint32_t row,
		       const struct region_buffer *buffer)
{
	struct region_totals *t = writer_totals(writer, row, buffer->type);

	seq_begin(&t->seq, writer->event);
	add(&t->requested_bytes, buffer->requested_bytes);
	add(&t->bank_bytes, buffer->bank_bytes);
	raise_to(&t->peak_requested_bytes, own(&t->requested_bytes));
	raise_to(&t->peak_bank_bytes, own(&t->bank_bytes));
	add(&t->allocs, 1);
	seq_end(&t->seq, writer->event);
	level_raise(&writer->private->allocators[row].peak[buffer->type], t);
}

static void slot_write(struct region_writer *writer, uint32_t slot, uint32_t row,
		       const struct region_buffer *b)
{
	struct region_slot *s = writer_slot(writer, slot);
	uint32_t pages = b->pages < UINT32_MAX ? (uint32_t)b->pages : UINT32_MAX;

	/* seq is 0 here: a reader either sees that, or the final value and all words before it */
	word_store(&s->address, b->address);
	word_store(&s->requested_bytes, b->requested_bytes);
	word_store(&s->place_bank, region_slot_place(row, b->type, b->layout, b->bank_bytes));
	word_store(&s->page_bytes, b->page_bytes);
	word_store(&s->extent, (uint64_t)b->cores << 32 | pages);
	word_store(&s->origin, (uint64_t)b->site << 32 | b->thread);
	word_store(&s->time_ns, b->time_ns);
	seq_end(&s->seq, writer->event);
}

void writer_live_changed(struct region_writer *writer)
{
	word_store32(&writer_head(writer)->slots_live, writer->live);
}

/* The event does not change these totals any more; it may have done so already. */
static void totals_close(struct region_writer *writer, uint32_t row, uint32_t type)
{
	struct region_totals *t = writer_totals(writer, row, type);

	if (own(&t->seq) & 1)
		seq_end(&t->seq, writer->event);
}

void writer_totals_done(struct region_writer *writer, uint32_t row)
{
	for (uint32_t type = 0; type < REGION_MEMORY_TYPES; type++)
		totals_close(writer, row, type);
}

/*
 * Takes a slot out of table, map, totals and block counts; the index is the caller's. The totals stay
 * open: the event may change them again, and a reader that found the same even number before and
 * after that would take words of both states for one. Return: the slot's place, which names them.
 */
static uint64_t slot_clear(struct region_writer *writer, uint32_t slot)
{
	struct region_slot *s = writer_slot(writer, slot);
	uint64_t place = own(&s->place_bank);
	struct region_totals *t =
		writer_totals(writer, region_slot_allocator(place), region_slot_type(place));
	uint16_t *block_live = &writer->private->block_live[slot / REGION_BLOCK_SLOTS];

	seq_begin(&t->seq, writer->event);
	subtract(&t->requested_bytes, own(&s->requested_bytes));
	subtract(&t->bank_bytes, region_slot_bank_bytes(place));
	add(&t->frees, 1);

	word_store(&s->seq, 0);
	slot_map_give(&writer->private->map, slot);
	writer->live--;
	if (--*block_live == 0)
		writer->blocks_empty++;
	return place;
}

void writer_slot_drop(struct region_writer *writer, uint32_t slot)
{
	uint64_t object = region_index_object(&writer->index, slot);

	(void)region_index_remove(&writer->index, object, region_index_hash(object));
	(void)slot_clear(writer, slot);
}

static int slot_take(struct region_writer *writer, uint32_t *ret_slot)
{
	uint32_t slot = slot_map_lowest(&writer->private->map);

	if (slot >= writer->slots_max)
		return -ENOSPC;
	if (__builtin_expect(!writer_block_is_backed(writer, slot / REGION_BLOCK_SLOTS), 0)) {
		int r = writer_back_block(writer, slot / REGION_BLOCK_SLOTS);

		if (r < 0)
			return r;
	}
	slot_map_take(&writer->private->map, slot);
	writer->live++;
	if (writer->private->block_live[slot / REGION_BLOCK_SLOTS]++ == 0)
		writer->blocks_empty--;
	*ret_slot = slot;
	return 0;
}

/*
 * The object was seen before and never freed: what the table says of it is over. One that was found
 * live by a hook that came late may have been on its way here all the time; that is no loss. Return: as
 * slot_clear.
 */
static uint64_t replace(struct region_writer *writer, uint64_t object, uint32_t hash)
{
	uint32_t slot = region_index_remove(&writer->index, object, hash);

	if (!writer_is_before_attach(writer_slot(writer, slot)))
		add(&writer_head(writer)->replaced, 1);
	return slot_clear(writer, slot);
}

int region_writer_alloc(struct region_writer *writer, struct region_buffer *buffer)
{
	uint32_t hash = region_index_hash(buffer->object);
	uint32_t slot = 0;

	if (!is_ready(writer))
		return -ENODEV;
	if (!region_index_accepts(buffer->object) || buffer->type >= REGION_MEMORY_TYPES ||
	    buffer->bank_bytes > REGION_BANK_MASK) {
		region_lock_take(&writer->lock);
		add(&writer_head(writer)->dropped_key, 1);
		region_lock_give(&writer->lock);
		return -EINVAL;
	}
	region_index_prefetch(&writer->index, hash);
	event_begin(writer);
	uint32_t row = find_row(writer, buffer->row_hint, buffer->allocator, buffer->device);
	uint64_t replaced = 0;
	bool is_replaced = false;
	int r = row == REGION_NONE ? -ENOENT : 0;

	if (r == 0 &&
	    region_index_find(&writer->index, buffer->object, hash) != REGION_INDEX_NONE) {
		if (buffer->site == REGION_SITE_BEFORE_ATTACH) {
			r = -EEXIST;
		} else {
			replaced = replace(writer, buffer->object, hash);
			is_replaced = true;
		}
	}
	if (r == 0) {
		r = slot_take(writer, &slot);
		if (r < 0)
			add(r == -ENOSPC ? &writer_head(writer)->dropped_full
					 : &writer_head(writer)->dropped_memory,
			    1);
	}
	if (r == 0) {
		slot_write(writer, slot, row, buffer);
		totals_add(writer, row, buffer);
		region_index_insert(&writer->index, buffer->object, hash, slot);
		buffer->row_hint = row;
	}
	/* also where one was replaced and there was no room for the other */
	writer_live_changed(writer);
	if (is_replaced)
		totals_close(writer, region_slot_allocator(replaced), region_slot_type(replaced));
	event_end(writer);
	return r;
}

bool region_writer_free(struct region_writer *writer, uint64_t object)
{
	uint32_t hash = region_index_hash(object);

	if (!is_ready(writer) || !region_index_accepts(object))
		return false;
	region_index_prefetch(&writer->index, hash);
	event_begin(writer);
	uint32_t slot = region_index_remove(&writer->index, object, hash);

	if (slot != REGION_INDEX_NONE) {
		uint64_t place = slot_clear(writer, slot);

		totals_close(writer, region_slot_allocator(place), region_slot_type(place));
		writer_live_changed(writer);
		(void)writer_trim(writer);
	} else {
		add(&writer_head(writer)->unknown_frees, 1);
	}
	event_end(writer);
	return slot != REGION_INDEX_NONE;
}

/* An unused row, else the one closed longest ago, else REGION_NONE. */
static uint32_t row_for_newcomer(struct region_writer *writer)
{
	uint32_t oldest = REGION_NONE;
	const struct region_writer_allocator *a = writer->private->allocators;

	if (writer->allocators_used < REGION_ALLOCATORS_MAX)
		return writer->allocators_used;
	for (uint32_t row = 0; row < REGION_ALLOCATORS_MAX; row++)
		if (a[row].closed_event != 0 &&
		    (oldest == REGION_NONE || a[row].closed_event < a[oldest].closed_event))
			oldest = row;
	return oldest;
}

static void row_fill(struct region_writer *writer, uint32_t row, struct region_allocator *copy)
{
	static const struct region_totals zero_totals;
	static const struct region_verify zero_verify;
	struct region_writer_allocator *a = &writer->private->allocators[row];

	for (uint32_t type = 0; type < REGION_MEMORY_TYPES; type++) {
		row_store((uint64_t *)writer_totals(writer, row, type),
			  &zero_totals, sizeof zero_totals, writer->event);
		row_store((uint64_t *)writer_verify(writer, row, type),
			  &zero_verify, sizeof zero_verify, writer->event);
	}
	row_store((uint64_t *)writer_allocator(writer, row), copy, sizeof *copy,
		  writer->event);
	*a = (struct region_writer_allocator){
		.object = copy->object,
		.device = copy->device,
		.home = {.row = row,
			 .chip_count = copy->chip_count,
			 .l1_low = copy->unreserved_base,
			 .l1_high = (uint32_t)copy->l1_bytes_per_core},
	};
	for (uint32_t i = 0; i < copy->chip_count && i < REGION_CHIPS_MAX; i++)
		if (copy->chips[i].chip_id < 64)
			a->chips |= UINT64_C(1) << copy->chips[i].chip_id;
}

int region_writer_allocator_add(struct region_writer *writer, const struct region_allocator *row,
				uint64_t now_ns, uint32_t *ret_row)
{
	quiet_auto quiet = quiet_begin();
	int r = 0;

	if (!is_ready(writer))
		return -ENODEV;
	struct region_allocator copy = *row;

	copy.opened_ns = now_ns;
	copy.closed_ns = 0;
	copy.flags |= REGION_ALLOCATOR_OPEN;
	event_begin(writer);
	uint32_t at = find_row(writer, REGION_NONE, row->object, row->device);

	if (at == REGION_NONE) {
		at = row_for_newcomer(writer);
		r = at == REGION_NONE ? -ENOSPC : writer_back_row(writer, at);
		if (r == 0) {
			row_fill(writer, at, &copy);
			if (at == writer->allocators_used)
				writer->allocators_used++;
			word_store(&writer_head(writer)->allocators_used, writer->allocators_used);
		}
	}
	event_end(writer);
	if (r == 0)
		*ret_row = at;
	return r;
}

uint32_t region_writer_take_peaks(struct region_writer *writer, struct region_peak *peaks,
				  uint32_t room)
{
	uint32_t count = 0;

	if (!is_ready(writer))
		return 0;
	region_lock_take(&writer->lock);
	uint32_t needed = writer->allocators_used * REGION_MEMORY_TYPES;

	for (uint32_t row = 0; needed <= room && count < needed; row++) {
		struct region_writer_allocator *a = &writer->private->allocators[row];

		for (uint32_t type = 0; type < REGION_MEMORY_TYPES; type++) {
			const struct region_totals *t = writer_totals(writer, row, type);
			struct region_level now = {own(&t->requested_bytes), own(&t->bank_bytes)};

			peaks[count++] = (struct region_peak){row, type, a->peak[type], now};
			a->peak[type] = now;
		}
	}
	region_lock_give(&writer->lock);
	return needed;
}

void region_writer_dropped_allocator(struct region_writer *writer)
{
	if (!is_ready(writer))
		return;
	region_lock_take(&writer->lock);
	add(&writer_head(writer)->dropped_allocator, 1);
	region_lock_give(&writer->lock);
}

/* Walks all live slots: closing a device is rare, and what it leaves must not stay listed. */
static void drop_slots_of(struct region_writer *writer, const bool *rows)
{
	for (uint32_t block = 0; block < writer->slots_max / REGION_BLOCK_SLOTS; block++) {
		if (writer->private->block_live[block] == 0)
			continue;
		for (uint32_t i = 0; i < REGION_BLOCK_SLOTS; i++) {
			uint32_t slot = block * REGION_BLOCK_SLOTS + i;

			if (!slot_map_is_taken(&writer->private->map, slot))
				continue;
			uint64_t place = own(&writer_slot(writer, slot)->place_bank);

			if (!rows[region_slot_allocator(place) % REGION_ALLOCATORS_MAX])
				continue;
			writer_left_add(writer, slot);
			writer_slot_drop(writer, slot);
			add(&writer_head(writer)->left_at_close, 1);
		}
	}
	for (uint32_t row = 0; row < writer->allocators_used; row++)
		if (rows[row])
			writer_totals_done(writer, row);
	writer_left_done(writer);
	writer_live_changed(writer);
	/* a free gives back one block; here all went at once */
	while (writer_trim(writer))
		;
}

static void owe(struct region_writer *writer, struct region_writer_allocator *a, uint64_t request)
{
	uint32_t rows = writer->verify_rows;

	if (a->verify_request != 0)
		rows--;
	if (request != 0)
		rows++;
	a->verify_request = request;
	__atomic_store_n(&writer->verify_rows, rows, __ATOMIC_RELAXED);
}

/* Of a device, of some chips, or (neither given) all. */
static void close_rows(struct region_writer *writer, uint64_t device, uint64_t chips,
		       uint64_t now_ns)
{
	bool all = !device && !chips;

	bool closing[REGION_ALLOCATORS_MAX] = {false};
	bool any = false;
	quiet_auto quiet = quiet_begin();

	if (!is_ready(writer))
		return;
	event_begin(writer);
	for (uint32_t row = 0; row < writer->allocators_used; row++) {
		struct region_writer_allocator *a = &writer->private->allocators[row];

		if (a->closed_event ||
		    !(all || (device && a->device == device) || (a->chips & chips)))
			continue;
		struct region_allocator *shared = writer_allocator(writer, row);

		owe(writer, a, 0);
		a->closed_event = writer->event;
		closing[row] = any = true;
		seq_begin(&shared->seq, writer->event);
		word_store(&shared->closed_ns, now_ns);
		word_store32(&shared->flags, shared->flags & ~REGION_ALLOCATOR_OPEN);
		seq_end(&shared->seq, writer->event);
	}
	if (any) {
		writer_programs_close(writer, closing);
		drop_slots_of(writer, closing);
	}
	event_end(writer);
}

void region_writer_close_device(struct region_writer *writer, uint64_t device, uint64_t now_ns)
{
	if (device)
		close_rows(writer, device, 0, now_ns);
}

void region_writer_close_all(struct region_writer *writer, uint64_t now_ns)
{
	close_rows(writer, 0, 0, now_ns);
}

void region_writer_close_chip(struct region_writer *writer, uint32_t chip_id, uint64_t now_ns)
{
	if (chip_id < 64)
		close_rows(writer, 0, UINT64_C(1) << chip_id, now_ns);
}

void region_writer_fail(struct region_writer *writer, const struct region_failure *failure)
{
	struct region_failure copy = *failure;

	if (!is_ready(writer))
		return;
	event_begin(writer);
	struct region_head *head = writer_head(writer);
	uint64_t at = own(&head->failures_count) % REGION_FAILURES_MAX;
	struct region_failure *ring =
		(struct region_failure *)(void *)(writer->table + REGION_FAILURES_OFFSET);

	row_store((uint64_t *)&ring[at], &copy, sizeof copy, writer->event);
	add(&head->failures_count, 1);
	if (copy.kind == REGION_FAILURE_ALLOCATION && copy.allocator < writer->allocators_used &&
	    copy.type < REGION_MEMORY_TYPES) {
		struct region_totals *t = writer_totals(writer, copy.allocator, copy.type);

		seq_begin(&t->seq, writer->event);
		add(&t->failures, 1);
		seq_end(&t->seq, writer->event);
	}
	event_end(writer);
}

uint64_t region_writer_lowest(struct region_writer *writer, uint32_t row, uint32_t type)
{
	uint64_t lowest = UINT64_MAX;
	const struct region_slot *slot;

	if (!is_ready(writer))
		return lowest;
	region_lock_take(&writer->lock);
	for (uint32_t at = 0; (slot = writer_next_live(writer, &at)); at++)
		if (region_slot_allocator(slot->place_bank) == row &&
		    region_slot_type(slot->place_bank) == type && slot->address < lowest)
			lowest = slot->address;
	region_lock_give(&writer->lock);
	return lowest;
}

void region_writer_capability(struct region_writer *writer, const char *name,
			      enum capability_state state, const char *detail)
{
	struct region_capability row = {.state = state, .half_written = 1};

	if (!is_ready(writer))
		return;
	memcpy(row.name, name, strnlen(name, sizeof row.name - 1));
	if (detail)
		memcpy(row.detail, detail, strnlen(detail, sizeof row.detail - 1));
	region_lock_take(&writer->lock);
	struct region_capability *rows =
		(struct region_capability *)(void *)(writer->table + REGION_CAPABILITIES_OFFSET);
	uint32_t i = 0;

	while (i < REGION_CAPABILITIES_MAX && rows[i].name[0] &&
	       strncmp(rows[i].name, row.name, sizeof row.name) != 0)
		i++;
	if (i < REGION_CAPABILITIES_MAX) {
		words_store(&rows[i], &row, sizeof row);
		word_store32(&rows[i].half_written, 0);
	}
	region_lock_give(&writer->lock);
}

static void note_requests(struct region_writer *writer)
{
	uint64_t doorbell = word_load(&writer->control->doorbell);
	uint64_t newest = 0;

	if (doorbell == writer->doorbell)
		return;
	__atomic_store_n(&writer->doorbell, doorbell, __ATOMIC_RELAXED);
	for (unsigned i = 0; i < CONTROL_SERVERS_MAX; i++) {
		uint64_t request = word_load(&writer->control->servers[i].verify_request);

		if (request != writer->verify_seen[i])
			newest = writer->verify_seen[i] = request;
	}
	for (uint32_t row = 0; newest && row < writer->allocators_used; row++)
		if (writer->private->allocators[row].closed_event == 0)
			owe(writer, &writer->private->allocators[row], newest);
}

bool region_writer_verify_due(struct region_writer *writer, uint64_t object,
			      struct region_verify_due *ret_due)
{
	bool due = false;

	if (!is_ready(writer) || !region_index_accepts(object))
		return false;
	region_lock_take(&writer->lock);
	note_requests(writer);
	uint32_t slot = region_index_find(&writer->index, object, region_index_hash(object));

	if (slot != REGION_INDEX_NONE) {
		uint32_t row = region_slot_allocator(own(&writer_slot(writer, slot)->place_bank)) %
			       REGION_ALLOCATORS_MAX;
		struct region_writer_allocator *a = &writer->private->allocators[row];

		due = a->verify_request != 0 && a->closed_event == 0;
		if (due) {
			*ret_due = (struct region_verify_due){a->object, a->verify_request, row};
			owe(writer, a, 0);
		}
	}
	region_lock_give(&writer->lock);
	return due;
}

uint32_t region_writer_allocator_find(struct region_writer *writer, uint64_t object,
				      uint64_t device)
{
	uint32_t row = REGION_NONE;

	if (!is_ready(writer))
		return row;
	region_lock_take(&writer->lock);
	row = find_row(writer, REGION_NONE, object, device);
	region_lock_give(&writer->lock);
	return row;
}

void region_writer_totals(struct region_writer *writer, uint32_t row, uint32_t type,
			  struct region_totals *ret_totals)
{
	region_lock_take(&writer->lock);
	*ret_totals = *writer_totals(writer, row, type);
	region_lock_give(&writer->lock);
}

void region_writer_verify(struct region_writer *writer, uint32_t row, uint32_t type,
			  const struct region_verify *verify)
{
	struct region_verify copy = *verify;

	if (!is_ready(writer))
		return;
	event_begin(writer);
	row_store((uint64_t *)writer_verify(writer, row, type), (const uint64_t *)&copy,
		  sizeof copy, writer->event);
	event_end(writer);
}

void region_writer_tick(struct region_writer *writer, uint64_t now_ns)
{
	uint64_t checked = __atomic_load_n(&writer->checked_ns, __ATOMIC_RELAXED);

	if (now_ns - checked < TICK_NS || !is_ready(writer))
		return;
	quiet_auto quiet = quiet_begin();

	region_lock_take(&writer->lock);
	if (writer->checked_ns == checked) {
		__atomic_store_n(&writer->checked_ns, now_ns, __ATOMIC_RELAXED);
		(void)writer_check_files(writer);
	}
	region_lock_give(&writer->lock);
}

/* Sums of live slots, per row and type, compared with the totals. */
static bool totals_agree(const struct region_writer *writer)
{
	static struct region_totals sums[REGION_ALLOCATORS_MAX][REGION_MEMORY_TYPES];
	uint32_t live = 0;

	memset(sums, 0, sizeof sums);
	for (uint32_t slot = 0; slot < writer->slots_max; slot++) {
		if (!slot_map_is_taken(&writer->private->map, slot))
			continue;
		const struct region_slot *s = writer_slot(writer, slot);
		uint64_t place = s->place_bank;
		struct region_totals *t =
			&sums[region_slot_allocator(place)][region_slot_type(place)];

		uint64_t object = region_index_object(&writer->index, slot);

		if (s->seq == 0 || s->seq & 1 ||
		    region_index_find(&writer->index, object, region_index_hash(object)) != slot)
			return false;
		t->requested_bytes += s->requested_bytes;
		t->bank_bytes += region_slot_bank_bytes(place);
		t->allocs++;
		live++;
	}
	for (uint32_t row = 0; row < writer->allocators_used; row++)
		for (uint32_t type = 0; type < REGION_MEMORY_TYPES; type++) {
			const struct region_totals *t = writer_totals(writer, row, type);
			const struct region_totals *sum = &sums[row][type];

			if (t->requested_bytes != sum->requested_bytes ||
			    t->bank_bytes != sum->bank_bytes ||
			    t->allocs - t->frees != sum->allocs ||
			    t->peak_bank_bytes < t->bank_bytes)
				return false;
		}
	return live == writer->live && live == writer->index.live;
}

static bool blocks_agree(const struct region_writer *writer)
{
	uint32_t backed = 0, empty = 0;

	for (uint32_t block = 0; block < writer->slots_max / REGION_BLOCK_SLOTS; block++) {
		uint32_t live = 0;

		for (uint32_t i = 0; i < REGION_BLOCK_SLOTS; i++)
			live += slot_map_is_taken(&writer->private->map,
						  block * REGION_BLOCK_SLOTS + i);
		if (live != writer->private->block_live[block])
			return false;
		bool is_backed = writer_block_is_backed(writer, block);

		if (live && !is_backed)
			return false;
		backed += is_backed;
		empty += is_backed && live == 0;
	}
	return backed == writer->blocks_backed && empty == writer->blocks_empty;
}

bool region_writer_is_valid(struct region_writer *writer)
{
	region_lock_take(&writer->lock);
	bool valid = slot_map_is_valid(&writer->private->map) &&
		     region_index_is_valid(&writer->index) && blocks_agree(writer) &&
		     totals_agree(writer) && writer_programs_are_valid(writer) &&
		     writer_sites_are_valid(writer) && writer_left_is_valid(writer) &&
		     writer_head(writer)->seq == 2 * writer->event;

	region_lock_give(&writer->lock);
	return valid;
}
