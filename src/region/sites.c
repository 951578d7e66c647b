/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sites: the places that allocate, their names and native stacks.
 *
 * All four parts only grow. Nothing in them is changed after its count in the
 * head told of it, so readers need no sequence word, and a slot may name a site
 * for ever. Everything is interned: three tables of hashes in private memory
 * lead to what is there already. A place is looked up once and remembered by
 * the hook, so this is no hot path; it holds the lock and makes system calls
 * where a part grows into new pages.
 */
#include <errno.h>
#include <string.h>

#include "region/memfd.h"
#include "region/quiet.h"
#include "region/writer_internal.h"

/* Longer names are cut: a path has its telling part at the end, anything else at its start. */
#define NAME_BYTES_MAX 1024u

/* FNV-1a */
#define FNV_START  UINT64_C(0xcbf29ce484222325)
#define FNV_FACTOR UINT64_C(0x100000001b3)

/* A table of hashes is full at three quarters. */
#define TABLE_FULL(buckets) ((buckets) / 4 * 3)

static uint64_t sites_offset(const struct region_writer *writer)
{
	return region_sites_offset(writer->slots_max, writer->programs_max);
}

static uint64_t strings_offset(const struct region_writer *writer)
{
	return region_site_strings_offset(writer->slots_max, writer->programs_max,
					  writer->sites_max);
}

static uint64_t stacks_offset(const struct region_writer *writer)
{
	return region_site_stacks_offset(writer->slots_max, writer->programs_max,
					 writer->sites_max);
}

static struct region_site *site_at(const struct region_writer *writer, uint32_t site)
{
	return (struct region_site *)(void *)(writer->table + sites_offset(writer)) + site;
}

static char *string_at(const struct region_writer *writer, uint32_t offset)
{
	return (char *)writer->table + strings_offset(writer) + offset;
}

static uint64_t *stack_at(const struct region_writer *writer, uint32_t word)
{
	return (uint64_t *)(void *)(writer->table + stacks_offset(writer)) + word;
}

static struct region_site_module *module_at(const struct region_writer *writer, uint32_t module)
{
	return (struct region_site_module *)(void *)(writer->table + REGION_SITE_MODULES_OFFSET) +
	       module;
}

static uint32_t hash_bytes(const void *bytes, size_t size)
{
	const uint8_t *p = bytes;
	uint64_t hash = FNV_START;

	for (size_t i = 0; i < size; i++)
		hash = (hash ^ p[i]) * FNV_FACTOR;
	return (uint32_t)(hash ^ hash >> 32);
}

/* Where in the file a part of sites must have pages next, and makes them. 0 or -errno. */
static int back(struct region_writer *writer, uint64_t part, uint64_t used, uint64_t more)
{
	uint64_t first = (part + used) / REGION_PAGE_BYTES;
	uint64_t past = (part + used + more + REGION_PAGE_BYTES - 1) / REGION_PAGE_BYTES;
	uint64_t base = sites_offset(writer) / REGION_PAGE_BYTES;
	uint64_t *backed = writer->private->sites.page_backed;

	for (uint64_t page = first; page < past; page++) {
		uint64_t bit = page - base;

		if (backed[bit / 64] >> (bit % 64) & 1)
			continue;
		int r = writer_check_table(writer);

		if (r == 0)
			r = memfd_back(writer->table_fd, page * REGION_PAGE_BYTES, REGION_PAGE_BYTES);
		if (r < 0)
			return r;
		backed[bit / 64] |= UINT64_C(1) << (bit % 64);
	}
	return 0;
}

/* A NUL inside would make two names one. */
static char kept_as(char c)
{
	return c ? c : ' ';
}

static uint32_t hash_text(struct region_text text)
{
	uint64_t hash = FNV_START;

	for (uint32_t i = 0; i < text.bytes; i++)
		hash = (hash ^ (uint8_t)kept_as(text.start[i])) * FNV_FACTOR;
	return (uint32_t)(hash ^ hash >> 32);
}

static bool is_text(const char *string, struct region_text text)
{
	for (uint32_t i = 0; i < text.bytes; i++)
		if (string[i] != kept_as(text.start[i]))
			return false;
	return string[text.bytes] == '\0';
}

/* Return: offset of the string, which is there already or is added; 0 of an empty one; -errno. */
static int64_t intern_string(struct region_writer *writer, struct region_text text)
{
	struct region_writer_sites *s = &writer->private->sites;
	uint32_t room = writer->sites_max * REGION_SITE_STRING_BYTES, mask = REGION_SITE_BUCKETS - 1;

	if (text.bytes > NAME_BYTES_MAX) {
		text.start += text.keep_end ? text.bytes - NAME_BYTES_MAX : 0;
		text.bytes = NAME_BYTES_MAX;
	}
	if (text.bytes == 0)
		return 0;
	uint32_t at = hash_text(text) & mask;

	for (uint32_t offset; (offset = s->string_buckets[at]) != 0; at = (at + 1) & mask)
		if (offset + text.bytes < s->string_bytes &&
		    is_text(string_at(writer, offset), text))
			return offset;
	uint32_t offset = s->string_bytes ? s->string_bytes : 1;

	if (s->strings >= TABLE_FULL(REGION_SITE_BUCKETS) || text.bytes + 1 > room - offset)
		return -ENOSPC;
	int r = back(writer, strings_offset(writer), offset, text.bytes + 1);

	if (r < 0)
		return r;
	/* the file may have moved: asked for again */
	char *to = string_at(writer, offset);

	for (uint32_t i = 0; i < text.bytes; i++)
		to[i] = kept_as(text.start[i]);
	to[text.bytes] = '\0';
	s->string_buckets[at] = offset;
	s->strings++;
	s->string_bytes = offset + text.bytes + 1;
	word_store32(&writer_head(writer)->site_string_bytes, s->string_bytes);
	return offset;
}

