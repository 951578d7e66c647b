/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One JSON object from a list of fields: figures as they stand, null for what
 * is not known, and the reasons beside them. Private to src/api.
 */
#ifndef TTMEM_API_ENCODE_H
#define TTMEM_API_ENCODE_H

#include <yyjson.h>

#include "api/fields.h"

struct encoded {
	yyjson_mut_doc *doc;
	const struct snapshot *snapshot; /* whose strings; NULL where no field is a text */
	yyjson_mut_val *value;
	yyjson_mut_val *unavailable, *estimates, *stale; /* NULL until needed */
};

struct encoded encode_begin(yyjson_mut_doc *doc, const struct snapshot *snapshot);
/* encode_fields - every field of the list from `from`, a struct of its kind */
void encode_fields(struct encoded *object, const struct field_list *list, const void *from);
void encode_value(struct encoded *object, const char *name, yyjson_mut_val *value);
/* encode_end - adds the reasons, last, so that the figures stand first */
yyjson_mut_val *encode_end(struct encoded *object);

/* encode_text - bytes from strangers as valid UTF-8; the empty string as null */
yyjson_mut_val *encode_text(yyjson_mut_doc *doc, const char *string);
/* encode_id - 64 bits do not fit a double, so ids travel as decimal strings */
yyjson_mut_val *encode_id(yyjson_mut_doc *doc, struct fact id);

#endif
