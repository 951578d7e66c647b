/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Programs: rows for those that were dispatched and still exist.
 *
 * A row is born whole at the first dispatch and lasts until its object is
 * destroyed or its device closes; kernels and ranges lie in runs of their own
 * parts and stand under the row's sequence word. A dispatch of a known program
 * stores its number, and nothing else has to be changed: which program a core
 * holds is for the reader to find out.
 */
#include <errno.h>
#include <string.h>

#include "region/writer_internal.h"

static struct region_program *program_at(const struct region_writer *writer, uint32_t row)
{
	return (struct region_program *)(void *)(writer->table +
						 region_programs_offset(writer->slots_max)) +
	       row;
}

static uint64_t kernel_offset(const struct region_writer *writer, uint32_t kernel)
{
	return region_kernels_offset(writer->slots_max, writer->programs_max) +
	       (uint64_t)kernel * sizeof(struct region_kernel);
}

static uint64_t range_offset(const struct region_writer *writer, uint32_t range)
{
	return region_ranges_offset(writer->slots_max, writer->programs_max) +
	       (uint64_t)range * sizeof(struct region_program_range);
}

void writer_programs_init(struct region_writer *writer)
{
	struct region_writer_programs *p = &writer->private->programs;
	uint32_t count = writer->programs_max;

	/* a table without room for programs still needs an index that can be asked */
	region_index_init(&p->index, p->index_entries, p->index_buckets,
			  count ? count : REGION_PROGRAMS_UNIT);
	p->rows = (struct extents){.words = p->row_words, .count = count};
	p->kernels = (struct extents){.words = p->kernel_words,
				      .count = count * REGION_PROGRAM_KERNELS};
	p->ranges = (struct extents){.words = p->range_words,
				     .count = count * REGION_PROGRAM_RANGES};
}

static void publish_counts(struct region_writer *writer)
{
	const struct region_writer_programs *p = &writer->private->programs;
	struct region_head *head = writer_head(writer);

	word_store32(&head->programs_high_water, extents_high_water(&p->rows));
	word_store32(&head->programs_live, p->rows.taken);
}

/* The three words that are whole each by itself. */
static void stamp(struct region_writer *writer, struct region_program *program, uint64_t now_ns)
{
	word_store(&program->dispatches, own(&program->dispatches) + 1);
	word_store(&program->last_ns, now_ns);
	word_store(&program->last_dispatch, ++writer->dispatch);
	word_store(&writer_head(writer)->dispatches, writer->dispatch);
}

static void unrecorded(struct region_writer *writer, uint64_t *counter)
{
	struct region_head *head = writer_head(writer);

	add(counter, 1);
	word_store(&head->dispatch_unrecorded, ++writer->dispatch);
	word_store(&head->dispatches, writer->dispatch);
}

int region_writer_program_dispatch(struct region_writer *writer, uint64_t object, uint64_t now_ns)
{
	uint32_t hash = region_index_hash(object);
	int r = -ENOENT;

	if (!is_ready(writer))
		return -ENODEV;
	if (!region_index_accepts(object))
		return -ENOENT;
	region_lock_take(&writer->lock);
	struct region_writer_programs *p = &writer->private->programs;
	uint32_t row = region_index_find(&p->index, object, hash);

	if (row != REGION_INDEX_NONE) {
		r = p->programs[row].is_stale != 0;
		stamp(writer, program_at(writer, row), now_ns);
	}
	region_lock_give(&writer->lock);
	return r;
}

/* Runs for the kernels and ranges of a new row; all or none. */
static int take_runs(struct region_writer_programs *p, struct region_writer_program *ours,
		     uint32_t *ret_row)
{
	uint32_t row = extents_take(&p->rows, 1);

	ours->first_kernel = ours->kernel_count ? extents_take(&p->kernels, ours->kernel_count) : 0;
	ours->first_range = ours->range_count ? extents_take(&p->ranges, ours->range_count) : 0;
	if (row != EXTENTS_NONE && ours->first_kernel != EXTENTS_NONE &&
	    ours->first_range != EXTENTS_NONE) {
		*ret_row = row;
		return 0;
	}
	if (row != EXTENTS_NONE)
		extents_give(&p->rows, row, 1);
	if (ours->first_kernel != EXTENTS_NONE)
		extents_give(&p->kernels, ours->first_kernel, ours->kernel_count);
	if (ours->first_range != EXTENTS_NONE)
		extents_give(&p->ranges, ours->first_range, ours->range_count);
	return -ENOSPC;
}

