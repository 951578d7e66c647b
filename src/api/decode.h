/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From one JSON object to a struct, by the same lists of fields. Whatever is
 * not there, or of another kind than it should be, is not known. Private to
 * src/api.
 */
#ifndef TTMEM_API_DECODE_H
#define TTMEM_API_DECODE_H

#include <yyjson.h>

#include "api/fields.h"

/* decode_fields - fills `to`, a struct of the list's kind; texts go into the pool. 0 or -ENOMEM. */
int decode_fields(struct snapshot *snapshot, yyjson_val *object, const struct field_list *list,
		  void *to);
struct fact decode_id(yyjson_val *value);
/* decode_time - RFC 3339 in UTC; 0 for anything else */
uint64_t decode_time(yyjson_val *value);
int decode_text(struct snapshot *snapshot, yyjson_val *value, string_id *ret_id);
/* decode_chips - "chips" and "chip_ids" of an object. Return: 0 or -ENOMEM. */
int decode_chips(struct snapshot *snapshot, yyjson_val *object, struct span *ret_chips);

#endif
