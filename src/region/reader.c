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
#include <time.h>
#include <unistd.h>

#include "region/reader_internal.h"
#include "region/words.h"

/* Some microseconds: a writer on a processor of its own is through with a row long before. */
#define LOOKS 1000

/*
 * A writer may lose its processor in the middle of a row. It gets it back within some milliseconds,
 * sooner if we sleep; a stopped or killed one never does. So many naps for all rows of a table.
 */
#define NAPS   16
#define NAP_NS 200000

/* The size up to which a cut in time is likely to succeed. */
#define CUT_SLOTS_MAX 65536u

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

static bool page_holds_data(const struct region_map *map, uint64_t page)
{
	return page < map->page_count && map->pages[page / 8] >> (page % 8) & 1;
}

/* A pointer into the mapping if every page of the range holds data, else NULL. */
static const void *range(const struct region_map *map, uint64_t offset, uint64_t bytes)
{
	if (bytes == 0 || offset > map->bytes || bytes > map->bytes - offset)
		return NULL;
	for (uint64_t page = offset / REGION_PAGE_BYTES;
	     page <= (offset + bytes - 1) / REGION_PAGE_BYTES; page++)
		if (!page_holds_data(map, page))
			return NULL;
	return map->base + offset;
}

/* What a row has of what we know. */
static uint32_t row_bytes(const struct region_part *part, enum region_part_id id)
{
	return part->element_bytes < known_parts[id].bytes ? part->element_bytes
							   : known_parts[id].bytes;
}

