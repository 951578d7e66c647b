/* SPDX-License-Identifier: Apache-2.0 */
/* The address range of a bank: holes, owners, and what to release. As text and as JSON. */
#ifndef TTMEM_VIEW_BANK_MAP_H
#define TTMEM_VIEW_BANK_MAP_H

#include "analyse/bank_map.h"
#include "model/snapshot.h"
#include "view/style.h"

/* An allocator that gives out addresses of this bank; pieces of the map name it by its place. */
struct bank_owner {
	uint32_t pid, allocator_id;
	uint32_t buffers;
	uint64_t bank_bytes; /* of its buffers, in one bank */
};

struct bank_view {
	const struct device *device;
	enum memory_type type;
	const struct bank_map *map;
	const struct bank_owner *owners;
	uint32_t owner_count;
	const struct snapshot *buffers; /* what the map's indices are of */
	struct fact left_out; /* live buffers that are not in the list, so not in the map */
};

/* bank_map_write - a bar of the bank, its pieces folded to a screen, the few buffers to release */
void bank_map_write(struct text *text, const struct bank_view *view, const struct style *style);
/* bank_map_write_json - {"schema":"ttmem.map/1",...}, one line, no newline at the end */
void bank_map_write_json(struct text *text, const struct bank_view *view);

#endif
