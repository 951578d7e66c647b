/* SPDX-License-Identifier: Apache-2.0 */
#include "region/reader.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "region/reader_internal.h"
#include "region/words.h"

/* More separate extents than a real table can have (its blocks are 16 pages). */
#define EXTENTS_MAX 65536u

/* The rows of version 1; a writer may make them larger, not smaller. */
static const struct {
	uint32_t bytes;
	uint32_t rows_max;
	uint32_t least; /* of a writer before a field was added; 0: as many */
} known_parts[REGION_PARTS_KNOWN] = {
	[REGION_PART_CAPABILITIES] = {sizeof(struct region_capability), REGION_CAPABILITIES_MAX, 0},
	[REGION_PART_FAILURES] = {sizeof(struct region_failure), REGION_FAILURES_MAX,
				  offsetof(struct region_failure, program_id)},
	[REGION_PART_TOTALS] = {sizeof(struct region_totals),
				REGION_ALLOCATORS_MAX * REGION_MEMORY_TYPES, 0},
	[REGION_PART_VERIFY] = {sizeof(struct region_verify),
				REGION_ALLOCATORS_MAX * REGION_MEMORY_TYPES, 0},
	[REGION_PART_ALLOCATORS] = {sizeof(struct region_allocator), REGION_ALLOCATORS_MAX, 0},
	[REGION_PART_SLOTS] = {sizeof(struct region_slot), UINT32_MAX, 0},
	[REGION_PART_PROGRAMS] = {sizeof(struct region_program), REGION_PROGRAMS_MAX, 0},
	[REGION_PART_KERNELS] = {sizeof(struct region_kernel),
				 REGION_PROGRAMS_MAX * REGION_PROGRAM_KERNELS, 0},
	[REGION_PART_PROGRAM_RANGES] = {sizeof(struct region_program_range),
					REGION_PROGRAMS_MAX * REGION_PROGRAM_RANGES, 0},
	[REGION_PART_SITES] = {sizeof(struct region_site), REGION_SITES_MAX, 0},
	[REGION_PART_SITE_STRINGS] = {REGION_SITE_STRING_BYTES, REGION_SITES_MAX, 0},
	[REGION_PART_SITE_STACKS] = {sizeof(uint64_t),
				     REGION_SITES_MAX * REGION_SITE_STACK_WORDS, 0},
	[REGION_PART_SITE_MODULES] = {sizeof(struct region_site_module), REGION_SITE_MODULES_MAX,
				      0},
	[REGION_PART_LEFT] = {sizeof(struct region_left), REGION_LEFT_MAX, 0},
};

const char *region_refusal_text(enum region_refusal refusal)
{
	switch (refusal) {
	case REGION_ACCEPTED:
		return "accepted";
	case REGION_NOT_TMPFS:
		return "not a file in shared memory";
	case REGION_NOT_SEALED:
		return "not sealed against shrinking";
	case REGION_BAD_MAGIC:
		return "no table of ttmem";
	case REGION_BAD_VERSION:
		return "a table of a newer ttmem";
	case REGION_BAD_SIZE:
		return "its size is not what its head says";
	case REGION_BAD_PARTS:
		return "its parts do not fit its size";
	}
	return "unknown reason";
}

bool reader_page_holds_data(const struct region_map *map, uint64_t page)
{
	return page < map->page_count && map->pages[page / 8] >> (page % 8) & 1;
}

const void *reader_range(const struct region_map *map, uint64_t offset, uint64_t bytes)
{
	if (bytes == 0 || offset > map->bytes || bytes > map->bytes - offset)
		return NULL;
	for (uint64_t page = offset / REGION_PAGE_BYTES;
	     page <= (offset + bytes - 1) / REGION_PAGE_BYTES; page++)
		if (!reader_page_holds_data(map, page))
			return NULL;
	return map->base + offset;
}

uint32_t reader_row_bytes(const struct region_map *map, enum region_part_id id)
{
	uint32_t bytes = map->parts[id].element_bytes;

	return bytes < known_parts[id].bytes ? bytes : known_parts[id].bytes;
}

uint32_t reader_known_bytes(enum region_part_id id)
{
	return known_parts[id].bytes;
}