/* Return: number of the stack's first word; 0 of none; -errno. */
static int64_t intern_stack(struct region_writer *writer, const uint64_t *frames, uint32_t depth)
{
	struct region_writer_sites *s = &writer->private->sites;
	uint32_t room = writer->sites_max * REGION_SITE_STACK_WORDS, mask = REGION_SITE_BUCKETS - 1;

	if (depth > REGION_STACK_DEPTH_MAX)
		depth = REGION_STACK_DEPTH_MAX;
	if (depth == 0)
		return 0;
	uint32_t at = hash_bytes(frames, depth * sizeof *frames) & mask;

	for (uint32_t word; (word = s->stack_buckets[at]) != 0; at = (at + 1) & mask)
		if (word + depth < s->stack_words && own(stack_at(writer, word)) == depth &&
		    memcmp(stack_at(writer, word + 1), frames, depth * sizeof *frames) == 0)
			return word;
	uint32_t word = s->stack_words ? s->stack_words : 1;

	if (s->stacks >= TABLE_FULL(REGION_SITE_BUCKETS) || depth + 1 > room - word)
		return -ENOSPC;
	int r = back(writer, stacks_offset(writer), word * sizeof(uint64_t),
		     (depth + 1) * sizeof(uint64_t));

	if (r < 0)
		return r;
	word_store(stack_at(writer, word), depth);
	for (uint32_t i = 0; i < depth; i++)
		word_store(stack_at(writer, word + 1 + i), frames[i]);
	s->stack_buckets[at] = word;
	s->stacks++;
	s->stack_words = word + depth + 1;
	word_store32(&writer_head(writer)->site_stack_words, s->stack_words);
	return word;
}

/* Return: its number, at least 1; -errno. */
static int64_t intern_site(struct region_writer *writer, const struct region_site *site)
{
	struct region_writer_sites *s = &writer->private->sites;
	uint32_t mask = REGION_SITE_BUCKETS - 1;
	uint32_t at = hash_bytes(site, sizeof *site) & mask;

	for (uint32_t id; (id = s->site_buckets[at]) != 0; at = (at + 1) & mask)
		if (memcmp(site_at(writer, id), site, sizeof *site) == 0)
			return id;
	uint32_t id = s->used ? s->used : 1;

	if (id >= writer->sites_max || id >= TABLE_FULL(REGION_SITE_BUCKETS))
		return -ENOSPC;
	int r = back(writer, sites_offset(writer), id * sizeof *site, sizeof *site);

	if (r < 0)
		return r;
	memcpy(site_at(writer, id), site, sizeof *site);
	s->site_buckets[at] = id;
	s->used = id + 1;
	word_store32(&writer_head(writer)->sites_used, s->used);
	return id;
}

static int64_t add_site(struct region_writer *writer, const struct region_site_found *found)
{
	struct region_text file = found->file;

	file.keep_end = true;
	int64_t op = intern_string(writer, found->op), name = intern_string(writer, file);
	int64_t function = intern_string(writer, found->function);
	int64_t stack = intern_stack(writer, found->frames, found->depth);

	if (op < 0 || name < 0 || function < 0 || stack < 0)
		return -ENOSPC;
	const struct region_site site = {
		.op = (uint32_t)op,
		.file = (uint32_t)name,
		.function = (uint32_t)function,
		.line = found->line,
		.stack = (uint32_t)stack,
	};

	return intern_site(writer, &site);
}

/* A site like `base`, if that is one, to be changed and interned. */
static struct region_site copy_of(const struct region_writer *writer, uint32_t base)
{
	return base && base < writer->private->sites.used ? *site_at(writer, base)
							  : (struct region_site){.op = 0};
}

/* With the lock. Without room for what is added, what is known already stays. */
static uint32_t finish(struct region_writer *writer, uint32_t base, int64_t id)
{
	if (id < 0)
		add(&writer_head(writer)->sites_dropped, 1);
	return id < 0 ? base : (uint32_t)id;
}

uint32_t region_writer_site_stack(struct region_writer *writer, uint32_t base,
				  const uint64_t *frames, uint32_t depth)
{
	quiet_auto quiet = quiet_begin();

	if (!is_ready(writer) || depth == 0)
		return base;
	region_lock_take(&writer->lock);
	struct region_site site = copy_of(writer, base);
	int64_t id = intern_stack(writer, frames, depth);

	if (id >= 0) {
		site.stack = (uint32_t)id;
		id = intern_site(writer, &site);
	}
	uint32_t result = finish(writer, base, id);

	region_lock_give(&writer->lock);
	return result;
}