static void give_runs(struct region_writer_programs *p, uint32_t row)
{
	struct region_writer_program *ours = &p->programs[row];

	extents_give(&p->rows, row, 1);
	extents_give(&p->kernels, ours->first_kernel, ours->kernel_count);
	extents_give(&p->ranges, ours->first_range, ours->range_count);
	*ours = (struct region_writer_program){0};
}

static int back_runs(struct region_writer *writer, uint32_t row,
		     const struct region_writer_program *ours)
{
	int r = writer_back_program_rows(writer,
					 region_programs_offset(writer->slots_max) +
						 (uint64_t)row * sizeof(struct region_program),
					 sizeof(struct region_program));

	if (r == 0 && ours->kernel_count)
		r = writer_back_program_rows(writer, kernel_offset(writer, ours->first_kernel),
					     ours->kernel_count * sizeof(struct region_kernel));
	if (r == 0 && ours->range_count)
		r = writer_back_program_rows(writer, range_offset(writer, ours->first_range),
					     ours->range_count *
						     sizeof(struct region_program_range));
	return r;
}

static void store_program(struct region_writer *writer, uint32_t row,
			  const struct region_program_found *found,
			  const struct region_writer_program *ours)
{
	struct region_program *to = program_at(writer, row);
	struct region_program copy = found->row;

	copy.first_kernel = ours->first_kernel;
	copy.first_range = ours->first_range;
	words_store(writer->table + kernel_offset(writer, ours->first_kernel), found->kernels,
		    ours->kernel_count * sizeof *found->kernels);
	for (uint32_t i = 0; i < ours->range_count; i++) {
		struct region_program_range range = found->ranges[i];

		range.program = row;
		words_store(writer->table + range_offset(writer, ours->first_range + i), &range,
			    sizeof range);
	}
	/* seq is 0 or the old one's here, as with slots: the row is born in place */
	words_store((uint64_t *)(void *)to + 1, (const uint64_t *)(const void *)&copy + 1,
		    sizeof copy - sizeof copy.seq);
	seq_end(&to->seq, writer->event);
}

static void raise_peak(struct region_writer *writer, uint32_t allocator, uint32_t core_bytes)
{
	struct region_allocator *a = writer_allocator(writer, allocator);

	if (a->program_peak_bytes >= core_bytes)
		return;
	seq_begin(&a->seq, writer->event);
	word_store32(&a->program_peak_bytes, core_bytes);
	seq_end(&a->seq, writer->event);
}

static void program_clear(struct region_writer *writer, uint32_t row)
{
	struct region_writer_programs *p = &writer->private->programs;
	uint64_t object = region_index_object(&p->index, row);

	(void)region_index_remove(&p->index, object, region_index_hash(object));
	word_store(&program_at(writer, row)->seq, 0);
	give_runs(p, row);
}

/* Lock held, event open. What a replaced description had counted goes on. */
static int program_add(struct region_writer *writer, struct region_program_found *copy)
{
	struct region_writer_programs *p = &writer->private->programs;
	struct region_writer_program ours = {
		.allocator = copy->row.allocator,
		.kernel_count = copy->row.kernel_count,
		.range_count = copy->row.range_count,
	};
	uint32_t hash = region_index_hash(copy->row.object), row;
	uint32_t old = region_index_find(&p->index, copy->row.object, hash);

	if (old != REGION_INDEX_NONE) {
		const struct region_program *was = program_at(writer, old);

		copy->row.first_ns = was->first_ns;
		copy->row.dispatches = was->dispatches;
		copy->row.last_dispatch = was->last_dispatch;
		program_clear(writer, old);
	}
	int r = take_runs(p, &ours, &row);

	if (r < 0)
		return r;
	p->programs[row] = ours;
	r = back_runs(writer, row, &ours);
	if (r < 0) {
		give_runs(p, row);
		return r;
	}
	if (!copy->is_restated) {
		copy->row.dispatches++;
		copy->row.last_dispatch = ++writer->dispatch;
		word_store(&writer_head(writer)->dispatches, writer->dispatch);
	}
	store_program(writer, row, copy, &ours);
	region_index_insert(&p->index, copy->row.object, hash, row);
	raise_peak(writer, ours.allocator, copy->row.core_bytes);
	return 0;
}

