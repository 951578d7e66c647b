/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Driving the stand-in from a test. Every function ends in calls like those of
 * an operation of TT-Metal; what it tells about memory comes from the allocator
 * itself, past all functions a hook may sit in. Safe from any thread, as far as
 * one object is not ended while another thread uses it.
 */
#ifndef STANDIN_H
#define STANDIN_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct standin_mesh;
struct standin_buffer;

/* BufferType of TT-Metal */
enum {
	STANDIN_DRAM = 0,
	STANDIN_L1 = 1,
	STANDIN_SYSTEM = 2,
	STANDIN_L1_SMALL = 3,
	STANDIN_TRACE = 4,
};

enum {
	STANDIN_REFUSED = -1, /* found wrong before allocate_buffer was called */
	STANDIN_FAILED = -2,  /* allocate_buffer threw */
};

struct standin_chip {
	int32_t id;
	uint64_t unique_id; /* 0: the description has none */
	const char *bdf;    /* PCI address, or NULL */
};

struct standin_request {
	uint32_t type, layout; /* layout: 0 interleaved, 2 height, 3 width, 4 block sharded */
	uint64_t size, page_size;
	uint32_t cores; /* of a sharded buffer; 0: spread over all banks */
	uint32_t no_shards; /* not 0: no Buffer for each chip (saves host memory in mass tests) */
};

struct standin_description {
	uint64_t address, size, page_size, bank_bytes, object;
	uint32_t type, layout, cores, allocated;
};

struct standin_figures { /* bytes of one bank */
	uint64_t banks, base, total, allocated, free, largest_free;
};

struct standin_block {
	uint64_t address, size; /* absolute, in each bank */
	uint64_t free;
};

struct standin_counts { /* calls that reached the real functions */
	uint64_t allocate, deallocate, allocate_cb, deallocate_cb;
};

/* the GEN it was built with */
int standin_generation(void);
/* hidden_parent: as open_device does it, a mesh with an allocator that nobody sees lies above */
struct standin_mesh *standin_open(const struct standin_chip *chips, size_t count, uint64_t l1_small,
				  uint64_t trace, int hidden_parent);
/* over `count` chips of the mesh from number `first` on; NULL if it has not so many or is closed */
struct standin_mesh *standin_submesh(struct standin_mesh *mesh, size_t first, size_t count);
/* closes through the vtable and lets go; buffers outlive it without an event */
void standin_close(struct standin_mesh *mesh);

/* 0, STANDIN_REFUSED or STANDIN_FAILED with the exception's text */
int standin_alloc(struct standin_mesh *mesh, const struct standin_request *request,
		  struct standin_buffer **ret_buffer, char *error, size_t error_bytes);
/* a Buffer at a given address: owns nothing, raises no event; NULL if the mesh is closed */
struct standin_buffer *standin_view(struct standin_mesh *mesh, uint64_t address,
				    const struct standin_request *request);
void standin_free(struct standin_buffer *buffer);
void standin_describe(const struct standin_buffer *buffer, struct standin_description *ret);
/* this thread's allocations raise events but take nothing, as in a NO_DISPATCH capture */
void standin_capture(int on);

/* one circular buffer of a program on a range of cores; of all of them the end */
void standin_cb(struct standin_mesh *mesh, uint64_t address, uint64_t size,
		const uint64_t range[4]);
void standin_cb_end(struct standin_mesh *mesh);

void standin_statistics(const struct standin_mesh *mesh, uint32_t type,
			struct standin_figures *ret);
/* all blocks by address, taken and free; returns how many there are, fills at most `room` */
size_t standin_blocks(const struct standin_mesh *mesh, uint32_t type, struct standin_block *blocks,
		      size_t room);
void standin_events(struct standin_counts *ret);

#ifdef __cplusplus
}
#endif
#endif
