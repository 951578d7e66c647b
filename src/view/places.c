/* SPDX-License-Identifier: Apache-2.0 */
#include "view/places.h"

#include <inttypes.h>
#include <string.h>

/* No name is worth more of a screen. */
#define NAME_COLUMNS 120u

static void put(struct text *text, const struct snapshot *snapshot, uint32_t id)
{
	text_escape(text, snapshot_text(snapshot, id), NAME_COLUMNS, true);
}

/* " [kv-cache]", or without the blank where nothing stands before it */
static void put_tag(struct text *text, const struct snapshot *snapshot, const struct site *site)
{
	if (site->tag == 0)
		return;
	text_puts(text, site->op ? " [" : "[");
	put(text, snapshot, site->tag);
	text_putc(text, ']');
}

void place_op(struct text *text, const struct snapshot *snapshot, uint32_t number)
{
	const struct site *site = snapshot_site(snapshot, number);

	if (site && site->op)
		put(text, snapshot, site->op);
	else if (!site || !site->tag)
		text_putc(text, '-');
	if (site)
		put_tag(text, snapshot, site);
}

void place_tag(struct text *text, const struct snapshot *snapshot, uint32_t number)
{
	const struct site *site = snapshot_site(snapshot, number);

	if (site && site->tag)
		put(text, snapshot, site->tag);
	else
		text_putc(text, '-');
}

/*
 * The innermost call of a native stack stands for a site that is not known otherwise; where the
 * operation is, all of that stack is the framework's own.
 */
static const struct site_frame *frame_of(const struct snapshot *snapshot, const struct site *site)
{
	return site->frame_count && !site->op ? &snapshot->frames[site->first_frame] : NULL;
}

static void put_function(struct text *text, const struct snapshot *snapshot,
			 const struct site *site)
{
	text_puts(text, " (");
	put(text, snapshot, site->function);
	text_putc(text, ')');
}

/* "model.py:214": the file without its folders */
static void put_file(struct text *text, const struct snapshot *snapshot, const struct site *site)
{
	const char *path = snapshot_text(snapshot, site->file), *slash = strrchr(path, '/');

	text_escape(text, slash && slash[1] ? slash + 1 : path, NAME_COLUMNS, true);
	if (site->line)
		text_printf(text, ":%" PRIu32, site->line);
}

void place_site(struct text *text, const struct snapshot *snapshot, uint32_t number)
{
	const struct site *site = snapshot_site(snapshot, number);
	const struct site_frame *frame = site ? frame_of(snapshot, site) : NULL;

	if (site && site->file && !site->line && site->function) {
		/* native: the function says more than the folders of the file */
		put_file(text, snapshot, site);
		put_function(text, snapshot, site);
	} else if (site && site->file) {
		put(text, snapshot, site->file);
		if (site->line)
			text_printf(text, ":%" PRIu32, site->line);
	} else if (site && site->before_attach) {
		text_puts(text, fact_reason_text(REASON_BEFORE_ATTACH));
	} else if (frame && frame->module) {
		put(text, snapshot, frame->module);
		text_printf(text, "+%#" PRIx64, frame->offset);
	} else {
		text_putc(text, '-');
	}
}

void place_function(struct text *text, const struct snapshot *snapshot, uint32_t number)
{
	const struct site *site = snapshot_site(snapshot, number);
	const struct site_frame *frame = site && !site->file ? frame_of(snapshot, site) : NULL;

	if (site && site->function)
		put(text, snapshot, site->function);
	else if (frame && frame->symbol)
		put(text, snapshot, frame->symbol);
	else
		text_putc(text, '-');
}

void place_chips(struct text *text, const struct snapshot *snapshot, uint32_t index)
{
	const struct allocator *allocator = &snapshot->allocators[index];
	const struct chip *chip = SPAN_START(snapshot->chips, allocator->chips);

	if (allocator->chips.count == 0) {
		text_putc(text, '-');
		return;
	}
	if (fact_is_known(chip->unique_id))
		text_printf(text, "%" PRIu64, chip->unique_id.value);
	else
		text_printf(text, "id %" PRIu32, chip->chip_id);
	if (allocator->chips.count > 1)
		text_printf(text, " +%" PRIu32, allocator->chips.count - 1);
}

bool place_sentence(struct text *text, const struct snapshot *snapshot, uint32_t number)
{
	const struct site *site = snapshot_site(snapshot, number);

	if (!site || (!site->op && !site->tag && !site->file && !site->function && !site->before_attach &&
		      site->frame_count == 0))
		return false;
	if (site->op)
		put(text, snapshot, site->op);
	put_tag(text, snapshot, site);
	if ((site->op || site->tag) && (site->file || frame_of(snapshot, site)))
		text_puts(text, " at ");
	if (site->file)
		put_file(text, snapshot, site);
	else if ((!site->op && !site->tag) || frame_of(snapshot, site))
		place_site(text, snapshot, number);
	if (site->function)
		put_function(text, snapshot, site);
	return true;
}
