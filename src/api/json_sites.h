/* SPDX-License-Identifier: Apache-2.0 */
/*
 * "op", "site" and "tag", the members that say who allocated; the same in every
 * object that has them. Private to src/api.
 */
#ifndef TTMEM_API_JSON_SITES_H
#define TTMEM_API_JSON_SITES_H

#include "api/decode.h"
#include "api/encode.h"

/* put_site - the three members of the object, by the number of a site; null where nothing is known */
void put_site(struct encoded *object, uint32_t number);
/* put_stack - "stack", the native one; only where it was asked for */
void put_stack(struct encoded *object, uint32_t number);
/* decode_site - the other way, of all three. Return: 0 or -ENOMEM. */
int decode_site(struct snapshot *snapshot, yyjson_val *object, uint32_t *ret_number);

#endif