const void *reader_row_at(const struct region_map *map, enum region_part_id part, uint64_t index)
{
	const struct region_part *p = &map->parts[part];

	if (index >= p->count)
		return NULL;
	return reader_range(map, p->offset + index * p->element_bytes, reader_row_bytes(map, part));
}

static bool part_is_good(const struct region_part *part, unsigned id, uint64_t file_bytes)
{
	if (part->count == 0)
		return true;
	uint32_t least = known_parts[id].least ? known_parts[id].least : known_parts[id].bytes;

	return part->element_bytes >= least && part->element_bytes % 8 == 0 &&
	       part->element_bytes <= REGION_BLOCK_BYTES && part->offset % 64 == 0 &&
	       part->offset <= file_bytes &&
	       (uint64_t)part->element_bytes * part->count <= file_bytes - part->offset;
}

static void mark_page(struct region_map *map, uint64_t page, bool holds_data)
{
	uint8_t bit = (uint8_t)(1u << (page % 8));
	uint8_t *byte = &map->pages[page / 8];

	*byte = (uint8_t)(holds_data ? *byte | bit : *byte & ~bit);
}

/* The pages that a range of the file touches; the part of one page counts as the page. */
static int refresh_range(struct region_map *map, uint64_t from, uint64_t to)
{
	uint64_t first = from / REGION_PAGE_BYTES;
	uint64_t past = (to + REGION_PAGE_BYTES - 1) / REGION_PAGE_BYTES;
	off_t at = (off_t)(first * REGION_PAGE_BYTES);
	unsigned extents = 0;

	if (past > map->page_count)
		past = map->page_count;
	for (uint64_t page = first; page < past; page++)
		mark_page(map, page, false);
	while ((uint64_t)at < past * REGION_PAGE_BYTES && extents++ < EXTENTS_MAX) {
		off_t data = lseek(map->fd, at, SEEK_DATA);

		if (data < 0)
			return errno == ENXIO ? 0 : -errno;
		if ((uint64_t)data >= past * REGION_PAGE_BYTES)
			break;
		at = lseek(map->fd, data, SEEK_HOLE);
		if (at < 0)
			return -errno;
		for (uint64_t page = (uint64_t)data / REGION_PAGE_BYTES;
		     page < past && page * REGION_PAGE_BYTES < (uint64_t)at; page++)
			mark_page(map, page, true);
	}
	return 0;
}

/* Where the slots lie; a table may have them anywhere, and other parts in the same place. */
static void slots_range(const struct region_map *map, uint64_t *ret_from, uint64_t *ret_to)
{
	const struct region_part *part = &map->parts[REGION_PART_SLOTS];

	*ret_from = part->count ? part->offset : map->bytes;
	*ret_to = *ret_from + (uint64_t)part->count * part->element_bytes;
}

int region_map_refresh(struct region_map *map)
{
	uint64_t from, to;

	if (map->fd < 0) /* frozen: what was known then stays true */
		return 0;
	slots_range(map, &from, &to);
	map->slots_stale = true;
	int r = refresh_range(map, 0, from);

	return r == 0 && to < map->bytes ? refresh_range(map, to, map->bytes) : r;
}

int reader_refresh_slots(struct region_map *map)
{
	uint64_t from, to;

	if (!map->slots_stale || map->fd < 0)
		return 0;
	slots_range(map, &from, &to);
	int r = refresh_range(map, from, to);

	map->slots_stale = r < 0;
	return r;
}

int region_map_freeze(struct region_map *map)
{
	int r = map->fd < 0 ? 0 : refresh_range(map, 0, map->bytes);

	map->fd = -1;
	map->slots_stale = false;
	return r;
}

