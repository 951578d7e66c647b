/* SPDX-License-Identifier: Apache-2.0 */
/* Parts of documents that several kinds of rows have. Private to src/api. */
#ifndef TTMEM_API_JSON_PARTS_H
#define TTMEM_API_JSON_PARTS_H

#include "api/decode.h"
#include "api/encode.h"

/* put_head - the members that each document starts with; the object stays open */
void put_head(struct text *text, const struct snapshot *snapshot, const char *schema);
/* put_chips - the members "chips" and "chip_ids" */
void put_chips(struct encoded *object, const struct allocator *allocator);
/* put_lacks - the members "incomplete" and "siteless": a list does not have everything */
void put_lacks(struct text *text, const struct snapshot *snapshot);
/* read_lacks - into the capabilities of those processes. Return: 0 or -errno. */
int read_lacks(yyjson_val *root, struct snapshot *snapshot);

/* find_process - by pid, in a snapshot that knows no more of processes; new when it is not there */
int find_process(struct snapshot *snapshot, uint32_t pid, uint32_t *ret_index);
/* read_document - `read` gets the root of a document of this schema. 0; -EBADMSG; -ENOMEM. */
int read_document(const char *json, size_t length, const char *schema,
		  int (*read)(yyjson_val *root, struct snapshot *snapshot, void *context),
		  void *context, struct snapshot *ret_snapshot);

#endif