uint32_t region_writer_site_tag(struct region_writer *writer, uint32_t base, struct region_text tag)
{
	quiet_auto quiet = quiet_begin();

	if (!is_ready(writer) || tag.bytes == 0)
		return base;
	region_lock_take(&writer->lock);
	struct region_site site = copy_of(writer, base);
	int64_t id = intern_string(writer, tag);

	if (id >= 0) {
		site.tag = (uint32_t)id;
		id = intern_site(writer, &site);
	}
	uint32_t result = finish(writer, base, id);

	region_lock_give(&writer->lock);
	return result;
}

uint32_t region_writer_site(struct region_writer *writer, const struct region_site_found *found)
{
	int64_t id = -ENODEV;
	quiet_auto quiet = quiet_begin();

	if (!is_ready(writer))
		return REGION_SITE_UNKNOWN;
	region_lock_take(&writer->lock);
	id = add_site(writer, found);
	if (id < 0)
		add(&writer_head(writer)->sites_dropped, 1);
	region_lock_give(&writer->lock);
	return id < 0 ? REGION_SITE_UNKNOWN : (uint32_t)id;
}

uint32_t region_writer_module(struct region_writer *writer, struct region_text path,
			      const uint8_t *build_id, uint32_t build_id_bytes)
{
	struct region_site_module row = {.build_id_bytes = build_id_bytes};
	uint32_t module = REGION_MODULE_NONE;
	quiet_auto quiet = quiet_begin();

	if (!is_ready(writer) || writer->sites_max == 0 || build_id_bytes > sizeof row.build_id)
		return module;
	memcpy(row.build_id, build_id, build_id_bytes);
	region_lock_take(&writer->lock);
	path.keep_end = true;
	int64_t name = intern_string(writer, path);
	struct region_writer_sites *s = &writer->private->sites;

	row.path = name > 0 ? (uint32_t)name : 0;
	for (uint32_t i = 0; i < s->modules && module == REGION_MODULE_NONE; i++)
		if (memcmp(module_at(writer, i), &row, sizeof row) == 0)
			module = i;
	if (module == REGION_MODULE_NONE && name > 0 && s->modules < REGION_SITE_MODULES_MAX) {
		int r = s->modules ? 0 : writer_check_table(writer);

		if (r == 0 && s->modules == 0)
			r = memfd_back(writer->table_fd, REGION_SITE_MODULES_OFFSET,
				       REGION_SITE_MODULES_MAX * sizeof row);
		if (r == 0) {
			module = s->modules++;
			memcpy(module_at(writer, module), &row, sizeof row);
			word_store32(&writer_head(writer)->site_modules, s->modules);
		}
	}
	region_lock_give(&writer->lock);
	return module;
}

/*
 * One page more than is used of each part: it may be marked as backed after an attempt to add that
 * failed half way.
 */
int writer_copy_sites(const struct region_writer *writer, int fd, uint8_t *to)
{
	const struct region_writer_sites *s = &writer->private->sites;
	const uint64_t parts[][3] = {
		/* offset, used, room */
		{REGION_SITE_MODULES_OFFSET, s->modules * sizeof(struct region_site_module),
		 REGION_SITE_MODULES_MAX * sizeof(struct region_site_module)},
		{sites_offset(writer), s->used * sizeof(struct region_site),
		 writer->sites_max * sizeof(struct region_site)},
		{strings_offset(writer), s->string_bytes,
		 (uint64_t)writer->sites_max * REGION_SITE_STRING_BYTES},
		{stacks_offset(writer), s->stack_words * sizeof(uint64_t),
		 writer->sites_max * REGION_SITE_STACK_WORDS * sizeof(uint64_t)},
	};

	for (unsigned i = 0; writer->sites_max && i < sizeof parts / sizeof parts[0]; i++) {
		uint64_t backed = parts[i][1] + REGION_PAGE_BYTES;
		int r = memfd_back(fd, parts[i][0], backed < parts[i][2] ? backed : parts[i][2]);

		if (r < 0)
			return r;
		memcpy(to + parts[i][0], writer->table + parts[i][0], parts[i][1]);
	}
	return 0;
}

bool writer_sites_are_valid(const struct region_writer *writer)
{
	const struct region_writer_sites *s = &writer->private->sites;

	for (uint32_t id = 1; id < s->used; id++) {
		const struct region_site *site = site_at(writer, id);

		if (site->op >= s->string_bytes + 1 || site->file >= s->string_bytes + 1 ||
		    site->function >= s->string_bytes + 1 || site->stack >= s->stack_words + 1 ||
		    site->tag >= s->string_bytes + 1)
			return false;
	}
	return s->used <= writer->sites_max &&
	       s->string_bytes <= writer->sites_max * REGION_SITE_STRING_BYTES &&
	       s->stack_words <= writer->sites_max * REGION_SITE_STACK_WORDS;
}