static int check_file(int fd, uint64_t *ret_bytes)
{
	struct statfs fs;
	struct stat st;

	if (fstatfs(fd, &fs) < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (fs.f_type != TMPFS_MAGIC || !S_ISREG(st.st_mode))
		return REGION_NOT_TMPFS;
	int seals = fcntl(fd, F_GET_SEALS);

	if (seals < 0 || !(seals & F_SEAL_SHRINK))
		return REGION_NOT_SEALED;
	if (st.st_size < (off_t)sizeof(struct region_head) ||
	    (uint64_t)st.st_size > REGION_FILE_BYTES_MAX)
		return REGION_BAD_SIZE;
	*ret_bytes = (uint64_t)st.st_size;
	return 0;
}

static int check_head(struct region_map *map)
{
	const struct region_head *shared = reader_range(map, 0, sizeof *shared);

	if (!shared || word_load(&shared->magic) != REGION_MAGIC)
		return REGION_BAD_MAGIC;
	if (shared->version != REGION_VERSION)
		return REGION_BAD_VERSION;
	if (shared->file_bytes != map->bytes || shared->head_bytes < sizeof *shared)
		return REGION_BAD_SIZE;
	for (unsigned id = 0; id < REGION_PARTS_KNOWN; id++) {
		if (known_parts[id].bytes == 0) /* reserved: nobody reads it */
			continue;
		/* one copy, then checks and use of that copy only */
		struct region_part part;

		memcpy(&part, (const void *)&shared->parts[id], sizeof part);
		if (!part_is_good(&part, id, map->bytes))
			return REGION_BAD_PARTS;
		if (part.count > known_parts[id].rows_max)
			part.count = known_parts[id].rows_max;
		if (part.count == 0) /* then nothing was checked; it is divided by */
			part.element_bytes = known_parts[id].bytes;
		map->parts[id] = part;
	}
	return 0;
}

int region_map_open(int fd, struct region_map *ret_map)
{
	struct region_map map = {.fd = fd};
	int r = check_file(fd, &map.bytes);

	if (r != 0)
		return r;
	void *base = mmap(NULL, map.bytes, PROT_READ, MAP_SHARED, fd, 0);

	if (base == MAP_FAILED)
		return -errno;
	map.base = base;
	map.page_count = (map.bytes + REGION_PAGE_BYTES - 1) / REGION_PAGE_BYTES;
	map.pages = calloc(1, (map.page_count + 7) / 8);
	r = map.pages ? refresh_range(&map, 0, map.bytes) : -ENOMEM;
	if (r == 0)
		r = check_head(&map);
	if (r != 0) {
		region_map_close(&map);
		return r;
	}
	*ret_map = map;
	return 0;
}

void region_map_close(struct region_map *map)
{
	if (map->base)
		(void)munmap((void *)(uintptr_t)map->base, map->bytes);
	free(map->pages);
	map->base = NULL;
	map->pages = NULL;
}

const struct region_head *reader_head(const struct region_map *map)
{
	return (const struct region_head *)(const void *)map->base;
}

uint64_t region_event(const struct region_map *map)
{
	return word_load(&reader_head(map)->seq) / 2;
}

bool region_is_moved(const struct region_map *map)
{
	return word_load(&reader_head(map)->moved) != 0;
}

int reader_refresh_part(struct region_map *map, enum region_part_id id, uint64_t bytes)
{
	const struct region_part *part = &map->parts[id];
	uint64_t all = (uint64_t)part->count * part->element_bytes;

	if (map->fd < 0 || all == 0)
		return 0;
	return refresh_range(map, part->offset, part->offset + (bytes < all ? bytes : all));
}

uint64_t reader_copy_bytes(const struct region_map *map, enum region_part_id id, uint64_t bytes,
			   void *to)
{
	const struct region_part *part = &map->parts[id];
	uint64_t all = (uint64_t)part->count * part->element_bytes;

	bytes = bytes < all ? bytes : all;
	memset(to, 0, bytes);
	for (uint64_t at = 0; at < bytes;) {
		uint64_t left = REGION_PAGE_BYTES - (part->offset + at) % REGION_PAGE_BYTES;
		uint64_t n = left < bytes - at ? left : bytes - at;
		const void *shared = reader_range(map, part->offset + at, n);

		if (shared)
			memcpy((uint8_t *)to + at, shared, n);
		at += n;
	}
	return bytes;
}

void reader_copy_words(uint64_t *to, const uint64_t *from, size_t words)
{
	for (size_t i = 0; i < words; i++)
		to[i] = word_load(&from[i]);
}
