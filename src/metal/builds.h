/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The released builds of TT-Metal, by the build id of the library that holds
 * it. Gives a process its version, which nothing in it exports, and the one
 * offset that has neither an accessor nor a way to check itself. Handlers and
 * accessors are never chosen by this table, only by what is exported.
 */
#ifndef TTMEM_METAL_BUILDS_H
#define TTMEM_METAL_BUILDS_H

#include <stddef.h>
#include <stdint.h>

enum metal_buffer_layout {
	METAL_BUFFER_FIELDS = 0, /* ..0.78.0: fields in Buffer itself */
	METAL_BUFFER_PIMPL = 1,	 /* 0.79.0..: behind a pointer, with accessors for all */
};

struct metal_build {
	uint8_t	    build_id[20];
	const char *version;
	uint8_t	    buffer_layout; /* enum metal_buffer_layout */
	/* of the cluster description in tt::Cluster, where no function gives it; 0: one does */
	uint8_t	    cluster_description_offset;
};

/* metal_build_find - NULL for a build we do not know */
const struct metal_build *metal_build_find(const uint8_t *id, size_t bytes);

#endif
