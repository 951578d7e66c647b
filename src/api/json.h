/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A snapshot as JSON and back; docs/api.md describes every field.
 *
 * Unknown figures are null and their reason stands under "unavailable";
 * figures that are only a bound stand under "estimates" as well. Rows are
 * written one at a time, so a million buffers need no tree in memory.
 */
#ifndef TTMEM_API_JSON_H
#define TTMEM_API_JSON_H

#include "base/buffer.h"
#include "model/snapshot.h"

/* json_write_snapshot - {"schema":"ttmem.snapshot/1",...}, one line, no newline at the end */
void json_write_snapshot(struct text *text, const struct snapshot *snapshot);
/*
 * json_write_buffers - {"schema":"ttmem.buffers/1",...} with the buffers at `order` (indices);
 * order NULL: all of them.
 */
void json_write_buffers(struct text *text, const struct snapshot *snapshot, const uint32_t *order,
			uint32_t count);
/* json_write_buffer_rows - the array alone, for other documents that name buffers */
void json_write_buffer_rows(struct text *text, const struct snapshot *snapshot,
			    const uint32_t *order, uint32_t count);
/* json_write_incomplete - the array of processes that hold more than is known, likewise */
void json_write_incomplete(struct text *text, const struct snapshot *snapshot);
/* json_write_string - bytes from strangers as one JSON string; the empty string as null */
void json_write_string(struct text *text, const char *string);
/* json_write_fact - a number, or null */
void json_write_fact(struct text *text, struct fact fact);
/* json_write_error - {"error":{"code","message","hint"}}; hint NULL: there is nothing to do */
void json_write_error(struct text *text, const char *code, const char *message, const char *hint);

/*
 * json_read_snapshot - the other way. Return: 0; -EBADMSG for anything but a snapshot document of
 * version 1; -ENOMEM.
 */
int json_read_snapshot(const char *json, size_t length, struct snapshot *ret_snapshot);
/*
 * json_read_buffers - likewise for a list of buffers. Of processes the snapshot has the pid, of
 * allocators id and chips: what the rows tell.
 */
int json_read_buffers(const char *json, size_t length, struct snapshot *ret_snapshot);
/*
 * json_read_kept - of the answer to /v1/failures: the number of the newest table that was kept of a
 * process (pid 0: of any) for its `failure` (0: for any). Return: 0; -ENOENT: none was; -EBADMSG;
 * -ENOMEM.
 */
int json_read_kept(const char *json, size_t length, uint32_t pid, uint64_t failure,
		   uint64_t *ret_number);

#endif
