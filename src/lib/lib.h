/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libttmem: the public interface (include/ttmem/ttmem.h) on collect, api and region. It translates
 * and decides nothing: what a figure means is decided below.
 *
 * It lives in somebody else's process: no output, no exit, no handler, no lock that a fork could
 * leave held, no state but the one report.
 */
#ifndef TTMEM_LIB_LIB_H
#define TTMEM_LIB_LIB_H

#include <stdbool.h>

#include "model/snapshot.h"
#include "region/writer.h"
#include "ttmem/ttmem.h"

struct ttmemHandle_st {
	uint32_t flags;
	char *server, *root; /* NULL: not named */
};

struct ttmemSnapshot_st {
	struct snapshot picture; /* devices, processes, allocators */
	struct snapshot listing; /* the buffers, with processes and allocators of their own */
	bool has_buffers;
	uint32_t pid; /* only this process is shown; 0: all */
};

/* lib_value - the same three words */
static inline ttmemValue_t lib_value(struct fact fact)
{
	return (ttmemValue_t){fact.value, fact.state, fact.reason};
}

/* lib_text - NULL for the empty string, which stands for "not known" in a snapshot */
static inline const char *lib_text(const struct snapshot *snapshot, string_id id)
{
	return id ? snapshot_text(snapshot, id) : NULL;
}

/* lib_memory - fills everything in, `version` included */
void lib_memory(const struct memory *from, uint32_t type, ttmemMemory_t *to);
/* lib_result - of a negative errno */
ttmemReturn_t lib_result(int error);
/*
 * lib_room - the protocol of lists. Return: TTMEM_SUCCESS with *ret_write set when there is room for
 * `rows` (they are to be written), or when only their number was asked for.
 */
ttmemReturn_t lib_room(const void *array, uint64_t *count, uint64_t rows, bool *ret_write);
/* lib_report_writer - of the open report; NULL: there is none */
struct region_writer *lib_report_writer(void);

#endif
