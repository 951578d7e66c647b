/* SPDX-License-Identifier: Apache-2.0 */
#include "model/site.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "model/snapshot.h"

static const char *tag_of(const struct site_texts *texts)
{
	return texts->tag ? texts->tag : "";
}

static uint64_t hash_text(uint64_t hash, const char *text)
{
	do
		hash = (hash ^ (uint8_t)*text) * UINT64_C(0x100000001b3);
	while (*text++);
	return hash;
}

static uint32_t hash_site(const struct site_texts *texts)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325) ^ texts->line;

	hash = hash_text(hash, texts->op);
	hash = hash_text(hash, texts->file);
	hash = hash_text(hash, texts->function);
	hash = hash_text(hash, tag_of(texts));
	for (uint32_t i = 0; i < texts->frame_count; i++)
		hash = (hash ^ texts->frames[i].offset) * UINT64_C(0x100000001b3);
	return (uint32_t)(hash ^ hash >> 32);
}

static bool frames_are(const struct snapshot *snapshot, const struct site *site,
		       const struct site_texts *texts)
{
	if (site->frame_count != texts->frame_count)
		return false;
	for (uint32_t i = 0; i < site->frame_count; i++) {
		const struct site_frame *frame = &snapshot->frames[site->first_frame + i];

		if (frame->offset != texts->frames[i].offset ||
		    strcmp(snapshot_text(snapshot, frame->module), texts->frames[i].module) != 0 ||
		    strcmp(snapshot_text(snapshot, frame->symbol), texts->frames[i].symbol) != 0)
			return false;
	}
	return true;
}

static bool site_is(const struct snapshot *snapshot, const struct site *site,
		    const struct site_texts *texts)
{
	return site->line == texts->line && (site->before_attach != 0) == texts->before_attach &&
	       strcmp(snapshot_text(snapshot, site->op), texts->op) == 0 &&
	       strcmp(snapshot_text(snapshot, site->file), texts->file) == 0 &&
	       strcmp(snapshot_text(snapshot, site->tag), tag_of(texts)) == 0 &&
	       strcmp(snapshot_text(snapshot, site->function), texts->function) == 0 &&
	       frames_are(snapshot, site, texts);
}

/* Twice as many buckets as there may be sites before the next growth. 0 or -ENOMEM. */
static int grow_table(struct snapshot *snapshot)
{
	struct site_table *table = &snapshot->site_table;
	uint32_t buckets = table->buckets ? table->buckets * 2 : 64;
	struct site_bucket *memory = calloc(buckets, sizeof *memory);

	if (!memory)
		return -ENOMEM;
	for (uint32_t i = 0; i < table->buckets; i++) {
		const struct site_bucket *old = &table->memory[i];
		uint32_t at = old->hash & (buckets - 1);

		if (old->number == 0)
			continue;
		while (memory[at].number)
			at = (at + 1) & (buckets - 1);
		memory[at] = *old;
	}
	free(table->memory);
	table->memory = memory;
	table->buckets = buckets;
	return 0;
}

static int intern_text(struct snapshot *snapshot, const char *text, string_id *ret_id)
{
	return snapshot_string(snapshot, text, strlen(text), ret_id);
}

static int add_frames(struct snapshot *snapshot, const struct site_texts *texts, struct site *site)
{
	site->first_frame = snapshot->frame_count;
	site->frame_count = texts->frame_count;
	for (uint32_t i = 0; i < texts->frame_count; i++) {
		struct site_frame frame = {.offset = texts->frames[i].offset};
		uint32_t index = 0;
		int r = intern_text(snapshot, texts->frames[i].module, &frame.module);

		if (r == 0)
			r = intern_text(snapshot, texts->frames[i].symbol, &frame.symbol);
		if (r == 0)
			r = snapshot_add_frame(snapshot, &index);
		if (r < 0)
			return r;
		snapshot->frames[index] = frame;
	}
	return 0;
}

static int add_site(struct snapshot *snapshot, const struct site_texts *texts, uint32_t *ret_number)
{
	struct site site = {.line = texts->line, .before_attach = texts->before_attach};
	uint32_t index = 0;
	int r = intern_text(snapshot, texts->op, &site.op);

	if (r == 0)
		r = intern_text(snapshot, texts->file, &site.file);
	if (r == 0)
		r = intern_text(snapshot, texts->function, &site.function);
	if (r == 0)
		r = intern_text(snapshot, tag_of(texts), &site.tag);
	if (r == 0)
		r = add_frames(snapshot, texts, &site);
	if (r == 0)
		r = snapshot_add_site(snapshot, &index);
	if (r < 0)
		return r;
	snapshot->sites[index] = site;
	*ret_number = index + 1;
	return 0;
}

int snapshot_intern_site(struct snapshot *snapshot, const struct site_texts *texts,
			 uint32_t *ret_number)
{
	struct site_table *table = &snapshot->site_table;
	uint32_t hash = hash_site(texts), at;

	if (!*texts->op && !*texts->file && !*texts->function && !*tag_of(texts) && texts->line == 0 &&
	    texts->frame_count == 0 && !texts->before_attach) {
		*ret_number = 0;
		return 0;
	}
	int r = snapshot->site_count >= table->buckets / 2 ? grow_table(snapshot) : 0;

	if (r < 0)
		return r;
	for (at = hash & (table->buckets - 1); table->memory[at].number;
	     at = (at + 1) & (table->buckets - 1))
		if (table->memory[at].hash == hash &&
		    site_is(snapshot, &snapshot->sites[table->memory[at].number - 1], texts)) {
			*ret_number = table->memory[at].number;
			return 0;
		}
	r = add_site(snapshot, texts, ret_number);
	if (r == 0)
		table->memory[at] = (struct site_bucket){hash, *ret_number};
	return r;
}

const struct site *snapshot_site(const struct snapshot *snapshot, uint32_t number)
{
	return number && number <= snapshot->site_count ? &snapshot->sites[number - 1] : NULL;
}