const void *reader_row_at(const struct region_map *map, enum region_part_id part, uint64_t index)
{
	const struct region_part *p = &map->parts[part];

	if (index >= p->count)
		return NULL;
	return range(map, p->offset + index * p->element_bytes, row_bytes(p, part));
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

static int refresh_slots(struct region_map *map)
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
	const struct region_head *shared = range(map, 0, sizeof *shared);

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
		const void *shared = range(map, part->offset + at, n);

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

/*
 * A row whose first word is its sequence word. Return: true with a whole copy
 * (seq 0: the row was never used); false if it never stood still: then the copy
 * is what was there at the last look, words of one state and of the next.
 */
static bool copy_row(void *to, const void *from, size_t bytes)
{
	const uint64_t *shared = from;
	uint64_t *copy = to;

	for (int look = 0; look < LOOKS; look++) {
		copy[0] = word_load(&shared[0]);
		if (copy[0] & 1 && look < LOOKS - 1) /* being written: a copy would be for nothing */
			continue;
		reader_copy_words(copy + 1, shared + 1, bytes / sizeof *copy - 1);
		/* ordered after the loads above, which are acquire */
		if (seq_is_stable(copy[0], word_load(&shared[0])))
			return true;
	}
	return false;
}

/* Rows are read one after another; what waiting for one has used up is not there for the next. */
struct patience {
	int naps;
};

/* Return: false: none is left. */
static bool take_nap(struct patience *patience)
{
	static const struct timespec nap = {.tv_nsec = NAP_NS};

	if (patience->naps == 0)
		return false;
	patience->naps--;
	(void)nanosleep(&nap, NULL);
	return true;
}

static bool read_part_row(const struct region_map *map, enum region_part_id part, uint64_t index,
			  void *to, struct patience *patience)
{
	const void *shared = reader_row_at(map, part, index);

	memset(to, 0, known_parts[part].bytes);
	if (!shared) /* a hole reads as a row never used */
		return true;
	while (!copy_row(to, shared, row_bytes(&map->parts[part], part)))
		if (!take_nap(patience))
			return false;
	return true;
}

/*
 * An allocator is counted only when its row is whole, so a half written one is being closed, or was
 * when its process ended: what is there still says more than nothing.
 */
static void read_row(const struct region_map *map, uint32_t id, struct region_image *image,
		     struct patience *patience)
{
	struct region_row *row = &image->rows[image->row_count];
	bool whole = read_part_row(map, REGION_PART_ALLOCATORS, id, &row->allocator, patience);

	if (row->allocator.seq == 0)
		return;
	for (uint32_t type = 0; type < REGION_MEMORY_TYPES; type++) {
		uint64_t at = (uint64_t)id * REGION_MEMORY_TYPES + type;

		row->torn[type] = !read_part_row(map, REGION_PART_TOTALS, at, &row->totals[type],
						 patience);
		whole = whole && !row->torn[type];
		/* an answer of which only half is there is none */
		if (!read_part_row(map, REGION_PART_VERIFY, at, &row->verify[type], patience))
			memset(&row->verify[type], 0, sizeof row->verify[type]);
	}
	image->torn += !whole;
	row->id = id;
	if (row->allocator.chip_count > REGION_CHIPS_MAX)
		row->allocator.chip_count = REGION_CHIPS_MAX;
	image->row_count++;
}

/* Newest first. A row is written before it is counted: one newer than the last is in an old one's place. */
static void read_failures(const struct region_map *map, struct region_image *image,
			  struct patience *patience)
{
	uint64_t rows = map->parts[REGION_PART_FAILURES].count;
	uint64_t total = image->head.failures_count;
	uint64_t newest = UINT64_MAX;

	for (uint64_t i = 0; i < rows && i < total; i++) {
		struct region_failure *failure = &image->failures[image->failure_count];

		if (!read_part_row(map, REGION_PART_FAILURES, (total - 1 - i) % rows, failure,
				   patience) ||
		    failure->seq == 0 || failure->seq > newest)
			continue;
		newest = failure->seq;
		image->failure_count++;
	}
}

/*
 * Twice the same and not marked: it is of one state. Return: false if it never was: that of a process
 * which ended in the middle of one is as good as not told.
 */
static bool copy_capability(struct region_capability *copy, const struct region_capability *shared)
{
	const uint64_t *from = (const uint64_t *)(const void *)shared;
	uint64_t words[2][sizeof *copy / sizeof(uint64_t)];

	for (int look = 0; look < LOOKS; look++) {
		for (int i = 0; i < 2; i++)
			reader_copy_words(words[i], from, sizeof words[i] / sizeof words[i][0]);
		if (memcmp(words[0], words[1], sizeof words[0]) != 0)
			continue;
		/* by bytes: the row alone need not lie where words may */
		memcpy(copy, words[0], sizeof *copy);
		if (!copy->half_written)
			return true;
	}
	return false;
}

static bool read_capability(struct region_capability *copy, const struct region_capability *shared,
			    struct patience *patience)
{
	while (!copy_capability(copy, shared))
		if (!take_nap(patience))
			return false;
	return true;
}

static void read_capabilities(const struct region_map *map, struct region_image *image,
			      struct patience *patience)
{
	for (uint32_t i = 0; i < map->parts[REGION_PART_CAPABILITIES].count; i++) {
		const struct region_capability *shared = reader_row_at(map, REGION_PART_CAPABILITIES, i);
		struct region_capability *copy = &image->capabilities[image->capability_count];

		if (!shared || !read_capability(copy, shared, patience))
			continue;
		copy->name[sizeof copy->name - 1] = '\0';
		copy->detail[sizeof copy->detail - 1] = '\0';
		if (copy->name[0])
			image->capability_count++;
	}
}

int region_read_left(struct region_map *map, struct region_lefts *ret_lefts)
{
	/* of a process that goes on a row may be open for as long as its device closes: it is not waited for */
	struct patience patience = {.naps = 0};
	uint64_t used = word_load(&reader_head(map)->left_rows);
	uint32_t rows = map->parts[REGION_PART_LEFT].count;

	*ret_lefts = (struct region_lefts){0};
	if (used < rows)
		rows = (uint32_t)used;
	if (rows == 0)
		return 0;
	int r = reader_refresh_part(map, REGION_PART_LEFT,
				    (uint64_t)rows * map->parts[REGION_PART_LEFT].element_bytes);
	struct region_left *memory = r == 0 ? malloc(rows * sizeof *memory) : NULL;

	if (!memory)
		return r < 0 ? r : -ENOMEM;
	ret_lefts->rows = memory;
	for (uint32_t i = 0; i < rows; i++) {
		struct region_left *row = &memory[ret_lefts->count];

		(void)read_part_row(map, REGION_PART_LEFT, i, row, &patience);
		if (row->seq != 0 && row->type < REGION_MEMORY_TYPES)
			ret_lefts->count++;
	}
	return 0;
}

void region_lefts_clear(struct region_lefts *lefts)
{
	free(lefts->rows);
	*lefts = (struct region_lefts){0};
}

static void read_head(const struct region_map *map, struct region_head *head)
{
	reader_copy_words((uint64_t *)(void *)head, (const uint64_t *)(const void *)map->base,
		   sizeof *head / sizeof(uint64_t));
	head->metal_version[sizeof head->metal_version - 1] = '\0';
	head->entry[sizeof head->entry - 1] = '\0';
	if (head->build_id_bytes > sizeof head->build_id)
		head->build_id_bytes = 0;
}

int region_read_image(const struct region_map *map, struct region_image *ret_image)
{
	/* nobody is waited for who will not write again */
	struct patience patience = {.naps = map->fd < 0 ? 0 : NAPS};
	uint64_t used = word_load(&reader_head(map)->allocators_used);
	uint32_t rows = map->parts[REGION_PART_ALLOCATORS].count;

	if (used < rows)
		rows = (uint32_t)used;
	struct region_row *memory = malloc((rows ? rows : 1) * sizeof *memory);

	if (!memory)
		return -ENOMEM;
	/* filled in place: it is large, most of it is the unused end of its arrays */
	ret_image->rows = memory;
	ret_image->torn = 0;
	ret_image->row_count = ret_image->failure_count = ret_image->capability_count = 0;
	read_head(map, &ret_image->head);
	ret_image->event = ret_image->head.seq / 2;
	for (uint32_t id = 0; id < rows; id++)
		read_row(map, id, ret_image, &patience);
	read_failures(map, ret_image, &patience);
	read_capabilities(map, ret_image, &patience);
	return 0;
}

void region_image_clear(struct region_image *image)
{
	free(image->rows);
	image->rows = NULL;
	image->row_count = image->failure_count = image->capability_count = 0;
}

/* Return: 1 copied; 0 not a live slot; -1 half written. */
static int copy_slot(struct region_slot *copy, const struct region_slot *shared)
{
	uint64_t first = word_load(&shared->seq);

	if (first == 0)
		return 0;
	if (first & 1)
		return -1;
	reader_copy_words((uint64_t *)(void *)copy + 1, (const uint64_t *)(const void *)shared + 1,
		   sizeof *copy / sizeof(uint64_t) - 1);
	copy->seq = first;
	/* it was freed, or freed and taken again, while we looked: not live any more */
	return word_load(&shared->seq) == first;
}

/* One attempt. Return: 0, or what the visitor ended it with. */
static int scan(const struct region_map *map, const struct region_slot_visitor *visitor,
		uint32_t high_water, struct region_slots *cut)
{
	const struct region_part *part = &map->parts[REGION_PART_SLOTS];
	uint32_t per_page = REGION_PAGE_BYTES / part->element_bytes;
	uint64_t good_page = UINT64_MAX; /* the last one that was found to hold data */

	for (uint32_t i = 0; i < high_water; i++) {
		uint64_t offset = part->offset + (uint64_t)i * part->element_bytes;
		uint64_t page = offset / REGION_PAGE_BYTES;

		if (offset % REGION_PAGE_BYTES == 0 && per_page > 0 && !page_holds_data(map, page)) {
			i += per_page - 1;
			continue;
		}
		uint64_t last = (offset + sizeof(struct region_slot) - 1) / REGION_PAGE_BYTES;

		if ((page != good_page || last != page) &&
		    !range(map, offset, sizeof(struct region_slot)))
			continue;
		good_page = page;

		struct region_slot copy;
		int r = copy_slot(&copy, (const void *)(map->base + offset));

		if (r < 0)
			cut->torn++;
		if (r <= 0 || copy.seq / 2 > cut->event)
			continue;
		cut->count++;
		r = visitor->visit(visitor->argument, &copy);
		if (r != 0)
			return r;
	}
	return 0;
}

int region_visit_slots(struct region_map *map, const struct region_slot_visitor *visitor,
		       struct region_slots *ret_cut)
{
	const struct region_head *head = reader_head(map);
	const struct region_part *part = &map->parts[REGION_PART_SLOTS];
	struct region_slots cut = {0};
	int r = refresh_slots(map);

	for (int attempt = 0; r == 0 && attempt < CUT_ATTEMPTS && !cut.consistent; attempt++) {
		uint64_t before = word_load(&head->seq);
		uint32_t high_water = word_load32(&head->slots_high_water);

		visitor->restart(visitor->argument);
		if (high_water > part->count)
			high_water = part->count;
		cut = (struct region_slots){.event = before / 2};
		r = scan(map, visitor, high_water, &cut);
		if (r < 0)
			return r;
		r = 0; /* enough is as good as all */
		cut.consistent = seq_is_stable(before, word_load(&head->seq)) && cut.torn == 0;
		if (cut.count > CUT_SLOTS_MAX)
			break;
	}
	if (r == 0)
		*ret_cut = cut;
	return r;
}

/* The visitor that copies. */
struct copies {
	struct region_slot *slots;
	uint32_t count, capacity, limit;
};

static void restart_copies(void *argument)
{
	struct copies *copies = argument;

	copies->count = 0;
}

static int append(void *argument, const struct region_slot *slot)
{
	struct copies *copies = argument;

	if (copies->count == copies->capacity) {
		uint32_t larger = copies->capacity ? copies->capacity * 2 : 1024;
		struct region_slot *memory = realloc(copies->slots, larger * sizeof *memory);

		if (!memory)
			return -ENOMEM;
		copies->slots = memory;
		copies->capacity = larger;
	}
	copies->slots[copies->count++] = *slot;
	return copies->count >= copies->limit;
}

int region_read_slots(struct region_map *map, uint32_t limit, struct region_slots *ret_slots)
{
	struct copies copies = {.limit = limit};
	const struct region_slot_visitor visitor = {restart_copies, append, &copies};
	struct region_slots slots = {.consistent = true, .event = region_event(map)};
	int r = limit == 0 ? 0 : region_visit_slots(map, &visitor, &slots);

	if (r < 0) {
		free(copies.slots);
		return r;
	}
	slots.slots = copies.slots;
	*ret_slots = slots;
	return 0;
}

void region_slots_clear(struct region_slots *slots)
{
	free(slots->slots);
	*slots = (struct region_slots){0};
}