int region_writer_program_add(struct region_writer *writer,
			      const struct region_program_found *found, uint64_t now_ns)
{
	struct region_program_found copy = *found;
	int r = -ENOENT;

	if (!is_ready(writer))
		return -ENODEV;
	if (!region_index_accepts(found->row.object))
		return -EINVAL;
	event_begin(writer);
	copy.row.first_ns = copy.row.last_ns = now_ns;
	copy.row.dispatches = copy.row.last_dispatch = 0;
	if (copy.row.allocator < writer->allocators_used &&
	    writer->private->allocators[copy.row.allocator].closed_event == 0)
		r = program_add(writer, &copy);
	if (r == -ENOSPC || r == -ENOMEM)
		unrecorded(writer, &writer_head(writer)->programs_dropped);
	publish_counts(writer);
	event_end(writer);
	return r;
}

void region_writer_program_touch(struct region_writer *writer, uint64_t object)
{
	if (!is_ready(writer) || !region_index_accepts(object))
		return;
	region_lock_take(&writer->lock);
	struct region_writer_programs *p = &writer->private->programs;
	uint32_t row = region_index_find(&p->index, object, region_index_hash(object));

	if (row != REGION_INDEX_NONE)
		p->programs[row].is_stale = 1;
	region_lock_give(&writer->lock);
}

bool region_writer_program_end(struct region_writer *writer, uint64_t object)
{
	if (!is_ready(writer) || !region_index_accepts(object))
		return false;
	region_lock_take(&writer->lock);
	uint32_t row = region_index_find(&writer->private->programs.index, object,
					 region_index_hash(object));

	if (row != REGION_INDEX_NONE) {
		seq_begin(&writer_head(writer)->seq, ++writer->event);
		program_clear(writer, row);
		publish_counts(writer);
		seq_end(&writer_head(writer)->seq, writer->event);
	}
	region_lock_give(&writer->lock);
	return row != REGION_INDEX_NONE;
}

void region_writer_program_unknown(struct region_writer *writer)
{
	if (!is_ready(writer))
		return;
	region_lock_take(&writer->lock);
	unrecorded(writer, &writer_head(writer)->programs_unknown);
	region_lock_give(&writer->lock);
}

void writer_programs_close(struct region_writer *writer, const bool *rows)
{
	struct region_writer_programs *p = &writer->private->programs;

	for (uint32_t row = 0; row < p->rows.count; row++)
		if (extents_is_taken(&p->rows, row) &&
		    rows[p->programs[row].allocator % REGION_ALLOCATORS_MAX])
			program_clear(writer, row);
	publish_counts(writer);
}

bool region_writer_home(struct region_writer *writer, uint64_t device,
			struct region_home *ret_home)
{
	bool found = false;

	if (!is_ready(writer))
		return false;
	region_lock_take(&writer->lock);
	for (uint32_t row = 0; row < writer->allocators_used && !found; row++) {
		const struct region_writer_allocator *a = &writer->private->allocators[row];

		found = a->device == device && a->closed_event == 0;
		if (found)
			*ret_home = a->home;
	}
	region_lock_give(&writer->lock);
	return found;
}

bool writer_programs_are_valid(const struct region_writer *writer)
{
	const struct region_writer_programs *p = &writer->private->programs;
	uint32_t rows = 0, kernels = 0, ranges = 0;

	for (uint32_t row = 0; row < p->rows.count; row++) {
		const struct region_writer_program *ours = &p->programs[row];

		if (!extents_is_taken(&p->rows, row))
			continue;
		const struct region_program *program = program_at(writer, row);
		uint64_t object = region_index_object(&p->index, row);

		if (program->seq == 0 || program->seq & 1 || program->object != object ||
		    region_index_find(&p->index, object, region_index_hash(object)) != row ||
		    program->first_kernel != ours->first_kernel ||
		    program->first_range != ours->first_range ||
		    program->last_dispatch > writer->dispatch)
			return false;
		for (uint32_t i = 0; i < ours->kernel_count; i++)
			if (!extents_is_taken(&p->kernels, ours->first_kernel + i))
				return false;
		for (uint32_t i = 0; i < ours->range_count; i++)
			if (!extents_is_taken(&p->ranges, ours->first_range + i))
				return false;
		rows++;
		kernels += ours->kernel_count;
		ranges += ours->range_count;
	}
	return rows == p->rows.taken && rows == p->index.live && kernels == p->kernels.taken &&
	       ranges == p->ranges.taken && region_index_is_valid(&p->index);
}
