/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by reader.c and read_programs.c. */
#ifndef TTMEM_REGION_READER_INTERNAL_H
#define TTMEM_REGION_READER_INTERNAL_H

#include "region/reader.h"

/* Attempts at a cut in time. */
#define CUT_ATTEMPTS 8

const struct region_head *reader_head(const struct region_map *map);
/* reader_row_at - a row of a part, or NULL where there is none or its page holds no data */
const void *reader_row_at(const struct region_map *map, enum region_part_id part, uint64_t index);
/* reader_copy_words - each loaded with acquire, so that a look at a sequence word may follow */
void reader_copy_words(uint64_t *to, const uint64_t *from, size_t words);

#endif
