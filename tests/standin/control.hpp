/* SPDX-License-Identifier: Apache-2.0 */
/* What the driver program asks of the stand-in, found by dlsym; plain C types only. */
#pragma once

#include <cstddef>
#include <cstdint>

extern "C" {
/* A mesh over chips 0..chips-1. Never fails. */
void *standin_open(int chips, uint64_t l1_small, uint64_t trace);
/* A mesh of one chip inside another, with an allocator of its own. */
void *standin_submesh(void *mesh, int chip);
void standin_close(void *mesh);
/* A buffer with its events; NULL and `error` when the allocator throws. */
void *standin_alloc(void *mesh, int type, uint64_t size, uint64_t page, uint32_t cores, char *error,
		    size_t error_bytes);
void standin_free(void *buffer);
/* The halves of both: in the allocator's set and not tracked yet; not tracked any more. */
void *standin_alloc_begin(void *mesh, uint64_t size, uint64_t page);
void standin_alloc_end(void *buffer);
void standin_free_begin(void *buffer);
void standin_free_end(void *buffer);
/* A Buffer at a given address: no event, only a constructor and a destructor. */
void *standin_view(void *mesh, uint64_t address);
void standin_view_end(void *buffer);
/* A capture that dispatches nothing: an event with address 0, and no free. */
void standin_capture(void *mesh, uint64_t size);
/* The buffer dies without an event, because its device closed first. */
void standin_abandon(void *buffer);
uint64_t standin_address(void *buffer);
/* banks, total, allocated, free, largest per bank of a type (0 DRAM, 1 L1, 3 L1_SMALL, 4 TRACE) */
void standin_stats(void *mesh, int type, uint64_t out[5]);
/* address, bytes pairs; returns how many there are */
size_t standin_blocks(void *mesh, int type, uint64_t *out, size_t room);
}

/* Programs. `range`: first and last row and column of the mesh; `cores`: x0 y0 x1 y1. */
extern "C" {
void standin_slow(int slow);
void *standin_program(void *mesh, const uint32_t range[4]);
void *standin_program_beside(void *program, const uint32_t range[4]);
/* kind: 0 and 1 data movement on BRISC and NCRISC, 2 compute */
void standin_kernel(void *program, int kind, const char *name, const uint32_t cores[4],
		    uint32_t packed, uint32_t text);
void standin_cb(void *program, uint32_t bytes, int global, const uint32_t cores[4]);
/* kind: 0 plain, 1 borrowed, 2 alias of the first */
void standin_dfb(void *program, uint32_t entry, uint32_t entries, int kind,
		 const uint32_t cores[4]);
void standin_scratch(void *program, uint32_t kernel, uint32_t bytes);
void standin_binaries(void *program, void *buffer);
long standin_binaries_users(void *program);
void standin_resize(void *program, uint32_t number, uint32_t bytes);
/* 0, or -1 and `error` when the dispatch throws */
int standin_dispatch(void *program, int count, char *error, size_t error_bytes);
void standin_program_end(void *program);
}
