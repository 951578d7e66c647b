/* SPDX-License-Identifier: Apache-2.0 */
/* Cards, their users, and where a chip is, as JSON and back. Private to src/api. */
#ifndef TTMEM_API_JSON_CARDS_H
#define TTMEM_API_JSON_CARDS_H

#include "api/decode.h"
#include "api/encode.h"

/* put_cards - the members "driver" and "cards" of the document */
void put_cards(struct encoded *document);
/* put_place - number, card, remote and physical figures of a machine's device */
void put_place(struct encoded *object, const struct device *device);

/* decode_cards - the document's cards, driver and users; after its processes. 0 or -ENOMEM. */
int decode_cards(struct snapshot *snapshot, yyjson_val *root);
/* decode_place - after decode_cards. 0 or -ENOMEM. */
int decode_place(struct snapshot *snapshot, yyjson_val *value, struct device *device);

#endif
