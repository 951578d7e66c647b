/* SPDX-License-Identifier: Apache-2.0 */
/* What reader.c, which knows where parts lie and which pages there are, is for read_*.c. */
#ifndef TTMEM_REGION_READER_INTERNAL_H
#define TTMEM_REGION_READER_INTERNAL_H

#include "region/reader.h"

/* Attempts at a cut in time. */
#define CUT_ATTEMPTS 8

const struct region_head *reader_head(const struct region_map *map);
/* reader_row_at - a row of a part, or NULL where there is none or its page holds no data */
const void *reader_row_at(const struct region_map *map, enum region_part_id part, uint64_t index);
/* reader_range - a pointer into the mapping if every page of the range holds data, else NULL */
const void *reader_range(const struct region_map *map, uint64_t offset, uint64_t bytes);
bool reader_page_holds_data(const struct region_map *map, uint64_t page);
/* reader_row_bytes - what a row has of what we know; reader_known_bytes - what we know */
uint32_t reader_row_bytes(const struct region_map *map, enum region_part_id id);
uint32_t reader_known_bytes(enum region_part_id id);
/* reader_refresh_slots - looks again which pages of them hold data, if that was put off. 0 or -errno. */
int reader_refresh_slots(struct region_map *map);
/* reader_copy_words - each loaded with acquire, so that a look at a sequence word may follow */
void reader_copy_words(uint64_t *to, const uint64_t *from, size_t words);
/* reader_refresh_part - looks again which pages of a part's first bytes hold data. 0 or -errno. */
int reader_refresh_part(struct region_map *map, enum region_part_id part, uint64_t bytes);
/*
 * reader_copy_bytes - the first bytes of a part whose rows follow each other closely, for parts that
 * only grow; holes read as zeros. Return: how many there are.
 */
uint64_t reader_copy_bytes(const struct region_map *map, enum region_part_id part, uint64_t bytes,
			   void *to);

#endif
