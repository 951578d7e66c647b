/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Buffers that were live when the hook came: the ones that went unseen while they
 * were taken over are found by asking the allocator again.
 */
#include "region/writer_internal.h"

/* One block's worth, so that nobody waits for the lock longer than for a few microseconds. */
static uint32_t keep_block(struct region_writer *writer, uint32_t block, uint32_t row,
			   bool (*is_live)(const void *context, uint64_t object),
			   const void *context)
{
	uint32_t left = 0, gone = 0;

	for (uint32_t i = 0; i < REGION_BLOCK_SLOTS; i++) {
		uint32_t slot = block * REGION_BLOCK_SLOTS + i;

		if (!slot_map_is_taken(&writer->private->map, slot))
			continue;
		const struct region_slot *s = writer_slot(writer, slot);

		if (!writer_is_before_attach(s) || region_slot_allocator(own(&s->place_bank)) != row)
			continue;
		if (is_live(context, region_index_object(&writer->index, slot))) {
			left++;
			continue;
		}
		writer_slot_drop(writer, slot);
		gone++;
	}
	if (gone) {
		writer_totals_done(writer, row);
		writer_live_changed(writer);
	}
	return left;
}

uint32_t region_writer_keep_live(struct region_writer *writer, uint32_t row,
				 bool (*is_live)(const void *context, uint64_t object),
				 const void *context)
{
	uint32_t left = 0;

	if (!is_ready(writer))
		return 0;
	for (uint32_t block = 0; block < writer->slots_max / REGION_BLOCK_SLOTS; block++) {
		if (!__atomic_load_n(&writer->private->block_live[block], __ATOMIC_RELAXED))
			continue;
		event_begin(writer);
		left += keep_block(writer, block, row, is_live, context);
		(void)writer_trim(writer);
		event_end(writer);
	}
	return left;
}
