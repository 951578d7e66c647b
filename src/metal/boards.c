/* SPDX-License-Identifier: Apache-2.0 */
#include "metal/boards.h"

#include <string.h>

#define WORMHOLE  2u
#define BLACKHOLE 3u

static const struct board boards[] = {
	{0x14, "n300", WORMHOLE, 2, false, 12, 64, 56},
	{0x18, "n150", WORMHOLE, 1, false, 12, 72, 64},
	{0x35, "galaxy-wormhole", WORMHOLE, 1, true, 12, 80, 64},
	{0x36, "p100", BLACKHOLE, 1, false, 7, 120, 110},
	{0x43, "p100a", BLACKHOLE, 1, false, 7, 120, 110},
	{0x40, "p150a", BLACKHOLE, 1, false, 8, 120, 110},
	{0x41, "p150b", BLACKHOLE, 1, false, 8, 120, 110},
	{0x42, "p150c", BLACKHOLE, 1, false, 8, 120, 110},
	{0x44, "p300b", BLACKHOLE, 1, false, 8, 120, 110},
	{0x45, "p300a", BLACKHOLE, 1, false, 8, 120, 110},
	{0x46, "p300c", BLACKHOLE, 1, false, 8, 120, 110},
	{0x47, "galaxy-blackhole", BLACKHOLE, 1, true, 8, 130, 120},
};

static const struct board_memory memories[] = {
	[WORMHOLE] = {UINT64_C(1) << 30, (UINT64_C(1) << 30) - 1048640, 1499136, 1393312},
	/* of 4 GiB TT-Metal uses 4080 MiB */
	[BLACKHOLE] = {UINT64_C(1) << 32, UINT64_C(4278190080) - 1048704, 1572864, 1461120},
};

const struct board *board_by_code(uint32_t code)
{
	for (size_t i = 0; i < sizeof boards / sizeof boards[0]; i++)
		if (boards[i].code == code)
			return &boards[i];
	return NULL;
}

const struct board *board_by_name(const char *name)
{
	for (size_t i = 0; i < sizeof boards / sizeof boards[0]; i++)
		if (strcmp(boards[i].name, name) == 0)
			return &boards[i];
	return NULL;
}

const struct board *board_of_serial(uint64_t serial)
{
	return board_by_code((uint32_t)(serial >> 36) & 0xfffff);
}

const struct board_memory *board_memory_of(uint32_t arch)
{
	return arch == WORMHOLE || arch == BLACKHOLE ? &memories[arch] : NULL;
}

static void add(struct unique_id *ids, size_t *count, uint64_t value, bool remote)
{
	for (size_t i = 0; i < *count; i++)
		if (ids[i].value == value)
			return;
	ids[(*count)++] = (struct unique_id){value, remote};
}

size_t unique_ids_of(uint32_t arch, uint64_t serial, uint64_t asic_id,
		     struct unique_id ids[UNIQUE_IDS_MAX])
{
	uint64_t board = (serial >> 4 & UINT64_C(0xf0000000)) | (serial & UINT64_C(0x0fffffff));
	size_t count = 0;

	if (asic_id)
		add(ids, &count, asic_id, false);
	/* 0 is a card whose firmware has not spoken yet: nothing follows from it */
	if (serial == 0)
		return count;
	add(ids, &count, serial, false);
	if (arch == WORMHOLE) {
		/* the Ethernet core's word says left or right: 2 is the chip on PCIe, 3 the other */
		add(ids, &count, UINT64_C(2) << 32 | board, false);
		add(ids, &count, UINT64_C(3) << 32 | board, true);
	} else if (arch == BLACKHOLE) {
		for (uint64_t location = 0; location < 32; location++)
			add(ids, &count, serial << 5 | location, false);
		/* how older releases wrote it */
		for (uint64_t location = 0; location < 2; location++)
			add(ids, &count, serial << 1 | location, false);
	}
	return count;
}
