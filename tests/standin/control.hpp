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
